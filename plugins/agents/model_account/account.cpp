// model-accounts/<digest>.json holds {"since": ms, "until": ms, "why": sentence, "said": bool, "times": n,
// "who": execution}. It is replaced as a whole under a lock; reading takes none. What cannot be read counts
// as not known: the worst that follows is one refused session. A time that is further off than a wait can be
// is of a clock that was set back since, and counts as not known, too.
#include "model_account/account.h"

#include <algorithm>
#include <utility>

#include "davit/json.hpp"
#include "shared_files/digest.h"
#include "shared_files/files.h"

namespace model_account {

using davit::Failure;
using davit::Json;
using davit::Time;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t kMostBytes = 64u << 10;
constexpr std::int64_t kLastMoment = 253'402'300'799'999;  // of the year 9999: how far away it is can be counted
constexpr std::chrono::seconds kLongestLock{2};

milliseconds doubled(int times) {
  milliseconds wait = kFirstWait;
  for (int i = 0; i < times && wait < kLongestWait; ++i) wait *= 2;
  return std::min<milliseconds>(wait, kLongestWait);
}

std::optional<shared::FileLock> lock_of(const std::filesystem::path& file) {
  const auto end = std::chrono::steady_clock::now() + kLongestLock;
  return shared::FileLock::wait(file, shared::FileLock::Kind::Exclusive,
                                [&] { return std::chrono::steady_clock::now() < end; });
}

}  // namespace

struct Account::Note {
  Time since, until;
  std::string why;
  bool said = false;  // the other side named `until`
  int times = 0;      // refusals in a row of which nobody said how long they last
  std::string who;    // that tries it until `until`; empty: nobody
};

Failure Closed::failure(Time now) const {
  return Failure::rate_limited(why, std::clamp<milliseconds>(until - now, milliseconds(1), kMostSaid));
}

Account::Account(const std::filesystem::path& state_folder, std::string_view identity, std::string who)
    : who_(std::move(who)) {
  if (state_folder.empty()) return;
  folder_ = state_folder / "model-accounts";
  file_ = folder_ / (shared::digest_of("model account\n" + std::string(identity)).substr(0, 32) + ".json");
}

std::optional<Account::Note> Account::read() const {
  if (file_.empty()) return std::nullopt;
  const auto text = shared::read_file(file_, kMostBytes);
  if (!text) return std::nullopt;
  try {
    const Json json = Json::parse(*text);
    const std::int64_t until = json["until"].int_or(0);
    if (until < 0 || until > kLastMoment) return std::nullopt;
    return Note{.since = davit::time_from_unix_ms(json["since"].int_or(0)),
                .until = davit::time_from_unix_ms(until),
                .why = std::string(json["why"].string_or("")),
                .said = json["said"].bool_or(false),
                .times = static_cast<int>(std::clamp<std::int64_t>(json["times"].int_or(0), 0, 100)),
                .who = std::string(json["who"].string_or(""))};
  } catch (const Failure&) {
    return std::nullopt;
  }
}

void Account::write(const Note& note) const {
  shared::replace_file(file_, Json::object({{"since", davit::unix_ms(note.since)},
                                            {"until", davit::unix_ms(note.until)},
                                            {"why", note.why},
                                            {"said", note.said},
                                            {"times", note.times},
                                            {"who", note.who}})
                                  .dump());
}

std::optional<Closed> Account::enter(Time now) const {
  // Most of the time there is no note, and nothing is locked.
  if (!read()) return std::nullopt;
  try {
    const auto lock = lock_of(folder_ / "lock");
    std::optional<Note> note = read();
    if (!note || note->until - now > kMostSaid) return std::nullopt;
    if (note->until > now) {
      if (!note->who.empty() && note->who == who_) return std::nullopt;
      return Closed{note->until, "the model is asked nothing at present" +
                                     std::string(note->who.empty() ? "" : ", another execution tries it") +
                                     ": " + note->why};
    }
    if (note->said) return std::nullopt;
    note->until = now + kTrial;
    note->who = who_;
    write(*note);
  } catch (const Failure&) {
  }
  return std::nullopt;
}

Account::Refused Account::refused(std::string_view why, std::optional<Time> said, Time now) const {
  const auto said_wait = [&] { return std::clamp<milliseconds>(*said - now, kLeastSaid, kMostSaid); };
  if (file_.empty()) return {now + (said ? said_wait() : doubled(0)), true};
  Refused refused;
  try {
    shared::make_private_folder(folder_);
    const auto lock = lock_of(folder_ / "lock");
    std::optional<Note> known = read();
    const bool is_over = known && known->said && known->until <= now;
    if (known && (is_over || known->until - now > kMostSaid)) known.reset();
    refused.is_new = !known;
    const int times = known ? known->times : 0;
    refused.until = now + (said ? said_wait() : doubled(times));
    // Who began before the note, and hears of it only now, has learnt nothing about how long it lasts.
    const bool is_straggler = known && known->until > now && known->who != who_;
    if (is_straggler && (!said || refused.until <= known->until)) {
      refused.until = known->until;
      return refused;
    }
    write({.since = known ? known->since : now,
           .until = refused.until,
           .why = std::string(why),
           .said = said.has_value(),
           .times = said ? 0 : times + 1,
           .who = ""});
  } catch (const Failure&) {
    if (refused.until == Time()) refused = {now + (said ? said_wait() : doubled(0)), true};
  }
  return refused;
}

bool Account::answered() const {
  if (!read()) return false;
  std::error_code none;
  return std::filesystem::remove(file_, none);
}

}  // namespace model_account

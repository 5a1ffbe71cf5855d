// limits.json holds {"<account>": {"all": ms, "core": ms, …, "written": ms, "unsaid": [reads, writes]}}. It
// is replaced as a whole under limits.lock; reading takes no lock. What cannot be read counts as not known:
// the worst that follows is one refused request. A time that is further off than a limit can last is of a
// clock that was set back since, and counts as not known, too.
#include "github_api/pace.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "davit/failure.hpp"
#include "davit/json.hpp"

namespace github {
namespace {

using davit::Failure;
using davit::Json;
using davit::JsonView;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kNap{20};
constexpr milliseconds kBetweenWrites{1000};
constexpr milliseconds kLongest = hours(24);
constexpr milliseconds kLongestUnsaid = hours(1);
// What nobody has used for as long is forgotten.
constexpr milliseconds kForgotten = hours(48);
constexpr std::size_t kMostFile = 4u << 20;
constexpr const char* kBudgets[] = {"core", "search", "code_search", "graphql"};

std::int64_t ms_of(Pace::Time time) {
  return std::chrono::floor<milliseconds>(time).time_since_epoch().count();
}
Pace::Time time_of(std::int64_t ms) { return Pace::Time(milliseconds(ms)); }

std::string seconds_of(milliseconds time) { return std::to_string((time.count() + 999) / 1000) + " s"; }

}  // namespace

Budget budget_of(std::string_view path) {
  if (path.starts_with("/search/code")) return Budget::CodeSearch;
  if (path.starts_with("/search/")) return Budget::Search;
  return path == "/graphql" ? Budget::Graphql : Budget::Core;
}

Pace::Pace(std::filesystem::path folder, std::string account, Waiting waiting, http::Cancel cancel)
    : folder_(std::move(folder)),
      account_(std::move(account)),
      waiting_(std::move(waiting)),
      cancel_(std::move(cancel)) {
  if (!waiting_.now) waiting_.now = [] { return std::chrono::system_clock::now(); };
  if (!waiting_.sleep) waiting_.sleep = [](milliseconds time) { std::this_thread::sleep_for(time); };
  shared::make_private_folder(folder_);
}

Pace::Time Pace::patience() const {
  milliseconds most = waiting_.most;
  if (waiting_.remaining) most = std::min(most, waiting_.remaining());
  return now() + most;
}

void Pace::nap(milliseconds time) const {
  for (const Time end = now() + time; now() < end;) {
    if (cancel_ && cancel_()) throw Failure::cancelled("waiting for GitHub was cancelled");
    waiting_.sleep(std::clamp(std::chrono::ceil<milliseconds>(end - now()), milliseconds(1), kNap));
  }
}

void Pace::await_read(Budget budget, Time patience, const std::string& what) {
  for (;;) {
    const Time free = free_at(read(), budget);
    const milliseconds left = std::chrono::ceil<milliseconds>(free - now());
    if (left.count() <= 0) return;
    if (free > patience) {
      throw Failure::rate_limited(
          what + " was not sent: GitHub asked for a pause before (again in " + seconds_of(left) + ")", left);
    }
    nap(left);
  }
}

shared::FileLock Pace::await_write(Budget budget, Time patience, const std::string& what) {
  for (;;) {
    await_read(budget, patience, what);
    auto turn = shared::FileLock::try_take(folder_ / ("writing-" + account_ + ".lock"));
    if (!turn) {
      if (now() >= patience)
        throw Failure::rate_limited(what + " was not sent: others write to GitHub all the time", seconds(10));
      nap(kNap);
      continue;
    }
    // Others may have been refused meanwhile, or have written.
    const State state = read();
    if (free_at(state, budget) > now()) continue;
    const Time next = time_of(state.written) + kBetweenWrites;
    nap(std::min(std::chrono::ceil<milliseconds>(next - now()), kBetweenWrites));
    change([&](State& mine) { mine.written = ms_of(now()); });
    return *std::move(turn);
  }
}

milliseconds Pace::refused(Budget budget, Move move, const Limit& limit) {
  milliseconds wait = limit.wait;
  change([&](State& state) {
    if (!limit.said) {
      int& times = state.unsaid[static_cast<std::size_t>(move)];
      for (int i = 0; i < times && wait < kLongestUnsaid; ++i) wait *= 2;
      wait = std::min(wait, kLongestUnsaid);
      times = std::min(times + 1, 100);
    }
    std::int64_t& until = limit.of_all ? state.all : state.of[static_cast<std::size_t>(budget)];
    until = std::max(until, ms_of(now() + wait));
  });
  return wait;
}

void Pace::answered(Budget budget, Move move, std::optional<milliseconds> used_up) {
  const auto at = static_cast<std::size_t>(move);
  if (!used_up && unsaid_seen_[at] == 0) return;
  change([&](State& state) {
    state.unsaid[at] = 0;
    if (!used_up) return;
    std::int64_t& until = state.of[static_cast<std::size_t>(budget)];
    until = std::max(until, ms_of(now() + *used_up));
  });
}

Pace::Time Pace::free_at(const State& state, Budget budget) const {
  return time_of(std::max(state.all, state.of[static_cast<std::size_t>(budget)]));
}

Pace::State Pace::read() {
  const States states = parse(shared::read_file(folder_ / "limits.json", kMostFile).value_or(""));
  const auto mine = states.find(account_);
  if (mine == states.end()) return {};
  State state = mine->second;
  const std::int64_t latest = ms_of(now() + kLongest);
  const auto forget_beyond = [&](std::int64_t& until) { until = until > latest ? 0 : until; };
  forget_beyond(state.all);
  for (std::int64_t& until : state.of) forget_beyond(until);
  state.written = std::min(state.written, ms_of(now()));
  unsaid_seen_ = state.unsaid;
  return state;
}

template <class Change>
void Pace::change(Change change) {
  // Whoever has it replaces one small file.
  std::optional<shared::FileLock> lock;
  for (int tries = 0; !(lock = shared::FileLock::try_take(folder_ / "limits.lock")); ++tries) {
    if (tries == 500)
      throw Failure::retryable((folder_ / "limits.lock").string() + " is held by another process for long");
    nap(kNap);
  }
  States states = parse(shared::read_file(folder_ / "limits.json", kMostFile).value_or(""));
  change(states[account_]);
  unsaid_seen_ = states[account_].unsaid;
  const std::int64_t forgotten = ms_of(now() - kForgotten);
  std::erase_if(states, [&](const auto& entry) {
    const State& state = entry.second;
    return std::max({state.all, state.written, *std::max_element(state.of.begin(), state.of.end())}) <
           forgotten;
  });
  shared::replace_file(folder_ / "limits.json", dump(states));
}

Pace::States Pace::parse(std::string_view text) {
  States states;
  Json json;
  try {
    if (!text.empty()) json = Json::parse(text);
  } catch (const Failure&) {
    return states;
  }
  // Far off is no time; adding to it would overflow.
  const auto time_in = [](JsonView value) {
    return std::clamp<std::int64_t>(value.int_or(0), 0, 100'000'000'000'000);
  };
  for (const auto [account, value] : json.members()) {
    State& state = states[std::string(account)];
    state.all = time_in(value["all"]);
    for (std::size_t i = 0; i < state.of.size(); ++i) state.of[i] = time_in(value[kBudgets[i]]);
    state.written = time_in(value["written"]);
    for (std::size_t i = 0; i < state.unsaid.size(); ++i)
      state.unsaid[i] = static_cast<int>(std::clamp<std::int64_t>(value["unsaid"][i].int_or(0), 0, 100));
  }
  return states;
}

std::string Pace::dump(const States& states) {
  Json json = Json::object();
  for (const auto& [account, state] : states) {
    Json value = Json::object({{"all", state.all}, {"written", state.written}});
    for (std::size_t i = 0; i < state.of.size(); ++i) value.set(kBudgets[i], state.of[i]);
    value.set("unsaid", Json::array({state.unsaid[0], state.unsaid[1]}));
    json.set(account, std::move(value));
  }
  return json.dump();
}

}  // namespace github

#include "cicd/watch.h"

#include <algorithm>
#include <utility>

#include "davit/failure.hpp"
#include "github_api/errors.h"

namespace cicd {

using davit::Failure;
using davit::Status;
using github::Check;
using github::CheckState;
using std::chrono::milliseconds;

namespace {
constexpr milliseconds kLongestPause{60'000};
constexpr int kMostFailures = 5;  // looks, one after the other
}  // namespace

Watch::Watch(github::Api& api, Subject subject, Bounds bounds, Clock clock)
    : api_(api),
      subject_(std::move(subject)),
      bounds_(bounds),
      clock_(std::move(clock)),
      end_(clock_.now() + bounds_.wait) {}

bool Watch::waits(const Check& check) const {
  if (check.state == CheckState::Waiting) return true;
  const auto again = started_again_.find(check.run);
  return again != started_again_.end() && check.attempt <= again->second;
}

End Watch::until_complete() {
  std::string seen;
  milliseconds news = clock_.now(), pause = bounds_.poll;
  for (int failures = 0;;) {
    bool complete = false;
    try {
      if (const End end = look(); end != End::Complete) return end;
      failures = 0;
      complete = std::none_of(checks_.all.begin(), checks_.all.end(),
                              [&](const Check& check) { return waits(check); });
      if (std::string now = picture(); now != seen) {
        seen = std::move(now);
        news = clock_.now();
      }
    } catch (const Failure& failure) {
      if (failure.status() != Status::Retryable || ++failures == kMostFailures) throw;
      if (clock_.tell) clock_.tell(failure.what());
    }
    const milliseconds now = clock_.now();
    if (complete && (now - news >= bounds_.settle || now >= end_)) return End::Complete;
    if (now >= end_) return End::OutOfTime;
    if (clock_.tell && failures == 0) clock_.tell(what_waits());
    milliseconds nap = std::min(pause, end_ - now);
    if (complete) nap = std::min(nap, news + bounds_.settle - now);
    clock_.pass(nap);
    pause = std::min(pause * 3 / 2, std::max(kLongestPause, bounds_.poll));
  }
}

// The pull request is looked at last: its head was still this commit when the checks were read.
End Watch::look() {
  checks_ = api_.checks(subject_.repo, subject_.sha);
  if (subject_.pull == 0) return End::Complete;
  const github::Pull pull = api_.pull(subject_.repo, subject_.pull);
  if (pull.head.sha != subject_.sha) return End::Superseded;
  return pull.state == github::PullState::Open ? End::Complete : End::Closed;
}

// Another one when anything began, ended or came.
std::string Watch::picture() const {
  std::string picture = "checks";
  for (const Check& check : checks_.all) {
    picture += " " + std::to_string(static_cast<int>(check.kind)) + ":" + std::to_string(check.id) + ":" +
               std::to_string(check.attempt) + ":" + (waits(check) ? "waits" : check.conclusion);
  }
  return picture;
}

std::string Watch::what_waits() const {
  std::size_t waiting = 0;
  std::string first;
  for (const Check& check : checks_.all) {
    if (!waits(check)) continue;
    if (waiting++ == 0) first = github::one_line(check.name, 100);
  }
  if (waiting == 0) return "waiting whether more checks come";
  return std::to_string(waiting) + " of " + std::to_string(checks_.all.size()) +
         " checks have not ended: " + first + (waiting > 1 ? ", ..." : "");
}

}  // namespace cicd

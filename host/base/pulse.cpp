#include "host/base/pulse.h"

#include <algorithm>

namespace davit {

void Pulse::ask() {
  const bool is_new = state_->question.with([&](Question& question) {
    if (question.under_way) return false;
    question = {true, clock_.monotonic()};
    return true;
  });
  if (!is_new) return;
  // Told when the function goes, so that one that is dropped leaves nobody waiting.
  const std::shared_ptr<void> gone(nullptr, [state = state_](void*) {
    state->question.with([](Question& question) { question.under_way = false; });
    state->answered.notify_all();
  });
  reach_([gone] {});
}

Duration Pulse::unanswered_after(Duration patience) const {
  const MonotonicTime since = state_->question.with([](const Question& question) { return question.since; });
  const auto left = since + patience - clock_.monotonic();
  return state_->question.wait_for(
      state_->answered, left, [](const Question& question) { return !question.under_way; },
      [&](const Question& question) {
        if (!question.under_way) return Duration::zero();
        return std::max(Duration{1}, std::chrono::ceil<Duration>(clock_.monotonic() - question.since));
      });
}

}  // namespace davit

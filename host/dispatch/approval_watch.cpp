#include "host/dispatch/approval_watch.h"

#include <algorithm>
#include <utility>

namespace davit::dispatch {
namespace {

constexpr Duration kLongestSleep{60'000};  // wall time may jump; look at the clock again after this
constexpr Duration kAfterFailure{10'000};

}  // namespace

ApprovalWatch::ApprovalWatch(isolation::Loop& loop, std::shared_ptr<PostBox> box, store::Store& store,
                             Log& log, const Clock& clock)
    : loop_(loop), box_(std::move(box)), store_(store), log_(log), clock_(clock) {
  look();
}

ApprovalWatch::~ApprovalWatch() {
  if (timer_) loop_.cancel(timer_);
}

void ApprovalWatch::look() {
  if (std::exchange(asking_, true)) {
    look_again_ = true;
    return;
  }
  if (timer_) loop_.cancel(std::exchange(timer_, 0));
  store_.work_off_approvals([this, box = box_](Result<std::optional<WallTime>> answer) {
    box->post([this, answer = std::move(answer)] { on_answer(answer); });
  });
}

void ApprovalWatch::on_answer(const Result<std::optional<WallTime>>& answer) {
  asking_ = false;
  if (std::exchange(look_again_, false)) return look();
  if (answer.ok()) {
    next_ = *answer;
  } else {
    log_.warn("approvals that wait not looked through; trying again", {{"reason", answer.error().message}});
    next_ = clock_.wall() + kAfterFailure;
  }
  sleep();
}

void ApprovalWatch::sleep() {
  if (!next_) return;
  const Duration left = std::chrono::ceil<Duration>(*next_ - clock_.wall());
  timer_ = loop_.after(std::clamp(left, Duration::zero(), kLongestSleep), [this] {
    timer_ = 0;
    if (*next_ <= clock_.wall()) {
      look();
    } else {
      sleep();
    }
  });
}

}  // namespace davit::dispatch

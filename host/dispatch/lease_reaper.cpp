#include "host/dispatch/lease_reaper.h"

namespace davit::dispatch {

LeaseReaper::LeaseReaper(isolation::Loop& loop, std::shared_ptr<PostBox> box, store::Store& store, Log& log,
                         Duration lease, Hooks hooks)
    : loop_(loop), box_(std::move(box)), store_(store), log_(log), lease_(lease), hooks_(std::move(hooks)) {}

LeaseReaper::~LeaseReaper() {
  if (timer_) loop_.cancel(timer_);
}

void LeaseReaper::wake() {
  if (timer_) return;
  timer_ = loop_.after(lease_ / 3, [this] {
    timer_ = 0;
    tick();
  });
}

void LeaseReaper::suspect() {
  suspicious_ticks_ = 4;
  wake();
}

// Renewing comes before reaping: after the whole host stood still for longer than a lease, its own work is
// not reaped.
void LeaseReaper::tick() {
  std::vector<Fence> held = hooks_.held();
  if (held.empty() && suspicious_ticks_ == 0) {
    renewing_ = true;
    return;
  }
  wake();
  if (held.empty()) return reap();
  store_.renew(std::move(held), lease_, [this, box = box_](Result<store::Renewal> answer) {
    box->post([this, answer = std::move(answer)] {
      bool again = answer.ok() && !renewing_;
      renewing_ = answer.ok();
      if (!answer.ok()) {
        log_.error("leases not renewed; no new task is taken until they are",
                   {{"reason", answer.error().message}});
        return;
      }
      for (const Fence& fence : answer->lost) hooks_.lost(fence);
      for (const Fence& fence : answer->cancelled) hooks_.cancelled(fence);
      if (again) hooks_.renewed();
      reap();
    });
  });
}

void LeaseReaper::reap() {
  if (suspicious_ticks_ > 0) --suspicious_ticks_;
  store_.reap_expired_leases([this, box = box_](Result<int> answer) {
    box->post([this, answer = std::move(answer)] {
      if (!answer.ok())
        return log_.error("expired leases not looked for", {{"reason", answer.error().message}});
      if (*answer > 0) log_.warn("tasks with an expired lease returned to the queue", {{"count", *answer}});
    });
  });
}

}  // namespace davit::dispatch

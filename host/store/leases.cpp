#include "host/store/leases.h"

namespace davit::store {

void Leases::grant(Fence fence, MonotonicTime until) {
  waiting_.push_back({Step::Kind::Grant, fence, until});
}
void Leases::end(Fence fence) { waiting_.push_back({Step::Kind::End, fence, {}}); }
void Leases::request_cancel(Fence fence) { waiting_.push_back({Step::Kind::Cancel, fence, {}}); }

void Leases::apply() {
  for (const Step& step : waiting_) {
    if (step.kind == Step::Kind::Grant) {
      leases_[step.fence.task_row] = Lease{step.fence.number, step.until, false};
      continue;
    }
    const auto found = leases_.find(step.fence.task_row);
    if (found == leases_.end() || found->second.number != step.fence.number) continue;
    if (step.kind == Step::Kind::End) {
      leases_.erase(found);
    } else {
      found->second.cancel_requested = true;
    }
  }
  waiting_.clear();
}

Leases::Renewed Leases::renew(Fence fence, MonotonicTime until) {
  const auto found = leases_.find(fence.task_row);
  if (found == leases_.end() || found->second.number != fence.number) return Renewed::Lost;
  found->second.until = until;
  return found->second.cancel_requested ? Renewed::CancelRequested : Renewed::Yes;
}

std::vector<Fence> Leases::expired(MonotonicTime now) const {
  std::vector<Fence> fences;
  for (const auto& [row, lease] : leases_) {
    if (lease.until <= now) fences.push_back({row, lease.number});
  }
  return fences;
}

bool Leases::holds(Fence fence) const {
  const auto found = leases_.find(fence.task_row);
  return found != leases_.end() && found->second.number == fence.number;
}

std::vector<Fence> Leases::all() const {
  std::vector<Fence> fences;
  for (const auto& [row, lease] : leases_) fences.push_back({row, lease.number});
  return fences;
}

}  // namespace davit::store

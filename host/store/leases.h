// Who holds which running task until when, by the monotonic clock. In memory only: a lease does not outlive
// its host, and renewing one costs no commit.
//
// Confined to the writer thread. A transaction's changes wait until its commit: grant() and end() are noted
// and take effect with apply(), or never.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "host/base/clock.h"
#include "host/model/task.h"
#include "host/store/transaction_part.h"

namespace davit::store {

class Leases final : public TransactionPart {
 public:
  void grant(Fence fence, MonotonicTime until);
  void end(Fence fence);
  void request_cancel(Fence fence);
  void apply() override;
  void discard() override { waiting_.clear(); }

  enum class Renewed { Yes, Lost, CancelRequested };
  // At once, whatever becomes of the transaction.
  Renewed renew(Fence fence, MonotonicTime until);

  std::vector<Fence> expired(MonotonicTime now) const;
  bool holds(Fence fence) const;
  std::vector<Fence> all() const;

 private:
  struct Lease {
    std::int64_t number = 0;
    MonotonicTime until{};
    bool cancel_requested = false;
  };
  struct Step {
    enum class Kind { Grant, End, Cancel } kind;
    Fence fence;
    MonotonicTime until{};
  };
  std::unordered_map<std::int64_t, Lease> leases_;  // by task row
  std::vector<Step> waiting_;
};

}  // namespace davit::store

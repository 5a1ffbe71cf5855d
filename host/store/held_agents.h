// The agents whose plugin is in quarantine: their tasks are parked instead of queued.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "host/store/transaction_part.h"

namespace davit::store {

// Confined to the writer thread; outlives a connection, not the process. Within the transaction that sets
// them they count already.
class HeldAgents final : public TransactionPart {
 public:
  void set(std::set<std::string> agents) { waiting_ = std::move(agents); }
  bool contains(const std::string& agent) const { return (waiting_ ? *waiting_ : agents_).contains(agent); }

  void apply() override {
    if (waiting_) agents_ = *std::exchange(waiting_, std::nullopt);
  }
  void discard() override { waiting_.reset(); }

 private:
  std::set<std::string> agents_;
  std::optional<std::set<std::string>> waiting_;
};

}  // namespace davit::store

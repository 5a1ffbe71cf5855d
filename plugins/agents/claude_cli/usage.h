// What a session used and costs: by message while it runs, by its own account at its end.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "claude_cli/messages.h"
#include "claude_cli/settings.h"
#include "davit/agent.hpp"

namespace claude {

// What both used together, model by model; the main model is the later one's. An estimate if either is.
davit::Usage sum_of(const davit::Usage& earlier, const davit::Usage& later);

// Until a result says otherwise the cost is an estimate: tokens by message id (of each figure the largest
// that any line of that id said) times the prices. A model without a price costs as much as the dearest.
class Spending {
 public:
  explicit Spending(Prices prices) : prices_(std::move(prices)) {}

  void take(const Assistant& message);
  void take(const Streamed& part);
  // The session's own account, model by model. A cost that is no amount, or none at all for tokens that were
  // used, is not believed: then the estimate stays. Of two results the dearer counts.
  void take(const Result& result);

  // Says itself whether its cost is an estimate: the host keeps the larger of two costs, unless the first is
  // one.
  davit::Usage total() const;
  bool is_estimate() const { return estimate_; }

 private:
  struct Used {
    std::string model;
    Tokens tokens;
  };
  using Models = std::map<std::string, Tokens>;

  void raise(const std::string& id, const std::string& model, const Tokens& tokens);
  Models by_model() const;
  davit::Usage estimated() const;
  double cost_of(std::string_view model, const Tokens& tokens) const;

  Prices prices_;
  std::map<std::string, Used> messages_;          // the latest ones, by id
  std::deque<std::string> order_;                 // of their ids
  Models earlier_;                                // those before
  std::map<std::string, std::string> streaming_;  // id of the answer that streams, by parent
  davit::Usage account_;
  bool has_account_ = false;
  bool estimate_ = true;
};

}  // namespace claude

// The agents that get no task at present because somebody paused them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/store/database.h"
#include "host/store/statement.h"
#include "host/store/store.h"
#include "host/store/transaction_part.h"

namespace davit::store {

// Confined to the writer thread, one for each connection; the table `pause`, kept in memory since each claim
// asks for it. What a transaction changes counts at once within it, and is forgotten if it is rolled back.
class Pauses final : public TransactionPart {
 public:
  explicit Pauses(Database& database);

  // Replaces the one of the same agent.
  void pause(const Pause& pause);
  // The agent itself says that it can do nothing for so long. False: it is held as long already, or somebody
  // paused it, and that stays.
  bool hold(const std::string& agent, Duration time, std::string_view reason, WallTime now);
  // False: it was not paused by itself at `now`; that of all is another one.
  bool resume(const std::string& agent, WallTime now);
  // What holds the agent at `now`: its own pause, or that of all; null: nothing. Valid until the next change.
  const Pause* of(std::string_view agent, WallTime now) const;

  void apply() override {
    if (std::exchange(changed_, false)) committed_ = pauses_;
  }
  void discard() override {
    if (std::exchange(changed_, false)) pauses_ = committed_;
  }

 private:
  using ByAgent = std::map<std::string, Pause, std::less<>>;
  Statement write_, remove_;
  ByAgent pauses_, committed_;
  bool changed_ = false;  // by this transaction
};

class Reader;
// Those that hold at `now`, by agent; that of all first.
std::vector<Pause> read_pauses(Reader& reader, WallTime now);
// Says of queued tasks that nothing else holds back which pause does.
void tell_pauses(const std::vector<Pause>& pauses, TaskSummary& task);

}  // namespace davit::store

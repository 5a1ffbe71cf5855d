// What becomes of an approval that nobody gives: reminders, and an end.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "host/store/approvals.h"
#include "host/store/batch.h"
#include "host/store/database.h"
#include "host/store/moves.h"
#include "host/store/new_tasks.h"

namespace davit::store {

// Of the task that reminds somebody.
inline constexpr std::string_view kReminder = "approval_reminder";
inline constexpr std::string_view kReminderSource = "approval";

// Confined to the writer thread, inside its transaction.
class Reminders {
 public:
  Reminders(Database& database, const ApprovalRules& rules, Moves& moves, Approvals& approvals,
            NewTasks& new_tasks);
  ~Reminders();

  // Sends each reminder that is due, once, and ends each wait whose deadline has come. Gives when the next is
  // due.
  std::optional<WallTime> work_off(Batch& batch);

 private:
  struct Statements;
  struct Due;
  void remind(Batch& batch, const Due& due);
  void end(Batch& batch, const Due& due);

  const ApprovalRules& rules_;
  Moves& moves_;
  Approvals& approvals_;
  NewTasks& new_tasks_;
  std::unique_ptr<Statements> sql_;
};

}  // namespace davit::store

// Waits for a person: which tasks, since when, and for what exactly. An approval is bound to a content: all
// that the agent is given of its task (ApprovedContent of store.h). What is recorded is the hash of the
// content as it is then, never the word of who approved.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/store/database.h"
#include "host/store/statement.h"
#include "host/store/store.h"

namespace davit::store {

// A task that waits.
struct Waiting {
  std::int64_t row = 0;
  std::string task_id, agent, content_hash;
  WallTime asked_at{};
};

// Confined to the writer thread, inside its transaction. A task has a row here exactly while it is
// AwaitingApproval.
class Approvals {
 public:
  // `rules` outlives it and may change between transactions.
  Approvals(Database& database, const ApprovalRules& rules);
  ~Approvals();

  // With the deadline that the rules give it, and the time of its first reminder.
  void ask(std::int64_t task, WallTime now);
  void end(std::int64_t task);
  // The wait that its newest approval ended goes on, with the deadline and the reminders it had. Whom the rules
  // have notified hears of it at once.
  void resume(std::int64_t task, WallTime now);

  // Hash of the content of a task as it is now.
  std::string content_of(std::int64_t task);
  // Who approved this content, if somebody did, and nobody rejected it and no agent refused that since.
  std::optional<TaskDecision> approval_of(std::int64_t task, std::string_view content_hash);
  // The approval of this content that an agent refused, if nobody decided anything since.
  std::optional<TaskDecision> refusal_of(std::int64_t task, std::string_view content_hash);
  // Notes that a task runs nothing yet, because its content is not what was approved.
  void note_changed(std::int64_t task, std::string_view content_hash, WallTime now);

  // Notes that this approval, under which the task has run, does not count, and why.
  void note_refused(std::int64_t task, const TaskDecision& approval, std::string_view why, WallTime now);
  // Why an approval of this content by the same person does not count: it was refused before, and nobody has
  // retried the task since.
  std::optional<std::string> refused_before(std::int64_t task, std::string_view content_hash, const Person& by);

  // Does `said` of an approval name this content: the whole hash, at least its first 12 digits, or nothing where
  // the rules allow that? If not, the sentence says what it is.
  Result<> check(std::string_view task_id, std::string_view content_hash, std::string_view said) const;
  // Which of those that wait a webhook means by an entity, which may be one of their further keys. `said_at`:
  // when its delivery came. Where nothing names the content, only one that waits alone, and has done so since
  // before, can be meant by an approval.
  Result<Waiting> choose(const TaskAction& action, WallTime said_at);

 private:
  struct Statements;
  std::optional<TaskDecision> newest(std::int64_t task, std::string_view kind, std::string_view content_hash);
  // Those of the entity first, each the newest first.
  std::vector<Waiting> waiting(std::string_view entity, std::string_view agent);
  const ApprovalRules& rules_;
  std::unique_ptr<Statements> sql_;
};

}  // namespace davit::store

// Work that goes back to the agent that did it, because a person did not agree with what follows from it.
#pragma once

#include <memory>
#include <string>

#include "host/store/batch.h"
#include "host/store/database.h"
#include "host/store/moves.h"
#include "host/store/new_tasks.h"

namespace davit::store {

struct Rejection {
  std::string comment, by;
  std::string actor_id, way;  // of whoever rejected, as of an approval
  std::string content_hash;
};

// Confined to the writer thread, inside its transaction.
class Rework {
 public:
  Rework(Database& database, const ApprovalRules& rules, NewTasks& new_tasks);
  ~Rework();

  // Makes the task before the rejected one in its chain anew, at the same place in it: it has the payload
  // that one had, and as previous result {"rejected": {comment, by, actor_id, way, content_hash, output}},
  // where output is what that one gave. False without such a task, or beyond what the rules allow its agent:
  // then it has done nothing.
  bool send_back(Batch& batch, const TaskRow& rejected, const Rejection& rejection);

 private:
  struct Statements;
  const ApprovalRules& rules_;
  NewTasks& new_tasks_;
  std::unique_ptr<Statements> sql_;
};

}  // namespace davit::store

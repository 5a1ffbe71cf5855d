// Tasks of one line (what they are about, or what that belongs to) run one after another.
//
// While one runs, a new one is stored as blocked: queued, but not in the ready index. The transaction that
// ends the running one lets the next one in, one for each agent, so that no agent waits for another whose
// slots are taken. A new task behind one that is ready and goes first anyway is blocked likewise: a crowd in
// one line costs the claim nothing. What is ready all the same (another agent's, an approved one) the claim
// finds busy, blocks and steps over. So:
//
//   - no two tasks of a line run;
//   - while none of a line runs, each agent that has queued tasks in it has one that is not blocked.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "host/store/batch.h"
#include "host/store/database.h"
#include "host/store/store.h"

namespace davit::store {

// Of a row of `task`: does another task of its line run?
inline constexpr const char* kLineIsBusy =
    "EXISTS (SELECT 1 FROM task o INDEXED BY task_line_running WHERE o.state = 1"
    " AND o.line = task.line AND o.row <> task.row)";

// Confined to the writer thread; each function runs inside the writer's transaction.
// `rules` outlives it and is changed between transactions only.
class Lines {
 public:
  Lines(Database& database, const LineRules& rules);
  ~Lines();

  // The line of a new task; empty: none.
  std::string_view of(std::string_view agent, std::string_view entity, std::string_view group) const;
  // Does the group of an entity matter to the line of this agent's tasks?
  bool by_group(std::string_view agent) const;
  // The next one of the line, of each agent, unless one runs. To be called when one has left the queue or
  // ended. Does nothing for the empty line.
  void let_next_in(Batch& batch, const std::string& line);
  void block(std::int64_t row);
  // When a queued task has another line now, or another place in it: blocked only if one of it runs.
  void block_if_busy(std::int64_t row);

 private:
  struct Statements;
  const LineRules& rules_;
  std::unique_ptr<Statements> sql_;
};

}  // namespace davit::store

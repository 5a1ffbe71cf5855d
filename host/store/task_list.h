// Reads about tasks for people: lists and details.
//
// Functions over one read connection; confined to whoever has borrowed it.
#pragma once

#include "host/store/readers.h"
#include "host/store/store.h"

namespace davit::store {

Result<Page<TaskSummary>> list_tasks(Reader& reader, const TaskFilter& filter, const BudgetLimits& limits,
                                     WallTime now);
// Those of a filter's one state, which is not Queued, its agent, source and times, that are newer than its
// cursor.
struct MatchingTasks {
  std::vector<std::string> ids;  // no more than its limit
  std::int64_t behind = 0;       // how many follow
  std::string next_cursor;       // empty: none
};
Result<MatchingTasks> find_tasks_oldest_first(Reader& reader, const TaskFilter& filter);
Result<Page<std::string>> list_waiting(Reader& reader, std::string_view agent, int limit,
                                       std::string_view cursor);
Result<Page<DecidedTask>> list_decided(Reader& reader, int limit, std::string_view cursor);
// Says of a queued task whose turn has not come which one it waits for: the one of its line that runs, or the
// one of its agent that goes first.
void tell_line(Reader& reader, TaskSummary& task);
Result<TaskDetail> read_task(Reader& reader, std::string_view task_id, const BudgetLimits& limits,
                             WallTime now);

}  // namespace davit::store

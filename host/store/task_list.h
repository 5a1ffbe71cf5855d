// All reads about tasks and deliveries for people and timers: lists, details, depths.
//
// Functions over one read connection; confined to whoever has borrowed it.
#pragma once

#include "host/store/readers.h"
#include "host/store/store.h"

namespace davit::store {

Result<Page<TaskSummary>> list_tasks(Reader& reader, const TaskFilter& filter, const BudgetLimits& limits,
                                     WallTime now);
// Those of a filter's one state, which is not Queued, its agent, source and times, that are newer than its cursor.
struct MatchingTasks {
  std::vector<std::string> ids;  // no more than its limit
  std::int64_t behind = 0;       // how many follow
  std::string next_cursor;       // empty: none
};
Result<MatchingTasks> find_tasks_oldest_first(Reader& reader, const TaskFilter& filter);
Result<Page<std::string>> list_waiting(Reader& reader, std::string_view agent, int limit, std::string_view cursor);
Result<Page<DecidedTask>> list_decided(Reader& reader, int limit, std::string_view cursor);
Result<TaskDetail> read_task(Reader& reader, std::string_view task_id, const BudgetLimits& limits,
                             WallTime now);
Result<QueueReport> read_queue(Reader& reader, const BudgetLimits& limits, WallTime now);
Result<std::optional<WallTime>> read_next_run_at(Reader& reader, const BudgetLimits& limits, WallTime since);

Result<Page<DeliverySummary>> list_deliveries(Reader& reader, const Store::DeliveryFilter& filter);
Result<DeliveryDetail> read_delivery(Reader& reader, std::string_view delivery_id);
Result<DeferredDelivery> read_delivery_to_run(Reader& reader, std::string_view delivery_id);
Result<std::vector<DeferredDelivery>> read_due_deferred(Reader& reader, WallTime now, int limit);
Result<std::optional<WallTime>> read_next_deferred_at(Reader& reader);

}  // namespace davit::store

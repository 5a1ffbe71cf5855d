// Questions about many tasks and executions at once, as Store asks them.
#pragma once

#include <string_view>
#include <vector>

#include "host/model/stats.h"
#include "host/store/readers.h"

namespace davit::store {

std::vector<AgentStats> read_agent_stats(Reader& reader, std::string_view agent);
std::vector<CostLine> read_costs(Reader& reader, const CostQuery& query);
std::vector<SeriesPoint> read_series(Reader& reader, const SeriesQuery& query);
std::vector<TasksMade> read_tasks_made(Reader& reader, const SeriesQuery& query);
// Is the queue being watched, by a host that runs?
struct Present {
  WallTime now{};
  bool is_watched = false;
};
std::vector<QueuePoint> read_queue_series(Reader& reader, const QueueSeriesQuery& query, Present present);
std::vector<ChainPattern> read_chain_patterns(Reader& reader, const ChainQuery& query);
Overview read_overview(Reader& reader, WallTime now);
History read_history(Reader& reader);

}  // namespace davit::store

// Statistics as the JSON of the API.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "host/base/json.h"
#include "host/http/query.h"
#include "host/model/stats.h"
#include "host/store/store.h"

namespace davit::http {

std::string_view to_string(CostGroup group);
std::optional<CostGroup> cost_group_from(std::string_view text);
inline constexpr const char* kCostGroups = "agent, day, task_type, model or source";

// Reads agent, group_by, start_date and end_date, and notes what is wrong with them or not a parameter of a
// cost query.
CostQuery cost_query_of(Query& query, WallTime now);
// Without an end until now, without a start the thirty days before the end.
CostQuery cost_query(std::optional<WallTime> start, std::optional<WallTime> end, WallTime now);
// The same of chains: agent, start_date and end_date.
ChainQuery chain_query_of(Query& query, WallTime now);
ChainQuery chain_query(std::optional<WallTime> start, std::optional<WallTime> end, WallTime now);

// What a series tells of each bucket.
enum class SeriesMetric { Executions, Cost, Tokens, Duration, Tasks };
struct WantedSeries {
  SeriesMetric metric = SeriesMetric::Executions;
  SeriesQuery query;  // whole buckets
};
// Reads metric, bucket, agent, start_date and end_date; without these the last 30 days or 24 hours. Notes
// what is wrong with them, and more than kMostBuckets.
inline constexpr int kMostBuckets = 500;
WantedSeries series_of(Query& query, WallTime now);
// One point for each bucket, also for those of which there is nothing to tell.
void write_series(JsonWriter& writer, const WantedSeries& wanted, const std::vector<SeriesPoint>& points);
void write_tasks_made(JsonWriter& writer, const WantedSeries& wanted, const std::vector<TasksMade>& made);

void write_agent_stats(JsonWriter& writer, const std::vector<AgentStats>& stats);
void write_costs(JsonWriter& writer, const CostQuery& query, const std::vector<CostLine>& costs);
// An object by pattern: "planner → executor".
void write_chain_patterns(JsonWriter& writer, const ChainQuery& query,
                          const std::vector<ChainPattern>& patterns);
void write_overview(JsonWriter& writer, const Overview& overview, const store::QueueReport& queue);

}  // namespace davit::http

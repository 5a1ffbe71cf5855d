// Statistics as the JSON of the API.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "host/base/json.h"
#include "host/model/stats.h"
#include "host/store/store.h"

namespace davit::http {

std::string_view to_string(CostGroup group);
std::optional<CostGroup> cost_group_from(std::string_view text);
inline constexpr const char* kCostGroups = "agent, day, task_type, model or source";

// Without an end until now, without a start the thirty days before the end.
CostQuery cost_query(std::optional<WallTime> start, std::optional<WallTime> end, WallTime now);

void write_agent_stats(JsonWriter& writer, const std::vector<AgentStats>& stats);
void write_costs(JsonWriter& writer, const CostQuery& query, const std::vector<CostLine>& costs);
// An object by pattern: "planner → executor".
void write_chain_patterns(JsonWriter& writer, const std::vector<ChainPattern>& patterns);
void write_overview(JsonWriter& writer, const Overview& overview, const store::QueueReport& queue);

}  // namespace davit::http

#include <cstdio>
#include <ostream>

#include "host/cli/context.h"
#include "host/cli/database_file.h"
#include "host/cli/table.h"
#include "host/http/stats_json.h"

namespace davit::cli {
namespace {

struct StatsOptions {
  std::string agent, since, until, group_by = "agent";
};

std::string percent(const JsonValue& object, std::string_view name) {
  const JsonValue* share = find_member(object, name);
  if (share == nullptr || !share->IsNumber()) return "-";
  char text[16];
  std::snprintf(text, sizeof text, "%.1f%%", share->GetDouble() * 100);
  return text;
}

// A sum: nothing is said as nothing.
std::string money(const JsonValue& object, std::string_view name) {
  return number_member(object, name) == 0 ? "$0" : dollars_text(object, name);
}

void add_sums(std::vector<std::string>& cells, const JsonValue& line) {
  cells.push_back(count_text(int_member(line, "executions")));
  cells.push_back(count_text(int_member(line, "total_tokens")));
  cells.push_back(dollars_text(line, "total_cost_usd"));
}

Result<int> show_overview(const Context& context) {
  const JsonDocument overview = TRY(read_either(context, "/api/dashboard/overview",
                                                [](const DatabaseFile& file) { return file.overview(); }));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(overview) << '\n';
    return kExitOk;
  }
  out << "Since " << cell(overview, "since") << ":\n"
      << count_text(int_member(overview, "total_tasks")) << " tasks, of those that came to their end "
      << percent(overview, "success_rate") << " succeeded; "
      << count_text(int_member(overview, "total_executions")) << " executions, those that completed took "
      << seconds_text(find_member(overview, "avg_duration")) << " on average, "
      << count_text(int_member(overview, "total_tokens")) << " tokens, " << money(overview, "total_cost")
      << ".\n";
  const JsonValue* queue = find_member(overview, "queue");
  if (queue != nullptr && queue->IsObject()) {
    out << "Now " << cell(*queue, "queued") << " wait, " << cell(*queue, "running") << " run, "
        << cell(*queue, "awaiting_approval") << " wait for approval and " << cell(*queue, "parked")
        << " are parked.\n";
  }
  return kExitOk;
}

Result<int> show_agents(const Context& context, const StatsOptions& options) {
  const JsonDocument stats =
      TRY(read_either(context, with_query("/api/dashboard/agent-stats", {{"agent", options.agent}}),
                      [&](const DatabaseFile& file) { return file.agent_stats(options.agent); }));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(stats) << '\n';
    return kExitOk;
  }
  Table table({{"AGENT", Align::Left, true},
               {"EXECUTIONS", Align::Right},
               {"TOKENS", Align::Right},
               {"COST", Align::Right},
               {"SUCCESS", Align::Right},
               {"P50", Align::Right},
               {"P95", Align::Right}});
  if (const JsonValue* list = find_member(stats, "stats"); list != nullptr && list->IsArray()) {
    for (const JsonValue& agent : list->GetArray()) {
      std::vector<std::string> cells{cell(agent, "agent")};
      add_sums(cells, agent);
      cells.push_back(percent(agent, "success_rate"));
      cells.push_back(seconds_text(find_member(agent, "p50_duration_seconds")));
      cells.push_back(seconds_text(find_member(agent, "p95_duration_seconds")));
      table.add(std::move(cells));
    }
  }
  if (table.empty()) {
    out << "No agent has ended an execution.\n";
    return kExitOk;
  }
  table.print(out, context.surroundings.columns);
  out << "Success: of the newest 100 tasks that were completed or failed; times: of the newest 200.\n";
  return kExitOk;
}

// Nothing where nothing is said.
Result<std::optional<WallTime>> time_of(const std::string& text) {
  if (text.empty()) return std::optional<WallTime>();
  return std::optional(TRY(parse_iso8601(text)));
}

Result<int> show_costs(const Context& context, const StatsOptions& options) {
  const auto start = TRY(time_of(options.since)), end = TRY(time_of(options.until));
  const auto group = http::cost_group_from(options.group_by);
  if (!group) {
    return Error{ErrorCode::InvalidInput,
                 "--by " + options.group_by + " is unknown; write " + http::kCostGroups};
  }
  const std::string path = with_query("/api/dashboard/cost-breakdown", {{"group_by", options.group_by},
                                                                        {"agent", options.agent},
                                                                        {"start_date", options.since},
                                                                        {"end_date", options.until}});
  const JsonDocument costs = TRY(read_either(context, path, [&](const DatabaseFile& file) {
    CostQuery wanted = http::cost_query(start, end, context.surroundings.clock.wall());
    wanted.agent = options.agent;
    wanted.group_by = *group;
    return file.costs(wanted);
  }));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(costs) << '\n';
    return kExitOk;
  }
  std::string title = options.group_by;
  for (char& letter : title)
    letter = static_cast<char>(letter >= 'a' && letter <= 'z' ? letter - 32 : letter);
  Table table({{title, Align::Left, true},
               {"EXECUTIONS", Align::Right},
               {"TOKENS", Align::Right},
               {"COST", Align::Right}});
  if (const JsonValue* list = find_member(costs, "costs"); list != nullptr && list->IsArray()) {
    for (const JsonValue& line : list->GetArray()) {
      std::vector<std::string> cells{cell(line, "group")};
      add_sums(cells, line);
      table.add(std::move(cells));
    }
  }
  if (table.empty()) {
    out << "Nothing was executed in that time.\n";
    return kExitOk;
  }
  table.print(out, context.surroundings.columns);
  out << money(costs, "total_cost_usd") << " in all.\n";
  return kExitOk;
}

Result<int> show_chains(const Context& context, const StatsOptions& options) {
  const auto start = TRY(time_of(options.since)), end = TRY(time_of(options.until));
  const std::string path = with_query(
      "/api/dashboard/agent-chain-analytics",
      {{"agent", options.agent}, {"start_date", options.since}, {"end_date", options.until}});
  const JsonDocument chains = TRY(read_either(context, path, [&](const DatabaseFile& file) {
    ChainQuery wanted = http::chain_query(start, end, context.surroundings.clock.wall());
    wanted.agent = options.agent;
    return file.chain_patterns(wanted);
  }));
  std::ostream& out = context.surroundings.out;
  if (context.json) {
    out << to_json(chains) << '\n';
    return kExitOk;
  }
  Table table({{"CHAIN", Align::Left, true},
               {"COUNT", Align::Right},
               {"SUCCESS", Align::Right},
               {"MEAN TIME", Align::Right},
               {"COST", Align::Right}});
  if (const JsonValue* patterns = find_member(chains, "chain_patterns");
      patterns != nullptr && patterns->IsObject()) {
    for (const auto& member : patterns->GetObject()) {
      const JsonValue& pattern = member.value;
      table.add({printable({member.name.GetString(), member.name.GetStringLength()}),
                 count_text(int_member(pattern, "count")), percent(pattern, "success_rate"),
                 seconds_text(find_member(pattern, "avg_duration")),
                 dollars_text(pattern, "total_cost_usd")});
    }
  }
  if (table.empty()) {
    out << "No chain came to its end in that time.\n";
    return kExitOk;
  }
  table.print(out, context.surroundings.columns);
  const WallTime last = TRY(parse_iso8601(string_member(chains, "end_date"))) - Duration(1);
  out << "Those that ended from " << string_member(chains, "start_date").substr(0, 10) << " to "
      << to_iso8601(last).substr(0, 10) << " (UTC).\n";
  return kExitOk;
}

}  // namespace

void add_stats(CLI::App& app, Context& context) {
  CLI::App* stats =
      app.add_subcommand("stats", "How tasks went in the last 30 days; and: agents, costs, chains");
  stats->callback([&context, stats] {
    if (stats->get_subcommands().empty()) context.action = [&context] { return show_overview(context); };
  });
  auto options = std::make_shared<StatsOptions>();
  CLI::App* agents = add_command(*stats, context, "agents", "How each agent does",
                                 [&context, options] { return show_agents(context, *options); });
  CLI::App* costs = add_command(*stats, context, "costs", "What was spent, by UTC days",
                                [&context, options] { return show_costs(context, *options); });
  CLI::App* chains = add_command(*stats, context, "chains", "Which agents followed which",
                                 [&context, options] { return show_chains(context, *options); });
  for (CLI::App* command : {agents, costs}) command->add_option("--agent", options->agent, "Only this agent");
  chains->add_option("--agent", options->agent, "Only those in which this agent worked");
  costs->add_option("--by", options->group_by, http::kCostGroups)->capture_default_str();
  for (CLI::App* command : {costs, chains}) {
    command->add_option("--since", options->since, "From this day on (default: 30 days)");
    command->add_option("--until", options->until, "Before this time");
  }
  for (CLI::App* command : {stats, agents, costs, chains}) {
    add_json_option(*command, context);
    add_offline_option(*command, context);
  }
}

}  // namespace davit::cli

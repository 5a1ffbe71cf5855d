#include "host/http/stats_json.h"

#include <map>
#include <string>

#include "host/http/members.h"

namespace davit::http {
namespace {

constexpr CostGroup kGroups[] = {CostGroup::Agent, CostGroup::Day, CostGroup::TaskType, CostGroup::Model,
                                 CostGroup::Source};
constexpr std::chrono::days kDefaultDays{30};

double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1000.0; }

// Null where nothing was counted: no share is not a share of nothing.
void write_share(JsonWriter& writer, std::string_view name, std::int64_t part, std::int64_t whole) {
  if (whole == 0) return write_null_member(writer, name);
  write_member(writer, name, static_cast<double>(part) / static_cast<double>(whole));
}

void write_mean(JsonWriter& writer, std::string_view name, Duration sum, std::int64_t count) {
  if (count == 0) return write_null_member(writer, name);
  write_member(writer, name, seconds(sum) / static_cast<double>(count));
}

void write_sums(JsonWriter& writer, const ExecutionSums& sums) {
  write_member(writer, "executions", sums.executions);
  write_member(writer, "total_duration_seconds", seconds(sums.worked));
  write_dollars(writer, "total_cost_usd", sums.usage.cost_micro_usd);
  write_member(writer, "total_tokens", sums.usage.total_tokens());
  write_member(writer, "input_tokens", sums.usage.input_tokens);
  write_member(writer, "output_tokens", sums.usage.output_tokens);
  write_member(writer, "cache_read_tokens", sums.usage.cache_read_tokens);
  write_member(writer, "cache_write_tokens", sums.usage.cache_write_tokens);
}

std::string pattern_text(const std::vector<std::string>& agents) {
  std::string text;
  for (const std::string& agent : agents) text += (text.empty() ? "" : " → ") + agent;
  return text;
}

}  // namespace

std::string_view to_string(CostGroup group) {
  switch (group) {
    case CostGroup::Agent:
      return "agent";
    case CostGroup::Day:
      return "day";
    case CostGroup::TaskType:
      return "task_type";
    case CostGroup::Model:
      return "model";
    case CostGroup::Source:
      return "source";
  }
  return "agent";
}

std::optional<CostGroup> cost_group_from(std::string_view text) {
  for (const CostGroup group : kGroups)
    if (to_string(group) == text) return group;
  return std::nullopt;
}

CostQuery cost_query(std::optional<WallTime> start, std::optional<WallTime> end, WallTime now) {
  CostQuery query;
  // Days are counted whole, so this is until now, and as long as nothing changes the answer stays the same.
  query.end = end.value_or(std::chrono::floor<std::chrono::days>(now) + std::chrono::days(1));
  query.start = start.value_or(std::chrono::floor<std::chrono::days>(query.end - Duration(1)) -
                               (kDefaultDays - std::chrono::days(1)));
  return query;
}

CostQuery cost_query_of(Query& query, WallTime now) {
  query.allow_only({"agent", "start_date", "end_date", "group_by"});
  const auto start = query.time("start_date"), end = query.time("end_date");
  CostQuery wanted = cost_query(start, end, now);
  wanted.agent = query.text("agent");
  if (const std::string group = query.text("group_by"); !group.empty()) {
    if (const auto known = cost_group_from(group))
      wanted.group_by = *known;
    else
      query.fail("group_by", std::string("must be ") + kCostGroups);
  }
  if (query.errors().empty() && wanted.start >= wanted.end)
    query.fail("start_date", "must be before end_date");
  return wanted;
}

ChainQuery chain_query(std::optional<WallTime> start, std::optional<WallTime> end, WallTime now) {
  const CostQuery period = cost_query(start, end, now);
  return {"", period.start, period.end};
}

ChainQuery chain_query_of(Query& query, WallTime now) {
  query.allow_only({"agent", "start_date", "end_date"});
  const auto start = query.time("start_date"), end = query.time("end_date");
  ChainQuery wanted = chain_query(start, end, now);
  wanted.agent = query.text("agent");
  if (query.errors().empty() && wanted.start >= wanted.end)
    query.fail("start_date", "must be before end_date");
  return wanted;
}

namespace {

Duration length_of(Bucket bucket) {
  return bucket == Bucket::Hour ? Duration(std::chrono::hours(1)) : Duration(std::chrono::days(1));
}

WallTime bucket_of(WallTime time, Bucket bucket) {
  return bucket == Bucket::Hour ? WallTime(std::chrono::floor<std::chrono::hours>(time))
                                : WallTime(std::chrono::floor<std::chrono::days>(time));
}

std::string_view to_string(SeriesMetric metric) {
  switch (metric) {
    case SeriesMetric::Executions:
      return "executions";
    case SeriesMetric::Cost:
      return "cost";
    case SeriesMetric::Tokens:
      return "tokens";
    case SeriesMetric::Duration:
      return "duration";
    case SeriesMetric::Tasks:
      return "tasks";
  }
  return "executions";
}

void write_series_point(JsonWriter& writer, SeriesMetric metric,
                        const std::map<std::string, std::int64_t>& outcomes, const ExecutionSums& sums) {
  switch (metric) {
    case SeriesMetric::Executions:
      write_member(writer, "value", sums.executions);
      write_key(writer, "outcomes");
      writer.StartObject();
      for (const auto& [outcome, count] : outcomes) write_member(writer, outcome, count);
      writer.EndObject();
      return;
    case SeriesMetric::Cost:
      return write_dollars(writer, "value", sums.usage.cost_micro_usd);
    case SeriesMetric::Tokens:
      write_member(writer, "value", sums.usage.total_tokens());
      write_member(writer, "input_tokens", sums.usage.input_tokens);
      write_member(writer, "output_tokens", sums.usage.output_tokens);
      write_member(writer, "cache_read_tokens", sums.usage.cache_read_tokens);
      return write_member(writer, "cache_write_tokens", sums.usage.cache_write_tokens);
    case SeriesMetric::Tasks:  // they have no executions; see write_tasks_made()
      return;
    case SeriesMetric::Duration:
      return write_mean(writer, "value", sums.worked, sums.executions);
  }
}

}  // namespace

WantedSeries series_of(Query& query, WallTime now) {
  constexpr std::chrono::hours kDefaultHours{24};
  query.allow_only({"metric", "bucket", "agent", "start_date", "end_date"});
  WantedSeries wanted;
  if (const std::string metric = query.text("metric"); !metric.empty()) {
    bool known = false;
    for (const SeriesMetric each :
         {SeriesMetric::Executions, SeriesMetric::Cost, SeriesMetric::Tokens, SeriesMetric::Duration,
          SeriesMetric::Tasks}) {
      if (to_string(each) != metric) continue;
      wanted.metric = each;
      known = true;
    }
    if (!known) query.fail("metric", "must be executions, cost, tokens, duration or tasks");
  }
  const std::string bucket = query.text("bucket");
  if (!bucket.empty() && bucket != "day" && bucket != "hour") query.fail("bucket", "must be hour or day");
  wanted.query.bucket = bucket == "hour" ? Bucket::Hour : Bucket::Day;
  wanted.query.agent = query.text("agent");
  const auto start = query.time("start_date"), end = query.time("end_date");
  const Duration length = length_of(wanted.query.bucket);
  const WallTime last = end.value_or(now + Duration(1)) - Duration(1);
  const Duration usual = bucket == "hour" ? Duration(kDefaultHours) : Duration(kDefaultDays);
  wanted.query.end = bucket_of(last, wanted.query.bucket) + length;
  wanted.query.start = start ? bucket_of(*start, wanted.query.bucket) : wanted.query.end - usual;
  if (query.errors().empty() && start.value_or(wanted.query.start) > last)
    query.fail("start_date", "must be before end_date");
  else if (query.errors().empty() && (wanted.query.end - wanted.query.start) / length > kMostBuckets)
    query.fail("start_date", "is more than " + std::to_string(kMostBuckets) + " buckets before end_date");
  return wanted;
}

namespace {

// `write` gets the end of each bucket, and writes what is told of it.
template <typename Write>
void write_points(JsonWriter& writer, const WantedSeries& wanted, Write&& write) {
  const Duration length = length_of(wanted.query.bucket);
  writer.StartObject();
  write_member(writer, "metric", to_string(wanted.metric));
  write_member(writer, "bucket", wanted.query.bucket == Bucket::Hour ? "hour" : "day");
  write_time(writer, "start_date", wanted.query.start);
  write_time(writer, "end_date", wanted.query.end);
  write_key(writer, "points");
  writer.StartArray();
  for (WallTime at = wanted.query.start; at < wanted.query.end; at += length) {
    writer.StartObject();
    write_time(writer, "at", at);
    write(at + length);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
}

}  // namespace

void write_series(JsonWriter& writer, const WantedSeries& wanted, const std::vector<SeriesPoint>& points) {
  auto point = points.begin();
  write_points(writer, wanted, [&](WallTime end) {
    std::map<std::string, std::int64_t> outcomes;
    ExecutionSums sums;
    for (; point != points.end() && point->at < end; ++point) {
      outcomes[point->outcome] += point->sums.executions;
      sums.executions += point->sums.executions;
      sums.worked += point->sums.worked;
      add(sums.usage, point->sums.usage);
    }
    write_series_point(writer, wanted.metric, outcomes, sums);
  });
}

void write_tasks_made(JsonWriter& writer, const WantedSeries& wanted, const std::vector<TasksMade>& made) {
  auto next = made.begin();
  write_points(writer, wanted, [&](WallTime end) {
    std::int64_t tasks = 0;
    for (; next != made.end() && next->at < end; ++next) tasks += next->tasks;
    write_member(writer, "value", tasks);
  });
}

void write_agent_stats(JsonWriter& writer, const std::vector<AgentStats>& stats) {
  writer.StartObject();
  write_objects(writer, "stats", stats, [&](const AgentStats& agent) {
    write_member(writer, "agent", agent.agent);
    write_sums(writer, agent.sums);
    write_key(writer, "outcomes");
    writer.StartObject();
    for (const auto& [outcome, count] : agent.outcomes) write_member(writer, outcome, count);
    writer.EndObject();
    write_share(writer, "success_rate", agent.succeeded, agent.settled);
    write_member(writer, "success_rate_tasks", agent.settled);
    write_mean(writer, "avg_duration_seconds", agent.sums.worked, agent.sums.executions);
    write_mean(writer, "p50_duration_seconds", agent.p50, agent.timed > 0 ? 1 : 0);
    write_mean(writer, "p95_duration_seconds", agent.p95, agent.timed > 0 ? 1 : 0);
    write_member(writer, "duration_tasks", agent.timed);
  });
  writer.EndObject();
}

void write_costs(JsonWriter& writer, const CostQuery& query, const std::vector<CostLine>& costs) {
  std::int64_t total = 0;
  writer.StartObject();
  write_member(writer, "group_by", to_string(query.group_by));
  write_time(writer, "start_date", query.start);
  write_time(writer, "end_date", query.end);
  write_key(writer, "costs");
  writer.StartArray();
  for (const CostLine& line : costs) {
    writer.StartObject();
    write_text_or_null(writer, "group", line.group);
    write_sums(writer, line.sums);
    writer.EndObject();
    total += line.sums.usage.cost_micro_usd;
  }
  writer.EndArray();
  write_dollars(writer, "total_cost_usd", total);
  writer.EndObject();
}

void write_chain_patterns(JsonWriter& writer, const ChainQuery& query,
                          const std::vector<ChainPattern>& patterns) {
  writer.StartObject();
  write_time(writer, "start_date", query.start);
  write_time(writer, "end_date", query.end);
  write_key(writer, "chain_patterns");
  writer.StartObject();
  for (const ChainPattern& pattern : patterns) {
    const std::string name = pattern_text(pattern.agents);
    write_key(writer, name);
    writer.StartObject();
    write_member(writer, "count", pattern.count);
    write_mean(writer, "avg_duration", pattern.duration, pattern.count);
    write_share(writer, "success_rate", pattern.succeeded, pattern.count);
    write_dollars(writer, "total_cost_usd", pattern.cost_micro_usd);
    writer.EndObject();
  }
  writer.EndObject();
  writer.EndObject();
}

void write_overview(JsonWriter& writer, const Overview& overview, const store::QueueReport& queue) {
  writer.StartObject();
  write_time(writer, "since", overview.since);
  write_member(writer, "total_tasks", overview.tasks);
  write_share(writer, "success_rate", overview.completed, overview.completed + overview.failed);
  write_dollars(writer, "total_cost", overview.sums.usage.cost_micro_usd);
  write_mean(writer, "avg_duration", overview.completed_worked, overview.completed_executions);
  write_member(writer, "total_tokens", overview.sums.usage.total_tokens());
  write_member(writer, "total_executions", overview.sums.executions);
  write_key(writer, "queue");
  writer.StartObject();
  for (const TaskState state :
       {TaskState::Queued, TaskState::Running, TaskState::AwaitingApproval, TaskState::Parked}) {
    std::int64_t count = 0;
    for (const store::QueueDepth& depth : queue.depths)
      if (depth.state == state) count += depth.count;
    write_member(writer, davit::to_string(state), count);
  }
  writer.EndObject();
  writer.EndObject();
}

}  // namespace davit::http

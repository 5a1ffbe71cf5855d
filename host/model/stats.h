// What is told about many tasks and executions at once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/base/clock.h"
#include "host/model/task.h"

namespace davit {

// One execution that has come to its end, as the books have it.
struct EndedExecution {
  std::string agent, task_type;
  std::string source;  // of the first task of its chain
  std::string outcome;
  WallTime started_at{}, ended_at{};
  Usage usage;
};

// Of ended executions.
struct ExecutionSums {
  std::int64_t executions = 0;
  Duration worked{0};
  ModelUsage usage;
};

// How an agent does.
struct AgentStats {
  std::string agent;
  ExecutionSums sums;                            // since the database exists
  std::map<std::string, std::int64_t> outcomes;  // of these executions
  // Of its newest tasks that were completed or failed, 100 at most.
  int settled = 0, succeeded = 0;
  // How long the last execution of its newest such tasks took, 200 at most.
  int timed = 0;
  Duration p50{0}, p95{0};
};

enum class CostGroup { Agent, Day, TaskType, Model, Source };
struct CostQuery {
  CostGroup group_by = CostGroup::Agent;
  std::string agent;        // empty: all
  WallTime start{}, end{};  // whole UTC days: the first and the last that [start, end) touches
};
struct CostLine {
  std::string group;  // agent, "2026-01-31", task type, model or source; empty: not said
  // Of a model: the executions whose main one it was, but tokens and money of all it had a share in.
  ExecutionSums sums;
};

// Chains that came to their end in a time.
struct ChainQuery {
  std::string agent;        // one that worked in them; empty: any
  WallTime start{}, end{};  // whole UTC days: the first and the last that [start, end) touches
};
// Chains of the same agents in the same order.
struct ChainPattern {
  std::vector<std::string> agents;  // one, "other": of too many patterns to tell them apart
  std::int64_t count = 0, succeeded = 0;
  Duration duration{0};  // of all of them, from the first task's creation to the last one's end
  std::int64_t cost_micro_usd = 0;
};

struct Overview {
  WallTime since{};                        // of what follows: whole UTC days
  std::int64_t tasks = 0;                  // that were made, also those that were pruned
  std::int64_t completed = 0, failed = 0;  // of these
  ExecutionSums sums;                      // of all executions
  std::int64_t completed_executions = 0;
  Duration completed_worked{0};
};

// Ended executions over time.
enum class Bucket { Hour, Day };
struct SeriesQuery {
  Bucket bucket = Bucket::Day;
  std::string agent;        // empty: all
  WallTime start{}, end{};  // the buckets that [start, end) touches
};
// Those of one outcome that began in one bucket, also those that were pruned since.
struct SeriesPoint {
  WallTime at{};  // when the bucket begins, in UTC
  std::string outcome;
  ExecutionSums sums;
};

// Tasks that were made in one bucket, also those that were pruned since.
struct TasksMade {
  WallTime at{};  // when the bucket begins, in UTC
  std::int64_t tasks = 0;
};

// What waits and runs at one moment.
struct QueueCounts {
  std::int64_t queued = 0, running = 0, awaiting_approval = 0;  // tasks
  std::int64_t deferred = 0;  // deliveries whose hooks are to run again; of all agents together only
  friend bool operator==(const QueueCounts&, const QueueCounts&) = default;
};
struct QueueSeriesQuery {
  Duration bucket{60'000};
  std::string agent;        // empty: all
  WallTime start{}, end{};  // whole buckets, the end not included
};
// The queue in one bucket, as it was seen: once a minute at most.
struct QueuePoint {
  WallTime at{};     // when the bucket begins
  bool gap = false;  // of some of it nobody knows: davit did not run, or its clock was set
  std::optional<QueueCounts> last = std::nullopt, highest = std::nullopt;  // absent: nobody knows anything
};

// What counters need to go on where they were.
struct History {
  struct Executions {
    std::string agent, outcome, task_type;
    std::int64_t count = 0;
  };
  struct Spent {
    std::string agent;
    Usage usage;  // of its main model alone
  };
  struct Outcome {
    std::int64_t task = 0;  // its number
    bool good = false;
  };
  // In the order in which their values came up first: whoever keeps only so many keeps the same again.
  std::vector<Executions> executions;
  std::vector<Spent> spent;
  // Of the newest settled tasks by agent, each with how it ended last; the one that ended first stands first.
  std::map<std::string, std::vector<Outcome>> outcomes;
};

}  // namespace davit

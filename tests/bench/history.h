// A database with a past: tasks, their executions and the deliveries they came of, spread over many days, and
// what is true of them, to hold the host's answers against.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace davit::bench {

struct GroupFacts {
  std::int64_t executions = 0, cost_micro_usd = 0, tokens = 0;
};
struct ChainFacts {
  std::int64_t count = 0, succeeded = 0, cost_micro_usd = 0, duration_ms = 0;
};
struct TaskFacts {
  std::string id;
  int executions = 0;
  std::int64_t cost_micro_usd = 0;
};

struct HistoryFacts {
  std::int64_t tasks = 0, executions = 0, deliveries = 0, cost_micro_usd = 0;
  std::map<std::string, std::int64_t> tasks_by_status, tasks_by_agent, completed_by_agent;
  std::map<std::string, GroupFacts> by_agent, by_source, by_model, by_type, by_day;
  std::map<std::string, ChainFacts> chains;  // "a → b": those that ended
  std::vector<std::int64_t> made_at;         // of each task, ascending
  std::vector<TaskFacts> some_tasks;         // from all of the time
  std::vector<std::string> some_deliveries, some_entities, some_links;
};

// Fills a database that the host has made. `tasks` of them, 2.5 executions each in the middle, over `days` up
// to now; the newest few wait. The same numbers give the same rows, but for the time.
HistoryFacts fill_history(const std::filesystem::path& database, int tasks, int days);

}  // namespace davit::bench

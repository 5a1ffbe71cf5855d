// What the rows cost without us: bare SQLite, WAL, synchronous=FULL, the host's schema, the same batches.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace davit::bench {

struct SqliteFigures {
  double rows_per_second = 0;   // deliveries, or tasks
  double cpu_microseconds = 0;  // of this thread, per delivery or task
};

// Takes up to 2,000 deliveries with their tasks out of `sample` and inserts such rows into a new database in
// `folder` for `seconds`, `batch` deliveries per transaction.
SqliteFigures insert_deliveries(const std::filesystem::path& sample, const std::filesystem::path& folder,
                                int batch, double seconds);

// Claims and finishes the waiting tasks of `database`, at most `tasks` of them, with the row changes that the
// host makes, `batch` finishes and as many claims per transaction.
SqliteFigures cycle_tasks(const std::filesystem::path& database, int batch, int tasks);

// Fills a database that the host has made with tasks of `agent` that were completed two days ago, each with a
// delivery of 8,000 bytes that became it, an execution and so many lines of transcript.
void fill_past(const std::filesystem::path& database, const char* agent, int tasks, int lines);
// How many rows of all tables that is, of each delivery and of each task without its lines.
inline constexpr int kRowsOfOldDelivery = 3, kRowsOfOldTask = 4;

// Fills it with `waiting` tasks of `agent` that can be claimed and `finished` ones behind them. With a
// function that gives the content hash of one by its entity those that wait need an approval, and somebody
// has given it.
void fill_queue(const std::filesystem::path& database, const char* agent, int waiting, int finished,
                const std::function<std::string(const std::string&)>& approved = {});
// Their payload.
std::string waiting_payload();

// How many executions a database has had, asked while a host works on it. As cheap as can be.
class ExecutionCount {
 public:
  explicit ExecutionCount(const std::filesystem::path& database);
  ~ExecutionCount();
  ExecutionCount(const ExecutionCount&) = delete;
  ExecutionCount& operator=(const ExecutionCount&) = delete;
  long long now() const;

 private:
  sqlite3* handle_ = nullptr;
  sqlite3_stmt* newest_ = nullptr;
};

struct TaskCounts {
  long long all = 0;
  long long completed = 0;
};
TaskCounts count_tasks(const std::filesystem::path& database);

}  // namespace davit::bench

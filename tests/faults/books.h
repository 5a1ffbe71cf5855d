// The books of a host that is dead: its database, read by SQLite itself and not by the host.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace davit::faults {

struct BookedExecution {
  std::string outcome;
  std::string error;
  std::int64_t started_at = 0;  // ms since 1970
  std::int64_t ended_at = -1;   // -1: never
};

struct BookedTask {
  std::string agent;
  std::vector<BookedExecution> executions;  // in the order they began
  int completed() const {
    return static_cast<int>(std::count_if(executions.begin(), executions.end(),
                                          [](const auto& one) { return one.outcome == "completed"; }));
  }
};

// All rows of a query, as texts.
inline std::vector<std::vector<std::string>> rows_of(const std::filesystem::path& file,
                                                     const std::string& sql) {
  std::vector<std::vector<std::string>> rows;
  sqlite3* database = nullptr;
  if (sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) {
    ADD_FAILURE() << file << " cannot be opened: " << sqlite3_errmsg(database);
  }
  auto take_row = [](void* all, int count, char** texts, char**) {
    auto& row = static_cast<std::vector<std::vector<std::string>>*>(all)->emplace_back();
    for (int column = 0; column < count; ++column) row.emplace_back(texts[column] ? texts[column] : "");
    return 0;
  };
  char* failure = nullptr;
  if (sqlite3_exec(database, sql.c_str(), take_row, &rows, &failure) != SQLITE_OK) {
    ADD_FAILURE() << sql << ": " << (failure ? failure : "failed");
  }
  sqlite3_free(failure);
  sqlite3_close(database);
  return rows;
}

// By task id, as 32 hexadecimal digits.
inline std::map<std::string, BookedTask> read_books(const std::filesystem::path& file) {
  std::map<std::string, BookedTask> tasks;
  for (const auto& row : rows_of(file, "SELECT lower(hex(id)), agent FROM task"))
    tasks[row[0]].agent = row[1];
  for (const auto& row : rows_of(file,
                                 "SELECT lower(hex(t.id)), e.outcome, coalesce(e.error, ''), e.started_at,"
                                 " coalesce(e.ended_at, -1) FROM execution e JOIN task t ON t.row = e.task"
                                 " ORDER BY e.row")) {
    tasks[row[0]].executions.push_back({row[1], row[2], std::stoll(row[3]), std::stoll(row[4])});
  }
  return tasks;
}

// Without those that were whole and signed, but nothing that its webhook could read: they are kept, and
// answered 400.
inline std::set<std::string> delivery_keys(const std::filesystem::path& file) {
  std::set<std::string> keys;
  for (const auto& row : rows_of(file, "SELECT key FROM delivery WHERE verdict <> 2")) keys.insert(row[0]);
  return keys;
}

// As the books name a task that the API names with dashes.
inline std::string in_books(std::string id) {
  id.erase(std::remove(id.begin(), id.end(), '-'), id.end());
  return id;
}

// What is wrong when no task may have run twice: an execution that never ended, two that overlap, more than
// one that completed.
inline std::vector<std::string> double_entries(const std::map<std::string, BookedTask>& books) {
  std::vector<std::string> complaints;
  for (const auto& [id, task] : books) {
    if (task.completed() > 1)
      complaints.push_back(id + " completed " + std::to_string(task.completed()) + " times");
    for (std::size_t i = 0; i < task.executions.size(); ++i) {
      const BookedExecution& one = task.executions[i];
      if (one.ended_at < 0) complaints.push_back(id + ": execution " + std::to_string(i) + " never ended");
      if (i > 0 && one.started_at < task.executions[i - 1].ended_at) {
        complaints.push_back(id + ": execution " + std::to_string(i) +
                             " began before the one before it ended");
      }
    }
  }
  return complaints;
}

}  // namespace davit::faults

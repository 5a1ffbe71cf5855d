// The oracle of the fault tests: what drivers were promised, against what a database holds.
//
// Knows nothing of the host. The database is read with SQLite alone, and only once its host has ended: a
// second process that opens and closes the files of a living one is a fault of its own.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace davit::faults {

// The sender's id of a delivery, and the task that a 2xx named for it (empty: none). Thread-safe.
class Acknowledged {
 public:
  void add(const std::string& key, const std::string& task) {
    {
      const std::lock_guard lock(mutex_);
      promises_.emplace_back(key, task);
    }
    more_.notify_all();
  }
  // False if they do not come within 20 s.
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return more_.wait_for(lock, std::chrono::seconds(20), [&] { return promises_.size() >= count; });
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return promises_.size();
  }
  std::vector<std::pair<std::string, std::string>> all() const {
    const std::lock_guard lock(mutex_);
    return promises_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable more_;
  std::vector<std::pair<std::string, std::string>> promises_;
};

// What a database holds.
struct Books {
  struct Task {
    int state = 0;
    int attempt = 0;
    int crashes = 0;
  };
  std::string damage;  // why it cannot be read, or what integrity_check says; empty: sound
  std::map<std::string, std::vector<std::vector<std::string>>> deliveries;  // by key: tasks of each row
  std::map<std::string, Task> tasks;                                        // by id

  static Books read(const std::filesystem::path& path) {
    Books books;
    sqlite3* database = nullptr;
    int code = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
    // The log stays as the dead host left it, for its successor to read.
    if (database) sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    if (code == SQLITE_OK)
      code = rows(database, "PRAGMA integrity_check(1)", [&](sqlite3_stmt* row) {
        if (text(row, 0) != "ok") books.damage = text(row, 0);
      });
    if (code == SQLITE_OK)
      code = rows(database, "SELECT key, tasks FROM delivery",
                  [&](sqlite3_stmt* row) { books.deliveries[text(row, 0)].push_back(ids(row, 1)); });
    if (code == SQLITE_OK)
      code = rows(database, "SELECT id, state, attempt, crashes FROM task", [&](sqlite3_stmt* row) {
        const std::vector<std::string> id = ids(row, 0);
        if (id.size() == 1)
          books.tasks[id[0]] = {sqlite3_column_int(row, 1), sqlite3_column_int(row, 2),
                                sqlite3_column_int(row, 3)};
      });
    if (code != SQLITE_OK) books.damage = database ? sqlite3_errmsg(database) : sqlite3_errstr(code);
    sqlite3_close(database);
    return books;
  }

 private:
  static std::string text(sqlite3_stmt* row, int column) {
    const unsigned char* bytes = sqlite3_column_text(row, column);
    return bytes ? reinterpret_cast<const char*>(bytes) : "";
  }
  // 16 bytes each, one after the other, as UUIDs are written.
  static std::vector<std::string> ids(sqlite3_stmt* row, int column) {
    const auto* bytes = static_cast<const unsigned char*>(sqlite3_column_blob(row, column));
    const int size = sqlite3_column_bytes(row, column);
    std::vector<std::string> found;
    for (int at = 0; at + 16 <= size; at += 16) {
      std::string id;
      for (int i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
        id += "0123456789abcdef"[bytes[at + i] >> 4];
        id += "0123456789abcdef"[bytes[at + i] & 15];
      }
      found.push_back(std::move(id));
    }
    return found;
  }
  template <typename Use>
  static int rows(sqlite3* database, const char* sql, Use use) {
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v2(database, sql, -1, &statement, nullptr);
    if (code != SQLITE_OK) return code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) use(statement);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
  }
};

// One sentence for each promise that was not kept; empty: all were.
inline std::vector<std::string> broken_promises(const Acknowledged& acknowledged, const Books& books) {
  std::vector<std::string> broken;
  if (!books.damage.empty()) broken.push_back("the database is damaged: " + books.damage);
  for (const auto& [key, task] : acknowledged.all()) {
    const auto row = books.deliveries.find(key);
    if (row == books.deliveries.end()) {
      broken.push_back("delivery " + key + " was acknowledged and is lost");
    } else if (row->second.size() != 1) {
      broken.push_back("delivery " + key + " is stored " + std::to_string(row->second.size()) + " times");
    } else if (task.empty()) {
      continue;
    } else if (row->second[0] != std::vector<std::string>{task}) {
      broken.push_back("delivery " + key + " was acknowledged with task " + task + " and has another");
    } else if (books.tasks.count(task) == 0) {
      broken.push_back("task " + task + " was acknowledged and is lost");
    }
  }
  return broken;
}

inline std::string join(const std::vector<std::string>& sentences) {
  std::string all;
  for (std::size_t i = 0; i < sentences.size() && i < 10; ++i) all += sentences[i] + "\n";
  if (sentences.size() > 10) all += "and " + std::to_string(sentences.size() - 10) + " more\n";
  return all;
}

}  // namespace davit::faults

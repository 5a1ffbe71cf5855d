#include "tests/bench/sqlite_reference.h"

#include <sqlite3.h>
#include <time.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <variant>
#include <vector>

#include "host/base/crypto.h"
#include "tests/bench/process.h"

namespace davit::bench {
namespace {

using Value = std::variant<std::monostate, std::int64_t, double, std::string, std::vector<char>>;
using Row = std::vector<Value>;

class Connection {
 public:
  explicit Connection(const std::filesystem::path& path, bool durable = true) {
    if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) give_up("cannot open " + path.string());
    run("PRAGMA page_size = 8192");  // as the host; of a new file only
    run("PRAGMA journal_mode = WAL");
    run(durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF");
    run("PRAGMA cache_size = -65536");
    run("PRAGMA secure_delete = OFF");
  }
  ~Connection() { sqlite3_close_v2(handle_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void run(const std::string& sql) {
    char* message = nullptr;
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, &message) != SQLITE_OK)
      give_up("SQLite: " + std::string(message ? message : "failed") + " in: " + sql.substr(0, 200));
  }
  sqlite3_stmt* prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(handle_, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
        SQLITE_OK)
      give_up("SQLite: " + std::string(sqlite3_errmsg(handle_)) + " in: " + sql);
    return statement;
  }
  void step(sqlite3_stmt* statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) give_up("SQLite: " + std::string(sqlite3_errmsg(handle_)));
    sqlite3_reset(statement);
  }
  long long number(const std::string& sql) {
    sqlite3_stmt* statement = prepare(sql);
    const long long value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return value;
  }

 private:
  sqlite3* handle_ = nullptr;
};

// What the host made of a database of its own: tables first, since indexes name them.
std::string schema_of(Connection& database) {
  sqlite3_stmt* statement = database.prepare(
      "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'"
      // These come with the table of the index of words.
      " AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')"
      " ORDER BY type <> 'table', rowid");
  std::string schema;
  while (sqlite3_step(statement) == SQLITE_ROW)
    schema.append(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0))).append(";\n");
  sqlite3_finalize(statement);
  if (schema.empty()) give_up("the sample has no tables");
  return schema;
}

double thread_cpu() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double wall() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<Row> read_rows(Connection& from, const std::string& table) {
  sqlite3_stmt* statement = from.prepare("SELECT * FROM " + table + " LIMIT 2000");
  std::vector<Row> rows;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    Row row;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, i));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, i));
      switch (sqlite3_column_type(statement, i)) {
        case SQLITE_INTEGER:
          row.emplace_back(std::int64_t{sqlite3_column_int64(statement, i)});
          break;
        case SQLITE_FLOAT:
          row.emplace_back(sqlite3_column_double(statement, i));
          break;
        case SQLITE_TEXT:
          row.emplace_back(std::string(bytes ? bytes : "", size));
          break;
        case SQLITE_BLOB:
          row.emplace_back(std::vector<char>(bytes, bytes + size));
          break;
        default:
          row.emplace_back();
      }
    }
    rows.push_back(std::move(row));
  }
  sqlite3_finalize(statement);
  return rows;
}

void bind(sqlite3_stmt* statement, int at, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    sqlite3_bind_int64(statement, at, *number);
  } else if (const auto* real = std::get_if<double>(&value)) {
    sqlite3_bind_double(statement, at, *real);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    sqlite3_bind_text(statement, at, text->data(), static_cast<int>(text->size()), SQLITE_STATIC);
  } else if (const auto* blob = std::get_if<std::vector<char>>(&value)) {
    sqlite3_bind_blob(statement, at, blob->data(), static_cast<int>(blob->size()), SQLITE_STATIC);
  } else {
    sqlite3_bind_null(statement, at);
  }
}

// A table's rows again and again, each under a number of its own.
struct Copier {
  Copier(Connection& to, Connection& from, const std::string& table) : rows(read_rows(from, table)) {
    if (rows.empty()) give_up("the sample has no row in " + table);
    std::string places = "?";
    for (std::size_t i = 1; i < rows[0].size(); ++i) places += ",?";
    insert = to.prepare("INSERT INTO " + table + " VALUES (" + places + ")");
  }
  ~Copier() { sqlite3_finalize(insert); }
  Copier(const Copier&) = delete;
  Copier& operator=(const Copier&) = delete;
  void bind_row(std::int64_t number) const {
    const Row& row = rows[static_cast<std::size_t>(number) % rows.size()];
    for (std::size_t i = 0; i < row.size(); ++i) bind(insert, static_cast<int>(i) + 1, row[i]);
  }
  std::vector<Row> rows;
  sqlite3_stmt* insert = nullptr;
};

// Sorts like a UUID version 7.
void bind_id(sqlite3_stmt* statement, int at, std::int64_t number, char (&id)[16]) {
  std::memset(id, 0x11, sizeof id);
  for (int i = 0; i < 8; ++i) id[i] = static_cast<char>(number >> (56 - 8 * i));
  sqlite3_bind_blob(statement, at, id, sizeof id, SQLITE_STATIC);
}

}  // namespace

SqliteFigures insert_deliveries(const std::filesystem::path& sample, const std::filesystem::path& folder,
                                int batch, double seconds) {
  Connection to(folder / "reference.db");
  Connection from(sample);
  to.run(schema_of(from));
  const Copier delivery(to, from, "delivery"), body(to, from, "delivery_body"), task(to, from, "task"),
      task_body(to, from, "task_body");
  sqlite3_stmt* put_key = to.prepare("INSERT INTO delivery_key VALUES (?, ?, 0)");
  std::int64_t row = 0;
  const double begun = wall(), cpu = thread_cpu();
  while (wall() - begun < seconds) {
    to.run("BEGIN IMMEDIATE");
    for (int i = 0; i < batch; ++i) {
      ++row;
      char delivery_id[16], task_id[16];
      delivery.bind_row(row);
      sqlite3_bind_int64(delivery.insert, 1, row);
      bind_id(delivery.insert, 2, row, delivery_id);
      to.step(delivery.insert);
      body.bind_row(row);
      sqlite3_bind_int64(body.insert, 1, row);
      to.step(body.insert);
      std::uint64_t hash[2] = {static_cast<std::uint64_t>(row) * 0x9E3779B97F4A7C15u, 1};
      sqlite3_bind_blob(put_key, 1, hash, sizeof hash, SQLITE_STATIC);
      sqlite3_bind_int64(put_key, 2, row);
      to.step(put_key);
      task.bind_row(row);
      sqlite3_bind_int64(task.insert, 1, row);
      bind_id(task.insert, 2, row, task_id);
      to.step(task.insert);
      task_body.bind_row(row);
      sqlite3_bind_int64(task_body.insert, 1, row);
      to.step(task_body.insert);
    }
    to.run("COMMIT");
  }
  const double rows = static_cast<double>(row);
  const SqliteFigures figures{rows / (wall() - begun), (thread_cpu() - cpu) * 1e6 / rows};
  sqlite3_finalize(put_key);
  return figures;
}

SqliteFigures cycle_tasks(const std::filesystem::path& database, int batch, int tasks) {
  Connection db(database);
  sqlite3_stmt* ready = db.prepare(
      "SELECT row FROM task INDEXED BY task_ready WHERE state = 0 AND blocked = 0 AND agent = 'noop-0' AND "
      "rank = 0"
      " AND run_at <= 9e15 ORDER BY run_at, row LIMIT ?1");
  sqlite3_stmt* read = db.prepare("SELECT * FROM task t JOIN task_body b ON b.row = t.row WHERE t.row = ?1");
  sqlite3_stmt* insert = db.prepare(
      "INSERT INTO execution (task, session, attempt, started_at, agent, outcome)"
      " VALUES (?1, ?2, 1, 1, 'noop-0', 'running')");
  sqlite3_stmt* start =
      db.prepare("UPDATE task SET state = 1, execution = ?2, attempt = 1, updated_at = 1 WHERE row = ?1");
  sqlite3_stmt* end = db.prepare(
      "UPDATE execution SET ended_at = 2, success = 1, outcome = 'completed', failure = '' WHERE row = ?1");
  sqlite3_stmt* result =
      db.prepare("INSERT INTO execution_result (row, metrics, output) VALUES (?1, '{}', '{\"done\":true}')");
  sqlite3_stmt* finish =
      db.prepare("UPDATE task SET state = 3, updated_at = 2, finished_at = 2 WHERE row = ?1");
  std::int64_t execution = db.number("SELECT coalesce(max(row), 0) FROM execution");
  std::vector<std::pair<std::int64_t, std::int64_t>> running;
  int done = 0;
  const double begun = wall(), cpu = thread_cpu();
  while (done < tasks) {
    db.run("BEGIN IMMEDIATE");
    for (const auto& [task, number] : running) {
      for (sqlite3_stmt* statement : {end, result}) {
        sqlite3_bind_int64(statement, 1, number);
        db.step(statement);
      }
      sqlite3_bind_int64(finish, 1, task);
      db.step(finish);
      ++done;
    }
    running.clear();
    std::vector<std::int64_t> rows;
    sqlite3_bind_int64(ready, 1, batch);
    while (sqlite3_step(ready) == SQLITE_ROW) rows.push_back(sqlite3_column_int64(ready, 0));
    sqlite3_reset(ready);
    if (rows.empty() && done == 0) give_up("no task waits");
    for (std::int64_t task : rows) {
      sqlite3_bind_int64(read, 1, task);
      sqlite3_step(read);
      sqlite3_reset(read);
      char id[16];
      sqlite3_bind_int64(insert, 1, task);
      bind_id(insert, 2, ++execution, id);
      db.step(insert);
      sqlite3_bind_int64(start, 1, task);
      sqlite3_bind_int64(start, 2, execution);
      db.step(start);
      running.emplace_back(task, execution);
    }
    db.run("COMMIT");
    if (rows.empty()) break;
  }
  const SqliteFigures figures{done / (wall() - begun), (thread_cpu() - cpu) * 1e6 / done};
  for (sqlite3_stmt* statement : {ready, read, insert, start, end, result, finish})
    sqlite3_finalize(statement);
  return figures;
}

void fill_past(const std::filesystem::path& database, const char* agent, int tasks, int lines) {
  Connection db(database, false);
  // One each millisecond, like what happens one after the other.
  const std::string at =
      "(?1 + " +
      std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(
                         (std::chrono::system_clock::now() - std::chrono::hours(48)).time_since_epoch())
                         .count()) +
      ")";
  const std::string name = std::string("'") + agent + "'", body = std::string(8'000, 'x'),
                    text = std::string(100, 'x');
  sqlite3_stmt* delivery = db.prepare(
      "INSERT INTO delivery (row, id, webhook, key, verdict, received_at, tries, duplicates, body_bytes, "
      "tasks,"
      " message, entity, request_id, remote_address, plugin_hash)"
      " VALUES (?1, ?2, 'bench', printf('%d', ?1), 0, " +
      at + ", 0, 0, 8000, ?2, 'queued', '', '', '127.0.0.1', '')");
  sqlite3_stmt* delivery_body = db.prepare(
      "INSERT INTO delivery_body (row, method, path, query, timings, details, headers, body)"
      " VALUES (?1, 'POST', '/webhooks/bench', '', '{}', '{}', '{}', CAST('" +
      body + "' AS BLOB))");
  sqlite3_stmt* key = db.prepare("INSERT INTO delivery_key VALUES (?2, ?1, " + at + ")");
  sqlite3_stmt* task = db.prepare(
      "INSERT INTO task (row, id, state, agent, rank, run_at, execution, attempt, max_retries, crashes,"
      " created_at, updated_at, finished_at, delivery, chain_depth, needs_approval, task_type, source, "
      "entity,"
      " title) VALUES (?1, ?2, 3, " +
      name + ", 0, " + at + ", ?1, 1, 1, 0, " + at + ", " + at + ", " + at +
      ", ?1, 1, 0, 'issue_fix', 'github', printf('github:a/b#%d', ?1), 'A title')");
  sqlite3_stmt* task_body = db.prepare(
      "INSERT INTO task_body (row, links, payload) VALUES (?1, '[]', '{\"text\":\"" + text + "\"}')");
  sqlite3_stmt* execution = db.prepare(
      "INSERT INTO execution (row, task, session, attempt, started_at, ended_at, success, agent, outcome)"
      " VALUES (?1, ?1, ?2, 1, " +
      at + ", " + at + ", 1, " + name + ", 'completed')");
  sqlite3_stmt* result =
      db.prepare("INSERT INTO execution_result (row, metrics, output) VALUES (?1, '{}', '{\"done\":true}')");
  sqlite3_stmt* line = db.prepare("INSERT INTO transcript (execution, at, kind, line) VALUES (?1, " + at +
                                  ", 'assistant', '" + text + "')");
  db.run("BEGIN");
  for (std::int64_t row = 1; row <= tasks; ++row) {
    char id[16];
    const std::string hash = sha256(std::string("bench") + '\0' + std::to_string(row)).substr(0, 16);
    for (sqlite3_stmt* statement : {delivery, delivery_body, key, task, task_body, execution, result}) {
      sqlite3_bind_int64(statement, 1, row);
      if (statement == key) {
        sqlite3_bind_blob(statement, 2, hash.data(), static_cast<int>(hash.size()), SQLITE_STATIC);
      } else if (sqlite3_bind_parameter_count(statement) == 2) {
        bind_id(statement, 2, row, id);
      }
      db.step(statement);
    }
    for (int i = 0; i < lines; ++i) {
      sqlite3_bind_int64(line, 1, row);
      db.step(line);
    }
  }
  db.run("COMMIT");
  for (sqlite3_stmt* statement : {delivery, delivery_body, key, task, task_body, execution, result, line})
    sqlite3_finalize(statement);
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

std::string waiting_payload() {
  return R"({"source":"github","issue":{"number":1,"title":"A title","body":")" + std::string(400, 'x') +
         R"("}})";
}

void fill_queue(const std::filesystem::path& database, const char* agent, int waiting, int finished,
                const std::function<std::string(const std::string&)>& approved) {
  Connection db(database, false);
  // An hour ago, one each millisecond: young enough not to be pruned.
  const std::string at =
      std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(
                         (std::chrono::system_clock::now() - std::chrono::hours(1)).time_since_epoch())
                         .count()) +
      " + i";
  const std::string name = std::string("'") + agent + "'";
  const auto numbers = [](int count) {
    return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
           std::to_string(count) + ") ";
  };
  const std::string columns =
      "INSERT INTO task (id, state, agent, rank, run_at, execution, attempt, max_retries, crashes,"
      " created_at, updated_at, finished_at, chain_depth, needs_approval, task_type, source, entity, line, "
      "title) ";
  const std::string payload = "'" + waiting_payload() + "'";
  db.run("BEGIN");
  if (finished > 0) {
    db.run(columns + numbers(finished) + "SELECT CAST(printf('%016d', i) AS BLOB), 3, " + name + ", 0, " +
           at + ", i, 1, 1, 0, " + at + ", " + at + ", " + at +
           ", 1, 0, 'issue_fix', 'github', 'github:a/b#' || i, 'github:a/b#' || i, 'A title' FROM n");
    db.run("INSERT INTO execution (task, session, attempt, started_at, ended_at, success, agent, outcome) " +
           numbers(finished) + "SELECT i, CAST(printf('%016d', i) AS BLOB), 1, " + at + ", " + at + ", 1, " +
           name + ", 'completed' FROM n");
    db.run("INSERT INTO execution_result " + numbers(finished) + "SELECT i, '{}', '{\"done\":true}' FROM n");
  }
  db.run(columns + numbers(waiting) + "SELECT CAST(printf('w%015d', i) AS BLOB), 0, " + name + ", 0, " + at +
         ", 0, 0, 1, 0, " + at + ", " + at + ", NULL, 1, " + (approved ? "1" : "0") +
         ", 'issue_fix', 'github', 'github:c/d#' || i, 'github:c/d#' || i, 'A title' FROM n");
  db.run("INSERT INTO task_body (row, links, payload) SELECT row, '[]', " + payload +
         " FROM task WHERE row > (SELECT coalesce(max(row), 0) FROM task_body)");
  if (approved) {
    sqlite3_stmt* decision = db.prepare(
        "INSERT INTO decision (task, at, kind, by_whom, comment, content_hash) SELECT row, created_at,"
        " 'approve', 'bench', '', ?2 FROM task WHERE state = 0 AND entity = ?1");
    for (int i = 1; i <= waiting; ++i) {
      const std::string entity = "github:c/d#" + std::to_string(i), hash = approved(entity);
      sqlite3_bind_text(decision, 1, entity.c_str(), -1, SQLITE_STATIC);
      sqlite3_bind_text(decision, 2, hash.c_str(), -1, SQLITE_STATIC);
      db.step(decision);
    }
    sqlite3_finalize(decision);
  }
  db.run("COMMIT");
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

ExecutionCount::ExecutionCount(const std::filesystem::path& database) {
  if (sqlite3_open_v2(database.c_str(), &handle_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK ||
      sqlite3_prepare_v2(handle_, "SELECT max(row) FROM execution", -1, &newest_, nullptr) != SQLITE_OK)
    give_up("cannot read " + database.string());
}

ExecutionCount::~ExecutionCount() {
  sqlite3_finalize(newest_);
  sqlite3_close_v2(handle_);
}

long long ExecutionCount::now() const {
  const long long newest = sqlite3_step(newest_) == SQLITE_ROW ? sqlite3_column_int64(newest_, 0) : 0;
  sqlite3_reset(newest_);
  return newest;
}

TaskCounts count_tasks(const std::filesystem::path& database) {
  Connection db(database);
  return {db.number("SELECT count(*) FROM task"), db.number("SELECT count(*) FROM task WHERE state = 3")};
}

}  // namespace davit::bench

// Rows go into the real schema as the host would have written them, with the indexes made afterwards: that
// takes a minute for a million tasks, where the host itself would take a day.
#include "tests/bench/history.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <tuple>

#include "host/base/crypto.h"
#include "tests/bench/process.h"

namespace davit::bench {
namespace {

constexpr std::int64_t kDay = 86'400'000;
const std::vector<std::string> kChain = {"discovery-agent", "planning-agent", "executor-agent",
                                         "code-review-agent", "cicd-agent"};
constexpr const char* kSources[] = {"github", "github", "github", "jira", "sentry", "slack"};
constexpr const char* kTypes[] = {"issue_fix", "review", "question", "alert"};
constexpr const char* kModels[] = {"large-1", "medium-1", "small-1"};
constexpr const char* kWords[] = {"crash",  "login",  "export", "invoice", "timeout", "search",
                                  "upload", "cache",  "report", "mail",    "retry",   "token",
                                  "chart",  "filter", "import", "backup"};
constexpr const char* kStates[] = {"queued",    "running", "awaiting_approval", "completed", "failed",
                                   "cancelled", "parked"};
enum State { Queued = 0, Awaiting = 2, Completed = 3, Failed = 4, Cancelled = 5 };

// Well mixed, and the same each time.
std::uint64_t mixed(std::uint64_t number) {
  number += 0x9e3779b97f4a7c15u;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
  number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
  return number ^ (number >> 31);
}
int below(std::uint64_t hash, int part, int limit) {
  return static_cast<int>((hash >> (7 * part)) % static_cast<std::uint64_t>(limit));
}

using Id = std::string;  // 16 bytes, which sort by number
Id id_of(std::int64_t number, char kind) {
  Id id(16, kind);
  for (int i = 0; i < 8; ++i) id[static_cast<std::size_t>(i)] = static_cast<char>(number >> (56 - 8 * i));
  return id;
}
std::string text_of_id(const Id& id) {
  std::string hex = to_hex(id);
  for (const std::size_t at : {20, 16, 12, 8}) hex.insert(at, "-");
  return hex;
}

class Database {
 public:
  explicit Database(const std::filesystem::path& path) {
    if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) give_up("cannot open " + path.string());
  }
  ~Database() { sqlite3_close_v2(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  sqlite3* handle() { return handle_; }
  void run(const std::string& sql) {
    char* message = nullptr;
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, &message) != SQLITE_OK)
      give_up("SQLite: " + std::string(message ? message : "failed") + " in: " + sql.substr(0, 200));
  }
  std::vector<std::string> texts(const std::string& sql) {
    std::vector<std::string> all;
    const auto take = [](void* into, int, char** values, char**) {
      static_cast<std::vector<std::string>*>(into)->emplace_back(values[0] ? values[0] : "");
      return 0;
    };
    if (sqlite3_exec(handle_, sql.c_str(), take, &all, nullptr) != SQLITE_OK) give_up("SQLite: " + sql);
    return all;
  }

 private:
  sqlite3* handle_ = nullptr;
};

class Insert {
 public:
  Insert(Database& database, const std::string& table, const std::string& columns) : database_(database) {
    std::string places = "?";
    for (const char c : columns)
      if (c == ',') places += ",?";
    const std::string sql = "INSERT INTO " + table + " (" + columns + ") VALUES (" + places + ")";
    if (sqlite3_prepare_v2(database.handle(), sql.c_str(), -1, &statement_, nullptr) != SQLITE_OK)
      give_up("SQLite: " + std::string(sqlite3_errmsg(database.handle())) + " in: " + sql);
  }
  ~Insert() { sqlite3_finalize(statement_); }
  Insert(const Insert&) = delete;
  Insert& operator=(const Insert&) = delete;

  template <typename... Values>
  void operator()(const Values&... values) {
    int at = 0;
    (bind(++at, values), ...);
    if (sqlite3_step(statement_) != SQLITE_DONE) give_up(sqlite3_errmsg(database_.handle()));
    sqlite3_reset(statement_);
  }
  // An empty one is none.
  struct Blob {
    const std::string& bytes;
  };
  struct Text {
    const std::string& bytes;
  };
  struct Time {
    std::int64_t at;
  };

 private:
  void bind(int at, std::int64_t value) { sqlite3_bind_int64(statement_, at, value); }
  void bind(int at, int value) { sqlite3_bind_int64(statement_, at, value); }
  void bind(int at, std::nullptr_t) { sqlite3_bind_null(statement_, at); }
  void bind(int at, const char* text) { sqlite3_bind_text(statement_, at, text, -1, SQLITE_STATIC); }
  void bind(int at, const std::string& text) {
    sqlite3_bind_text(statement_, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  void bind(int at, Text text) { text.bytes.empty() ? bind(at, nullptr) : bind(at, text.bytes); }
  void bind(int at, Time time) { time.at == 0 ? bind(at, nullptr) : bind(at, time.at); }
  void bind(int at, Blob blob) {
    if (blob.bytes.empty()) return bind(at, nullptr);
    sqlite3_bind_blob(statement_, at, blob.bytes.data(), static_cast<int>(blob.bytes.size()), SQLITE_STATIC);
  }
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};
using Blob = Insert::Blob;
using Text = Insert::Text;
using Time = Insert::Time;

std::string date_of(std::int64_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  char text[16];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

class History {
 public:
  History(Database& database, int tasks, int days) : database_(database), tasks_(tasks) {
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    step_ = days * kDay / tasks;
    begin_ = now - 60'000 - step_ * tasks;
  }

  HistoryFacts fill() {
    while (row_ < tasks_) add_chain();
    for (const auto& [key, sums] : book_) {
      const auto& [day, agent, type, source, outcome, model] = key;
      day_book_(day, agent, type, source, outcome, model, sums.executions, sums.worked, sums.input,
                sums.output, 0, 0, sums.cost);
      spent_[{day, 0, ""}] += sums.cost;
      spent_[{day, 1, agent}] += sums.cost;
    }
    for (const auto& [key, cost] : spent_) spend_(std::get<0>(key), std::get<1>(key), std::get<2>(key), cost);
    return std::move(facts_);
  }

 private:
  struct Chain {
    std::int64_t delivery = 0;
    Id root, parent;
    std::string source, type, entity, title, agents, before;  // `before`: a JSON array, empty for the first
    std::int64_t begun = 0, cost = 0;
  };

  std::int64_t made_at(std::int64_t row) const { return begin_ + (row - 1) * step_; }

  void add_chain() {
    const std::uint64_t hash = mixed(static_cast<std::uint64_t>(row_));
    const bool waits = row_ + 40 >= tasks_;
    const int length = waits ? 1 : below(hash, 0, 10) < 3 ? 1 : 1 + below(hash, 1, 5);
    const bool alone = below(hash, 0, 10) < 3;
    Chain chain;
    chain.delivery = ++delivery_rows_;
    chain.source = kSources[below(hash, 2, 6)];
    chain.type = kTypes[below(hash, 3, 4)];
    chain.entity = chain.source + ":org/repo-" + std::to_string(below(hash, 4, 200)) + "#" +
                   std::to_string(below(hash, 5, 5000));
    chain.title = std::string("The ") + kWords[below(hash, 1, 16)] + " of " + kWords[below(hash, 4, 16)] +
                  " " + std::to_string(delivery_rows_) + " does not " + kWords[below(hash, 6, 16)];
    chain.begun = made_at(row_ + 1);
    add_delivery(chain, hash);
    for (int depth = 1; depth <= length && row_ < tasks_; ++depth) {
      const std::uint64_t own = mixed(hash + static_cast<std::uint64_t>(depth));
      const bool last = depth == length || row_ + 1 == tasks_;
      const int luck = below(own, 0, 100);
      const State state = waits       ? (luck < 80 ? Queued : Awaiting)
                          : !last     ? Completed
                          : luck < 88 ? Completed
                          : luck < 96 ? Failed
                                      : Cancelled;
      const std::string& agent = alone ? kAlone : kChain[static_cast<std::size_t>(depth - 1)];
      add_task(chain, agent, depth, state, own, last);
    }
  }

  void add_delivery(const Chain& chain, std::uint64_t hash) {
    const std::string key = "delivery-" + std::to_string(chain.delivery);
    const Id id = id_of(chain.delivery, 'd'), task = id_of(row_ + 1, 't');
    delivery_(chain.delivery, Blob{id}, chain.source, key, 0, chain.begun, 0, below(hash, 2, 50) == 0 ? 1 : 0,
              600, Blob{task}, "queued", chain.entity, "request-" + key, "192.0.2.1", "");
    delivery_body_(chain.delivery, "POST", "/webhooks/" + chain.source, "", "{}", "{}", "{}", Blob{kBody});
    const std::string hash_of_key = sha256(chain.source + '\0' + key).substr(0, 16);
    delivery_key_(Blob{hash_of_key}, chain.delivery, chain.begun);
    const std::string link = "jira:ABC-" + std::to_string(chain.delivery % 5000);
    delivery_link_(link, chain.delivery);
    task_link_(link, row_ + 1);
    ++facts_.deliveries;
    if (chain.delivery % spread() == 1) {
      facts_.some_deliveries.push_back(text_of_id(id));
      facts_.some_entities.push_back(chain.entity);
      facts_.some_links.push_back(link);
    }
  }
  // One of so many rows is remembered, about a thousand in all.
  std::int64_t spread() const { return tasks_ / 1'000 + 2; }

  void add_task(Chain& chain, const std::string& agent, int depth, State state, std::uint64_t hash,
                bool last) {
    const std::int64_t row = ++row_, made = made_at(row),
                       ended = last ? made + std::min<std::int64_t>(step_, 20'000) : made_at(row + 1);
    const Id id = id_of(row, 't');
    if (depth == 1) chain.root = id;
    const bool waits = state == Queued || state == Awaiting;
    const int executions = waits ? 0 : 1 + static_cast<int>((row + (row >> 4)) % 4);
    const std::string source = depth == 1 ? chain.source : "chain";
    const std::string error =
        state == Failed ? std::string("the ") + kWords[below(hash, 1, 16)] + " did not answer" : "";
    TaskFacts facts{text_of_id(id), executions, 0};
    const std::int64_t newest = execution_rows_ + executions;
    task_(row, Blob{id}, static_cast<int>(state), agent, 0, made, executions == 0 ? 0 : newest, executions, 3,
          0, made, ended, Time{waits ? 0 : ended}, chain.delivery, depth, state == Awaiting ? 1 : 0,
          Blob{chain.parent}, Blob{depth == 1 ? kNoId : chain.root}, chain.type, source, chain.entity,
          chain.title, Text{error});
    task_body_(row, "17", "octocat", "[]", kPayload,
               Text{chain.before.empty() ? chain.before : "[" + chain.before + "]"});
    if (state == Awaiting) approval_(row, made);
    for (int attempt = 1; attempt <= executions; ++attempt)
      add_execution(chain, agent, row, attempt, executions, state,
                    mixed(hash + static_cast<std::uint64_t>(attempt)), made, ended, facts);

    chain.cost += facts.cost_micro_usd;
    chain.agents += (chain.agents.empty() ? "" : " → ") + agent;
    chain.before += (chain.before.empty() ? "\"" : ",\"") + agent + "\"";
    chain.parent = id;
    if (last && (state == Completed || state == Failed)) {
      ChainFacts& pattern = facts_.chains[chain.agents];
      ++pattern.count;
      if (state == Completed) ++pattern.succeeded;
      pattern.cost_micro_usd += chain.cost;
      pattern.duration_ms += ended - chain.begun;
    }
    ++facts_.tasks;
    ++facts_.tasks_by_status[kStates[state]];
    ++facts_.tasks_by_agent[agent];
    if (state == Completed) ++facts_.completed_by_agent[agent];
    facts_.made_at.push_back(made);
    if (row % spread() == 1) facts_.some_tasks.push_back(facts);
  }

  void add_execution(const Chain& chain, const std::string& agent, std::int64_t task, int attempt, int of,
                     State state, std::uint64_t hash, std::int64_t made, std::int64_t ended,
                     TaskFacts& facts) {
    const std::int64_t row = ++execution_rows_, slot = (ended - made) / of;
    const std::int64_t from = made + slot * (attempt - 1), to = from + slot;
    const bool good = attempt == of && state == Completed;
    const char* outcome = good                                  ? "completed"
                          : attempt == of && state == Cancelled ? "cancelled"
                          : below(hash, 3, 5) == 0              ? "timed_out"
                                                                : "failed";
    const char* model = kModels[below(hash, 0, 3)];
    const std::int64_t input = 1'000 + below(hash, 1, 50'000), output = 100 + below(hash, 2, 5'000);
    const std::int64_t cost = input / 2 + output * 5;
    execution_(row, task, Blob{id_of(row, 's')}, attempt, from, to, good ? 1 : 0, input, output, cost, agent,
               outcome, good ? "" : "transient", model);
    execution_result_(row, "{}", R"({"done":true})");
    const std::int64_t day = from / kDay;
    Sums& sums = book_[{day, agent, chain.type, chain.source, outcome, model}];
    ++sums.executions;
    sums.worked += to - from;
    sums.input += input;
    sums.output += output;
    sums.cost += cost;
    facts.cost_micro_usd += cost;
    ++facts_.executions;
    facts_.cost_micro_usd += cost;
    for (GroupFacts* group :
         {&facts_.by_agent[agent], &facts_.by_source[chain.source], &facts_.by_model[model],
          &facts_.by_type[chain.type], &facts_.by_day[date_of(day)]}) {
      ++group->executions;
      group->cost_micro_usd += cost;
      group->tokens += input + output;
    }
  }

  struct Sums {
    std::int64_t executions = 0, worked = 0, input = 0, output = 0, cost = 0;
  };
  static inline const std::string kAlone = "command-agent";
  static inline const Id kNoId;
  static inline const std::string kBody = std::string(600, 'x');
  static inline const std::string kPayload = R"({"text":")" + std::string(300, 'x') + "\"}";

  Database& database_;
  const int tasks_;
  std::int64_t step_ = 0, begin_ = 0, row_ = 0, execution_rows_ = 0, delivery_rows_ = 0;
  HistoryFacts facts_;
  std::map<std::tuple<std::int64_t, std::string, std::string, std::string, std::string, std::string>, Sums>
      book_;
  std::map<std::tuple<std::int64_t, int, std::string>, std::int64_t> spent_;

  Insert delivery_{
      database_, "delivery",
      "row, id, webhook, key, verdict, received_at, tries, duplicates, body_bytes, tasks, message, entity,"
      " request_id, remote_address, plugin_hash"};
  Insert delivery_body_{database_, "delivery_body",
                        "row, method, path, query, timings, details, headers, body"};
  Insert delivery_key_{database_, "delivery_key", "hash, delivery, first_seen"};
  Insert delivery_link_{database_, "delivery_link", "key, delivery"};
  Insert task_link_{database_, "task_link", "key, task"};
  Insert task_{
      database_, "task",
      "row, id, state, agent, rank, run_at, execution, attempt, max_retries, crashes, created_at, updated_at,"
      " finished_at, delivery, chain_depth, needs_approval, parent, root, task_type, source, entity, title, "
      "error"};
  Insert task_body_{database_, "task_body", "row, actor_id, actor_login, links, payload, chain"};
  Insert approval_{database_, "approval", "task, asked_at"};
  Insert execution_{database_, "execution",
                    "row, task, session, attempt, started_at, ended_at, success, input_tokens, output_tokens,"
                    " cost_micro_usd, agent, outcome, failure, model"};
  Insert execution_result_{database_, "execution_result", "row, metrics, output"};
  Insert day_book_{
      database_, "day_book",
      "day, agent, task_type, source, outcome, model, executions, duration_ms, input_tokens, output_tokens,"
      " cache_read_tokens, cache_write_tokens, cost_micro_usd"};
  Insert spend_{database_, "spend", "day, scope, key, micro_usd"};
};

// As many as there can be: the depth of each agent's queue was another one in each minute of 30 days.
void fill_queue_samples(Database& database) {
  database.run(R"(
    DELETE FROM queue_sample; DELETE FROM queue_watch;
    CREATE TEMP TABLE minute AS WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 30 * 24 * 60)
      SELECT (CAST(unixepoch() AS INTEGER) - i * 60) * 1000 AS at, i FROM n;
    INSERT INTO queue_sample SELECT agent, at, i % 97, i % 7, i % 3, iif(agent = '', i % 2, 0)
      FROM (SELECT '' AS agent UNION ALL SELECT DISTINCT agent FROM task), minute;
    INSERT INTO queue_watch SELECT min(at), max(at) FROM minute;
    DROP TABLE minute)");
}

}  // namespace

HistoryFacts fill_history(const std::filesystem::path& path, int tasks, int days) {
  Database database(path);
  database.run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000");
  const std::string of_indexes = " FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
  const std::vector<std::string> indexes = database.texts("SELECT sql" + of_indexes);
  for (const std::string& name : database.texts("SELECT name" + of_indexes))
    database.run("DROP INDEX " + name);
  database.run("BEGIN");
  HistoryFacts facts = History(database, tasks, days).fill();
  for (const std::string& sql : indexes) database.run(sql);
  // What the host keeps in step with the rows, as its own migration makes it.
  const std::string schema = text_of(DAVIT_SOURCE_DIR "/host/store/schema/0013_rollups.sql");
  database.run(schema.substr(schema.find("INSERT INTO day_sum")));
  const std::string chains = text_of(DAVIT_SOURCE_DIR "/host/store/schema/0014_chain_sums.sql");
  database.run(chains.substr(chains.find("INSERT INTO execution_total")));
  if (!database.texts("SELECT 1 FROM sqlite_master WHERE name = 'task_search'").empty()) {
    database.run("INSERT INTO task_search (task_search) VALUES ('rebuild')");
    database.run("UPDATE task_search_state SET reached = (SELECT max(row) FROM task)");
  }
  const std::string made = text_of(DAVIT_SOURCE_DIR "/host/store/schema/0015_queue_depth.sql");
  database.run("DELETE FROM task_made; " + made.substr(made.find("INSERT INTO task_made")));
  const std::string hours = text_of(DAVIT_SOURCE_DIR "/host/store/schema/0017_pruned_hours_words.sql");
  database.run("DELETE FROM hour_sum; " + hours.substr(hours.find("INSERT INTO hour_sum"), hours.find("-- Each Han") - hours.find("INSERT INTO hour_sum")));
  fill_queue_samples(database);
  database.run("COMMIT; PRAGMA journal_mode = WAL");
  return facts;
}

}  // namespace davit::bench

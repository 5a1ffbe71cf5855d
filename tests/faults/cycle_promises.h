// What the cycle driver was promised, against what a database holds. Reads it with SQLite alone.
#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace davit::faults {

// What a database holds; ids as 32 hexadecimal digits.
struct CycleBooks {
  struct Task {
    int state = 0;
    std::string parent;  // empty: the first of its chain
  };
  struct Execution {
    std::string outcome, output;
    std::int64_t cost = 0, reserved = 0;
    bool ended = false;
  };
  std::string damage;  // why it cannot be read, or what integrity_check says; empty: sound
  std::map<std::string, std::vector<std::string>> deliveries;  // by key
  std::map<std::string, Task> tasks;
  std::map<std::string, Execution> executions;          // by session
  std::set<std::pair<std::string, std::string>> lines;  // session, line; not packed yet
  std::set<std::string> packed;                         // sessions with lines that are
  std::set<std::string> artifacts;                      // sessions with one
  std::set<std::vector<std::string>> decisions;         // task, kind, content hash
  std::set<std::vector<std::string>> approvals;         // task, kind (approve or refused), content hash, by whom
  std::map<std::string, int> told;                      // tasks whose end waits to be told, how often
  std::map<std::string, int> titles;                    // how often, of the tasks of the schedule
  std::int64_t last_slot = 0;
  std::int64_t spent = 0;
  std::int64_t booked_cost = 0, booked_executions = 0;  // in the books of the days
  std::int64_t chains = 0, good_chains = 0;             // that have ended
  std::vector<std::string> sums_that_differ;            // from what they are the sums of

  static CycleBooks read(const std::filesystem::path& path) {
    CycleBooks books;
    sqlite3* database = nullptr;
    int code = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
    // The log stays as the dead host left it, for its successor to read.
    if (database) sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    const auto rows = [&](const char* sql, auto use) {
      sqlite3_stmt* statement = nullptr;
      if (code == SQLITE_OK) code = sqlite3_prepare_v2(database, sql, -1, &statement, nullptr);
      if (code != SQLITE_OK) return;
      while ((code = sqlite3_step(statement)) == SQLITE_ROW) use(Row{statement});
      sqlite3_finalize(statement);
      if (code == SQLITE_DONE) code = SQLITE_OK;
    };
    rows("PRAGMA integrity_check(1)", [&](Row row) {
      if (row.text(0) != "ok") books.damage = row.text(0);
    });
    rows("SELECT key, lower(hex(tasks)) FROM delivery",
         [&](Row row) { books.deliveries[row.text(0)].push_back(row.text(1)); });
    rows("SELECT lower(hex(id)), state, lower(hex(coalesce(parent, x''))), agent, title FROM task",
         [&](Row row) {
           books.tasks[row.text(0)] = {static_cast<int>(row.number(1)), row.text(2)};
           if (row.text(3) == "nightly") ++books.titles[row.text(4)];
         });
    rows(
        "SELECT lower(hex(e.session)), e.outcome, coalesce(r.output, ''), e.cost_micro_usd,"
        " e.reserved_micro_usd, e.ended_at IS NOT NULL"
        " FROM execution e LEFT JOIN execution_result r ON r.row = e.row",
        [&](Row row) {
          books.executions[row.text(0)] = {row.text(1), row.text(2), row.number(3), row.number(4),
                                           row.number(5) != 0};
        });
    rows("SELECT lower(hex(e.session)), t.line FROM transcript t JOIN execution e ON e.row = t.execution",
         [&](Row row) {
           books.lines.insert({row.text(0), row.text(1)});
         });
    rows("SELECT lower(hex(t.id)), d.kind, d.content_hash FROM decision d JOIN task t ON t.row = d.task",
         [&](Row row) {
           books.decisions.insert({row.text(0), row.text(1), row.text(2)});
         });
    rows(
        "SELECT lower(hex(t.id)), d.kind, d.content_hash, d.by_whom FROM decision d JOIN task t ON t.row = d.task"
        " WHERE d.kind IN ('approve', 'refused')",
        [&](Row row) {
          books.approvals.insert({row.text(0), row.text(1), row.text(2), row.text(3)});
        });
    rows("SELECT replace(substr(key, 11), '-', '') FROM task WHERE agent = 'teller' AND state = 0",
         [&](Row row) { ++books.told[row.text(0)]; });
    rows("SELECT coalesce(max(last_slot), 0) FROM schedule",
         [&](Row row) { books.last_slot = row.number(0); });
    rows(
        "SELECT DISTINCT lower(hex(e.session)) FROM transcript_pack p JOIN execution e ON e.row = "
        "p.execution",
        [&](Row row) { books.packed.insert(row.text(0)); });
    rows("SELECT lower(hex(e.session)) FROM artifact a JOIN execution e ON e.row = a.execution",
         [&](Row row) { books.artifacts.insert(row.text(0)); });
    rows("SELECT coalesce(sum(cost_micro_usd), 0), coalesce(sum(executions), 0) FROM day_book", [&](Row row) {
      books.booked_cost = row.number(0);
      books.booked_executions = row.number(1);
    });
    rows("SELECT coalesce(sum(count), 0), coalesce(sum(succeeded), 0) FROM chain_sum", [&](Row row) {
      books.chains = row.number(0);
      books.good_chains = row.number(1);
    });
    // By each name that sums of the day book are by, and by none.
    for (const char* of : {"day_sum WHERE slice = 0", "day_sum WHERE slice = 1", "day_sum WHERE slice = 2",
                           "day_sum WHERE slice = 3"})
      rows((std::string("SELECT coalesce(sum(executions), 0), coalesce(sum(cost_micro_usd), 0) FROM ") + of).c_str(),
           [&](Row row) {
             if (row.number(0) != books.booked_executions || row.number(1) != books.booked_cost)
               books.sums_that_differ.push_back(of);
           });
    rows("SELECT coalesce(sum(executions), 0) FROM execution_total", [&](Row row) {
      if (row.number(0) != books.booked_executions) books.sums_that_differ.push_back("execution_total");
    });
    // What has ended and is followed by nothing, beside what was counted of it.
    rows(
        "SELECT (SELECT coalesce(sum(count), 0) FROM chain_sum WHERE gone = 0), (SELECT count(*) FROM task t"
        " WHERE t.state IN (3, 4) AND NOT EXISTS (SELECT 1 FROM task c WHERE c.root = coalesce(t.root, t.id)"
        " AND c.parent = t.id) AND NOT EXISTS (SELECT 1 FROM chain_place p WHERE p.task = t.row AND p.followed = 1))",
        [&](Row row) {
          if (row.number(0) != row.number(1)) books.sums_that_differ.push_back("chain_sum");
        });
    rows("SELECT coalesce(sum(micro_usd), 0) FROM spend WHERE scope = 0",
         [&](Row row) { books.spent = row.number(0); });
    if (code != SQLITE_OK) books.damage = database ? sqlite3_errmsg(database) : sqlite3_errstr(code);
    sqlite3_close(database);
    return books;
  }

 private:
  struct Row {
    sqlite3_stmt* statement;
    std::string text(int column) const {
      const unsigned char* bytes = sqlite3_column_text(statement, column);
      return bytes ? reinterpret_cast<const char*>(bytes) : "";
    }
    std::int64_t number(int column) const { return sqlite3_column_int64(statement, column); }
  };
};

// Lines that it understands, one of each kind:
//
//   accepted KEY TASK, claimed SESSION TASK, reported SESSION, finished TASK SESSION [SUCCESSOR],
//   failed TASK SESSION, retried TASK, kept SESSION (an artifact), charged MICRO_USD, approved TASK HASH BY,
//   disallowed TASK SESSION HASH BY (that approval does not count),
//   rejected TASK, cancelled TASK, fired SLOT TASK, pruned COUNT, time MS (what the clock is about to show),
//   ending TASK (is about to end, and may be pruned a day later)
class CyclePromises {
 public:
  using Books = CycleBooks;

  void hear(const std::string& line) {
    std::istringstream words(line);
    Promise promise;
    words >> promise.what;
    for (std::string word; words >> word;) promise.words.push_back(word);
    const auto& word = promise.words;
    if (promise.what == "time") {
      now_ = std::stoll(word.at(0));
      return;
    }
    if (promise.what == "ending") ended_at_[digits(word.at(0))] = now_;
    if (promise.what == "retried") ended_at_.erase(digits(word.at(0)));
    if (promise.what == "finished" || promise.what == "failed" || promise.what == "disallowed") ++ended_;
    if (promise.what == "finished" && word.size() == 2) ++chains_;  // nothing follows
    if (promise.what == "charged") charged_ += std::stoll(word.at(0));
    if (promise.what == "pruned") pruned_ += std::stoll(word.at(0));
    if (promise.what == "refused") ++refused_;
    if (promise.what == "claimed") task_of_session_[digits(word.at(0))] = digits(word.at(1));
    promise.at = now_;
    promises_.push_back(std::move(promise));
  }
  bool any() const { return !promises_.empty(); }
  std::size_t count(std::string_view what) const {
    return static_cast<std::size_t>(std::count_if(promises_.begin(), promises_.end(),
                                                  [&](const Promise& one) { return one.what == what; }));
  }
  std::int64_t pruned() const { return pruned_; }
  int refused() const { return refused_; }

  // One sentence for each that was not kept, beginning with its kind.
  std::vector<std::string> broken(const CycleBooks& books) const {
    std::vector<std::string> broken;
    for (const Promise& promise : promises_) {
      const std::string fault = fault_of(promise, books);
      if (!fault.empty()) broken.push_back(promise.what + " " + join(promise.words) + ": " + fault);
    }
    if (books.spent < charged_)
      broken.push_back("charged " + std::to_string(charged_) + " in all: the books say " +
                       std::to_string(books.spent));
    if (books.booked_cost < charged_ || books.booked_executions < ended_)
      broken.push_back("booked " + std::to_string(ended_) + " executions and " + std::to_string(charged_) +
                       " in all: the books of the days say " + std::to_string(books.booked_executions) +
                       " and " + std::to_string(books.booked_cost));
    if (books.good_chains < chains_ || books.chains < books.good_chains)
      broken.push_back("counted " + std::to_string(chains_) + " good chains in all: the sums say " +
                       std::to_string(books.good_chains) + " of " + std::to_string(books.chains));
    for (const std::string& sums : books.sums_that_differ)
      broken.push_back("sums: " + sums + " differs from what it is the sum of");
    for (const auto& [title, times] : books.titles)
      if (times > 1) broken.push_back("fired " + title + ": " + std::to_string(times) + " times");
    for (const auto& [session, execution] : books.executions)
      if (execution.outcome == "completed" && digits(execution.output).find(session) == std::string::npos)
        broken.push_back("fence of " + session + ": another attempt ended it with " + execution.output);
    for (const auto& [id, times] : books.told) {
      const auto task = books.tasks.find(id);
      if (times > 1) broken.push_back("told " + id + ": " + std::to_string(times) + " times");
      if (task != books.tasks.end() && task->second.state != kFailed && task->second.state != kCancelled)
        broken.push_back("told " + id + ": its state is " + std::to_string(task->second.state));
    }
    for (const auto& [id, task] : books.tasks) {
      const bool ended_badly =
          task.state == kFailed || (task.state == kCancelled && books.decisions.count({id, "cancel", ""}));
      if (ended_badly && books.told.count(id) == 0) broken.push_back("told " + id + ": its end is not");
    }
    for (const auto& [id, task] : books.tasks)
      if (is_open(task) && !task.parent.empty() && books.tasks.count(task.parent) == 0)
        broken.push_back("pruned " + task.parent + ": its successor " + id + " is open");
    return broken;
  }

 private:
  struct Promise {
    std::string what;
    std::vector<std::string> words;
    std::int64_t at = 0;
  };
  static constexpr std::int64_t kDay = 86'400'000;
  static constexpr std::int64_t kSlack =
      600'000;  // that a round may take, with the leases that run out in it
  static constexpr int kAwaitingApproval = 2, kCompleted = 3, kFailed = 4,
                       kCancelled = 5;  // codes of task.state
  static bool is_open(const CycleBooks::Task& task) { return task.state < 3 || task.state == 6; }

  static std::string digits(std::string id) {
    id.erase(std::remove(id.begin(), id.end(), '-'), id.end());
    return id;
  }
  static std::string join(const std::vector<std::string>& words) {
    std::string all;
    for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
    return all;
  }
  std::string fault_of(const Promise& promise, const CycleBooks& books) const {
    const auto& word = promise.words;
    const auto task = [&](std::size_t at) {
      const auto found = books.tasks.find(digits(word.at(at)));
      return found == books.tasks.end() ? nullptr : &found->second;
    };
    const auto may_go = [&](std::size_t at) { return may_be_pruned(digits(word.at(at))); };
    const auto decided = [&](const std::string& kind, const std::string& hash) {
      return books.decisions.count({digits(word.at(0)), kind, hash}) > 0;
    };
    if (promise.what == "accepted") {
      const auto row = books.deliveries.find(word.at(0));
      // A delivery is kept for a day from its arrival, and as long as something of it is open.
      const bool ended = ended_at_.count(digits(word.at(1))) > 0;
      if (row == books.deliveries.end())
        return ended && is_a_day_ago(promise.at) ? "" : "the delivery is lost";
      if (row->second != std::vector<std::string>{digits(word.at(1))}) return "it has not this task, once";
      return task(1) || may_go(1) ? "" : "the task is lost";
    }
    if (promise.what == "claimed" || promise.what == "reported" || promise.what == "kept") {
      const std::string session = digits(word.at(0));
      const auto found = books.executions.find(session);
      // Sessions go with their tasks, what they said and kept some steps before.
      const auto of = task_of_session_.find(session);
      const bool may_be_gone = of != task_of_session_.end() && may_be_pruned(of->second);
      if (found == books.executions.end()) return may_be_gone ? "" : "the session is lost";
      const CycleBooks::Execution& execution = found->second;
      if (promise.what == "claimed")
        return execution.ended || execution.reserved > 0 ? "" : "it runs and nothing is set aside for it";
      if (promise.what == "kept")
        return books.artifacts.count(session) || may_be_gone ? "" : "its artifact is lost";
      if (execution.cost <= 0) return "what it has cost so far is lost";
      const bool kept = books.packed.count(session) || books.lines.count({session, "line of " + word.at(0)});
      return kept || may_be_gone ? "" : "its line is lost";
    }
    if (promise.what == "finished") {
      const CycleBooks::Task* ended = task(0);
      if (!ended) return may_go(0) ? "" : "it is lost";
      if (ended->state != kCompleted) return "it is not completed";
      const auto session = books.executions.find(digits(word.at(1)));
      if (session == books.executions.end() || session->second.outcome != "completed")
        return "not by this session";
      if (books.packed.count(digits(word.at(1))) == 0 && !may_go(0)) return "its transcript is lost";
      return word.size() < 3 || task(2) || may_go(2) ? "" : "its successor is lost";
    }
    if (promise.what == "failed") {
      const auto session = books.executions.find(digits(word.at(1)));
      if (session == books.executions.end()) return may_go(0) ? "" : "the session is lost";
      return session->second.outcome == "failed" ? "" : "its outcome is " + session->second.outcome;
    }
    if (promise.what == "retried") {
      if (!task(0)) return may_go(0) ? "" : "the task is lost";
      return decided("retry", "") ? "" : "the decision is lost";
    }
    if (promise.what == "approved") {
      const CycleBooks::Task* approved = task(0);
      if (!approved) return may_go(0) ? "" : "the task is lost";
      const auto noted = [&](const char* kind) {
        return books.approvals.count({digits(word.at(0)), kind, word.at(1), word.at(2)}) > 0;
      };
      if (!noted("approve")) return "the decision is lost";
      return approved->state == kAwaitingApproval && !noted("refused") ? "it still waits" : "";
    }
    if (promise.what == "disallowed") {
      if (!task(0)) return may_go(0) ? "" : "the task is lost";
      const auto session = books.executions.find(digits(word.at(1)));
      if (session == books.executions.end()) return may_go(0) ? "" : "the session is lost";
      if (session->second.outcome != "approval_refused") return "its outcome is " + session->second.outcome;
      const bool noted = books.approvals.count({digits(word.at(0)), "refused", word.at(2), word.at(3)}) > 0;
      return noted ? "" : "the refusal is lost";
    }
    if (promise.what == "rejected" || promise.what == "cancelled") {
      const CycleBooks::Task* ended = task(0);
      if (!ended) return may_go(0) ? "" : "the task is lost";
      if (ended->state != kCancelled) return "its state is " + std::to_string(ended->state);
      const std::string kind = promise.what == "rejected" ? "reject" : "cancel";
      const bool kept = std::any_of(books.decisions.begin(), books.decisions.end(), [&](const auto& one) {
        return one[0] == digits(word.at(0)) && one[1] == kind;
      });
      return kept ? "" : "the decision is lost";
    }
    if (promise.what == "fired") {
      if (books.last_slot < std::stoll(word.at(0))) return "the slot would fire again";
      return task(1) || may_go(1) ? "" : "the task is lost";
    }
    return "";
  }
  bool may_be_pruned(const std::string& task) const {
    const auto ended = ended_at_.find(task);
    return ended != ended_at_.end() && is_a_day_ago(ended->second);
  }
  bool is_a_day_ago(std::int64_t at) const { return now_ - at >= kDay - kSlack; }

  std::vector<Promise> promises_;
  std::map<std::string, std::string> task_of_session_;
  std::map<std::string, std::int64_t> ended_at_;  // tasks
  std::int64_t now_ = 0, charged_ = 0, ended_ = 0, pruned_ = 0, chains_ = 0;
  int refused_ = 0;
};

}  // namespace davit::faults

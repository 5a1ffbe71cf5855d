// The books, checked by questions that do not trust the code which keeps them.
#include <sqlite3.h>

#include "host/store/artifacts.h"
#include "host/store/chain_ends.h"
#include "host/store/database.h"
#include "host/store/deliveries.h"
#include "host/store/migrations.h"
#include "host/store/rows.h"
#include "host/store/statement.h"
#include "host/store/store.h"
#include "host/store/transcript_pack.h"

namespace davit::store {
namespace {

constexpr int kMostFindings = 100;

// A query that names rows which must not be, and the sentence about each.
struct Invariant {
  const char* sentence;
  const char* query;  // gives what is named after the sentence
};

constexpr Invariant kInvariants[] = {
    {"running without exactly one open execution, its newest: task row",
     "SELECT t.row FROM task t WHERE t.state = 1 AND ("
     " (SELECT count(*) FROM execution e WHERE e.task = t.row AND e.ended_at IS NULL) <> 1"
     " OR NOT EXISTS (SELECT 1 FROM execution e WHERE e.row = t.execution AND e.task = t.row AND e.ended_at "
     "IS NULL))"},
    {"not running, but with an open execution: task row",
     "SELECT t.row FROM execution e JOIN task t ON t.row = e.task WHERE e.ended_at IS NULL AND t.state <> 1"},
    {"of no known state: task row", "SELECT row FROM task WHERE state NOT BETWEEN 0 AND 6"},
    {"final without a time of end, or the reverse: task row",
     "SELECT row FROM task WHERE (state IN (3, 4, 5)) <> (finished_at IS NOT NULL)"},
    {"without its body: task row",
     "SELECT t.row FROM task t WHERE NOT EXISTS (SELECT 1 FROM task_body b WHERE b.row = t.row)"},
    {"names a newest execution that is not its own: task row",
     "SELECT t.row FROM task t WHERE t.execution <> 0 AND NOT EXISTS"
     " (SELECT 1 FROM execution e WHERE e.row = t.execution AND e.task = t.row)"},
    {"completed without a successful execution: task row",
     "SELECT t.row FROM task t WHERE t.state = 3 AND NOT EXISTS"
     " (SELECT 1 FROM execution e WHERE e.row = t.execution AND e.success = 1)"},
    {"completed more than once: task row",
     "SELECT task FROM execution WHERE success = 1 GROUP BY task HAVING count(*) > 1"},
    {"running beside another one of its line: task row",
     "SELECT max(row) FROM task WHERE state = 1 AND line IS NOT NULL GROUP BY line HAVING count(*) > 1"},
    {"blocked though it is not queued: task row", "SELECT row FROM task WHERE blocked <> 0 AND state <> 0"},
    {"blocked by nothing: task row",
     "SELECT t.row FROM task t WHERE t.blocked <> 0 AND NOT EXISTS (SELECT 1 FROM task o"
     " WHERE o.line = t.line AND (o.state = 1 OR (o.state = 0 AND o.blocked = 0 AND o.agent = "
     "t.agent)))"},
    {"held back though it is not queued: task row", "SELECT row FROM task WHERE hold <> 0 AND state <> 0"},
    {"waits for approval without a note since when, or the reverse: task row",
     "SELECT t.row FROM task t WHERE (t.state = 2) <> EXISTS (SELECT 1 FROM approval a WHERE a.task = "
     "t.row)"},
    {"ended by itself with money still set aside for it: execution row",
     "SELECT row FROM execution WHERE reserved_micro_usd <> 0 AND ended_at IS NOT NULL AND outcome IN "
     "('completed', 'failed')"},
    // Executions may have been pruned, what they cost stays counted.
    {"spent less than its executions cost: day",
     "SELECT booked.day FROM (SELECT started_at / 86400000 AS day,"
     " sum(max(cost_micro_usd, reserved_micro_usd)) AS cost"
     " FROM execution WHERE ended_at IS NOT NULL GROUP BY 1) booked WHERE booked.cost > 0 AND booked.cost >"
     " coalesce((SELECT micro_usd FROM spend WHERE spend.day = booked.day AND scope = 0), 0)"},
    {"packed twice, some of its lines: execution row",
     "SELECT DISTINCT a.execution FROM transcript_pack a JOIN transcript_pack b ON b.execution = a.execution"
     " AND b.row <> a.row AND b.first_line >= a.first_line AND b.first_line < a.first_line + a.lines"},
    {"booked with less than its executions have had, on a day: agent",
     "SELECT agent || ' ' || date(day * 86400, 'unixepoch') FROM (SELECT started_at / 86400000 AS day, agent,"
     " count(*) AS n, sum(cost_micro_usd) AS cost, sum(input_tokens + output_tokens + cache_read_tokens +"
     " cache_write_tokens) AS tokens FROM execution WHERE ended_at IS NOT NULL GROUP BY 1, 2) e WHERE NOT "
     "EXISTS"
     " (SELECT 1 FROM day_book b WHERE b.day = e.day AND b.agent = e.agent GROUP BY b.agent HAVING "
     "sum(executions) >= n"
     " AND sum(cost_micro_usd) >= cost AND sum(input_tokens + output_tokens + cache_read_tokens +"
     " cache_write_tokens) >= tokens)"},
    {"sums of a day differ from its book: agent",
     "WITH booked AS ("
     " SELECT 0 AS slice, day, agent, outcome AS name, executions, duration_ms, input_tokens, output_tokens,"
     "  cache_read_tokens, cache_write_tokens, cost_micro_usd FROM day_book"
     " UNION ALL SELECT 1, day, agent, model, executions, duration_ms, input_tokens, output_tokens,"
     "  cache_read_tokens, cache_write_tokens, cost_micro_usd FROM day_book"
     " UNION ALL SELECT 2, day, agent, task_type, executions, duration_ms, input_tokens, output_tokens,"
     "  cache_read_tokens, cache_write_tokens, cost_micro_usd FROM day_book"
     " UNION ALL SELECT 3, day, agent, source, executions, duration_ms, input_tokens, output_tokens,"
     "  cache_read_tokens, cache_write_tokens, cost_micro_usd FROM day_book), "
     "sums AS (SELECT slice, day, agent, name, sum(executions), sum(duration_ms), sum(input_tokens),"
     "  sum(output_tokens), sum(cache_read_tokens), sum(cache_write_tokens), sum(cost_micro_usd) FROM booked"
     "  GROUP BY slice, day, agent, name) "
     "SELECT DISTINCT agent || ' ' || date(day * 86400, 'unixepoch') FROM ("
     " SELECT * FROM (SELECT * FROM sums EXCEPT SELECT * FROM day_sum)"
     " UNION ALL SELECT * FROM (SELECT * FROM day_sum EXCEPT SELECT * FROM sums))"},
    {"executions of all days differ from the day book: agent",
     "WITH booked AS (SELECT agent, outcome, task_type, sum(executions), min(day) FROM day_book"
     "  GROUP BY agent, outcome, task_type) "
     "SELECT DISTINCT agent FROM (SELECT * FROM (SELECT * FROM booked EXCEPT SELECT * FROM execution_total)"
     " UNION ALL SELECT * FROM (SELECT * FROM execution_total EXCEPT SELECT * FROM booked))"},
    // Patterns of agents: what is before one is there, and of a smaller number.
    {"begins with a pattern that is not there: chain_pattern id",
     "SELECT id FROM chain_pattern c WHERE before <> 0 AND NOT EXISTS"
     " (SELECT 1 FROM chain_pattern b WHERE b.id = c.before AND b.id < c.id)"},
    {"of a pattern of agents that is not there: chain_sum day",
     "SELECT day FROM chain_sum WHERE pattern <> -1 AND NOT EXISTS"
     " (SELECT 1 FROM chain_pattern n WHERE n.id = pattern)"},
    // What was pruned is known by these sums alone.
    {"counts what cannot be: chain_sum day",
     "SELECT day FROM chain_sum WHERE count < 1 OR succeeded NOT BETWEEN 0 AND count OR duration_ms < 0"
     " OR cost_micro_usd < 0"},
    {"has no place in its chain, or one though it is the first: task row",
     "SELECT t.row FROM task t LEFT JOIN chain_place c ON c.task = t.row WHERE iif(t.parent IS NULL,"
     " c.task IS NOT NULL AND (c.followed = 0 OR c.cost_micro_usd <> 0 OR c.begun_at <> t.created_at), c.task IS NULL)"},
    // What is completed costs no more, so that is what it had cost when the other was made.
    {"has another place in its chain than the one before it says: task row",
     "SELECT t.row FROM task t JOIN chain_place c ON c.task = t.row JOIN task p ON p.id = t.parent"
     " LEFT JOIN chain_place b ON b.task = p.row"
     " WHERE p.state = 3 AND (c.begun_at <> coalesce(b.begun_at, p.created_at) OR c.cost_micro_usd <>"
     "  coalesce(b.cost_micro_usd, 0) + (SELECT total(e.cost_micro_usd) FROM execution e WHERE e.task = p.row)"
     " OR c.pattern <> coalesce((SELECT n.id FROM chain_pattern n WHERE n.agent = t.agent AND n.before ="
     "  coalesce(b.pattern, (SELECT f.id FROM chain_pattern f WHERE f.before = 0 AND f.agent = p.agent), -1)), -1))"},
    {"sums of chains differ from the tasks that ended them, on a day:",
     "WITH last AS (SELECT t.finished_at / 86400000 AS day, coalesce(p.pattern,"
     "  (SELECT f.id FROM chain_pattern f WHERE f.before = 0 AND f.agent = t.agent), -1) AS pattern, t.state = 3 AS good,"
     "  max(t.finished_at - coalesce(p.begun_at, t.created_at), 0) AS took, coalesce(p.cost_micro_usd, 0) +"
     "  (SELECT coalesce(sum(e.cost_micro_usd), 0) FROM execution e WHERE e.task = t.row) AS cost"
     "  FROM task t LEFT JOIN chain_place p ON p.task = t.row WHERE t.state IN (3, 4) AND coalesce(p.followed, 0) = 0"
     "  AND NOT EXISTS (SELECT 1 FROM task c INDEXED BY task_root WHERE c.root = coalesce(t.root, t.id) AND c.parent = t.id)"
     "  ), sums AS (SELECT day, pattern, count(*), sum(good), sum(took), sum(cost) FROM last GROUP BY day, pattern), "
     "kept AS (SELECT day, pattern, count, succeeded, duration_ms, cost_micro_usd FROM chain_sum WHERE gone = 0) "
     "SELECT DISTINCT date(day * 86400, 'unixepoch') FROM (SELECT * FROM (SELECT * FROM sums EXCEPT SELECT * FROM kept)"
     " UNION ALL SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM sums))"},
    {"more were made in an hour than were counted: agent",
     "SELECT t.agent || ' ' || datetime(t.hour * 3600, 'unixepoch') FROM (SELECT created_at / 3600000 AS hour, agent,"
     " count(*) AS n FROM task WHERE row <= (SELECT reached FROM task_search_state) GROUP BY 1, 2) t"
     " LEFT JOIN task_made m ON m.hour = t.hour AND m.agent = t.agent WHERE coalesce(m.tasks, 0) < n"},
    {"more or fewer were made on a day than are kept and were pruned: day",
     "SELECT date(day * 86400, 'unixepoch') FROM ("
     " SELECT hour / 24 AS day, tasks FROM task_made UNION ALL SELECT day, -tasks FROM task_gone"
     " UNION ALL SELECT created_at / 86400000, -1 FROM task WHERE row <= (SELECT reached FROM task_search_state))"
     " GROUP BY day HAVING sum(tasks) <> 0"},
    // -1: pruned before that was noted.
    {"pruned though it had not ended: task_gone day", "SELECT day FROM task_gone WHERE state NOT IN (-1, 3, 4, 5)"},
    {"hours differ from their day: agent",
     "SELECT DISTINCT agent || ' ' || date(day * 86400, 'unixepoch') FROM ("
     " SELECT day, agent, name, executions, duration_ms, input_tokens, output_tokens, cache_read_tokens,"
     "  cache_write_tokens, cost_micro_usd FROM day_sum WHERE slice = 0"
     " UNION ALL SELECT day, agent, outcome, -executions, -duration_ms, -input_tokens, -output_tokens,"
     "  -cache_read_tokens, -cache_write_tokens, -cost_micro_usd FROM hour_sum) GROUP BY day, agent, name"
     " HAVING sum(executions) <> 0 OR sum(duration_ms) <> 0 OR sum(input_tokens) <> 0 OR sum(output_tokens) <> 0"
     "  OR sum(cache_read_tokens) <> 0 OR sum(cache_write_tokens) <> 0 OR sum(cost_micro_usd) <> 0"},
    {"more began in an hour than were counted: agent",
     "SELECT DISTINCT e.agent || ' ' || datetime(e.hour * 3600, 'unixepoch') FROM (SELECT started_at / 3600000 AS hour,"
     " agent, outcome, count(*) AS n, sum(cost_micro_usd) AS cost FROM execution WHERE ended_at IS NOT NULL"
     " GROUP BY 1, 2, 3) e LEFT JOIN hour_sum h ON h.day = e.hour / 24 AND h.hour = e.hour % 24 AND h.agent = e.agent"
     " AND h.outcome = e.outcome WHERE coalesce(h.executions, 0) < n OR coalesce(h.cost_micro_usd, 0) < cost"},
    {"noted of the queue when nobody looked: agent",
     "SELECT agent || ' ' || datetime(at / 1000, 'unixepoch') FROM queue_sample WHERE at > (SELECT coalesce(max(until), 0) FROM queue_watch)"},
    {"deeper in its chain than its predecessor plus one: task row",
     "SELECT t.row FROM task t JOIN task p ON p.id = t.parent WHERE t.chain_depth <> p.chain_depth + 1"},
    {"without its body: delivery row",
     "SELECT d.row FROM delivery d WHERE NOT EXISTS (SELECT 1 FROM delivery_body b WHERE b.row = d.row)"},
    {"deferred without a time, or the reverse: delivery row",
     "SELECT row FROM delivery WHERE (verdict = 3) <> (due_at IS NOT NULL)"},
    {"stored twice under one key that counts for ever: delivery row",
     "SELECT max(d.row) FROM delivery d JOIN delivery_body b ON b.row = d.row WHERE b.key_window IS NULL"
     " AND d.verdict NOT IN (2, 4) GROUP BY d.webhook, d.key HAVING count(*) > 1"},
    {"older than the row before, and not noted as such: task row",
     "SELECT row FROM (SELECT row, created_at, lag(row) OVER w AS former, lag(created_at) OVER w AS before "
     "FROM task"
     " WINDOW w AS (ORDER BY row)) t WHERE created_at < before AND NOT EXISTS"
     " (SELECT 1 FROM task_turn c WHERE c.row > t.former AND c.row <= t.row)"},
    {"owner of a key is not stored: delivery row",
     "SELECT k.delivery FROM delivery_key k WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.row = "
     "k.delivery)"},
};

class Findings {
 public:
  void add(std::string sentence) {
    if (sentences_.size() < kMostFindings) sentences_.push_back(std::move(sentence));
  }
  std::vector<std::string> take() { return std::move(sentences_); }

 private:
  std::vector<std::string> sentences_;
};

void check_keys(Database& database, Findings& findings) {
  Statement keys(
      database,
      "SELECT k.hash, d.row, d.webhook, d.key FROM delivery_key k JOIN delivery d ON d.row = k.delivery");
  Cursor row = keys.query();
  while (row.next()) {
    if (row.view(0) != key_hash(row.view(2), row.view(3))) {
      findings.add("key does not belong to its delivery: delivery row " + row.text(1));
    }
  }
  // One that failed may have lost its key to another body.
  Statement unkeyed(database, "SELECT row, webhook, key FROM delivery WHERE verdict NOT IN (2, 4)");
  Statement key(database, "SELECT 1 FROM delivery_key WHERE hash = ?1");
  Cursor delivery = unkeyed.query();
  while (delivery.next()) {
    const std::string hash = key_hash(delivery.view(1), delivery.view(2));
    if (!key.query(Blob{hash}).next()) findings.add("without its key: delivery row " + delivery.text(0));
  }
}

// What a person must approve runs only as it was approved.
void check_approved_content(Database& database, Findings& findings) {
  Statement running(
      database,
      "SELECT t.row, (SELECT iif(d.kind = 'approve', d.content_hash, '') FROM decision d WHERE d.task = t.row"
      " AND d.kind IN ('approve', 'reject', 'refused') ORDER BY d.row DESC LIMIT 1), " +
          kContentColumns +
          " FROM task t JOIN task_body b ON b.row = t.row WHERE t.state = 1 AND t.needs_approval = 1");
  Cursor row = running.query();
  while (row.next()) {
    if (row.view(1) != read_content_hash(row, 2))
      findings.add("runs though nobody approved what it runs: task row " + row.text(0));
  }
}

// The end of a task is told once: it has one, one more after each retry, and what is put aside may still be
// cancelled.
void check_told_ends(Database& database, Findings& findings) {
  Statement told(database,
                 "SELECT key, count(*) FROM task WHERE source = 'chain_end' AND task_type = 'chain_end'"
                 " AND delivery IS NULL AND key IS NOT NULL GROUP BY key");
  Statement ends(database,
                 "SELECT t.row, 1 + (SELECT count(*) FROM decision d WHERE d.task = t.row"
                 " AND d.kind IN ('retry', 'cancel')) FROM task t WHERE t.id = ?1");
  for (Cursor row = told.query(); row.next();) {
    const std::string_view key = row.view(0);
    const auto id = key.starts_with(kChainEndKey) ? to_stored_id(key.substr(kChainEndKey.size()))
                                                  : std::optional<StoredId>();
    if (!id) {
      findings.add("tells of the end of no task: key " + row.text(0));
      continue;
    }
    Cursor task = ends.query(*id);
    if (task.next() && row.integer(1) > task.integer(1))
      findings.add("told of more often than it has ended: task row " + task.text(0));
  }
}

// What is packed comes out as it went in.
void check_packed(Database& database, Findings& findings) {
  Statement packs(database, "SELECT row, first_line, lines, bytes, packed FROM transcript_pack ORDER BY row");
  for (Cursor row = packs.query(); row.next();) {
    const auto lines = unpack_lines(row.integer(1), row.integer(2), row.integer(3), row.view(4));
    if (!lines.ok())
      findings.add("lines cannot be read (" + lines.error().message + "): transcript_pack row " +
                   row.text(0));
  }
  Statement artifacts(
      database,
      "SELECT row, name, content_type, bytes, sha256, deflated, content FROM artifact ORDER BY row");
  for (Cursor row = artifacts.query(); row.next();) {
    const auto content = unpack_artifact(
        {row.text(1), row.text(2), row.integer(3), row.text(4), row.integer(5) != 0, row.text(6)});
    if (!content.ok())
      findings.add("content cannot be read (" + content.error().message + "): artifact row " + row.text(0));
  }
}

// The index of words holds what one that is made anew holds, up to where it says that it has come.
void check_search(Database& database, Findings& findings) {
  const std::unique_ptr<Database> anew = Database::in_memory();
  const std::string is_index =
      "USING fts5 (title, entity, error, content = '', tokenize = 'unicode61 remove_diacritics 2')";
  anew->execute(("CREATE VIRTUAL TABLE task_search " + is_index +
                 "; CREATE VIRTUAL TABLE words USING fts5vocab (task_search, instance); BEGIN")
                    .c_str());
  // A file that is only read takes tables for the time of a connection.
  database.execute(
      "PRAGMA query_only = OFF; CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, task_search, "
      "instance)");
  {
    Statement texts(
        database,
        "SELECT row, words_apart(title), words_apart(entity), words_apart(error) FROM task"
        " WHERE row <= (SELECT reached FROM task_search_state)");
    Statement add(*anew, "INSERT INTO task_search (rowid, title, entity, error) VALUES (?1, ?2, ?3, ?4)");
    for (Cursor row = texts.query(); row.next();)
      add.run(row.integer(0), row.view(1), if_any(row.view(2)), if_any(row.view(3)));
  }
  const char* const in_order = "SELECT doc, term, col, offset FROM words";
  Statement kept(database, in_order), wanted(*anew, in_order);
  Cursor has = kept.query(), should = wanted.query();
  for (;;) {
    const bool some = has.next(), more = should.next();
    if (!some && !more) break;
    bool same = some && more;
    for (int column = 0; same && column < 4; ++column) same = has.view(column) == should.view(column);
    if (same) continue;
    const std::int64_t in_index = some ? has.integer(0) : 0, in_task = more ? should.integer(0) : 0;
    findings.add("not in the index of words as it is: task row " +
                 std::to_string(some && (!more || in_index < in_task) ? in_index : in_task));
    break;
  }
  if (const std::optional<Failure> failure = anew->take_failure())
    findings.add("index of words: checking stopped: " + failure->message);
}

// A delivery that is kept may name a task that was pruned: one that ended after the delivery arrived.
void check_delivered_tasks(Database& database, Findings& findings) {
  const std::int64_t pruned_before = database.integer(
      "SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM setting WHERE name = 'pruned_before'");
  Statement deliveries(database, "SELECT row, received_at, tasks FROM delivery WHERE tasks IS NOT NULL");
  Statement task(database, "SELECT 1 FROM task WHERE id = ?1");
  Cursor row = deliveries.query();
  while (row.next()) {
    if (row.integer(1) < pruned_before) continue;
    for (const std::string& id : unpack_ids(row.view(2))) {
      if (!task.query(*to_stored_id(id)).next()) {
        findings.add("became task " + id + ", which is not stored: delivery row " + row.text(0));
      }
    }
  }
}

}  // namespace

Result<std::vector<std::string>> verify(const std::filesystem::path& path) {
  auto opened = Database::open(path, Database::Mode::Read, "");
  if (const Failure* failure = std::get_if<Failure>(&opened)) {
    return Error{ErrorCode::Unavailable, path.string() + ": " + failure->message};
  }
  Database& database = *std::get<0>(opened);
  const std::int64_t application = database.integer("PRAGMA application_id");
  const std::int64_t version = database.integer("PRAGMA user_version");
  if (Result<> readable = database.check(); !readable.ok()) return at(path.string(), readable.error());
  if (application != kApplicationId || version < 1 || version > newest_version()) {
    return Error{ErrorCode::InvalidInput, path.string() + ": is not a database of this davit"};
  }

  if (version < newest_version()) {
    return Error{ErrorCode::InvalidInput,
                 path.string() + ": has an older schema; start davit once, it brings it up to date"};
  }

  Findings findings;
  database.execute("BEGIN");
  {
    Statement integrity(database, "PRAGMA integrity_check(100)");
    Cursor row = integrity.query();
    while (row.next()) {
      if (row.view(0) != "ok") findings.add("file: " + row.text(0));
    }
  }
  {
    Statement foreign_keys(database, "PRAGMA foreign_key_check");
    Cursor row = foreign_keys.query();
    while (row.next())
      findings.add("row " + row.text(1) + " of " + row.text(0) + " belongs to nothing in " + row.text(2));
  }
  for (const Invariant& invariant : kInvariants) {
    Statement broken(database, invariant.query);
    Cursor row = broken.query();
    while (row.next()) findings.add(std::string(invariant.sentence) + " " + row.text(0));
  }
  check_keys(database, findings);
  check_delivered_tasks(database, findings);
  check_approved_content(database, findings);
  check_told_ends(database, findings);
  check_packed(database, findings);
  check_search(database, findings);
  if (const std::optional<Failure> failure = database.take_failure()) {
    findings.add("file: reading stopped: " + failure->message);
  }
  return findings.take();
}

}  // namespace davit::store

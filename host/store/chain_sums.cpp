// Who is followed never changes its state again: only what is completed is followed, in the transaction that
// completes it. So what a task's place says of those before it stays true, and nothing but a task's own life
// changes whether it is an end.
#include "host/store/chain_sums.h"

#include <algorithm>

#include "host/store/rows.h"

namespace davit::store {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

}  // namespace

struct ChainSums::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement end{db,
                "SELECT t.agent, t.state = 3, t.finished_at, coalesce(p.begun_at, t.created_at), p.pattern,"
                " coalesce(p.cost_micro_usd, 0) +"
                "  (SELECT coalesce(sum(e.cost_micro_usd), 0) FROM execution e WHERE e.task = t.row)"
                " FROM task t LEFT JOIN chain_place p ON p.task = t.row"
                " WHERE t.row = ?1 AND t.state IN (3, 4) AND coalesce(p.followed, 0) = 0 AND NOT EXISTS"
                "  (SELECT 1 FROM task c INDEXED BY task_root WHERE c.root = coalesce(t.root, t.id) AND "
                "c.parent = t.id)"};
  Statement before{
      db,
      "SELECT t.agent, coalesce(p.begun_at, t.created_at), p.pattern, coalesce(p.cost_micro_usd, 0) +"
      "  (SELECT coalesce(sum(e.cost_micro_usd), 0) FROM execution e WHERE e.task = t.row)"
      " FROM task t LEFT JOIN chain_place p ON p.task = t.row WHERE t.id = ?1"};
  Statement put{
      db,
      "INSERT INTO chain_place (task, pattern, begun_at, cost_micro_usd, followed) VALUES (?1, ?2, ?3, ?4, 0)"
      " ON CONFLICT (task) DO UPDATE SET pattern = excluded.pattern, begun_at = excluded.begun_at,"
      " cost_micro_usd = excluded.cost_micro_usd"};
  Statement copy{db,
                 "INSERT INTO chain_place (task, pattern, begun_at, cost_micro_usd, followed)"
                 " SELECT ?1, pattern, begun_at, cost_micro_usd, 0 FROM chain_place WHERE task = ?2"};
  Statement row_of{db, "SELECT row FROM task WHERE id = ?1"};
  Statement kept_parent{
      db, "SELECT p.row, p.agent, p.created_at FROM task t JOIN task p ON p.id = t.parent WHERE t.row = ?1"};
  Statement mark_followed{db,
                          "INSERT INTO chain_place (task, pattern, begun_at, cost_micro_usd, followed)"
                          " VALUES (?1, ?2, ?3, 0, 1) ON CONFLICT (task) DO UPDATE SET followed = 1"};
  Statement drop{db, "DELETE FROM chain_place WHERE task = ?1"};
  Statement find_pattern{db, "SELECT id FROM chain_pattern WHERE before = ?1 AND agent = ?2"};
  Statement add_pattern{db,
                        "INSERT INTO chain_pattern (before, agent)"
                        " SELECT ?1, ?2 WHERE (SELECT count(*) FROM chain_pattern) < ?3"};
  Statement add{
      db,
      "INSERT INTO chain_sum VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
      " ON CONFLICT DO UPDATE SET count = count + excluded.count, succeeded = succeeded + excluded.succeeded,"
      " duration_ms = duration_ms + excluded.duration_ms,"
      " cost_micro_usd = cost_micro_usd + excluded.cost_micro_usd"};
  Statement drop_empty{db,
                       "DELETE FROM chain_sum WHERE day = ?1 AND pattern = ?2 AND gone = ?3 AND count = 0"};
};

ChainSums::ChainSums(Database& database) : sql_(std::make_unique<Statements>(database)) {}
ChainSums::~ChainSums() = default;

std::int64_t ChainSums::pattern_of(std::int64_t before, std::string_view agent) {
  if (before == kOtherPattern) return kOtherPattern;
  auto& after = patterns_[before];
  if (const auto known = after.find(agent); known != after.end()) return known->second;
  std::int64_t id = kOtherPattern;
  const auto find = [&] {
    Cursor row = sql_->find_pattern.query(before, agent);
    if (row.next()) id = row.integer(0);
    return id != kOtherPattern;
  };
  if (!find() && sql_->add_pattern.run(before, agent, kMostPatterns) > 0) find();
  // Patterns are never removed, so what is one too many stays that.
  if (id != kOtherPattern) after.emplace(agent, id);
  return id;
}

std::optional<ChainSums::End> ChainSums::end_of(std::int64_t number) {
  End end;
  std::string agent;
  {
    Cursor row = sql_->end.query(number);
    if (!row.next()) return std::nullopt;
    const std::int64_t at = row.integer(2);
    end.day = at / kDayMs;
    // A clock may have been set back.
    end.sums = {1, row.integer(1), std::max<std::int64_t>(at - row.integer(3), 0), row.integer(5)};
    if (row.is_null(4)) agent = row.text(0);
    end.pattern = row.integer(4);
  }
  if (end.pattern == kNoPattern) end.pattern = pattern_of(kNoPattern, agent);
  return end;
}

void ChainSums::count(const End& end, bool gone, int times) {
  Sums& sums = unwritten_[{end.day, end.pattern, gone}];
  sums.count += times * end.sums.count;
  sums.succeeded += times * end.sums.succeeded;
  sums.duration_ms += times * end.sums.duration_ms;
  sums.cost_micro_usd += times * end.sums.cost_micro_usd;
}

void ChainSums::follows(std::int64_t row, std::string_view agent, const StoredId& parent) {
  Place place;
  std::string first;
  {
    Cursor before = sql_->before.query(parent);
    if (!before.next()) return;
    place.begun_at = before.integer(1);
    place.pattern = before.integer(2);
    place.cost_micro_usd = before.integer(3);
    if (before.is_null(2)) first = before.text(0);
  }
  if (place.pattern == kNoPattern) place.pattern = pattern_of(kNoPattern, first);
  sql_->put.run(row, pattern_of(place.pattern, agent), place.begun_at, place.cost_micro_usd);
}

void ChainSums::stands_beside(std::int64_t row, std::int64_t other) { sql_->copy.run(row, other); }

void ChainSums::is_left(const StoredId& id) {
  Cursor found = sql_->row_of.query(id);
  if (found.next()) ended_.insert(found.integer(0));
}

void ChainSums::goes_on(std::int64_t row) {
  if (ended_.erase(row) > 0) return;
  if (const std::optional<End> end = end_of(row)) count(*end, false, -1);
}

void ChainSums::is_pruned(std::int64_t row) {
  if (const std::optional<End> end = end_of(row)) {
    if (ended_.erase(row) == 0) count(*end, false, -1);
    count(*end, true, 1);
  }
  // What it followed mostly went before. Where not, that is no end for all that.
  std::int64_t parent = 0, made_at = 0;
  std::string agent;
  {
    Cursor kept = sql_->kept_parent.query(row);
    if (kept.next()) {
      parent = kept.integer(0);
      agent = kept.text(1);
      made_at = kept.integer(2);
    }
  }
  if (parent != 0) sql_->mark_followed.run(parent, pattern_of(kNoPattern, agent), made_at);
  sql_->drop.run(row);
}

void ChainSums::flush() {
  for (const std::int64_t row : ended_)
    if (const std::optional<End> end = end_of(row)) count(*end, false, 1);
  ended_.clear();
  for (const auto& [key, sums] : unwritten_) {
    const auto& [day, pattern, gone] = key;
    sql_->add.run(day, pattern, gone ? 1 : 0, sums.count, sums.succeeded, sums.duration_ms,
                  sums.cost_micro_usd);
    if (sums.count < 0) sql_->drop_empty.run(day, pattern, gone ? 1 : 0);
  }
  unwritten_.clear();
}

void ChainSums::discard() {
  ended_.clear();
  unwritten_.clear();
  patterns_.clear();
}

}  // namespace davit::store

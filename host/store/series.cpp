// Executions over time. Days are in the sums of the day book, whatever was pruned; hours are counted from the
// executions, which are numbered about in the order in which they began. And tasks, by when they were made: those
// that the search has reached are counted by the hour (task_index.h), the few behind that are counted here.
#include <map>

#include "host/store/day_book.h"
#include "host/store/stats.h"

namespace davit::store {
namespace {

constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kDay = 24 * kHour;

constexpr const char* kSums =
    "sum(executions), sum(duration_ms), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens),"
    " sum(cache_write_tokens), sum(cost_micro_usd)";

SeriesPoint point_of(const Cursor& row, std::int64_t bucket) {
  SeriesPoint point{from_unix_ms(row.integer(0) * bucket), row.text(1), {}};
  point.sums.executions = row.integer(2);
  point.sums.worked = Duration(row.integer(3));
  point.sums.usage.input_tokens = row.integer(4);
  point.sums.usage.output_tokens = row.integer(5);
  point.sums.usage.cache_read_tokens = row.integer(6);
  point.sums.usage.cache_write_tokens = row.integer(7);
  point.sums.usage.cost_micro_usd = row.integer(8);
  return point;
}

// The first execution that began at this time or later; one more than the last if there is none.
std::int64_t first_execution_since(Reader& reader, std::int64_t since) {
  std::int64_t end = 1;
  {
    Cursor row = reader.statement("SELECT row FROM execution ORDER BY row DESC LIMIT 1").query();
    if (row.next()) end = row.integer(0) + 1;
  }
  Statement& at =
      reader.statement("SELECT row, started_at FROM execution WHERE row >= ?1 AND row < ?2 ORDER BY row LIMIT 1");
  for (std::int64_t low = 0; low < end;) {
    const std::int64_t middle = low + (end - low) / 2;
    Cursor row = at.query(middle, end);
    if (row.next() && row.integer(1) < since) {
      low = row.integer(0) + 1;
    } else {
      end = middle;
    }
  }
  return end;
}

}  // namespace

std::vector<SeriesPoint> read_series(Reader& reader, const SeriesQuery& query) {
  std::vector<SeriesPoint> points;
  if (query.start >= query.end) return points;
  const std::int64_t start = to_unix_ms(query.start), end = to_unix_ms(query.end - Duration(1));
  if (query.bucket == Bucket::Day) {
    Cursor row = reader
                     .statement(std::string("SELECT day, name, ") + kSums +
                                " FROM day_sum WHERE slice = ?4 AND day BETWEEN ?1 AND ?2"
                                " AND (?3 = '' OR agent = ?3) GROUP BY day, name ORDER BY day, name")
                     .query(start / kDay, end / kDay, query.agent, static_cast<int>(Slice::Outcome));
    while (row.next()) points.push_back(point_of(row, kDay));
    return points;
  }
  const std::int64_t first = start / kHour * kHour, behind = (end / kHour + 1) * kHour;
  Cursor row =
      reader
          .statement(
              "SELECT started_at / 3600000, outcome, count(*), sum(max(ended_at - started_at, 0)), sum(input_tokens),"
              " sum(output_tokens), sum(cache_read_tokens), sum(cache_write_tokens), sum(cost_micro_usd)"
              " FROM execution WHERE row >= ?1 AND row < ?2 AND started_at >= ?3 AND started_at < ?4"
              " AND ended_at IS NOT NULL AND (?5 = '' OR agent = ?5) GROUP BY 1, outcome ORDER BY 1, outcome")
          .query(first_execution_since(reader, first), first_execution_since(reader, behind), first, behind,
                 query.agent);
  while (row.next()) points.push_back(point_of(row, kHour));
  return points;
}

std::vector<TasksMade> read_tasks_made(Reader& reader, const SeriesQuery& query) {
  std::vector<TasksMade> made;
  if (query.start >= query.end) return made;
  const std::int64_t first = to_unix_ms(query.start) / kHour, last = to_unix_ms(query.end - Duration(1)) / kHour;
  const std::int64_t hours = query.bucket == Bucket::Day ? 24 : 1;
  std::map<std::int64_t, std::int64_t> buckets;
  // In the order of the key, so that nothing is sorted.
  for (Cursor row = reader
                        .statement(
                            "SELECT hour, sum(tasks) FROM task_made WHERE hour BETWEEN ?1 AND ?2"
                            " AND (?3 = '' OR agent = ?3) GROUP BY hour")
                        .query(first, last, query.agent);
       row.next();)
    buckets[row.integer(0) / hours] += row.integer(1);
  for (Cursor row = reader
                        .statement(
                            "SELECT created_at / 3600000 AS hour FROM task WHERE row > (SELECT reached FROM"
                            " task_search_state) AND hour BETWEEN ?1 AND ?2 AND (?3 = '' OR agent = ?3)")
                        .query(first, last, query.agent);
       row.next();)
    ++buckets[row.integer(0) / hours];
  for (const auto& [bucket, tasks] : buckets) made.push_back({from_unix_ms(bucket * hours * kHour), tasks});
  return made;
}

}  // namespace davit::store

// Executions over time: days and hours are in the sums of the day book, whatever was pruned and however the
// clock was set. And tasks, by when they were made: those that the search has reached are counted by the hour
// (task_index.h), the few behind that are counted here.
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
  Cursor row = reader
                   .statement(std::string("SELECT day * 24 + hour AS at, outcome, ") + kSums +
                              " FROM hour_sum WHERE day BETWEEN ?1 AND ?2 AND hour >= 0 AND at BETWEEN ?3 AND ?4"
                              " AND (?5 = '' OR agent = ?5) GROUP BY at, outcome ORDER BY at, outcome")
                   .query(start / kDay, end / kDay, start / kHour, end / kHour, query.agent);
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

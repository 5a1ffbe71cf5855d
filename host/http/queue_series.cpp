#include "host/http/queue_series.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "host/http/members.h"

namespace davit::http {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

struct BucketKind {
  std::string_view word;
  Duration length;
  Duration usual;  // how far back one looks
};
// The finest first.
constexpr BucketKind kBuckets[] = {{"minute", minutes(1), hours(1)},
                                   {"ten_minutes", minutes(10), hours(24)},
                                   {"hour", hours(1), hours(7 * 24)},
                                   {"day", hours(24), hours(30 * 24)}};
constexpr const BucketKind& kUsualBucket = kBuckets[1];

WallTime begin_of(WallTime time, Duration length) {
  const Duration since = time.time_since_epoch();
  const Duration behind = since % length;
  return WallTime(since - (behind.count() < 0 ? behind + length : behind));
}

std::int64_t buckets_between(const BucketKind& kind, WallTime start, WallTime last) {
  return (begin_of(last, kind.length) - begin_of(start, kind.length)) / kind.length + 1;
}

void write_counts(JsonWriter& writer, std::string_view name, const std::optional<QueueCounts>& counts) {
  if (!counts) return write_null_member(writer, name);
  write_key(writer, name);
  writer.StartObject();
  write_member(writer, "queued", counts->queued);
  write_member(writer, "running", counts->running);
  write_member(writer, "awaiting_approval", counts->awaiting_approval);
  write_member(writer, "deferred_deliveries", counts->deferred);
  writer.EndObject();
}

}  // namespace

WantedQueueSeries queue_series_of(Query& query, WallTime now) {
  query.allow_only({"bucket", "agent", "start_date", "end_date"});
  const auto start = query.time("start_date"), end = query.time("end_date");
  const WallTime last = end.value_or(now + Duration(1)) - Duration(1);
  const BucketKind* kind = &kUsualBucket;
  if (const std::string word = query.text("bucket"); !word.empty()) {
    kind = std::find_if(std::begin(kBuckets), std::end(kBuckets),
                        [&](const BucketKind& each) { return each.word == word; });
    if (kind == std::end(kBuckets)) {
      query.fail("bucket", "must be minute, ten_minutes, hour or day");
      kind = &kUsualBucket;
    }
  } else if (start) {
    kind = std::find_if(std::begin(kBuckets), std::end(kBuckets) - 1, [&](const BucketKind& each) {
      return buckets_between(each, *start, last) <= kMostQueuePoints;
    });
  }
  WantedQueueSeries wanted{kind->word, {.bucket = kind->length, .agent = query.text("agent")}};
  wanted.query.end = begin_of(last, kind->length) + kind->length;
  wanted.query.start = start ? begin_of(*start, kind->length) : wanted.query.end - kind->usual;
  if (query.errors().empty() && start.value_or(wanted.query.start) > last)
    query.fail("start_date", "must be before end_date");
  else if (query.errors().empty() &&
           (wanted.query.end - wanted.query.start) / kind->length > kMostQueuePoints)
    query.fail("start_date", "is more than " + std::to_string(kMostQueuePoints) + " buckets before end_date");
  return wanted;
}

void write_queue_series(JsonWriter& writer, const WantedQueueSeries& wanted,
                        const std::vector<QueuePoint>& points) {
  writer.StartObject();
  write_member(writer, "bucket", wanted.bucket);
  write_text_or_null(writer, "agent", wanted.query.agent);
  write_time(writer, "start_date", wanted.query.start);
  write_time(writer, "end_date", wanted.query.end);
  write_objects(writer, "points", points, [&](const QueuePoint& point) {
    write_time(writer, "at", point.at);
    write_member(writer, "gap", point.gap);
    write_counts(writer, "last", point.last);
    write_counts(writer, "highest", point.highest);
  });
  writer.EndObject();
}

}  // namespace davit::http

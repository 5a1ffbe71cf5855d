// How deep the queue was, by buckets: what was noted (queue_samples.h) drawn over the times in which somebody
// looked. Reads the rows of one agent, or of all, from the one that holds at the beginning: at most one a
// minute.
#include <algorithm>
#include <vector>

#include "host/store/stats.h"

namespace davit::store {
namespace {

struct Noted {
  std::int64_t at = 0;
  QueueCounts counts;
};
struct Watch {
  std::int64_t since = 0, until = 0;  // [since, until)
};

std::vector<Noted> read_noted(Reader& reader, const std::string& agent, std::int64_t start,
                              std::int64_t end) {
  std::vector<Noted> noted;
  Cursor row = reader
                   .statement(
                       "SELECT at, queued, running, awaiting_approval, deferred FROM queue_sample"
                       " WHERE agent = ?1 AND at < ?3 AND at >= coalesce("
                       "(SELECT max(at) FROM queue_sample WHERE agent = ?1 AND at <= ?2), ?2) ORDER BY at")
                   .query(agent, start, end);
  while (row.next())
    noted.push_back({row.integer(0), {row.integer(1), row.integer(2), row.integer(3), row.integer(4)}});
  return noted;
}

std::vector<Watch> read_watches(Reader& reader, std::int64_t start, std::int64_t end, Present present) {
  std::vector<Watch> watches;
  std::int64_t newest = 0;
  {
    Cursor row = reader.statement("SELECT max(since) FROM queue_watch").query();
    if (row.next()) newest = row.integer(0);
  }
  Cursor row = reader
                   .statement(
                       "SELECT since, until FROM queue_watch WHERE since < ?2 AND since >= coalesce("
                       "(SELECT max(since) FROM queue_watch WHERE since <= ?1), ?1) ORDER BY since")
                   .query(start, end);
  while (row.next()) {
    std::int64_t until = row.integer(1);
    if (present.is_watched && row.integer(0) == newest) until = std::max(until, to_unix_ms(present.now));
    if (!watches.empty()) watches.back().until = std::min(watches.back().until, row.integer(0));
    watches.push_back({row.integer(0), until + 1});
  }
  return watches;
}

QueueCounts highest_of(const QueueCounts& a, const QueueCounts& b) {
  return {std::max(a.queued, b.queued), std::max(a.running, b.running),
          std::max(a.awaiting_approval, b.awaiting_approval), std::max(a.deferred, b.deferred)};
}

// The buckets, and how much of each somebody has seen.
class Buckets {
 public:
  Buckets(std::int64_t start, std::int64_t end, std::int64_t length) : start_(start), length_(length) {
    for (std::int64_t at = start; at < end; at += length) points_.push_back({.at = from_unix_ms(at)});
    seen_.resize(points_.size());
  }
  // It was so in [from, to), which are within the buckets and behind all that was noted before.
  void note(std::int64_t from, std::int64_t to, const QueueCounts& counts) {
    for (std::int64_t at = from; at < to;) {
      const auto bucket = static_cast<std::size_t>((at - start_) / length_);
      const std::int64_t end = std::min(start_ + (static_cast<std::int64_t>(bucket) + 1) * length_, to);
      QueuePoint& point = points_[bucket];
      point.last = counts;
      point.highest = point.highest ? highest_of(*point.highest, counts) : counts;
      seen_[bucket] += end - at;
      at = end;
    }
  }
  void begins_at(std::int64_t at) { points_[static_cast<std::size_t>((at - start_) / length_)].gap = true; }
  std::vector<QueuePoint> take(std::int64_t now) {
    for (std::size_t bucket = 0; bucket < points_.size(); ++bucket) {
      const std::int64_t begin = start_ + static_cast<std::int64_t>(bucket) * length_;
      if (seen_[bucket] < std::min(length_, now - begin)) points_[bucket].gap = true;
    }
    return std::move(points_);
  }

 private:
  std::int64_t start_, length_;
  std::vector<QueuePoint> points_;
  std::vector<std::int64_t> seen_;  // milliseconds
};

}  // namespace

std::vector<QueuePoint> read_queue_series(Reader& reader, const QueueSeriesQuery& query, Present present) {
  const std::int64_t start = to_unix_ms(query.start), end = to_unix_ms(query.end);
  Buckets buckets(start, end, query.bucket.count());
  const std::vector<Noted> noted = read_noted(reader, query.agent, start, end);
  auto next = noted.begin();
  for (const Watch& watch : read_watches(reader, start, end, present)) {
    if (watch.since >= start) buckets.begins_at(watch.since);
    for (; next != noted.end() && next->at < watch.since; ++next) {
    }
    QueueCounts counts;  // before the first row of a watch nothing waits
    const std::int64_t to = std::min(watch.until, end);
    for (std::int64_t at = std::max(watch.since, start); at < to;) {
      for (; next != noted.end() && next->at <= at; ++next) counts = next->counts;
      const std::int64_t until = next == noted.end() ? to : std::min(next->at, to);
      buckets.note(at, until, counts);
      at = until;
    }
  }
  return buckets.take(to_unix_ms(present.now));
}

}  // namespace davit::store

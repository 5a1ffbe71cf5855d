// How deep the queue was, as the JSON of the API.
#pragma once

#include <string_view>
#include <vector>

#include "host/base/json.h"
#include "host/http/query.h"
#include "host/model/stats.h"

namespace davit::http {

struct WantedQueueSeries {
  std::string_view bucket;  // its word; of static duration
  QueueSeriesQuery query;   // whole buckets, of UTC
};
// Reads bucket, agent, start_date and end_date. Without a bucket it is the finest that does with
// kMostQueuePoints; without a start as far back as one usually looks at such buckets, without all of them a
// day. Notes what is wrong with them, and more than kMostQueuePoints.
inline constexpr int kMostQueuePoints = 500;
WantedQueueSeries queue_series_of(Query& query, WallTime now);

void write_queue_series(JsonWriter& writer, const WantedQueueSeries& wanted,
                        const std::vector<QueuePoint>& points);

}  // namespace davit::http

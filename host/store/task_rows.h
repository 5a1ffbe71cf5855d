// Which tasks a list shows: their row numbers, from the newest on.
//
// Each filter is a stream of row numbers that an index gives in their order. Several filters are met by
// asking each in turn for its next row at or below what the others offer, until all agree. So a page costs by
// its length and by how the filters interlock, not by how many tasks there are.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "host/store/readers.h"
#include "host/store/store.h"

namespace davit::store {

// How many rows may be looked at for one page. When it is spent, everything above `stopped_at` has been
// decided.
struct Work {
  std::int64_t left = 10'000;
  std::int64_t stopped_at = 0;  // 0: it was not spent

  // Counts one; true, and noted, if there is none left.
  bool spent(std::int64_t row) {
    if (stopped_at == 0 && --left < 0) stopped_at = row;
    return stopped_at != 0;
  }
};

// Row numbers, falling. Confined to one read of one Reader.
class Rows {
 public:
  virtual ~Rows() = default;
  // The largest of its rows that is not above `row`; 0 if there is none, or if the work is spent. `row` never
  // rises from call to call.
  virtual std::int64_t at_or_below(std::int64_t row) = 0;
};

// Rows from `low` to `high`, both included.
struct RowRange {
  std::int64_t low = 0, high = 0;
};
// The rows of the tasks that were made in [start, end), as few ranges as the clock was set back in between allow;
// the highest first. An absent time: any.
std::vector<RowRange> ranges_of_time(Reader& reader, std::optional<WallTime> start, std::optional<WallTime> end);

// The tasks that a filter lets through, whatever its limit and cursor. InvalidInput if its text is too long.
// `reader` and `work` outlive it.
Result<std::unique_ptr<Rows>> rows_of(Reader& reader, const TaskFilter& filter, Work& work);

// The rows of an agent's tasks in these states, each of which is neither Queued nor Running, by source: what
// there is.
struct StoodPart {
  std::string agent, source;
  std::int64_t state = 0;  // its code
};
std::vector<StoodPart> stood_parts(Reader& reader, const std::string& agent, const std::string& source,
                                   const States& states);

}  // namespace davit::store

// Where a page of a list ended, as text that others pass on and do not look into.
//
// It names its list and has a check, so that one that was cut, changed, or given by another list is refused
// rather than leading to some other page. No secret: whoever makes one up gets a page of what he may read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/base/result.h"

namespace davit::store {

enum class List : char {
  Tasks = 't',
  TasksOldestFirst = 'o',
  Waiting = 'w',
  Decided = 'h',
  Deliveries = 'd',
  Audit = 'a',
};

// Numbers from 0 on, by which a list is sorted; one that needs only one has 0 as the other.
struct Place {
  std::int64_t first = 0, second = 0;
};

std::string cursor_to(List list, Place place);
// InvalidInput, which names the field, for whatever cursor_to() has not given for this list.
Result<Place> place_of(List list, std::string_view cursor);

// Of a list from the newest row to older ones: the row that the page ends behind; without a cursor, one
// beyond all.
Result<std::int64_t> row_before(List list, std::string_view cursor);

}  // namespace davit::store

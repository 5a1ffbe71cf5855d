// What somebody approved before what is shown now, to compare the two. Reads only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "host/model/task.h"
#include "host/store/readers.h"

namespace davit::store {

// A task as it is now.
struct ShownTask {
  std::int64_t row = 0;
  std::string_view agent, entity, root_id, content_hash;
  bool is_waiting = false;  // else a person has decided about it, and what counts is what was approved before that
};

// The newest approval of its agent's tasks in its chain and, among the newest 100 tasks, about its entity.
std::optional<ApprovedBefore> read_approved_before(Reader& reader, const ShownTask& task);

}  // namespace davit::store

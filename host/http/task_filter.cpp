#include "host/http/task_filter.h"

#include <string>

namespace davit::http {

store::TaskFilter task_filter_of(Query& query) {
  store::TaskFilter filter;
  filter.agent = query.text("agent");
  filter.source = query.text("source");
  filter.entity = query.text("entity");
  filter.link = query.text("link");
  filter.text = query.text("q");
  filter.start = query.time("start_date");
  filter.end = query.time("end_date");
  if (filter.start && filter.end && *filter.start >= *filter.end)
    query.fail("start_date", "must be before end_date");
  for (const std::string& status : query.texts("status")) {
    if (const auto state = task_state_from(status)) {
      filter.state.push_back(*state);
    } else {
      query.fail("status",
                 "must be queued, running, awaiting_approval, completed, failed, cancelled or parked");
      break;
    }
  }
  return filter;
}

}  // namespace davit::http

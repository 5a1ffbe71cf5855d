#include "host/http/task_filter.h"

#include <string>

#include "host/http/answers.h"

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

Response filter_error_answer(const Error& error, std::string_view request_id) {
  for (const std::string field : {"q", "cursor"}) {
    const std::string prefix = field + ": ";
    if (error.code == ErrorCode::InvalidInput && error.message.starts_with(prefix))
      return field_errors_answer({{field, error.message.substr(prefix.size())}}, request_id);
  }
  return error_answer(error, request_id);
}

}  // namespace davit::http

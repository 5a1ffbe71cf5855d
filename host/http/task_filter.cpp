#include "host/http/task_filter.h"

#include <string>

#include "host/base/text.h"
#include "host/store/search_text.h"

namespace davit::http {

store::TaskFilter task_filter_of(Query& query) {
  store::TaskFilter filter;
  filter.agent = query.text("agent");
  filter.source = query.text("source");
  filter.entity = query.text("entity");
  filter.link = query.text("link");
  filter.text = query.text("q");
  // Words are counted where they are searched for; this is known here, and told with what else is wrong.
  if (characters_in(filter.text) > store::kMostSearchCharacters)
    query.fail("q", "must have at most " + std::to_string(store::kMostSearchCharacters) + " characters");
  query.read_interval(filter.start, filter.end);
  for (const std::string& status : query.texts("status")) {
    if (const auto state = task_state_from(status)) {
      // However often one is named: each is asked for in the database.
      if (std::find(filter.state.begin(), filter.state.end(), *state) == filter.state.end())
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

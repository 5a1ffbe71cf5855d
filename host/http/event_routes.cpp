#include "host/http/event_routes.h"

#include <algorithm>

#include "host/base/id.h"
#include "host/http/answers.h"
#include "host/http/query.h"

namespace davit::http {
namespace {

constexpr std::size_t kMostTasks = 16;
constexpr std::size_t kMostEventId = 64;

// Calls `use` with each word of a list with commas.
template <typename Use>
void each_word(std::string_view list, Use&& use) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    use(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

EventWish wish_from(const Exchange& exchange, Query& query) {
  const Request& request = exchange.request;
  EventWish wish;
  query.allow_only({"task", "topics", "last_event_id"});
  each_word(query.text("task"), [&](std::string_view id) {
    if (!is_id(id)) return query.fail("task", "must be ids of tasks with commas between them");
    if (std::find(wish.tasks.begin(), wish.tasks.end(), id) == wish.tasks.end()) wish.tasks.emplace_back(id);
  });
  if (wish.tasks.size() > kMostTasks)
    query.fail("task", "names more than " + std::to_string(kMostTasks) + " tasks");
  if (const std::string topics = query.text("topics"); !topics.empty()) {
    wish.topics = 0;
    each_word(topics, [&](std::string_view word) {
      if (const std::optional<Topic> topic = topic_from(word)) {
        wish.topics |= only(*topic);
      } else {
        query.fail("topics",
                   "must be of task, execution, delivery, plugin, queue, budget and pruned, with commas between them");
      }
    });
  }
  // A browser that comes again by itself sends the header, and the address as it was at first.
  wish.last_event_id = request.header("last-event-id");
  if (wish.last_event_id.empty()) wish.last_event_id = query.text("last_event_id");
  if (wish.last_event_id.size() > kMostEventId) wish.last_event_id = "unknown";
  wish.owner = exchange.caller.name;
  wish.session = exchange.caller.session;
  return wish;
}

void open_stream(EventStreams& streams, const Authentication& authentication, Exchange exchange) {
  const Request& request = exchange.request;
  auto query = Query::parse(request.query);
  if (!query) return exchange.responder.send(list_error_answer(query.error(), request.request_id));
  EventWish wish = wish_from(exchange, *query);
  if (!query->errors().empty())
    return exchange.responder.send(field_errors_answer(query->errors(), request.request_id));
  if (request.method == "HEAD") {
    exchange.responder.start_stream(event_stream_head());
    return;
  }
  wish.right_until = [&authentication, caller = exchange.caller] { return authentication.right_end(caller); };
  streams.open(std::move(exchange.responder), std::move(wish));
}

}  // namespace

std::vector<Route> event_routes(EventStreams& streams, const Authentication& authentication) {
  return {{"GET", "/api/dashboard/events", Access::Reader, Thread::Io,
           [&streams, &authentication](Exchange exchange) {
             open_stream(streams, authentication, std::move(exchange));
           },
           "streamEvents"}};
}

}  // namespace davit::http

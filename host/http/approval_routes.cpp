#include "host/http/approval_routes.h"

#include "host/http/answers.h"
#include "host/http/json.h"
#include "host/http/members.h"

namespace davit::http {
namespace {

// What is larger is shown with its task only: a page of plans has to stay one that a browser takes.
constexpr std::size_t kMostOfAPlan = 64u << 10;

// Null, and `plan_left_out`, if it is too large.
void write_waiting(JsonWriter& writer, const TaskDetail& detail) {
  const bool left_out = detail.previous_result.size() > kMostOfAPlan;
  writer.StartObject();
  write_key(writer, "task");
  write_task(writer, detail.task);
  write_key(writer, "approval");
  write_approval(writer, *detail.approval);
  write_raw_member(writer, "plan", left_out ? "null" : std::string_view(detail.previous_result));
  write_member(writer, "plan_left_out", left_out);
  write_dollars(writer, "chain_cost_usd", detail.chain.cost_micro_usd);
  writer.EndObject();
}

// Ids of what waits, the newest task first.
Result<store::Page<std::string>> newest_first(const store::Store& store, const std::string& agent, int limit,
                                              const std::string& cursor) {
  store::TaskFilter filter;
  filter.state = TaskState::AwaitingApproval;
  filter.agent = agent;
  filter.limit = limit;
  filter.cursor = cursor;
  auto tasks = TRY(store.tasks(filter));
  store::Page<std::string> page{{}, std::move(tasks.next_cursor)};
  for (TaskSummary& task : tasks.items) page.items.push_back(std::move(task.task_id));
  return page;
}

Response waiting_answer(const store::Store& store, Exchange& exchange, Query& query) {
  query.allow_only({"agent", "order", "limit", "cursor"});
  const std::string order = query.text("order"), agent = query.text("agent");
  if (!order.empty() && order != "newest" && order != "oldest") query.fail("order", "must be newest or oldest");
  int limit = 0;
  std::string cursor;
  query.read_page(limit, cursor, 20, 100);
  if (!query.errors().empty()) return {};
  const auto page =
      order == "oldest" ? store.waiting(agent, limit, cursor) : newest_first(store, agent, limit, cursor);
  if (!page) return list_error_answer(page.error(), exchange.request.request_id);
  std::vector<TaskDetail> waiting;
  for (const std::string& id : page->items) {
    auto detail = store.task(id);
    if (detail && detail->approval) waiting.push_back(std::move(*detail));  // else it was decided meanwhile
  }
  return json_answer([&](JsonWriter& writer) {
    writer.StartObject();
    write_array(writer, "approvals", waiting,
                [&](const TaskDetail& detail) { write_waiting(writer, detail); });
    write_text_or_null(writer, "next_cursor", page->next_cursor);
    writer.EndObject();
  });
}

Response history_answer(const store::Store& store, Exchange& exchange, Query& query) {
  query.allow_only({"limit", "cursor"});
  int limit = 0;
  std::string cursor;
  query.read_page(limit, cursor);
  if (!query.errors().empty()) return {};
  const auto page = store.decided(limit, cursor);
  if (!page) return list_error_answer(page.error(), exchange.request.request_id);
  return json_answer([&](JsonWriter& writer) {
    writer.StartObject();
    write_objects(writer, "decisions", page->items, [&](const store::DecidedTask& decided) {
      write_member(writer, "task_id", decided.task_id);
      write_member(writer, "agent", decided.agent);
      write_member(writer, "title", decided.title);
      write_decision_members(writer, decided.decision);
    });
    write_text_or_null(writer, "next_cursor", page->next_cursor);
    writer.EndObject();
  });
}

}  // namespace

std::vector<Route> approval_routes(const store::Store& store) {
  const auto reader = [](std::string operation, std::string path,
                         std::function<Response(Exchange&, Query&)> answer) {
    return Route{"GET",          std::move(path),               Access::Reader,
                 Thread::Worker, with_query(std::move(answer)), std::move(operation)};
  };
  return {
      reader("listApprovals", "/api/dashboard/approvals",
             [&store](Exchange& exchange, Query& query) { return waiting_answer(store, exchange, query); }),
      reader("listDecisions", "/api/dashboard/approvals/history",
             [&store](Exchange& exchange, Query& query) { return history_answer(store, exchange, query); })};
}

}  // namespace davit::http

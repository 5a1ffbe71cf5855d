// A part of a table is an answer like any other, so a slow client holds that and no thread. What follows is
// named by a Link header (RFC 8288): no more than kMostRows are in memory at once, however many tasks there
// are.
#include "host/http/export_routes.h"

#include <algorithm>

#include "host/http/answers.h"
#include "host/http/csv.h"
#include "host/http/json.h"
#include "host/http/stats_json.h"
#include "host/http/task_filter.h"

namespace davit::http {
namespace {

constexpr int kMostRows = 5'000;
constexpr int kMostOfAPage = 500;  // of the store

std::string number(std::int64_t value) { return std::to_string(value); }

// A whole number of parts of ten to the power of `places`, written out exactly.
std::string decimal(std::int64_t parts, std::size_t places) {
  std::string digits = std::to_string(parts);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  digits.insert(digits.size() - places, 1, '.');
  return digits;
}
std::string dollars(std::int64_t micro_usd) { return decimal(micro_usd, 6); }

void task_as_csv(std::string& table, const TaskSummary& task) {
  csv_text(table, task.task_id);
  csv_text(table, to_string(task.state));
  csv_text(table, task.source);
  csv_text(table, task.agent);
  csv_text(table, task.task_type);
  csv_text(table, task.title);
  csv_text(table, task.entity);
  csv_number(table, number(task.priority));
  csv_number(table, number(task.attempt));
  csv_text(table, task.error);
  csv_text(table, to_iso8601(task.created_at));
  csv_text(table, to_iso8601(task.updated_at));
  csv_text(table, task.finished_at ? to_iso8601(*task.finished_at) : "");
  csv_text(table, task.parent_id);
  csv_text(table, task.root_id);
  csv_number(table, dollars(task.total_cost_micro_usd));
  csv_number(table, number(task.total_tokens));
  csv_end_of_line(table);
}
constexpr std::string_view kTaskColumns =
    "task_id,status,source,agent,task_type,title,entity,priority,attempt,error,created_at,updated_at,"
    "finished_at,"
    "parent_id,root_id,total_cost_usd,total_tokens\r\n";

void task_as_json(std::string& lines, const TaskSummary& task) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  write_task(writer, task);
  lines.append(text_of(buffer)).append("\n");
}

// A query with another cursor, fit to stand between the angle brackets of a Link: what a client may send there
// as it is would end them.
std::string query_from(std::string_view query, const std::string& cursor) {
  std::string next;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const auto name = percent_decoded(pair.substr(0, pair.find('=')));
    if (pair.empty() || (name && *name == "cursor")) continue;
    for (const char c : pair) c == '<' ? next += "%3C" : c == '>' ? next += "%3E" : next += c;
    next += '&';
  }
  return next + "cursor=" + cursor;
}

struct Format {
  std::string_view operation, path, content_type, file_name, head;
  void (*write)(std::string&, const TaskSummary&);
};
constexpr Format kCsv{"exportTasksCsv", "/api/dashboard/tasks.csv", "text/csv; charset=utf-8; header=present", "tasks.csv",
                      kTaskColumns, &task_as_csv};
constexpr Format kNdjson{"exportTasksNdjson", "/api/dashboard/tasks.ndjson", "application/x-ndjson", "tasks.ndjson", "",
                         &task_as_json};

Response table_answer(std::string table, std::string_view content_type, std::string_view file_name) {
  Response response;
  response.content_type = content_type;
  response.headers.emplace_back("Content-Disposition",
                                "attachment; filename=\"" + std::string(file_name) + "\"");
  response.body = std::move(table);
  return response;
}

Response tasks_answer(const store::Store& store, const Format& format, Exchange& exchange, Query& query) {
  query.allow_only({"agent", "source", "entity", "link", "q", "start_date", "end_date", "limit", "cursor"},
                   {"status"});
  store::TaskFilter filter = task_filter_of(query);
  int left = query.whole_number("limit", kMostRows, 1, kMostRows);
  filter.cursor = query.cursor(store::List::Tasks);
  if (!query.errors().empty()) return {};
  // The columns are named where the table begins, so that its parts can be put one behind the other.
  std::string table(filter.cursor.empty() ? format.head : "");
  do {
    filter.limit = std::min(left, kMostOfAPage);
    const auto page = store.tasks(filter);
    if (!page) return list_error_answer(page.error(), exchange.request.request_id);
    for (const TaskSummary& task : page->items) format.write(table, task);
    left -= static_cast<int>(page->items.size());
    filter.cursor = page->next_cursor;
    // A short page is one that took long: then this part ends with it.
    if (page->items.size() < static_cast<std::size_t>(filter.limit)) break;
  } while (left > 0 && !filter.cursor.empty());
  Response response = table_answer(std::move(table), format.content_type, format.file_name);
  if (!filter.cursor.empty()) {
    response.headers.emplace_back("Link", "<" + std::string(format.path) + "?" +
                                              query_from(exchange.request.query, filter.cursor) +
                                              ">; rel=\"next\"");
  }
  return response;
}

Response costs_answer(const store::Store& store, const Clock& clock, Exchange& exchange, Query& query) {
  const CostQuery wanted = cost_query_of(query, clock.wall());
  if (!query.errors().empty()) return {};
  const auto costs = store.costs(wanted);
  if (!costs) return error_answer(costs.error(), exchange.request.request_id);
  std::string table =
      std::string(to_string(wanted.group_by)) +
      ",executions,total_duration_seconds,total_cost_usd,total_tokens,input_tokens,output_tokens,"
      "cache_read_tokens,cache_write_tokens\r\n";
  for (const CostLine& line : *costs) {
    csv_text(table, line.group);
    csv_number(table, number(line.sums.executions));
    csv_number(table, decimal(line.sums.worked.count(), 3));
    csv_number(table, dollars(line.sums.usage.cost_micro_usd));
    csv_number(table, number(line.sums.usage.total_tokens()));
    csv_number(table, number(line.sums.usage.input_tokens));
    csv_number(table, number(line.sums.usage.output_tokens));
    csv_number(table, number(line.sums.usage.cache_read_tokens));
    csv_number(table, number(line.sums.usage.cache_write_tokens));
    csv_end_of_line(table);
  }
  return table_answer(std::move(table), kCsv.content_type, "costs.csv");
}

}  // namespace

std::vector<Route> export_routes(const store::Store& store, const Clock& clock) {
  std::vector<Route> routes;
  const auto add = [&](std::string_view operation, std::string_view path,
                       std::function<Response(Exchange&, Query&)> answer) {
    routes.push_back(
        {"GET", std::string(path), Access::Reader, Thread::Worker, with_query(std::move(answer)),
         std::string(operation)});
  };
  for (const Format* format : {&kCsv, &kNdjson})
    add(format->operation, format->path, [&store, format](Exchange& exchange, Query& query) {
      return tasks_answer(store, *format, exchange, query);
    });
  add("exportCosts", "/api/dashboard/cost-breakdown.csv", [&store, &clock](Exchange& exchange, Query& query) {
    return costs_answer(store, clock, exchange, query);
  });
  return routes;
}

}  // namespace davit::http

#include "host/store/delivery_list.h"

#include <algorithm>
#include <functional>

#include "host/store/cursor.h"
#include "host/store/deliveries.h"
#include "host/store/paging.h"
#include "host/store/rows.h"

namespace davit::store {
namespace {

// The rows of a webhook, of a verdict or of both, from the newest before `before` on, `most` of them: merged
// of what the index has of each pair.
std::vector<std::int64_t> delivery_rows(Reader& reader, const Store::DeliveryFilter& filter,
                                        std::int64_t before, std::size_t most) {
  std::vector<std::string> webhooks;
  if (!filter.webhook.empty()) {
    webhooks.push_back(filter.webhook);
  } else {
    Statement& next = reader.statement(
        "SELECT webhook FROM delivery INDEXED BY delivery_webhook WHERE webhook > ?1 ORDER BY webhook LIMIT "
        "1");
    for (std::string last;;) {
      Cursor row = next.query(last);
      if (!row.next()) break;
      last = row.text(0);
      webhooks.push_back(last);
    }
  }
  using enum Verdict;
  std::vector<Verdict> verdicts{Queued, Ignored, Error, Deferred, Parked};
  if (filter.verdict) verdicts = {*filter.verdict};
  Statement& newest = reader.statement(
      "SELECT row FROM delivery INDEXED BY delivery_webhook WHERE webhook = ?1 AND verdict = ?2 AND row < ?3"
      " ORDER BY row DESC LIMIT ?4");
  std::vector<std::int64_t> rows;
  for (const std::string& webhook : webhooks) {
    for (const Verdict verdict : verdicts) {
      Cursor row = newest.query(webhook, code_of(verdict), before, static_cast<std::int64_t>(most));
      while (row.next()) rows.push_back(row.integer(0));
    }
  }
  std::sort(rows.begin(), rows.end(), std::greater<>());
  rows.resize(std::min(rows.size(), most));
  return rows;
}

}  // namespace

Result<Page<DeliverySummary>> list_deliveries(Reader& reader, const Store::DeliveryFilter& filter) {
  const std::int64_t before = TRY(row_before(List::Deliveries, filter.cursor));
  const int limit = TRY(read_limit(filter.limit));
  if (filter.link.empty() && (!filter.webhook.empty() || filter.verdict)) {
    std::vector<std::int64_t> rows =
        delivery_rows(reader, filter, before, static_cast<std::size_t>(limit) + 1);
    Page<DeliverySummary> page;
    if (rows.size() > static_cast<std::size_t>(limit)) {
      rows.pop_back();
      page.next_cursor = cursor_to(List::Deliveries, {rows.back()});
    }
    Statement& one = reader.statement(std::string("SELECT ") + kDeliverySummaryColumns +
                                      " FROM delivery d WHERE d.row = ?1");
    for (const std::int64_t number : rows) {
      Cursor row = one.query(number);
      if (row.next()) page.items.push_back(read_delivery_summary(row));
    }
    return page;
  }
  Conditions where;
  where.add("d.row < ?", before);
  if (!filter.webhook.empty()) where.add("d.webhook = ?", filter.webhook);
  if (!filter.link.empty())
    where.add("d.row IN (SELECT delivery FROM delivery_link WHERE key = ?)", filter.link);
  if (filter.verdict) where.add("d.verdict = ?", code_of(*filter.verdict));
  Statement& statement =
      reader.statement(std::string("SELECT ") + kDeliverySummaryColumns + " FROM delivery d" + where.sql +
                       " ORDER BY d.row DESC LIMIT " + std::to_string(limit + 1));
  Page<DeliverySummary> page;
  std::int64_t last = 0;
  Cursor row = where.query(statement);
  while (row.next()) {
    if (page.items.size() == static_cast<std::size_t>(limit)) {
      page.next_cursor = cursor_to(List::Deliveries, {last});
      break;
    }
    last = row.integer(0);
    page.items.push_back(read_delivery_summary(row));
  }
  return page;
}

Result<DeliveryDetail> read_delivery(Reader& reader, std::string_view delivery_id) {
  const Error missing{ErrorCode::NotFound,
                      "delivery " + std::string(delivery_id) + " does not exist, or is not kept any more"};
  const std::optional<StoredId> id = to_stored_id(delivery_id);
  if (!id) return missing;
  DeliveryDetail detail;
  std::int64_t number = 0;
  {
    Cursor row =
        reader
            .statement(std::string("SELECT ") + kDeliverySummaryColumns + " FROM delivery d WHERE d.id = ?1")
            .query(*id);
    if (!row.next()) return missing;
    number = row.integer(0);
    detail.delivery = read_delivery_summary(row);
    detail.plugin_hash = row.text(14);
  }
  Cursor row = reader
                   .statement(
                       "SELECT method, path, query, headers, body, timings, details, secret_number, links,"
                       " plugin_version, replayed_by FROM delivery_body WHERE row = ?1")
                   .query(number);
  if (row.next()) {
    detail.method = row.text(0);
    detail.path = row.text(1);
    detail.query = row.text(2);
    detail.headers = row.text(3);
    detail.body = row.text(4);
    detail.timings = row.text(5);
    detail.details = row.text(6);
    if (!row.is_null(7)) detail.secret_number = static_cast<int>(row.integer(7));
    detail.links = links_from_json(row.view(8));
    detail.plugin_version = row.text(9);
    detail.replayed_by = row.text(10);
  }
  return detail;
}

Result<DeferredDelivery> read_delivery_to_run(Reader& reader, std::string_view delivery_id) {
  const Error missing{ErrorCode::NotFound,
                      "delivery " + std::string(delivery_id) + " does not exist, or is not kept any more"};
  const std::optional<StoredId> id = to_stored_id(delivery_id);
  if (!id) return missing;
  {
    Cursor row = reader
                     .statement(std::string("SELECT ") + kDeferredColumns +
                                " FROM delivery d JOIN delivery_body b ON b.row = d.row WHERE d.id = ?1")
                     .query(*id);
    if (row.next()) return read_deferred(row);
  }
  if (!reader.statement("SELECT 1 FROM delivery WHERE id = ?1").query(*id).next()) return missing;
  return Error{ErrorCode::NotFound, "the body of delivery " + std::string(delivery_id) +
                                        " is not kept any more; it cannot be run again"};
}

Result<std::vector<DeferredDelivery>> read_due_deferred(Reader& reader, WallTime now, int limit) {
  std::vector<DeferredDelivery> due;
  Cursor row =
      reader
          .statement(std::string("SELECT ") + kDeferredColumns +
                     " FROM delivery d JOIN delivery_body b ON b.row = d.row"
                     " WHERE d.due_at IS NOT NULL AND d.due_at <= ?1 ORDER BY d.due_at, d.row LIMIT ?2")
          .query(now, limit);
  while (row.next()) due.push_back(read_deferred(row));
  return due;
}

Result<std::optional<WallTime>> read_next_deferred_at(Reader& reader) {
  Cursor row =
      reader
          .statement(
              "SELECT due_at FROM delivery WHERE due_at IS NOT NULL AND due_at < ?1 ORDER BY due_at LIMIT 1")
          .query(kNotDue);
  if (!row.next()) return std::optional<WallTime>();
  return std::optional(row.time(0));
}

}  // namespace davit::store

#include "host/store/refusals.h"

#include "host/store/readers.h"
#include "host/store/statement.h"

namespace davit::store {

void note_refusals(Database& database, const std::vector<RefusedDeliveries>& refused) {
  Statement count(database,
                  "INSERT INTO refusal (webhook, cause, count, first_at, last_at) VALUES (?1, ?2, ?3, ?4, ?5)"
                  " ON CONFLICT (webhook, cause) DO UPDATE SET count = count + excluded.count,"
                  " last_at = excluded.last_at");
  Statement keep(
      database,
      "INSERT INTO refused_delivery (webhook, cause, received_at, remote_address, request_id, method,"
      " path, query, headers, body_bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
  Statement forget(database,
                   "DELETE FROM refused_delivery WHERE webhook = ?1 AND cause = ?2 AND row <="
                   " (SELECT row FROM refused_delivery WHERE webhook = ?1 AND cause = ?2"
                   " ORDER BY row DESC LIMIT 1 OFFSET ?3)");
  for (const RefusedDeliveries& each : refused) {
    count.run(each.webhook, each.cause, each.count, each.first_at, each.last_at);
    for (const RefusedSample& sample : each.samples) {
      keep.run(each.webhook, each.cause, sample.received_at, sample.remote_address, sample.request_id,
               sample.method, sample.path, sample.query, sample.headers, sample.body_bytes);
    }
    forget.run(each.webhook, each.cause, kRefusedKept);
  }
}

Result<std::vector<RefusedDeliveries>> read_refusals(Reader& reader, const Store::RefusalFilter& filter) {
  std::vector<RefusedDeliveries> all;
  {
    Cursor row = reader
                     .statement(
                         "SELECT webhook, cause, count, first_at, last_at FROM refusal"
                         " WHERE (?1 = '' OR webhook = ?1) AND (?2 = '' OR cause = ?2)"
                         " ORDER BY last_at DESC, webhook, cause")
                     .query(filter.webhook, filter.cause);
    while (row.next())
      all.push_back({row.text(0), row.text(1), row.integer(2), row.time(3), row.time(4), {}});
  }
  Statement& samples = reader.statement(
      "SELECT received_at, remote_address, request_id, method, path, query, headers, body_bytes"
      " FROM refused_delivery WHERE webhook = ?1 AND cause = ?2 ORDER BY row DESC");
  for (RefusedDeliveries& each : all) {
    Cursor row = samples.query(each.webhook, each.cause);
    while (row.next()) {
      each.samples.push_back({row.time(0), row.text(1), row.text(2), row.text(3), row.text(4), row.text(5),
                              row.text(6), static_cast<std::size_t>(row.integer(7))});
    }
  }
  return all;
}

}  // namespace davit::store

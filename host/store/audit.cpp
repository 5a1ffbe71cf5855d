#include "host/store/audit.h"

#include "host/base/json.h"
#include "host/base/text.h"
#include "host/store/cursor.h"
#include "host/store/readers.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

constexpr std::size_t kMostText = 1'024;
constexpr std::size_t kMostParameters = 8u << 10;

std::string_view beginning(std::string_view text) { return shortened(text, kMostText); }

// Long texts are cut, so that the rest stays.
std::string fitting(const std::string& parameters) {
  if (parameters.size() <= kMostParameters) return parameters;
  const auto whole = parse_json(parameters);
  if (!whole.ok() || !whole->IsObject()) return "{}";
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  for (const auto& member : whole->GetObject()) {
    const std::string_view name(member.name.GetString(), member.name.GetStringLength());
    const std::string json = to_json(member.value);
    if (member.value.IsString()) {
      write_member(writer, name, beginning({member.value.GetString(), member.value.GetStringLength()}));
    } else if (json.size() <= kMostText) {
      writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
      writer.RawValue(json.data(), json.size(), rapidjson::kStringType);
    }
  }
  writer.EndObject();
  return buffer.GetSize() <= kMostParameters ? std::string(text_of(buffer)) : "{}";
}

}  // namespace

std::int64_t note_audit(Database& database, const AuditEntry& entry, WallTime now) {
  return Statement(
             database,
             "INSERT INTO audit (at, actor, way, operation, object, parameters, outcome, reason, address,"
             " request_id, unrecorded) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")
      .insert(now, beginning(entry.actor), entry.way, entry.operation, beginning(entry.object),
              fitting(entry.parameters), entry.outcome, beginning(entry.reason), beginning(entry.address),
              entry.request_id, entry.unrecorded);
}

void end_audit(Database& database, std::int64_t number, std::string_view outcome, std::string_view reason) {
  Statement(database, "UPDATE audit SET outcome = ?2, reason = ?3 WHERE row = ?1 AND outcome = 'begun'")
      .run(number, outcome, beginning(reason));
}

Result<Page<AuditEntry>> list_audit(Reader& reader, const AuditFilter& filter) {
  const std::int64_t before = TRY(row_before(List::Audit, filter.cursor));
  if (filter.limit < 1 || filter.limit > 500)
    return Error{ErrorCode::InvalidInput, "limit: must be from 1 to 500"};
  Statement& statement = reader.statement(
      "SELECT row, at, actor, way, operation, object, parameters, outcome, reason, address, request_id,"
      " unrecorded FROM audit WHERE row < ?1 AND (?2 = '' OR actor = ?2) AND (?3 = '' OR operation = ?3)"
      " AND (?4 = '' OR outcome = ?4) AND (?5 = '' OR object = ?5) AND (?6 IS NULL OR at >= ?6)"
      " AND (?7 IS NULL OR at < ?7) ORDER BY row DESC LIMIT ?8");
  Page<AuditEntry> page;
  Cursor row = statement.query(before, filter.actor, filter.operation, filter.outcome, filter.object,
                               filter.start, filter.end, filter.limit + 1);
  while (row.next()) {
    if (page.items.size() == static_cast<std::size_t>(filter.limit)) {
      page.next_cursor = cursor_to(List::Audit, {page.items.back().number});
      break;
    }
    page.items.push_back({row.integer(0), row.time(1), row.text(2), row.text(3), row.text(4), row.text(5),
                          row.text(6), row.text(7), row.text(8), row.text(9), row.text(10), row.integer(11)});
  }
  return page;
}

}  // namespace davit::store

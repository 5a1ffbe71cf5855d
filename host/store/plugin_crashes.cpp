#include "host/store/plugin_crashes.h"

#include "host/store/readers.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

std::string counted(std::int64_t number, const std::string& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

std::string window_text(Duration window) {
  if (window.count() % 60'000 == 0) return counted(window.count() / 60'000, "minute");
  return counted(window.count() / 1000, "second");
}

std::string reason_text(std::int64_t count, const PluginCrash& crash, Duration window) {
  const std::string often =
      count == 1 ? "once, in " : counted(count, "time") + " within " + window_text(window) + ", last in ";
  return "its plugin crashed " + often + crash.call + " (" + crash.reason + ")";
}

}  // namespace

bool note_crash(Database& database, const PluginCrash& crash, const QuarantineRule& rule) {
  Statement(database, "DELETE FROM plugin_crash WHERE sha256 = ?1 AND at < ?2")
      .run(crash.sha256, crash.at - rule.window);
  Statement(database,
            "INSERT INTO plugin_crash (sha256, plugin, call, request_id, subject, at, reason)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
      .run(crash.sha256, crash.plugin, crash.call, crash.request_id, if_any(crash.subject), crash.at,
           crash.reason);
  if (rule.after <= 0) return false;
  std::int64_t count = 0;
  {
    Statement counted(
        database,
        "SELECT count(DISTINCT coalesce(subject, 'row ' || row)) FROM plugin_crash WHERE sha256 = ?1");
    Cursor row = counted.query(crash.sha256);
    if (row.next()) count = row.integer(0);
  }
  if (count < rule.after) return false;
  return Statement(database,
                   "INSERT INTO plugin_quarantine (sha256, plugin, since, reason) VALUES (?1, ?2, ?3, ?4)"
                   " ON CONFLICT (sha256) DO NOTHING")
             .run(crash.sha256, crash.plugin, crash.at, reason_text(count, crash, rule.window)) > 0;
}

void clear_crashes(Database& database, const std::string& sha256) {
  Statement(database, "DELETE FROM plugin_crash WHERE sha256 = ?1").run(sha256);
  Statement(database, "DELETE FROM plugin_quarantine WHERE sha256 = ?1").run(sha256);
}

Result<std::vector<Quarantine>> read_quarantines(Reader& reader) {
  std::vector<Quarantine> all;
  Cursor row =
      reader.statement("SELECT sha256, plugin, since, reason FROM plugin_quarantine ORDER BY since").query();
  while (row.next()) all.push_back({row.text(0), row.text(1), row.time(2), row.text(3)});
  return all;
}

}  // namespace davit::store

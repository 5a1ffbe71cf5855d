#include "host/live/crash_ledger.h"

#include "host/store/committed.h"

namespace davit::live {

Result<> CrashLedger::note(std::string_view sentence, const store::PluginCrash& crash,
                           const store::QuarantineRule& rule) {
  std::vector<LogField> fields{
      {"plugin", crash.plugin}, {"sha256", crash.sha256.substr(0, 12)}, {"call", crash.call}};
  // An agent crashed in a session of a task, a webhook in a request.
  if (!crash.subject.empty()) fields.push_back({"task", crash.subject});
  fields.push_back({crash.subject.empty() ? "request" : "session", crash.request_id});
  fields.push_back({"reason", crash.reason});
  log_.write(LogLevel::Error, sentence, fields);
  metrics_.plugin_crashed(crash.plugin, crash.call);
  const bool quarantined = TRY(store::committed<bool>(
      [&](store::Done<bool> done) { store_.note_crash(crash, rule, std::move(done)); }));
  if (quarantined) {
    log_.error("A plugin library is in quarantine",
               {{"plugin", crash.plugin}, {"sha256", crash.sha256.substr(0, 12)}, {"crashes", rule.after}});
  }
  return {};
}

Result<std::map<std::string, plugin::Quarantined, std::less<>>> CrashLedger::quarantined(
    std::string_view plugin) const {
  std::map<std::string, plugin::Quarantined, std::less<>> found;
  for (store::Quarantine& each : TRY(store_.quarantines())) {
    if (plugin.empty() || each.plugin == plugin) found[each.sha256] = {std::move(each.reason), each.since};
  }
  return found;
}

Result<> CrashLedger::clear(const std::set<std::string>& sha256s, store::Audited line) {
  return store::committed<>(
      [&](store::Done<> done) { store_.clear_crashes(sha256s, std::move(done), std::move(line)); });
}

}  // namespace davit::live

// The books about plugins that took their process down, in the store; what is in quarantine comes from here.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "host/base/log.h"
#include "host/base/result.h"
#include "host/metrics/metrics.h"
#include "host/plugin/settings.h"
#include "host/store/store.h"

namespace davit::live {

// Confined to one thread at a time, which may wait for the store.
class CrashLedger {
 public:
  CrashLedger(store::Store& store, metrics::Metrics& metrics, Log& log)
      : store_(store), metrics_(metrics), log_(log) {}

  // Keeps a crash and tells of it: `sentence` says what came down.
  Result<> note(std::string_view sentence, const store::PluginCrash& crash,
                const store::QuarantineRule& rule);
  // By the hashes of libraries in quarantine; only those that crashes of this plugin brought there, if one is
  // named.
  Result<std::map<std::string, plugin::Quarantined, std::less<>>> quarantined(
      std::string_view plugin = {}) const;
  // All of them at once, with the line of the audit log for whoever wants that.
  Result<> clear(const std::set<std::string>& sha256s, store::Audited line);

 private:
  store::Store& store_;
  metrics::Metrics& metrics_;
  Log& log_;
};

}  // namespace davit::live

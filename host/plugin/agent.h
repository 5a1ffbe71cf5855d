// The driver of agents: runs one execution through the hooks. Only ever called in a runner process.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/result.h"
#include "host/model/agent_result.h"
#include "host/plugin/plugin_module.h"
#include "host/plugin/settings.h"

namespace davit::plugin {

// What a running agent tells the host. Functions may be called from any thread of the agent during a run,
// also at once; texts are presentable (UTF-8, no control bytes, cut), usage is the sum so far (never
// shrinking) as JSON of the ABI.
struct AgentReports {
  std::function<void(double fraction, std::string_view phase, std::string_view message)> progress;
  std::function<void(std::string_view usage_json)> usage;
  std::function<void(std::string_view kind, std::string_view line)> transcript;
  std::function<Result<>(std::string_view name, std::string_view content_type, std::string_view content)>
      artifact;
  // Null members mean: the service is not offered, davit_host.service answers NULL.
  std::function<Result<std::string>(std::string_view key)> kv_read;
  std::function<Result<>(std::string_view key, std::string_view value)> kv_write;
  std::function<Result<>(std::string_view key)> kv_remove;
};

// One instance of an agent. Confined to one thread at a time, but for cancel().
class AgentInstance {
 public:
  static Result<std::unique_ptr<AgentInstance>> create(std::shared_ptr<const PluginModule> module,
                                                       const PluginOffer& offer,
                                                       const AgentSettings& settings, AgentReports reports,
                                                       Log& log, const Clock& clock);
  ~AgentInstance();

  // pre_execute, execute, post_execute; the first of them that fails with a status (but for cancelled and
  // deadline) ends the work, and on_error may make the result. `context_json` as agent.h of the ABI
  // describes. Always gives a result: a plugin that breaks its contract gives a failure that says how. Its
  // usage is never less than what was reported live.
  AgentResult run(std::string_view context_json, MonotonicTime deadline);

  // Makes is_cancelled() true and calls the agent's cancel. From any thread. Between two runs it counts for
  // the next one, so the caller drops what comes too late.
  void cancel();

 private:
  struct Parts;
  explicit AgentInstance(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace davit::plugin

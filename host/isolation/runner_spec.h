// What a runner is started for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/model/plugin_info.h"
#include "host/plugin/redactor.h"
#include "host/plugin/registry.h"
#include "host/plugin/settings.h"

namespace davit::isolation {

struct RunnerSpec {
  std::filesystem::path library;  // in the store
  std::string sha256;             // of the library in hex; the runner refuses other bytes. Empty: not checked
  PluginKind kind = PluginKind::Agent;
  std::uint32_t index = 0;
  std::string name;  // instance, for logs and argv
  std::string config = "{}";
  std::vector<plugin::Secret> granted;
  std::vector<std::string> signature_secrets;      // webhooks that check signatures themselves
  std::map<std::string, std::string> environment;  // beside PATH, LANG, TZ, HOME
  int calls_per_runner = 100;
  std::size_t max_runners = 0;   // of this spec at a time; 0: only the pool's limit
  bool without_effects = false;  // a dry run: behind effect_fence.h before the library is opened
};

// What an instance that has a generation runs in.
RunnerSpec runner_spec_of(const plugin::Webhook& webhook);
RunnerSpec runner_spec_of(const plugin::Agent& agent);

// A spec with its key and what keeps its secrets to itself, made once and used for many calls: equal specs
// have equal keys. Immutable, thread-safe.
class PreparedSpec {
 public:
  static std::shared_ptr<const PreparedSpec> make(RunnerSpec spec);
  const RunnerSpec& spec() const { return spec_; }
  const std::string& key() const { return key_; }  // a digest, raw bytes
  // Knows all that the runner was given in confidence.
  const plugin::Redactor& redactor() const { return redactor_; }

 private:
  explicit PreparedSpec(RunnerSpec spec);
  RunnerSpec spec_;
  std::string key_;
  plugin::Redactor redactor_;
};

}  // namespace davit::isolation

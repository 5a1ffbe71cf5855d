#include "host/isolation/runner_spec.h"

#include "host/base/crypto.h"
#include "host/plugin/webhook_verification.h"

namespace davit::isolation {
namespace {

constexpr int kCallsPerRunner = 10'000;
constexpr std::size_t kRunnersPerWebhook = 4;

std::vector<plugin::Secret> confided_to(const RunnerSpec& spec) {
  std::vector<plugin::Secret> secrets = spec.granted;
  for (const std::string& secret : spec.signature_secrets) secrets.push_back({"of the signature", secret});
  for (plugin::Secret& secret : plugin::secrets_in(spec.environment)) secrets.push_back(std::move(secret));
  return secrets;
}

}  // namespace

RunnerSpec runner_spec_of(const plugin::Webhook& webhook) {
  RunnerSpec spec;
  spec.library = webhook.generation->stored;
  spec.sha256 = webhook.generation->sha256;
  spec.kind = PluginKind::Webhook;
  spec.index = webhook.offer.index;
  spec.name = webhook.settings.instance;
  spec.config = webhook.settings.config;
  spec.granted = webhook.settings.granted;
  if (plugin::who_checks(webhook) == plugin::WhoChecks::ByPlugin)
    spec.signature_secrets = webhook.settings.secrets;
  spec.calls_per_runner = kCallsPerRunner;
  spec.max_runners = kRunnersPerWebhook;
  return spec;
}

RunnerSpec runner_spec_of(const plugin::Agent& agent) {
  RunnerSpec spec;
  spec.library = agent.generation->stored;
  spec.sha256 = agent.generation->sha256;
  spec.kind = PluginKind::Agent;
  spec.index = agent.offer.index;
  spec.name = agent.settings.name;
  spec.config = agent.settings.config;
  spec.granted = agent.settings.granted;
  spec.environment = agent.settings.environment;
  spec.calls_per_runner = agent.settings.executions_per_runner;
  return spec;
}

// Length-prefixed members, so that no two specs run into the same text.
PreparedSpec::PreparedSpec(RunnerSpec spec) : spec_(std::move(spec)), redactor_(confided_to(spec_)) {
  std::string text;
  auto add = [&text](std::string_view part) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
  };
  add(spec_.library.native());
  add(spec_.sha256);
  add(to_string(spec_.kind));
  add(std::to_string(spec_.index));
  add(spec_.name);
  add(spec_.config);
  add(std::to_string(spec_.granted.size()));
  for (const plugin::Secret& secret : spec_.granted) add(secret.name), add(secret.value);
  add(std::to_string(spec_.signature_secrets.size()));
  for (const std::string& secret : spec_.signature_secrets) add(secret);
  for (const auto& [name, value] : spec_.environment) add(name), add(value);
  add(std::to_string(spec_.calls_per_runner));
  add(std::to_string(spec_.max_runners));
  add(spec_.without_effects ? "without effects" : "");
  key_ = davit::sha256(text);
}

std::shared_ptr<const PreparedSpec> PreparedSpec::make(RunnerSpec spec) {
  return std::shared_ptr<const PreparedSpec>(new PreparedSpec(std::move(spec)));
}

}  // namespace davit::isolation

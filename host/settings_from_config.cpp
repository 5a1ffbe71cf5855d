#include "host/settings_from_config.h"

#include <algorithm>
#include <cmath>

#include "host/ingest/record.h"

namespace davit {
namespace {

std::optional<std::int64_t> micro_usd(const std::optional<double>& dollars) {
  if (!dollars) return std::nullopt;
  return std::llround(*dollars * 1e6);
}

std::vector<plugin::Secret> all_of(const config::SecretsByName& values) {
  std::vector<plugin::Secret> secrets;
  for (const auto& [name, value] : values) secrets.push_back({name, value});
  return secrets;
}

std::vector<plugin::Secret> granted(const std::map<std::string, config::SecretsByName, std::less<>>& grants,
                                    const std::string& name) {
  const auto found = grants.find(name);
  return found == grants.end() ? std::vector<plugin::Secret>{} : all_of(found->second);
}

}  // namespace

std::vector<plugin::WebhookSettings> webhook_settings(const config::Config& config,
                                                      const config::ResolvedSecrets& secrets) {
  std::vector<plugin::WebhookSettings> all;
  for (const auto& [instance, from] : config.webhooks) {
    plugin::WebhookSettings to;
    to.instance = instance;
    to.plugin = from.plugin;
    to.enabled = from.enabled;
    to.isolation = from.isolation == config::Isolation::InProcess ? plugin::Isolation::InProcess
                                                                  : plugin::Isolation::Process;
    to.answer_within = from.answer_within;
    to.config = from.config;
    if (auto found = secrets.webhooks.find(instance); found != secrets.webhooks.end()) {
      to.secrets = found->second.values;
      to.secret_numbers = found->second.numbers;
      to.secret_faults = found->second.faults;
    }
    to.granted = granted(secrets.webhook_grants, instance);
    to.allow_unsigned = from.allow_unsigned;
    to.allow_own_signature_check = from.allow_own_signature_check;
    to.allow_unverified_answer = from.allow_unverified_answer;
    to.max_body_bytes = from.max_body_bytes;
    to.max_retries_of_deferred = from.max_retries_of_deferred;
    to.replay_window = from.replay_window;
    to.rate = {from.rate, from.burst};
    all.push_back(std::move(to));
  }
  return all;
}

std::vector<plugin::AgentSettings> agent_settings(const config::Config& config,
                                                  const config::ResolvedSecrets& secrets) {
  std::vector<plugin::AgentSettings> all;
  for (const auto& [name, from] : config.agents) {
    plugin::AgentSettings to;
    to.name = name;
    to.enabled = from.enabled;
    to.config = from.config;
    to.timeout = from.timeout;
    to.max_retries = from.max_retries;
    to.requires_approval = from.requires_approval;
    to.concurrency = from.concurrency;
    to.executions_per_runner = from.executions_per_runner;
    to.max_crashes = from.max_crashes;
    to.takes_defaults = from.defaults;
    for (const auto& [secret, source] : from.grants) to.named_grants.push_back(secret);
    to.granted = granted(secrets.agent_grants, name);
    if (auto found = secrets.agent_environment.find(name); found != secrets.agent_environment.end()) {
      to.environment = found->second;
    }
    all.push_back(std::move(to));
  }
  return all;
}

plugin::AgentDefaults agent_defaults(const config::Config& config, const config::ResolvedSecrets& secrets) {
  return {all_of(secrets.default_grants), secrets.default_environment, config.agent_defaults.config};
}

std::vector<dispatch::Schedule> schedules(const config::Config& config) {
  std::vector<dispatch::Schedule> all;
  for (const auto& [name, from] : config.schedules) {
    auto cron = Cron::parse(from.cron);
    if (!from.enabled || !cron.ok())
      continue;  // the configuration is refused with a cron that cannot be read
    dispatch::Schedule to{name, from.cron, *cron, {}, from.catch_up};
    to.task.agent = from.agent;
    to.task.task_type = from.task_type;
    to.task.title = from.title.empty() ? "Schedule " + name : from.title;
    to.task.payload = from.payload;
    to.task.priority = from.priority;
    to.task.key = "schedule:" + name;
    to.task.entity = from.entity.empty() ? to.task.key : from.entity;
    all.push_back(std::move(to));
  }
  return all;
}

live::Wanted wanted_plugins(const std::string& file, const config::Config& config,
                            const config::ResolvedSecrets& secrets) {
  live::Wanted wanted;
  wanted.webhooks = webhook_settings(config, secrets);
  wanted.agents = agent_settings(config, secrets);
  wanted.agent_defaults = agent_defaults(config, secrets);
  const config::PluginsConfig& plugins = config.plugins;
  wanted.scan.drop_folder = plugins.directory;
  wanted.scan.store_folder = std::filesystem::absolute(plugins.store);  // runners start in another folder
  wanted.scan.pinned_sha256 = plugins.pinned_sha256;
  wanted.scan.allow_writable = plugins.allow_writable;
  wanted.scan.settle = plugins.settle;
  wanted.watch = plugins.watch;
  wanted.quarantine = {plugins.quarantine_after, plugins.quarantine_window};
  wanted.probe_deadline = plugins.probe_timeout;
  wanted.probe_memory = plugins.probe_memory;
  wanted.runner_memory = config.runners.memory_limit;
  wanted.place = [file, config](PluginKind kind, const std::string& name, const std::string& pointer,
                                const std::string& sentence) {
    if (kind == PluginKind::Agent)
      return config::to_string(file, config::mistake_in_agent_config(config, name, pointer, sentence));
    const std::string instance = "webhooks." + name;
    const auto known = config.webhooks.find(name);
    if (known == config.webhooks.end()) return instance + ": " + sentence;
    return config::to_string(file, config::mistake_in_plugin_config(instance, known->second.config_lines,
                                                                    known->second.line, pointer, sentence));
  };
  return wanted;
}

dispatch::ChainOptions chain_options(const config::ChainConfig& chain) {
  return {.max_depth = chain.max_depth, .max_visits = chain.max_visits};
}

dispatch::KeepOptions keep_options(const config::Config& config) {
  return {.transcript_bytes = config.transcripts.max_size,
          .artifacts = {config.artifacts.max_size, config.artifacts.max_total}};
}

plugin::Sandbox sandbox_of(const config::SandboxConfig& sandbox) {
  return {sandbox.command, sandbox.required};
}

replies::Allowed allowed_replies(const config::RepliesConfig& replies) {
  return {replies.hosts, replies.allow_loopback};
}

store::BudgetLimits budget_limits(const config::Config& config) {
  store::BudgetLimits limits;
  limits.task = micro_usd(config.budgets.per_task_usd);
  limits.agent_day = micro_usd(config.budgets.per_agent_daily_usd);
  limits.actor_day = micro_usd(config.budgets.per_actor_daily_usd);
  limits.day = micro_usd(config.budgets.daily_usd);
  limits.session = micro_usd(config.budgets.session_usd).value_or(limits.session);
  for (const auto& [name, agent] : config.agents)
    if (const auto own = micro_usd(agent.session_usd)) limits.session_of_agent[name] = *own;
  return limits;
}

store::ApprovalRules approval_rules(const config::Config& config) {
  const config::ApprovalsConfig& approvals = config.approvals;
  store::ApprovalRules rules;
  rules.hash_required = approvals.hash == config::ApprovalHash::Required;
  if (approvals.deadline > Duration::zero()) rules.deadline = approvals.deadline;
  if (approvals.remind_after > Duration::zero()) rules.remind_after = approvals.remind_after;
  rules.park_at_deadline = approvals.on_deadline == config::AtDeadline::Park;
  rules.notify = approvals.notify;
  for (const auto& [name, agent] : config.agents)
    if (agent.on_reject == config::OnReject::Rework) rules.reworks[name] = agent.max_reworks;
  return rules;
}

store::LineRules line_rules(const config::Config& config) {
  store::LineRules rules;
  for (const auto& [name, agent] : config.agents) {
    switch (agent.one_at_a_time) {
      case config::OneAtATime::Entity:
        break;
      case config::OneAtATime::Group:
        rules[name] = store::LineRule::Group;
        break;
      case config::OneAtATime::None:
        rules[name] = store::LineRule::None;
        break;
    }
  }
  return rules;
}

store::Retention retention_of(const config::Config& config) {
  store::Retention retention{Duration(std::int64_t{config.storage.retention_days} * 24 * 3'600'000),
                             static_cast<std::int64_t>(config.storage.max_size.value_or(0)),
                             config.storage.max_tasks.value_or(0)};
  if (!config.webhooks.empty()) retention.guard = ingest::kBodyHashWindow;
  for (const auto& [name, webhook] : config.webhooks)
    retention.guard = std::max(retention.guard, webhook.replay_window);
  return retention;
}

}  // namespace davit

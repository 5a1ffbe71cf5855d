// A section of the file is a struct of config.h; a Field binds one key of it to one member. The member's type
// says how the value is read, its value in a default-constructed section is the default that is shown. So a
// key is one line in a table below, and nothing else in the program repeats its name.
#include "host/config/key_table.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <span>
#include <variant>

#include "host/base/cron.h"
#include "host/base/nearest_name.h"
#include "host/base/text.h"
#include "host/config/quantity.h"

namespace davit::config {
namespace {

// What a text must look like.
enum class TextRule { Any, Path, Address, HostName, VariableName, PluginName, Sha256, FileName, Cron };

// How a duration or size is written.
enum class Notation { WithUnit, Milliseconds, Seconds, Bytes };

// An enumeration's words, in the order of its values.
template <typename Section>
struct Choice {
  std::span<const std::string_view> words;
  int (*index)(const Section&);
  void (*choose)(Section&, int);
};

// One list of secret sources; several keys of a webhook fill it.
template <typename Section>
struct SecretList {
  std::vector<SecretSource> Section::*member;
  SecretSource::Kind kind;
  bool several;
};

template <typename Section>
struct JsonObject {
  std::string Section::*member;
  std::map<std::string, int> Section::*lines;
};

template <typename Section>
using Target =
    std::variant<bool Section::*, std::optional<bool> Section::*, int Section::*,
                 std::optional<int> Section::*, std::optional<double> Section::*, std::string Section::*,
                 std::vector<std::string> Section::*, Duration Section::*, std::optional<Duration> Section::*,
                 std::size_t Section::*, std::optional<std::size_t> Section::*,
                 std::map<std::string, SecretSource> Section::*, Choice<Section>, SecretList<Section>,
                 JsonObject<Section>>;

constexpr double kNoLimit = std::numeric_limits<double>::max();

template <typename Section>
struct Field {
  std::string_view name;
  Target<Section> target;
  std::string_view meaning;
  double least = 0;  // of numbers; durations in milliseconds, sizes in bytes
  double most = kNoLimit;
  TextRule rule = TextRule::Any;
  Notation notation = Notation::WithUnit;
  std::string_view if_absent = "-";  // shown where the default is not a value of the member
};

constexpr double kHour = 3'600'000;
constexpr double kMinute = 60'000;
constexpr double kTebibyte = 1ull << 40;
constexpr double kLeastMaxSize = 16 << 20;  // a slip of the pen must not empty a database

constexpr std::array<std::string_view, 3> kPublicWords{"no", "behind_proxy", "direct"};
constexpr std::array<std::string_view, 1> kBackendWords{"sqlite"};
constexpr std::array<std::string_view, 2> kIsolationWords{"inprocess", "process"};
constexpr std::array<std::string_view, 2> kApprovalHashWords{"required", "optional"};
constexpr std::array<std::string_view, 2> kAtDeadlineWords{"reject", "park"};
constexpr std::array<std::string_view, 2> kOnRejectWords{"cancel", "rework"};
constexpr std::array<std::string_view, 3> kOneAtATimeWords{"entity", "group", "none"};
constexpr std::array<std::string_view, 2> kForwardedWords{"x-forwarded-for", "forwarded"};
constexpr std::array<std::string_view, 4> kLevelWords{"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 2> kFormatWords{"text", "json"};

template <auto Member, typename Section>
Choice<Section> choice(std::span<const std::string_view> words) {
  return {words, [](const Section& section) { return static_cast<int>(section.*Member); },
          [](Section& section, int index) {
            section.*Member = static_cast<std::remove_reference_t<decltype(section.*Member)>>(index);
          }};
}

// ---- the table
// ------------------------------------------------------------------------------------------------------

std::vector<Field<ServerConfig>> server_fields() {
  using S = ServerConfig;
  return {
      {"host", &S::host, "Address to listen on; anything but this machine's own needs server.public.", 0, 0,
       TextRule::Address},
      {"port", &S::port,
       "TCP port; 0 takes any free one, and the same again after a crash; commands find it.", 0, 65535},
      {"threads", &S::threads, "I/O threads; auto is one per processor, at most 8.", 1, 64, TextRule::Any,
       Notation::WithUnit, "auto"},
      {"public", choice<&S::public_access, S>(kPublicWords),
       "Who may reach the port from outside: nobody, a TLS proxy in front, or everybody."},
      {"max_connections", &S::max_connections, "Open connections; more are answered 503.", 1, 100'000},
      {"max_event_streams", &S::max_event_streams,
       "Open streams of events (a browser has one, however many tabs); more are answered 503.", 0, 100'000},
      {"max_event_streams_per_token", &S::max_event_streams_per_token,
       "Of these, those that were opened by one token; more are answered 429.", 0, 100'000},
      {"body_limit", &S::body_limit, "Largest request body of the API; webhooks have their own limit.", 1024,
       256 << 20},
      {"max_incoming_bytes", &S::max_incoming_bytes,
       "Bytes of all request bodies on their way in; more are answered 503. Large ones get three quarters of "
       "it, so no single body may be larger than that.",
       1 << 20, 16.0 * (1 << 30)},
      {"head_timeout", &S::head_timeout, "Time for a client to send a request's head.", 100, 10 * kMinute},
      {"body_timeout", &S::body_timeout, "Time for a client to send a request's body.", 100, 10 * kMinute},
      {"idle_timeout", &S::idle_timeout, "Time a connection may wait between requests.", 100, kHour},
      {"write_timeout", &S::write_timeout, "Time a client may take no byte of its answer.", 100,
       10 * kMinute},
      {"drain_timeout", &S::drain_timeout,
       "Time that answers get to end when the host stops; executions get 2 s and then run again at the next "
       "start.",
       0, kHour},
      {"trusted_proxies", &S::trusted_proxies,
       "Addresses of proxies; whom they name as their client counts as the sender.", 0, 0, TextRule::Address},
      {"forwarded_header", choice<&S::forwarded_header, S>(kForwardedWords),
       "The header in which they name it. The other one is not looked at: it may come from anybody."},
      {"address_rate", &S::address_rate,
       "Requests per second to webhooks from one address (IPv6: one /64); more are answered 429. 0 is no "
       "limit, "
       "and this machine itself has none.",
       0, 1'000'000},
      {"address_burst", &S::address_burst, "Requests from one address that may come at once after a rest.", 1,
       1'000'000},
  };
}

std::vector<Field<StorageConfig>> storage_fields() {
  using S = StorageConfig;
  return {
      {"backend", choice<&S::backend, S>(kBackendWords), "Kind of database."},
      {"path", &S::path, "Database file; token file, logs of agents and loaded plugins lie beside it.", 0, 0,
       TextRule::Path},
      {"retention_days", &S::retention_days,
       "Days that finished tasks and deliveries are kept; 0 keeps them for ever.", 0, 36'500},
      {"max_size", &S::max_size,
       "Size of the database beyond which the oldest of them go earlier; without it there is no limit.",
       kLeastMaxSize, 1024 * kTebibyte},
      {"min_free", &S::min_free,
       "Free space on the disk of the database below which /readyz says that it gets low; 0 never does.", 0,
       1024 * kTebibyte},
      {"max_tasks", &S::max_tasks,
       "Finished tasks beyond which the oldest of them, and the deliveries before them, go earlier; without "
       "it "
       "there is no limit.",
       100, 1'000'000'000},
  };
}

// Is one path the other one, or below it? By their words, from the folder davit was started in.
bool lies_in(const std::string& path, const std::string& folder) {
  auto words = [](const std::string& named) {
    auto whole = std::filesystem::absolute(named).lexically_normal();
    return whole.has_filename() ? whole : whole.parent_path();  // "plugins/"
  };
  const std::filesystem::path inner = words(path), outer = words(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

std::vector<Field<PluginsConfig>> plugins_fields() {
  using S = PluginsConfig;
  return {
      {"directory", &S::directory, "Folder that plugin libraries are dropped into.", 0, 0, TextRule::Path},
      {"watch", &S::watch,
       "Look at the folder as soon as something in it changes; false: at davit plugins rescan and SIGHUP."},
      {"store", &S::store, "Private folder that libraries are copied to and loaded from.", 0, 0,
       TextRule::Path, Notation::WithUnit, "plugins beside the database"},
      {"pinned_sha256", &S::pinned_sha256,
       "If given, only libraries with one of these SHA-256 sums are loaded.", 0, 0, TextRule::Sha256},
      {"allow_writable", &S::allow_writable, "Files that may be group- or world-writable, by name.", 0, 0,
       TextRule::FileName},
      {"probe_timeout", &S::probe_timeout,
       "Time a new library gets to say what it offers, and its instances to be created once before they "
       "replace others.",
       100, 10 * kMinute},
      {"probe_memory", &S::probe_memory, "Address space of the process that looks at a new library.",
       64 << 20, kTebibyte},
      {"settle", &S::settle,
       "Time a file must be unchanged before it is looked at, unless its writer closed it or renamed it into "
       "place.",
       0, kMinute},
      {"quarantine_after", &S::quarantine_after,
       "Crashes of a library within quarantine_window that put it into quarantine; 0 never does.", 0, 1000},
      {"quarantine_window", &S::quarantine_window, "How long a crash counts.", 1'000, 365 * 24 * kHour},
  };
}

std::vector<Field<AuthConfig>> auth_fields() {
  using S = AuthConfig;
  return {
      {"admin_token_env", &S::admin_token_env, "Variable with the token that may do everything.", 0, 0,
       TextRule::VariableName},
      {"reader_token_env", &S::reader_token_env, "Variable with the token that may only read.", 0, 0,
       TextRule::VariableName},
      {"session_idle", &S::session_idle,
       "A browser that is signed in and not used for so long has to sign in again.", kMinute,
       365 * 24 * kHour},
      {"session_lifetime", &S::session_lifetime, "Likewise after so long, used or not.", kMinute,
       365 * 24 * kHour},
  };
}

std::vector<Field<LogConfig>> log_fields() {
  using S = LogConfig;
  return {
      {"level", choice<&S::level, S>(kLevelWords), "Least level that is logged."},
      {"format", choice<&S::format, S>(kFormatWords), "Lines for people or for machines."},
      {"file", &S::file, "File that is appended to.", 0, 0, TextRule::Path, Notation::WithUnit, "stderr"},
  };
}

std::vector<Field<MetricsConfig>> metrics_fields() {
  return {{"public", &MetricsConfig::public_access, "Serve /metrics without a token."}};
}

std::vector<Field<RunnersConfig>> runners_fields() {
  using S = RunnersConfig;
  return {
      {"max", &S::max, "Plugin processes at one time; further calls wait.", 1, 4096},
      {"idle", &S::idle, "An idle plugin process ends after this.", 0, 24 * kHour},
      {"memory_limit", &S::memory_limit,
       "Address space of one plugin process; 0 is no limit. A program that an agent starts may lift it.", 0,
       kTebibyte},
      {"cgroups", &S::cgroups, "Use cgroups to end process trees, where the system lets us."},
  };
}

std::vector<Field<WebhookConfig>> webhook_fields() {
  using S = WebhookConfig;
  using Kind = SecretSource::Kind;
  return {
      {"enabled", &S::enabled, "Off means 404."},
      {"plugin", &S::plugin, "Name of the library's webhook, where it is not the endpoint's.", 0, 0,
       TextRule::PluginName, Notation::WithUnit, "the endpoint's name"},
      {"secret_env", SecretList<S>{&S::secrets, Kind::Environment, false},
       "Variable with the secret that deliveries are signed with."},
      {"secret_envs", SecretList<S>{&S::secrets, Kind::Environment, true},
       "Several such variables, newest first, while a secret is being changed."},
      {"secret_file", SecretList<S>{&S::secrets, Kind::File, false}, "File with the secret."},
      {"secret_files", SecretList<S>{&S::secrets, Kind::File, true}, "Several such files, newest first."},
      {"credential", SecretList<S>{&S::secrets, Kind::Credential, false},
       "Credential of the systemd service (LoadCredential=) with the secret."},
      {"credentials", SecretList<S>{&S::secrets, Kind::Credential, true},
       "Several such credentials, newest first."},
      {"isolation", choice<&S::isolation, S>(kIsolationWords),
       "inprocess is fastest and trusts the plugin like the host; process survives its crashes."},
      {"answer_within_ms", &S::answer_within, "Time its hooks get before the delivery is kept for later.", 1,
       kMinute, TextRule::Any, Notation::Milliseconds},
      {"allow_unsigned", &S::allow_unsigned, "Accept deliveries from anybody, without a secret."},
      {"allow_own_signature_check", &S::allow_own_signature_check,
       "Believe the plugin's own check where its scheme cannot be declared."},
      {"allow_unverified_answer", &S::allow_unverified_answer,
       "Let the plugin answer before the signature is checked (some protocols' handshake)."},
      {"max_body_bytes", &S::max_body_bytes, "Largest delivery.", 1, 64 << 20, TextRule::Any, Notation::Bytes,
       "what the plugin says"},
      {"max_retries_of_deferred", &S::max_retries_of_deferred,
       "Tries of a kept delivery's hooks before it waits for a person.", 0, 1000},
      {"replay_window", &S::replay_window,
       "Where the sender's id is not signed: how long the same body under another id counts as a duplicate; "
       "0 is no guard.",
       0, 365 * 24 * kHour},
      {"rate", &S::rate, "Verified deliveries per second; more are answered 429. 0 is no limit.", 0,
       1'000'000},
      {"burst", &S::burst, "Verified deliveries that may come at once after a rest.", 1, 1'000'000},
      {"grants", &S::grants,
       "Secrets the plugin may ask for, by name: {api: {env: NAME}}, {api: {file: PATH}} or {api: "
       "{credential: NAME}}."},
      {"config", JsonObject<S>{&S::config, &S::config_lines},
       "The plugin's own settings, checked against its schema."},
  };
}

std::vector<Field<AgentConfig>> agent_fields() {
  using S = AgentConfig;
  constexpr std::string_view kAsPlugin = "what the plugin says";
  return {
      {"enabled", &S::enabled, "Off means its tasks wait."},
      {"timeout_seconds", &S::timeout, "Longest execution; then its whole process tree is killed.", 1000,
       168 * kHour, TextRule::Any, Notation::Seconds, kAsPlugin},
      {"max_retries", &S::max_retries, "Further attempts after a failure that may pass.", 0, 100,
       TextRule::Any, Notation::WithUnit, kAsPlugin},
      {"concurrency", &S::concurrency, "Executions at one time.", 1, 256},
      {"requires_approval", &S::requires_approval, "A person must approve each task before it runs.", 0, 0,
       TextRule::Any, Notation::WithUnit, kAsPlugin},
      {"one_at_a_time", choice<&S::one_at_a_time, S>(kOneAtATimeWords),
       "Which of its tasks run one after another: those about the same entity (an issue, a pull request, a "
       "thread), about the same group (its repository, project, channel), or none."},
      {"on_reject", choice<&S::on_reject, S>(kOnRejectWords),
       "When what follows its work is rejected: cancel ends the chain; rework gives its task back to it, "
       "with "
       "the comment."},
      {"max_reworks", &S::max_reworks, "How often a chain goes back so; then a rejection ends it.", 0, 100},
      {"session_usd", &S::session_usd, "Its own budgets.session_usd.", 0, 1e9, TextRule::Any,
       Notation::WithUnit, "budgets.session_usd"},
      {"executions_per_runner", &S::executions_per_runner,
       "Executions before its process is replaced; 1: a fresh one each.", 1, 1'000'000},
      {"max_crashes", &S::max_crashes, "Deaths of its process with one task; then that task is parked.", 1,
       100},
      {"defaults", &S::defaults, "Off means that it gets nothing of agent_defaults."},
      {"grants", &S::grants,
       "Secrets the plugin may ask for, by name: {api: {env: NAME}}, {api: {file: PATH}} or {api: "
       "{credential: NAME}}."},
      {"environment", &S::environment, "Variables of the host that its process sees.", 0, 0,
       TextRule::VariableName},
      {"config", JsonObject<S>{&S::config, &S::config_lines},
       "The plugin's own settings, checked against its schema."},
  };
}

std::vector<Field<AgentDefaultsConfig>> agent_defaults_fields() {
  using S = AgentDefaultsConfig;
  return {
      {"grants", &S::grants,
       "Secrets for every agent whose plugin lists their name in `secrets` of its metadata; its own of that "
       "name come first."},
      {"environment", &S::environment,
       "Variables of the host that the processes of all agents see; none that holds a secret.", 0, 0,
       TextRule::VariableName},
      {"config", JsonObject<S>{&S::config, &S::config_lines},
       "Settings, each for every agent whose plugin's schema has a property of that name, unless its own "
       "config has it."},
  };
}

std::vector<Field<ScheduleConfig>> schedule_fields() {
  using S = ScheduleConfig;
  return {
      {"enabled", &S::enabled,
       "Off means that it makes nothing, and nothing afterwards for the time it was off."},
      {"agent", &S::agent, "Agent that its tasks are for. Required.", 0, 0, TextRule::PluginName},
      {"cron", &S::cron,
       "When, in UTC: minute, hour, day of the month, month, day of the week, as in crontab(5), or @hourly, "
       "@daily, "
       "@weekly, @monthly, @yearly. Required.",
       0, 0, TextRule::Cron},
      {"title", &S::title, "One line for people.", 0, 0, TextRule::Any, Notation::WithUnit,
       "Schedule <name>"},
      {"task_type", &S::task_type, "Kind of task, a word for filters and metrics."},
      {"payload", JsonObject<S>{&S::payload, &S::payload_lines}, "What the agent gets."},
      {"entity", &S::entity,
       "What the tasks are about; of one entity no more than one task runs at a time, and no more than one "
       "of this "
       "schedule waits.",
       0, 0, TextRule::Any, Notation::WithUnit, "schedule:<name>"},
      {"priority", &S::priority, "Higher first.", -100, 100},
      {"catch_up", &S::catch_up,
       "When davit was stopped at a time of the schedule: make one task for the newest such time at the "
       "start."},
  };
}

std::vector<Field<ChainConfig>> chain_fields() {
  return {
      {"max_depth", &ChainConfig::max_depth, "Longest chain of agents that hand over to one another.", 1,
       100},
      {"max_visits", &ChainConfig::max_visits,
       "How often one agent may stand in a chain; 1 refuses every loop.", 1, 100},
      {"notify", &ChainConfig::notify,
       "Agent that gets a task when the work of a chain stops and is not done (failed, rejected, cancelled, "
       "not approved in time, put aside), to tell people of it.",
       0, 0, TextRule::PluginName, Notation::WithUnit, "nobody"},
  };
}

std::vector<Field<ApprovalsConfig>> approvals_fields() {
  using S = ApprovalsConfig;
  return {
      {"hash", choice<&S::hash, S>(kApprovalHashWords),
       "required: who approves names the content hash of the task; optional: without it an approval counts "
       "where one task waits alone and did so before."},
      {"deadline", &S::deadline, "A task that waits so long for its approval waits no longer; 0: for ever.",
       0, 365 * 24 * kHour},
      {"remind_after", &S::remind_after, "A reminder comes each time after so long; 0: none.", 0,
       365 * 24 * kHour},
      {"on_deadline", choice<&S::on_deadline, S>(kAtDeadlineWords),
       "reject: it is cancelled then; park: it waits for a retry by hand, which asks for approval again."},
      {"notify", &S::notify,
       "Agent that gets a task when a wait begins and with each reminder, to tell people of it.", 0, 0,
       TextRule::PluginName, Notation::WithUnit, "nobody"},
  };
}

std::vector<Field<RepliesConfig>> replies_fields() {
  using S = RepliesConfig;
  return {
      {"hosts", &S::hosts,
       "Names of hosts that senders may be told at, by https, what becomes of their deliveries; an empty "
       "list "
       "tells nobody.",
       0, 0, TextRule::HostName},
      {"allow_loopback", &S::allow_loopback,
       "Also 127.0.0.1, by http: for tests. Whoever may send deliveries can then post to services of this "
       "machine."},
  };
}

std::vector<Field<SandboxConfig>> sandbox_fields() {
  using S = SandboxConfig;
  return {
      {"command", &S::command,
       "Program that confines what agents start (bubblewrap). Agents are told; whether one acts on it, its "
       "own description says."},
      {"required", &S::required,
       "A program that shall be confined is not started where the sandbox is missing. Agents are told, too."},
  };
}

std::vector<Field<TranscriptsConfig>> transcripts_fields() {
  return {
      {"max_size", &TranscriptsConfig::max_size,
       "Size of one execution's transcript before it is packed; of a longer one the first quarter and the "
       "newest three are kept.",
       64 << 10, 256 << 20},
  };
}

std::vector<Field<ArtifactsConfig>> artifacts_fields() {
  using S = ArtifactsConfig;
  return {
      {"max_size", &S::max_size,
       "Largest file an execution may leave; a larger one is not kept, and its transcript says so.", 1024,
       8 << 20},
      {"max_total", &S::max_total, "Size of all files that one execution may leave, at most 64 of them.",
       1024, 64 << 20},
  };
}

std::vector<Field<BudgetsConfig>> budgets_fields() {
  using S = BudgetsConfig;
  constexpr double kMost = 1e9;
  return {
      {"session_usd",
       &S::session_usd,
       "US dollars that are set aside before an execution begins, and all that it may cost; with a limit "
       "below. 0: "
       "agents cost nothing.",
       0,
       kMost,
       TextRule::Any,
       {},
       "1"},
      {"per_task_usd",
       &S::per_task_usd,
       "US dollars a task and all that follows from it in its chain may cost; beyond it the task is parked.",
       0,
       kMost,
       TextRule::Any,
       {},
       "no limit"},
      {"per_agent_daily_usd",
       &S::per_agent_daily_usd,
       "US dollars each agent may cost a day (UTC); beyond it its tasks wait for the next.",
       0,
       kMost,
       TextRule::Any,
       {},
       "no limit"},
      {"per_actor_daily_usd",
       &S::per_actor_daily_usd,
       "US dollars each person's events, or a source's that nobody caused, may cost a day.",
       0,
       kMost,
       TextRule::Any,
       {},
       "no limit"},
      {"daily_usd",
       &S::daily_usd,
       "US dollars everything may cost a day.",
       0,
       kMost,
       TextRule::Any,
       {},
       "no limit"},
  };
}

// Calls visit(name, fields, section) for every plain section.
template <typename AnyConfig, typename Visit>
void for_each_section(AnyConfig& config, Visit&& visit) {
  visit("server", server_fields(), config.server);
  visit("storage", storage_fields(), config.storage);
  visit("plugins", plugins_fields(), config.plugins);
  visit("auth", auth_fields(), config.auth);
  visit("log", log_fields(), config.log);
  visit("metrics", metrics_fields(), config.metrics);
  visit("runners", runners_fields(), config.runners);
  visit("chain", chain_fields(), config.chain);
  visit("approvals", approvals_fields(), config.approvals);
  visit("transcripts", transcripts_fields(), config.transcripts);
  visit("artifacts", artifacts_fields(), config.artifacts);
  visit("replies", replies_fields(), config.replies);
  visit("sandbox", sandbox_fields(), config.sandbox);
  visit("budgets", budgets_fields(), config.budgets);
  visit("agent_defaults", agent_defaults_fields(), config.agent_defaults);
}

// ---- words for people
// -----------------------------------------------------------------------------------------------

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", number);
  return text;
}

std::string joined(std::span<const std::string_view> words, std::string_view separator) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

std::string duration_bound(double milliseconds, Notation notation) {
  if (notation == Notation::Milliseconds) return number_text(milliseconds);
  if (notation == Notation::Seconds) return number_text(milliseconds / 1000);
  return to_text(Duration(static_cast<long long>(milliseconds)));
}

std::string size_bound(double bytes, Notation notation) {
  return notation == Notation::Bytes ? number_text(bytes) : size_to_text(static_cast<std::size_t>(bytes));
}

std::string_view word_for(TextRule rule) {
  switch (rule) {
    case TextRule::Any:
      return "text";
    case TextRule::Path:
      return "path";
    case TextRule::Address:
      return "IP address";
    case TextRule::HostName:
      return "name of a host";
    case TextRule::VariableName:
      return "name of an environment variable";
    case TextRule::PluginName:
      return "name";
    case TextRule::Sha256:
      return "SHA-256 sum in hexadecimal";
    case TextRule::FileName:
      return "file name";
    case TextRule::Cron:
      return "crontab fields";
  }
  return "text";
}

TextRule rule_for(SecretSource::Kind kind) {
  switch (kind) {
    case SecretSource::Kind::Environment:
      return TextRule::VariableName;
    case SecretSource::Kind::File:
      return TextRule::Path;
    case SecretSource::Kind::Credential:
      return TextRule::FileName;
  }
  return TextRule::Path;
}

template <typename Section>
std::string range_text(const Field<Section>& field, std::string (*bound)(double, Notation)) {
  if (field.most == kNoLimit) return "of at least " + bound(field.least, field.notation);
  return bound(field.least, field.notation) + " to " + bound(field.most, field.notation);
}

std::string plain_bound(double number, Notation) { return number_text(number); }

template <typename Section>
std::string duration_type(const Field<Section>& field) {
  const std::string range = range_text(field, duration_bound);
  if (field.notation == Notation::Milliseconds) return "integer " + range + " (milliseconds)";
  if (field.notation == Notation::Seconds) return "integer " + range + " (seconds)";
  return "duration " + range;
}

template <typename Section>
std::string size_type(const Field<Section>& field) {
  return (field.notation == Notation::Bytes ? "integer " : "size ") + range_text(field, size_bound) +
         (field.notation == Notation::Bytes ? " (bytes)" : "");
}

template <typename Section>
std::string type_text(const Field<Section>& field) {
  const auto boolean = [](auto) { return std::string("true | false"); };
  const auto integer = [&](auto) { return "integer " + range_text(field, plain_bound); };
  return std::visit(
      Overloaded{
          [&](bool Section::*) { return boolean(0); },
          [&](std::optional<bool> Section::*) { return boolean(0); },
          [&](int Section::*) { return integer(0); },
          [&](std::optional<int> Section::*) {
            return (field.if_absent == "auto" ? "auto | " : "") + integer(0);
          },
          [&](std::optional<double> Section::*) { return "number " + range_text(field, plain_bound); },
          [&](std::string Section::*) { return std::string(word_for(field.rule)); },
          [&](std::vector<std::string> Section::*) { return "list: " + std::string(word_for(field.rule)); },
          [&](Duration Section::*) { return duration_type(field); },
          [&](std::optional<Duration> Section::*) { return duration_type(field); },
          [&](std::size_t Section::*) { return size_type(field); },
          [&](std::optional<std::size_t> Section::*) { return size_type(field); },
          [&](std::map<std::string, SecretSource> Section::*) {
            return std::string("mapping of names to env, file or credential");
          },
          [&](const Choice<Section>& choice) { return joined(choice.words, " | "); },
          [&](const SecretList<Section>& list) {
            const std::string what(word_for(rule_for(list.kind)));
            return list.several ? "list: " + what : what;
          },
          [&](const JsonObject<Section>&) { return std::string("mapping"); },
      },
      field.target);
}

template <typename Section>
std::string default_text(const Field<Section>& field) {
  const Section section;
  const auto absent = [&] { return std::string(field.if_absent); };
  return std::visit(
      Overloaded{
          [&](bool Section::*member) { return std::string(section.*member ? "true" : "false"); },
          [&](int Section::*member) { return std::to_string(section.*member); },
          [&](std::string Section::*member) {
            return (section.*member).empty() ? absent() : section.*member;
          },
          [&](Duration Section::*member) {
            return field.notation == Notation::Milliseconds ? std::to_string((section.*member).count())
                                                            : to_text(section.*member);
          },
          [&](std::size_t Section::*member) { return size_to_text(section.*member); },
          [&](const Choice<Section>& choice) {
            return std::string(choice.words[static_cast<std::size_t>(choice.index(section))]);
          },
          [&](std::vector<std::string> Section::*member) {
            std::string items;
            for (const std::string& item : section.*member) items += (items.empty() ? "" : ", ") + item;
            return "[" + items + "]";
          },
          [&](std::map<std::string, SecretSource> Section::*) { return std::string("{}"); },
          [&](const JsonObject<Section>&) { return std::string("{}"); },
          [&](const auto&) { return absent(); },
      },
      field.target);
}

// ---- nearest known key
// ----------------------------------------------------------------------------------------------

// Secrets are the one thing that people put in the wrong place with consequences.
bool sounds_secret(std::string_view name) {
  std::string word;
  for (const char c : name)
    word += c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view ending : {"secret", "token", "password", "passwd", "passphrase", "api_key",
                                        "apikey", "private_key", "access_key"})
    if (word.ends_with(ending)) return true;
  return false;
}

// "${DOCS_KEY}", and nothing beside it: what a plugin takes in its place from its grants.
bool names_a_grant(std::string_view text) {
  if (!text.starts_with("${") || !text.ends_with('}') || text.size() == 3) return false;
  const std::string_view name = text.substr(2, text.size() - 3);
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

// `section` is the path of what holds the key, empty for the file itself; `known` are the keys it may have.
std::string unknown_key_text(const std::string& section, const std::string& name,
                             const std::vector<std::string>& known) {
  const std::string prefix = section.empty() ? "" : section + ".";
  if (sounds_secret(name))
    return "a secret does not belong in this file; put it in an environment variable or a file of its own, "
           "and name that "
           "with secret_env, secret_file, credential or grants";
  if (name.find(':') != std::string::npos) return "a space must follow the colon after a key";
  const std::string best = nearest_name(name, known);
  if (!best.empty()) return "unknown key; did you mean " + prefix + best + "?";
  for (const KeyDoc& doc : key_docs())
    if (doc.path.ends_with("." + name)) return "unknown key here; did you mean " + doc.path + "?";
  std::string all;
  for (const std::string& candidate : known) all += (all.empty() ? "" : ", ") + candidate;
  return "unknown key; known here: " + all;
}

// ---- reading values
// -------------------------------------------------------------------------------------------------

bool is_variable_name(std::string_view text) {
  const auto letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; };
  return !text.empty() && text.size() <= 200 && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool is_instance_name(std::string_view text) {
  const auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 64 && good(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return good(c) || c == '-' || c == '_'; });
}

bool is_address(const std::string& text) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 40;
  return "\"" + std::string(shortened(text, kMost)) + (text.size() > kMost ? "…" : "") + "\"";
}

// What is wrong with a text, or empty.
// As it is written where it is compared: without scheme, port and path.
bool is_host_name(const std::string& text) {
  return text.size() <= 253 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string::npos &&
         text.find("..") == std::string::npos && text.front() != '.' && text.back() != '.';
}

std::string text_problem(const std::string& text, TextRule rule) {
  if (rule == TextRule::Any) return text.empty() ? "is empty" : "";
  if (rule == TextRule::VariableName)
    return is_variable_name(text)
               ? ""
               : "must be the name of an environment variable (letters, digits, _), not a value";
  if (text.empty()) return "is empty";
  switch (rule) {
    case TextRule::Address:
      if (text == "localhost") return "must be an address; write 127.0.0.1";
      return is_address(text) ? "" : shown(text) + " is not an IP address; write for example 127.0.0.1";
    case TextRule::HostName:
      return is_host_name(text)
                 ? ""
                 : shown(text) + " is not the name of a host; write for example hooks.slack.com";
    case TextRule::PluginName:
      return is_instance_name(text) ? "" : "a name has lower-case letters, digits, - and _ (at most 64)";
    case TextRule::Sha256:
      return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos
                 ? ""
                 : "must be 64 lower-case hexadecimal digits, as sha256sum prints them";
    case TextRule::FileName:
      return text.find('/') == std::string::npos ? "" : "must be a file name without a folder";
    case TextRule::Cron: {
      const auto cron = Cron::parse(text);
      if (!cron.ok()) return cron.error().message;
      return cron->next(WallTime{}) ? "" : shown(text) + " names a day that never comes";
    }
    default:
      return "";
  }
}

std::string pointer_step(std::string_view key) {
  std::string step;
  for (const char c : key) {
    if (c == '~')
      step += "~0";
    else if (c == '/')
      step += "~1";
    else
      step += c;
  }
  return step;
}

class KeyReader {
 public:
  KeyReader(Config& config, std::vector<Mistake>& mistakes) : config_(config), mistakes_(mistakes) {}

  void read(const YamlNode& root) {
    std::vector<std::string> sections{"webhooks", "agents", "schedules"};
    for_each_section(config_, [&](const char* name, const auto&, auto&) { sections.emplace_back(name); });
    std::sort(sections.begin(), sections.end());
    if (root.kind != YamlNode::Kind::Mapping) {
      note(root.line, "", "must be a mapping of sections, beginning with for example `server:`");
      return;
    }
    for (const auto& member : root.members)
      if (std::find(sections.begin(), sections.end(), member.key) == sections.end())
        note(member.line, member.key, unknown_key_text("", member.key, sections));

    for_each_section(config_, [&](const char* name, const auto& fields, auto& section) {
      if (const auto* member = find(root, name)) read_section(*member, name, fields, section);
    });
    if (const auto* member = find(root, "webhooks"))
      read_instances(*member, webhook_fields(), config_.webhooks);
    if (const auto* member = find(root, "agents")) read_instances(*member, agent_fields(), config_.agents);
    if (const auto* member = find(root, "agent_defaults")) check_agent_defaults(*member);
    if (const auto* member = find(root, "schedules"))
      read_instances(*member, schedule_fields(), config_.schedules);
    finish(root);
  }

 private:
  static const YamlNode::Member* find(const YamlNode& node, std::string_view key) {
    for (const auto& member : node.members)
      if (member.key == key) return &member;
    return nullptr;
  }

  void note(int line, std::string path, std::string text) {
    mistakes_.push_back({line, std::move(path), std::move(text)});
  }

  // A key without a value, as in `webhooks:` with everything below it commented out, is an empty section.
  bool is_section(const YamlNode::Member& member, const std::string& path) {
    if (member.value.kind == YamlNode::Kind::Mapping || member.value.kind == YamlNode::Kind::Null)
      return true;
    note(member.value.line, path, "must be a mapping of keys to values; indent its keys below it");
    return false;
  }

  template <typename Section>
  void read_section(const YamlNode::Member& member, const std::string& path,
                    const std::vector<Field<Section>>& fields, Section& section) {
    if (!is_section(member, path)) return;
    std::vector<std::string> known;
    for (const auto& field : fields) known.emplace_back(field.name);
    for (const auto& entry : member.value.members) {
      const std::string entry_path = path + "." + entry.key;
      const auto field =
          std::find_if(fields.begin(), fields.end(), [&](const auto& one) { return one.name == entry.key; });
      if (field == fields.end())
        note(entry.line, entry_path, unknown_key_text(path, entry.key, known));
      else
        read_value(entry, entry_path, *field, section);
    }
  }

  static std::string& name_of(WebhookConfig& webhook) { return webhook.instance; }
  static std::string& name_of(AgentConfig& agent) { return agent.name; }
  static std::string& name_of(ScheduleConfig& schedule) { return schedule.name; }

  template <typename Section>
  void read_instances(const YamlNode::Member& member, const std::vector<Field<Section>>& fields,
                      std::map<std::string, Section, std::less<>>& instances) {
    const std::string path = member.key;
    if (!is_section(member, path)) return;
    for (const auto& entry : member.value.members) {
      const std::string entry_path = path + "." + entry.key;
      if (!is_instance_name(entry.key)) {
        note(entry.line, entry_path, "a name has lower-case letters, digits, - and _ (at most 64)");
        continue;
      }
      Section section;
      name_of(section) = entry.key;
      section.line = entry.line;
      read_section(entry, entry_path, fields, section);
      if constexpr (std::is_same_v<Section, WebhookConfig>) check_webhook(entry, entry_path, section);
      if constexpr (std::is_same_v<Section, AgentConfig>) check_agent(entry, entry_path, section);
      if constexpr (std::is_same_v<Section, ScheduleConfig>) check_schedule(entry, entry_path);
      instances.emplace(entry.key, std::move(section));
    }
  }

  void check_webhook(const YamlNode::Member& entry, const std::string& path, WebhookConfig& webhook) {
    if (webhook.plugin.empty()) webhook.plugin = webhook.instance;
    const YamlNode::Member* first = nullptr;
    for (const auto& key : entry.value.members) {
      if (!key.key.starts_with("secret_") && !key.key.starts_with("credential")) continue;
      if (first != nullptr && first->key != key.key)
        note(key.line, path + "." + key.key, "stands beside " + first->key + "; give one of the two");
      if (first == nullptr) first = &key;
    }
    if (webhook.allow_unsigned && first != nullptr)
      note(find(entry.value, "allow_unsigned")->line, path + ".allow_unsigned",
           "contradicts " + first->key + "; remove one of the two");
  }

  // Does a variable hold a secret of davit itself?
  bool is_own_secret(const std::string& variable) const {
    if (variable == config_.auth.admin_token_env || variable == config_.auth.reader_token_env) return true;
    for (const auto& [instance, webhook] : config_.webhooks)
      for (const SecretSource& source : webhook.secrets)
        if (source.kind == SecretSource::Kind::Environment && source.name == variable) return true;
    return false;
  }

  void note_own_secret(const YamlNode::Member& entry, const std::string& path, const std::string& variable) {
    note(find(entry.value, "environment")->line, path + ".environment",
         variable + " holds a secret of davit itself and is not passed on; remove it");
  }

  void check_agent(const YamlNode::Member& entry, const std::string& path, const AgentConfig& agent) {
    for (const std::string& variable : agent.environment)
      if (is_own_secret(variable)) note_own_secret(entry, path, variable);
  }

  void check_agent_defaults(const YamlNode::Member& entry) {
    config_.agent_defaults.line = entry.line;
    for (const std::string& variable : config_.agent_defaults.environment) {
      if (is_own_secret(variable)) {
        note_own_secret(entry, entry.key, variable);
      } else if (sounds_secret(variable)) {
        // It cannot be asked for by name as a grant is.
        note(find(entry.value, "environment")->line, entry.key + ".environment",
             variable +
                 " sounds like a secret, and every agent would see it; name it under agent_defaults.grants, "
                 "or under environment of the agents that need it");
      }
    }
  }

  void check_schedule(const YamlNode::Member& entry, const std::string& path) {
    for (const char* key : {"agent", "cron"})
      if (find(entry.value, key) == nullptr) note(entry.line, path, std::string("needs the key ") + key);
  }

  // What several keys decide together.
  void finish(const YamlNode& root) {
    const ServerConfig& server = config_.server;
    if (server.public_access == PublicAccess::No && is_address(server.host) && !is_loopback(server.host)) {
      const auto* section = find(root, "server");
      const auto* host = section != nullptr ? find(section->value, "host") : nullptr;
      note(host != nullptr ? host->line : 0, "server.host",
           server.host +
               " can be reached from outside this machine; use 127.0.0.1, or say so with server.public: "
               "behind_proxy (a TLS proxy in front) or direct");
    }
    if (const auto* section = find(root, "plugins")) {
      const auto* directory = find(section->value, "directory");
      config_.plugins.directory_line = directory != nullptr ? directory->line : section->line;
    }
    if (config_.plugins.store.empty()) {
      const std::size_t slash = config_.storage.path.rfind('/');
      config_.plugins.store =
          (slash == std::string::npos ? std::string() : config_.storage.path.substr(0, slash + 1)) +
          "plugins";
    }
    // What is copied into the store must not look like something that was dropped.
    if (lies_in(config_.plugins.store, config_.plugins.directory)) {
      note(config_.plugins.directory_line, "plugins.store",
           config_.plugins.store + " lies in plugins.directory (" + config_.plugins.directory +
               "); choose another folder for one of them");
    }
    std::stable_sort(mistakes_.begin(), mistakes_.end(),
                     [](const Mistake& a, const Mistake& b) { return a.line < b.line; });
  }

  // -- one value --

  template <typename Section>
  void read_value(const YamlNode::Member& entry, const std::string& path, const Field<Section>& field,
                  Section& section) {
    const bool may_be_empty = std::holds_alternative<JsonObject<Section>>(field.target);
    if (entry.value.kind == YamlNode::Kind::Null && !may_be_empty) {
      note(entry.line, path, "has no value; expected " + type_text(field) + ", or remove the line");
      return;
    }
    std::visit([&](const auto& target) { read_into(entry, path, field, section, target); }, field.target);
  }

  // A value that is one word or number; nullptr after a note.
  template <typename Section>
  const std::string* scalar(const YamlNode::Member& entry, const std::string& path,
                            const Field<Section>& field) {
    if (entry.value.kind == YamlNode::Kind::Scalar) return &entry.value.text;
    note(entry.value.line, path,
         std::string(entry.value.kind == YamlNode::Kind::Sequence ? "is a list" : "is a mapping") +
             "; expected " + type_text(field));
    return nullptr;
  }

  // A scalar that must not be in quotes.
  template <typename Section>
  const std::string* bare(const YamlNode::Member& entry, const std::string& path,
                          const Field<Section>& field) {
    const std::string* text = scalar(entry, path, field);
    if (text == nullptr || !entry.value.quoted) return text;
    note(entry.value.line, path, "is text in quotes; expected " + type_text(field) + " without quotes");
    return nullptr;
  }

  template <typename Section>
  bool in_range(const YamlNode::Member& entry, const std::string& path, const Field<Section>& field,
                double number) {
    if (number >= field.least && number <= field.most) return true;
    note(entry.value.line, path, entry.value.text + " is out of range; expected " + type_text(field));
    return false;
  }

  std::optional<bool> boolean(const YamlNode::Member& entry, const std::string& path, const auto& field) {
    const std::string* text = bare(entry, path, field);
    if (text == nullptr) return std::nullopt;
    std::string word;
    for (const char c : *text) word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (word == "true" || word == "yes" || word == "on") return true;
    if (word == "false" || word == "no" || word == "off") return false;
    note(entry.value.line, path, shown(*text) + " is neither true nor false");
    return std::nullopt;
  }

  std::optional<long long> integer(const YamlNode::Member& entry, const std::string& path, const auto& field,
                                   double factor = 1) {
    const std::string* text = bare(entry, path, field);
    if (text == nullptr) return std::nullopt;
    const auto number = parse_integer(*text);
    if (!number) {
      const std::string_view digits = std::string_view(*text).substr(text->starts_with('-') ? 1 : 0);
      const bool leading_zero = digits.size() > 1 && digits.front() == '0' &&
                                digits.find_first_not_of("0123456789") == std::string_view::npos;
      note(entry.value.line, path,
           shown(*text) +
               (leading_zero ? " begins with a zero, which some read as octal; write it without; expected "
                             : " is not a whole decimal number; expected ") +
               type_text(field));
      return std::nullopt;
    }
    if (!in_range(entry, path, field, static_cast<double>(*number) * factor)) return std::nullopt;
    return number;
  }

  std::optional<Duration> duration(const YamlNode::Member& entry, const std::string& path,
                                   const auto& field) {
    if (field.notation != Notation::WithUnit) {
      const long long factor = field.notation == Notation::Seconds ? 1000 : 1;
      const auto number = integer(entry, path, field, static_cast<double>(factor));
      if (!number) return std::nullopt;
      return Duration(*number * factor);
    }
    const std::string* text = bare(entry, path, field);
    if (text == nullptr) return std::nullopt;
    const auto value = parse_duration(*text);
    if (!value) {
      note(entry.value.line, path,
           shown(*text) + " is not a duration; write for example 500ms, 30s, 5m or 2h");
      return std::nullopt;
    }
    if (!in_range(entry, path, field, static_cast<double>(value->count()))) return std::nullopt;
    return value;
  }

  std::optional<std::size_t> size(const YamlNode::Member& entry, const std::string& path, const auto& field) {
    if (field.notation == Notation::Bytes) {
      const auto number = integer(entry, path, field);
      if (!number) return std::nullopt;
      return static_cast<std::size_t>(*number);
    }
    const std::string* text = bare(entry, path, field);
    if (text == nullptr) return std::nullopt;
    const auto value = parse_size(*text);
    if (!value) {
      note(entry.value.line, path, shown(*text) + " is not a size; write for example 65536, 512KiB or 8MiB");
      return std::nullopt;
    }
    if (!in_range(entry, path, field, static_cast<double>(*value))) return std::nullopt;
    return value;
  }

  // Text that keeps its rule, or nullopt after a note. Values of variable names are never shown: they may be
  // the secret.
  std::optional<std::string> text(const YamlNode& value, const std::string& path, TextRule rule) {
    if (value.kind != YamlNode::Kind::Scalar) {
      note(value.line, path, "expected " + std::string(word_for(rule)));
      return std::nullopt;
    }
    if (!is_plain_string(value)) {
      note(value.line, path,
           "YAML reads this as a number, boolean or null; expected " + std::string(word_for(rule)) +
               ", in quotes if it is");
      return std::nullopt;
    }
    if (const std::string problem = text_problem(value.text, rule); !problem.empty()) {
      note(value.line, path, problem);
      return std::nullopt;
    }
    return value.text;
  }

  std::optional<std::vector<std::string>> texts(const YamlNode& value, const std::string& path,
                                                TextRule rule) {
    if (value.kind != YamlNode::Kind::Sequence) {
      note(value.line, path, "must be a list; write [one, two]");
      return std::nullopt;
    }
    std::vector<std::string> items;
    for (std::size_t i = 0; i < value.items.size(); ++i)
      if (auto item = text(value.items[i], path + "[" + std::to_string(i) + "]", rule))
        items.push_back(std::move(*item));
    return items;
  }

  template <typename Section, typename Member, typename Value>
  static void assign(Section& section, Member member, std::optional<Value> value) {
    if (value) section.*member = std::move(*value);
  }

  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>& field, S& section,
                 bool S::*member) {
    assign(section, member, boolean(e, path, field));
  }
  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>& field, S& section,
                 std::optional<bool> S::*member) {
    assign(section, member, boolean(e, path, field));
  }
  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>& field, S& section,
                 int S::*member) {
    assign(section, member, integer(e, path, field));
  }
  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>& field, S& section,
                 std::optional<int> S::*member) {
    const bool absent =
        field.if_absent == "auto" && e.value.kind == YamlNode::Kind::Scalar && e.value.text == "auto";
    if (absent)
      section.*member = std::nullopt;
    else
      assign(section, member, integer(e, path, field));
  }
  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>& field, S& section,
                 std::optional<double> S::*member) {
    const std::string* text = bare(e, path, field);
    if (text == nullptr) return;
    double number = 0;
    const auto [end, error] =
        std::from_chars(text->data(), text->data() + text->size(), number, std::chars_format::fixed);
    if (error != std::errc() || end != text->data() + text->size() || !std::isfinite(number))
      note(e.value.line, path, shown(*text) + " is not a decimal number; expected " + type_text(field));
    else if (in_range(e, path, field, number))
      section.*member = number;
  }
  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>& field, S& section,
                 std::string S::*member) {
    assign(section, member, text(e.value, path, field.rule));
  }
  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>& field, S& section,
                 std::vector<std::string> S::*member) {
    assign(section, member, texts(e.value, path, field.rule));
  }
  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>& field, S& section,
                 Duration S::*member) {
    assign(section, member, duration(e, path, field));
  }
  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>& field, S& section,
                 std::optional<Duration> S::*member) {
    assign(section, member, duration(e, path, field));
  }
  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>& field, S& section,
                 std::size_t S::*member) {
    assign(section, member, size(e, path, field));
  }
  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>& field, S& section,
                 std::optional<std::size_t> S::*member) {
    assign(section, member, size(e, path, field));
  }

  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>& field, S& section,
                 const Choice<S>& choice) {
    const std::string* word = scalar(e, path, field);
    if (word == nullptr) return;
    // YAML 1.1 files say `no` and `false` for the same thing.
    const std::string_view wanted = *word == "false" ? "no" : std::string_view(*word);
    const auto found = std::find(choice.words.begin(), choice.words.end(), wanted);
    if (found == choice.words.end())
      note(e.value.line, path, shown(*word) + " is not one of " + joined(choice.words, ", "));
    else
      choice.choose(section, static_cast<int>(found - choice.words.begin()));
  }

  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>&, S& section,
                 const SecretList<S>& list) {
    const TextRule rule = rule_for(list.kind);
    std::vector<std::string> names;
    if (list.several) {
      const auto several = texts(e.value, path, rule);
      if (!several) return;
      names = *several;
      if (e.value.items.empty()) note(e.value.line, path, "is an empty list; name at least one");
    } else if (const auto one = text(e.value, path, rule)) {
      names.push_back(*one);
    }
    for (std::string& name : names) (section.*list.member).push_back({list.kind, std::move(name), e.line});
  }

  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>&, S& section,
                 std::map<std::string, SecretSource> S::*member) {
    if (e.value.kind != YamlNode::Kind::Mapping) {
      note(e.value.line, path, "must be a mapping; write {name: {env: VARIABLE}} or {name: {file: PATH}}");
      return;
    }
    for (const auto& grant : e.value.members)
      if (auto source = grant_source(grant, path + "." + grant.key))
        (section.*member).emplace(grant.key, *source);
  }

  std::optional<SecretSource> grant_source(const YamlNode::Member& grant, const std::string& path) {
    constexpr std::string_view kHint =
        "must be {env: VARIABLE}, {file: PATH} or {credential: NAME}; the secret itself does not belong in "
        "here";
    if (grant.value.kind != YamlNode::Kind::Mapping || grant.value.members.size() != 1) {
      note(grant.value.line, path, std::string(kHint));
      return std::nullopt;
    }
    const YamlNode::Member& source = grant.value.members.front();
    using Kind = SecretSource::Kind;
    Kind kind = Kind::Environment;
    if (source.key == "file") {
      kind = Kind::File;
    } else if (source.key == "credential") {
      kind = Kind::Credential;
    } else if (source.key != "env") {
      note(source.line, path, std::string(kHint));
      return std::nullopt;
    }
    const auto name = text(source.value, path + "." + source.key, rule_for(kind));
    if (!name) return std::nullopt;
    return SecretSource{kind, *name, source.line};
  }

  template <typename S>
  void read_into(const YamlNode::Member& e, const std::string& path, const Field<S>&, S& section,
                 const JsonObject<S>& object) {
    (section.*object.lines)[""] = e.line;
    if (e.value.kind == YamlNode::Kind::Null) return;
    if (e.value.kind != YamlNode::Kind::Mapping) {
      note(e.value.line, path, "must be a mapping");
      return;
    }
    refuse_secrets(e.value, path);
    keep_lines(e.value, "", section.*object.lines);
    section.*object.member = to_json_text(e.value);
  }

  // A plugin's schema is checked much later, where only JSON pointers (RFC 6901) tell what is meant.
  static void keep_lines(const YamlNode& node, const std::string& pointer,
                         std::map<std::string, int>& lines) {
    for (const auto& member : node.members) {
      const std::string below = pointer + "/" + pointer_step(member.key);
      lines[below] = member.line;
      keep_lines(member.value, below, lines);
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const std::string below = pointer + "/" + std::to_string(i);
      lines[below] = node.items[i].line;
      keep_lines(node.items[i], below, lines);
    }
  }

  // A plugin's settings are shown in lists and pages, so nothing secret may stand there.
  void refuse_secrets(const YamlNode& node, const std::string& path) {
    for (const auto& member : node.members) {
      const std::string member_path = path + "." + member.key;
      if (sounds_secret(member.key) && member.value.kind == YamlNode::Kind::Scalar &&
          is_plain_string(member.value) && !member.value.text.empty() && !names_a_grant(member.value.text))
        note(member.line, member_path,
             "a secret does not belong in this file; put it in an environment variable or a file, and grant "
             "it by name "
             "with grants: {" +
                 member.key + ": {env: VARIABLE}}");
      refuse_secrets(member.value, member_path);
    }
    for (std::size_t i = 0; i < node.items.size(); ++i)
      refuse_secrets(node.items[i], path + "[" + std::to_string(i) + "]");
  }

  Config& config_;
  std::vector<Mistake>& mistakes_;
};

template <typename Section>
void append_docs(std::vector<KeyDoc>& docs, const std::string& prefix,
                 const std::vector<Field<Section>>& fields) {
  for (const auto& field : fields)
    docs.push_back({prefix + "." + std::string(field.name), type_text(field), default_text(field),
                    std::string(field.meaning)});
}

}  // namespace

std::vector<KeyDoc> key_docs() {
  std::vector<KeyDoc> docs;
  Config config;
  for_each_section(config,
                   [&](const char* name, const auto& fields, auto&) { append_docs(docs, name, fields); });
  append_docs(docs, "webhooks.<name>", webhook_fields());
  append_docs(docs, "agents.<name>", agent_fields());
  append_docs(docs, "schedules.<name>", schedule_fields());
  return docs;
}

std::string key_docs_as_markdown() {
  std::string text, section;
  for (const KeyDoc& doc : key_docs()) {
    const std::size_t dot = doc.path.rfind('.');
    if (doc.path.substr(0, dot) != section) {
      section = doc.path.substr(0, dot);
      text += (text.empty() ? "" : "\n") + std::string("### `") + section +
              "`\n\n| key | value | default | |\n|---|---|---|---|\n";
    }
    std::string type;
    for (const char c : doc.type) type += c == '|' ? std::string("or") : std::string(1, c);
    text += "| `" + doc.path.substr(dot + 1) + "` | " + type + " | " +
            (doc.fallback == "-" ? "" : doc.fallback) + " | " + doc.meaning + " |\n";
  }
  return text;
}

void read_keys(const YamlNode& root, Config& config, std::vector<Mistake>& mistakes) {
  KeyReader(config, mistakes).read(root);
}

}  // namespace davit::config

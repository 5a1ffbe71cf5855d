// What the operator decided: the whole of config/davit.yaml as plain data, with defaults for all that is not
// said.
//
// Names are the keys of the file; the tables in *_keys.cpp bind the two and hold ranges and explanations. Nothing
// in here is a secret: a SecretSource says where one is kept, secrets.h fetches it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/base/clock.h"
#include "host/base/log.h"

namespace davit::config {

// Who may reach the port beside this machine itself.
enum class PublicAccess { No, BehindProxy, Direct };
enum class Backend { Sqlite };
enum class Isolation { InProcess, Process };
// Which header a proxy names its client in.
enum class ForwardedHeader { XForwardedFor, Forwarded };

// Where a secret is kept.
struct SecretSource {
  enum class Kind { Environment, File, Credential };
  Kind kind = Kind::Environment;
  std::string name;  // of the variable or the credential, or the path of the file
  int line = 0;      // in the configuration, for messages
};

struct ServerConfig {
  std::string host = "127.0.0.1";  // an address
  int port = 8080;                 // 0: any free one
  std::optional<int> threads;      // absent (auto): as many as there are processors, at most 8
  PublicAccess public_access = PublicAccess::No;
  int max_connections = 4096;
  int max_event_streams = 1000;                // of those that browsers hear of changes by
  int max_event_streams_per_token = 64;
  std::size_t body_limit = 1u << 20;           // of the API; each webhook has its own
  std::size_t max_incoming_bytes = 64u << 20;  // of all bodies that are on their way in
  Duration head_timeout{10'000};
  Duration body_timeout{30'000};
  Duration idle_timeout{60'000};
  Duration write_timeout{10'000};
  Duration drain_timeout{10'000};            // at a stop: how long answers and executions may take to end
  std::vector<std::string> trusted_proxies;  // addresses; who they say they speak for is believed
  ForwardedHeader forwarded_header = ForwardedHeader::XForwardedFor;
  int address_rate = 100;  // requests per second to webhooks from one address; 0: no limit
  int address_burst = 1000;
};

struct StorageConfig {
  Backend backend = Backend::Sqlite;
  std::string path = "var/davit.db";
  int retention_days = 90;              // finished tasks and deliveries; 0: for ever
  std::optional<std::size_t> max_size;  // bytes of what is kept; absent: no limit
  std::size_t min_free = 64u << 20;     // bytes of the disk below which the host is not ready
  std::optional<int> max_tasks;         // finished tasks that are kept; absent: no limit
};

struct PluginsConfig {
  std::string directory = "build/release/plugins";
  int directory_line = 0;  // of the key, else of its section; 0: neither is there
  bool watch = true;
  std::string store;  // filled in by the loader: "plugins" beside the database
  std::vector<std::string> pinned_sha256;
  std::vector<std::string> allow_writable;
  Duration probe_timeout{5'000};
  std::size_t probe_memory = 1u << 30;
  Duration settle{200};
  int quarantine_after = 3;  // crashes within the window; 0: never
  Duration quarantine_window{600'000};
};

struct AuthConfig {
  std::string admin_token_env = "DAVIT_ADMIN_TOKEN";
  std::string reader_token_env = "DAVIT_READER_TOKEN";
  Duration session_idle{12LL * 3'600'000};  // of a browser that is signed in
  Duration session_lifetime{7LL * 24 * 3'600'000};
};

struct LogConfig {
  LogLevel level = LogLevel::Info;
  LogFormat format = LogFormat::Text;
  std::string file;  // empty: stderr
};

struct MetricsConfig {
  bool public_access = false;  // /metrics without a token
};

// The processes that plugins run in.
struct RunnersConfig {
  int max = 64;
  Duration idle{60'000};
  std::size_t memory_limit = 0;  // address space of one; 0: none
  bool cgroups = true;           // where the system lets us
};

struct WebhookConfig {
  std::string instance;  // key in the file and endpoint /webhooks/<instance>
  int line = 0;
  bool enabled = true;
  std::string plugin;                 // filled in by the loader: the instance's name unless it says otherwise
  std::vector<SecretSource> secrets;  // newest first; any may have signed
  Isolation isolation = Isolation::Process;
  Duration answer_within{500};
  bool allow_unsigned = false;
  bool allow_own_signature_check = false;
  bool allow_unverified_answer = false;
  std::optional<std::size_t> max_body_bytes;  // absent: what the plugin says
  int max_retries_of_deferred = 5;
  Duration replay_window{24 * 3'600'000};
  int rate = 1000;  // verified deliveries per second; 0: no limit
  int burst = 10'000;
  std::map<std::string, SecretSource> grants;  // by the name the plugin asks for
  std::string config = "{}";                   // JSON object
  std::map<std::string, int> config_lines;  // where its members stand, by JSON pointer; "": `config:` itself
};

enum class ApprovalHash { Required, Optional };
enum class AtDeadline { Reject, Park };
enum class OnReject { Cancel, Rework };
enum class OneAtATime { Entity, Group, None };

struct AgentConfig {
  std::string name;
  int line = 0;
  bool enabled = true;
  std::optional<Duration> timeout;  // absent: what the plugin says; likewise the next two
  std::optional<int> max_retries;
  std::optional<bool> requires_approval;
  std::optional<double> session_usd;  // absent: budgets.session_usd
  int concurrency = 1;
  int executions_per_runner = 100;  // 1: a fresh process for each
  OneAtATime one_at_a_time = OneAtATime::Entity;
  OnReject on_reject = OnReject::Cancel;
  int max_reworks = 3;
  int max_crashes = 3;   // deaths of its runner with one task; then that is parked
  bool defaults = true;  // whether agent_defaults are for it, too
  std::map<std::string, SecretSource> grants;
  std::vector<std::string> environment;     // variables passed through to its runner
  std::string config = "{}";                // JSON object
  std::map<std::string, int> config_lines;  // as of webhooks
};

// For all agents, also those that the file does not name.
struct AgentDefaultsConfig {
  int line = 0;
  std::map<std::string, SecretSource> grants;  // each for those that ask for it
  std::vector<std::string> environment;
  std::string config = "{}";  // JSON object; each member for those whose schema has it
  std::map<std::string, int> config_lines;
};

// A task that is made again and again.
struct ScheduleConfig {
  std::string name;
  int line = 0;
  bool enabled = true;
  std::string agent;
  std::string cron;   // as Cron reads it
  std::string title;  // empty: says the name
  std::string task_type = "scheduled";
  std::string payload = "{}";  // JSON object
  std::map<std::string, int> payload_lines;
  std::string entity;  // empty: the schedule itself
  int priority = 0;
  bool catch_up = true;
};

struct ChainConfig {
  // Enough for a change whose checks fail twice: discovery, planning, and three rounds of executor, code
  // review and cicd are 11 agents, with three visits each.
  int max_depth = 14;
  int max_visits = 4;  // of one agent in one chain
  std::string notify;  // agent; empty: nobody
};

// Posts to senders that want to hear what becomes of their deliveries.
struct RepliesConfig {
  std::vector<std::string> hosts{"hooks.slack.com"};  // where they may go, by https
  bool allow_loopback = false;                        // 127.0.0.1 too, by http
};

// Of tasks that wait for a person.
struct ApprovalsConfig {
  ApprovalHash hash = ApprovalHash::Required;
  Duration deadline{7 * 24 * 3'600'000};  // 0: none
  Duration remind_after{24 * 3'600'000};  // 0: never
  AtDeadline on_deadline = AtDeadline::Reject;
  std::string notify;  // agent; empty: nobody
};

// What an execution says.
struct TranscriptsConfig {
  std::size_t max_size = 4u << 20;  // of one execution, before it is packed
};

// Files that an execution leaves.
struct ArtifactsConfig {
  std::size_t max_size = 1u << 20;   // of one
  std::size_t max_total = 8u << 20;  // of one execution
};

struct SandboxConfig {
  std::string command = "bwrap";
  bool required = true;
};

// US dollars. Absent: no limit.
struct BudgetsConfig {
  std::optional<double> session_usd;  // set aside for each session, and all that it may cost; absent: 1
  std::optional<double> per_task_usd;
  std::optional<double> per_agent_daily_usd;
  std::optional<double> per_actor_daily_usd;
  std::optional<double> daily_usd;
};

struct Config {
  ServerConfig server;
  StorageConfig storage;
  PluginsConfig plugins;
  AuthConfig auth;
  LogConfig log;
  MetricsConfig metrics;
  RunnersConfig runners;
  std::map<std::string, WebhookConfig, std::less<>> webhooks;
  std::map<std::string, AgentConfig, std::less<>> agents;
  AgentDefaultsConfig agent_defaults;
  std::map<std::string, ScheduleConfig, std::less<>> schedules;
  ChainConfig chain;
  ApprovalsConfig approvals;
  TranscriptsConfig transcripts;
  ArtifactsConfig artifacts;
  RepliesConfig replies;
  SandboxConfig sandbox;
  BudgetsConfig budgets;
};

}  // namespace davit::config

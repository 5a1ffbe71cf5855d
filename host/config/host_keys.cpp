// The keys of the program itself: where it listens, keeps, logs and answers, and who may ask it.
#include "host/config/key_sections.h"

namespace davit::config {
namespace {

constexpr double kLeastMaxSize = 16 << 20;  // a slip of the pen must not empty a database

constexpr std::string_view kPublicWords[] = {"no", "behind_proxy", "direct"};
constexpr std::string_view kBackendWords[] = {"sqlite"};
constexpr std::string_view kForwardedWords[] = {"x-forwarded-for", "forwarded"};
constexpr std::string_view kLevelWords[] = {"debug", "info", "warn", "error"};
constexpr std::string_view kFormatWords[] = {"text", "json"};

}  // namespace

Keys<ServerConfig> server_keys() {
  using S = ServerConfig;
  static constexpr Field kFields[] = {
      {"host", at<&S::host>, "Address to listen on; anything but this machine's own needs server.public.", 0,
       0, TextRule::Address},
      {"port", at<&S::port>,
       "TCP port; 0 takes any free one, and the same again after a crash; commands find it.", 0, 65535},
      {"threads", at<&S::threads>, "I/O threads; auto is one per processor, at most 8.", 1, 64, TextRule::Any,
       Notation::WithUnit, "auto"},
      {"public", choice<&S::public_access>(kPublicWords),
       "Who may reach the port from outside: nobody, a TLS proxy in front, or everybody."},
      {"max_connections", at<&S::max_connections>, "Open connections; more are answered 503.", 1, 100'000},
      {"max_event_streams", at<&S::max_event_streams>,
       "Open streams of events (a browser has one, however many tabs); more are answered 503.", 0, 100'000},
      {"max_event_streams_per_token", at<&S::max_event_streams_per_token>,
       "Of these, those that were opened by one token; more are answered 429.", 0, 100'000},
      {"body_limit", at<&S::body_limit>, "Largest request body of the API; webhooks have their own limit.",
       1024, 256 << 20},
      {"max_incoming_bytes", at<&S::max_incoming_bytes>,
       "Bytes of all request bodies on their way in; more are answered 503. Large ones get three quarters of "
       "it, so no single body may be larger than that.",
       1 << 20, 16.0 * (1 << 30)},
      {"head_timeout", at<&S::head_timeout>, "Time for a client to send a request's head.", 100,
       10 * kMinute},
      {"body_timeout", at<&S::body_timeout>, "Time for a client to send a request's body.", 100,
       10 * kMinute},
      {"idle_timeout", at<&S::idle_timeout>, "Time a connection may wait between requests.", 100, kHour},
      {"write_timeout", at<&S::write_timeout>, "Time a client may take no byte of its answer.", 100,
       10 * kMinute},
      {"drain_timeout", at<&S::drain_timeout>,
       "Time that answers get to end when the host stops; executions get 2 s and then run again at the next "
       "start.",
       0, kHour},
      {"trusted_proxies", at<&S::trusted_proxies>,
       "Addresses of proxies; whom they name as their client counts as the sender.", 0, 0, TextRule::Address},
      {"forwarded_header", choice<&S::forwarded_header>(kForwardedWords),
       "The header in which they name it. The other one is not looked at: it may come from anybody."},
      {"address_rate", at<&S::address_rate>,
       "Requests per second to webhooks from one address (IPv6: one /64); more are answered 429. 0 is no "
       "limit, and this machine itself has none.",
       0, 1'000'000},
      {"address_burst", at<&S::address_burst>,
       "Requests from one address that may come at once after a rest.", 1, 1'000'000},
  };
  return {kFields};
}

Keys<StorageConfig> storage_keys() {
  using S = StorageConfig;
  static constexpr Field kFields[] = {
      {"backend", choice<&S::backend>(kBackendWords), "Kind of database."},
      {"path", at<&S::path>, "Database file; token file, logs of agents and loaded plugins lie beside it.", 0,
       0, TextRule::Path},
      {"retention_days", at<&S::retention_days>,
       "Days that finished tasks and deliveries are kept; 0 keeps them for ever.", 0, 36'500},
      {"max_size", at<&S::max_size>,
       "Size of the database beyond which the oldest of them go earlier; without it there is no limit.",
       kLeastMaxSize, 1024 * kTebibyte},
      {"min_free", at<&S::min_free>,
       "Free space on the disk of the database below which /readyz says that it gets low; 0 never does.", 0,
       1024 * kTebibyte},
      {"max_tasks", at<&S::max_tasks>,
       "Finished tasks beyond which the oldest of them, and the deliveries before them, go earlier; without "
       "it there is no limit.",
       100, 1'000'000'000},
  };
  return {kFields};
}

Keys<AuthConfig> auth_keys() {
  using S = AuthConfig;
  static constexpr Field kFields[] = {
      {"admin_token_env", at<&S::admin_token_env>, "Variable with the token that may do everything.", 0, 0,
       TextRule::VariableName},
      {"reader_token_env", at<&S::reader_token_env>, "Variable with the token that may only read.", 0, 0,
       TextRule::VariableName},
      {"session_idle", at<&S::session_idle>,
       "A browser that is signed in and not used for so long has to sign in again.", kMinute,
       365 * 24 * kHour},
      {"session_lifetime", at<&S::session_lifetime>, "Likewise after so long, used or not.", kMinute,
       365 * 24 * kHour},
  };
  return {kFields};
}

Keys<LogConfig> log_keys() {
  using S = LogConfig;
  static constexpr Field kFields[] = {
      {"level", choice<&S::level>(kLevelWords), "Least level that is logged."},
      {"format", choice<&S::format>(kFormatWords), "Lines for people or for machines."},
      {"file", at<&S::file>, "File that is appended to.", 0, 0, TextRule::Path, Notation::WithUnit, "stderr"},
  };
  return {kFields};
}

Keys<MetricsConfig> metrics_keys() {
  using S = MetricsConfig;
  static constexpr Field kFields[] = {{"public", at<&S::public_access>, "Serve /metrics without a token."}};
  return {kFields};
}

Keys<RepliesConfig> replies_keys() {
  using S = RepliesConfig;
  static constexpr Field kFields[] = {
      {"hosts", at<&S::hosts>,
       "Names of hosts that senders may be told at, by https, what becomes of their deliveries; an empty "
       "list tells nobody.",
       0, 0, TextRule::HostName},
      {"allow_loopback", at<&S::allow_loopback>,
       "Also 127.0.0.1, by http: for tests. Whoever may send deliveries can then post to services of this "
       "machine."},
  };
  return {kFields};
}

}  // namespace davit::config

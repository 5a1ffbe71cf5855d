// What the operator decided about one webhook or agent instance. Made by app from the configuration.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/base/clock.h"
#include "host/base/token_bucket.h"

namespace davit::plugin {

enum class Isolation { InProcess, Process };

// A secret by the name it was granted under. Values never appear in a log, row, page, argument list or
// environment.
struct Secret {
  std::string name;
  std::string value;
  friend bool operator==(const Secret&, const Secret&) = default;
};

struct WebhookSettings {
  std::string instance;  // key in the configuration; also the endpoint /webhooks/<instance>
  std::string plugin;    // name of the webhook that a library offers
  bool enabled = true;
  Isolation isolation = Isolation::Process;
  Duration answer_within{500};       // for all hooks together
  std::string config = "{}";         // JSON object
  std::vector<std::string> secrets;  // for signatures, newest first; any may have signed
  // Of each secret its place in the configuration, from 1: those that are missing or unfit are not among
  // `secrets`. Empty: 1, 2, 3…
  std::vector<int> secret_numbers;
  std::string secret_faults;    // what is wrong with those, a sentence; no value
  std::vector<Secret> granted;  // what davit_host.secret hands out
  bool allow_unsigned = false;
  bool allow_own_signature_check = false;  // the plugin's validate_signature counts
  bool allow_unverified_answer = false;
  std::optional<std::size_t> max_body_bytes;  // over the metadata's
  int max_retries_of_deferred = 5;
  Duration replay_window{0};  // where the sender's id is not signed; 0: no guard
  Rate rate;                  // of verified deliveries
  friend bool operator==(const WebhookSettings&, const WebhookSettings&) = default;
};

// Bytes that crashed so often that they serve no more.
struct Quarantined {
  std::string reason;  // a sentence
  WallTime since{};
  friend bool operator==(const Quarantined&, const Quarantined&) = default;
};

// What was decided while running, beside the configuration.
struct Rulings {
  // Switched on or off by command, by name. What the configuration switches off stays off.
  std::map<std::string, bool, std::less<>> webhooks, agents;
  // Executions at one time that an agent may have, by its name; in the place of the configuration's number.
  std::map<std::string, int, std::less<>> concurrency;
  std::map<std::string, Quarantined, std::less<>> quarantined;  // by hash of the library
  friend bool operator==(const Rulings&, const Rulings&) = default;
};

struct AgentSettings {
  std::string name;
  bool enabled = true;
  std::string config = "{}";
  std::optional<Duration> timeout;        // over the metadata's
  std::optional<int> max_retries;         // over the metadata's
  std::optional<bool> requires_approval;  // over the metadata's
  int concurrency = 1;
  int executions_per_runner = 100;  // 1: a fresh process for each; warm otherwise
  int max_crashes = 3;              // deaths of its runner with one task; then that is parked
  std::vector<Secret> granted;
  std::vector<std::string> named_grants;           // its own, those without a value too
  std::map<std::string, std::string> environment;  // what its runner sees beside the basics
  bool takes_defaults = true;
  friend bool operator==(const AgentSettings&, const AgentSettings&) = default;
};

// What the configuration allows and a command may set: executions of an agent at one time.
inline constexpr int kMostConcurrency = 256;

// For all agents; agent_defaults.h says which of it one gets.
struct AgentDefaults {
  std::vector<Secret> granted;
  std::map<std::string, std::string> environment;
  std::string config = "{}";  // JSON object
};

}  // namespace davit::plugin

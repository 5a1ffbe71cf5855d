// The keys of plugins, of the processes that they run in, and of webhooks.
#include "host/config/key_sections.h"

namespace davit::config {
namespace {

constexpr std::string_view kIsolationWords[] = {"inprocess", "process"};

}  // namespace

Keys<PluginsConfig> plugins_keys() {
  using S = PluginsConfig;
  static constexpr Field kFields[] = {
      {"directory", at<&S::directory>, "Folder that plugin libraries are dropped into.", 0, 0,
       TextRule::Path},
      {"watch", at<&S::watch>,
       "Look at the folder as soon as something in it changes; false: at davit plugins rescan and SIGHUP."},
      {"store", at<&S::store>, "Private folder that libraries are copied to and loaded from.", 0, 0,
       TextRule::Path, Notation::WithUnit, "plugins beside the database"},
      {"pinned_sha256", at<&S::pinned_sha256>,
       "If given, only libraries with one of these SHA-256 sums are loaded.", 0, 0, TextRule::Sha256},
      {"allow_writable", at<&S::allow_writable>, "Files that may be group- or world-writable, by name.", 0, 0,
       TextRule::FileName},
      {"probe_timeout", at<&S::probe_timeout>,
       "Time a new library gets to say what it offers, and its instances to be created once before they "
       "replace others.",
       100, 10 * kMinute},
      {"probe_memory", at<&S::probe_memory>, "Address space of the process that looks at a new library.",
       64 << 20, kTebibyte},
      {"settle", at<&S::settle>,
       "Time a file must be unchanged before it is looked at, unless its writer closed it or renamed it into "
       "place.",
       0, kMinute},
      {"quarantine_after", at<&S::quarantine_after>,
       "Crashes of a library within quarantine_window that put it into quarantine; 0 never does.", 0, 1000},
      {"quarantine_window", at<&S::quarantine_window>, "How long a crash counts.", 1'000, 365 * 24 * kHour},
  };
  return {kFields};
}

Keys<RunnersConfig> runners_keys() {
  using S = RunnersConfig;
  static constexpr Field kFields[] = {
      {"max", at<&S::max>, "Plugin processes at one time; further calls wait.", 1, 4096},
      {"idle", at<&S::idle>, "An idle plugin process ends after this.", 0, 24 * kHour},
      {"memory_limit", at<&S::memory_limit>,
       "Address space of one plugin process; 0 is no limit. A program that an agent starts may lift it.", 0,
       kTebibyte},
      {"cgroups", at<&S::cgroups>, "Use cgroups to end process trees, where the system lets us."},
  };
  return {kFields};
}

Keys<WebhookConfig> webhook_keys() {
  using S = WebhookConfig;
  using Kind = SecretSource::Kind;
  static constexpr Field kFields[] = {
      {"enabled", at<&S::enabled>, "Off means 404."},
      {"plugin", at<&S::plugin>, "Name of the library's webhook, where it is not the endpoint's.", 0, 0,
       TextRule::PluginName, Notation::WithUnit, "the endpoint's name"},
      {"secret_env", SecretList{at<&S::secrets>, Kind::Environment, false},
       "Variable with the secret that deliveries are signed with."},
      {"secret_envs", SecretList{at<&S::secrets>, Kind::Environment, true},
       "Several such variables, newest first, while a secret is being changed."},
      {"secret_file", SecretList{at<&S::secrets>, Kind::File, false}, "File with the secret."},
      {"secret_files", SecretList{at<&S::secrets>, Kind::File, true}, "Several such files, newest first."},
      {"credential", SecretList{at<&S::secrets>, Kind::Credential, false},
       "Credential of the systemd service (LoadCredential=) with the secret."},
      {"credentials", SecretList{at<&S::secrets>, Kind::Credential, true},
       "Several such credentials, newest first."},
      {"isolation", choice<&S::isolation>(kIsolationWords),
       "inprocess is fastest and trusts the plugin like the host; process survives its crashes."},
      {"answer_within_ms", at<&S::answer_within>, "Time its hooks get before the delivery is kept for later.",
       1, kMinute, TextRule::Any, Notation::Milliseconds},
      {"allow_unsigned", at<&S::allow_unsigned>, "Accept deliveries from anybody, without a secret."},
      {"allow_own_signature_check", at<&S::allow_own_signature_check>,
       "Believe the plugin's own check where its scheme cannot be declared."},
      {"allow_unverified_answer", at<&S::allow_unverified_answer>,
       "Let the plugin answer before the signature is checked (some protocols' handshake)."},
      {"max_body_bytes", at<&S::max_body_bytes>, "Largest delivery.", 1, 64 << 20, TextRule::Any,
       Notation::Bytes, "what the plugin says"},
      {"max_retries_of_deferred", at<&S::max_retries_of_deferred>,
       "Tries of a kept delivery's hooks before it waits for a person.", 0, 1000},
      {"replay_window", at<&S::replay_window>,
       "Where the sender's id is not signed: how long the same body under another id counts as a duplicate; "
       "0 is no guard.",
       0, 365 * 24 * kHour},
      {"rate", at<&S::rate>, "Verified deliveries per second; more are answered 429. 0 is no limit.", 0,
       1'000'000},
      {"burst", at<&S::burst>, "Verified deliveries that may come at once after a rest.", 1, 1'000'000},
      {"grants", at<&S::grants>,
       "Secrets the plugin may ask for, by name: {api: {env: NAME}}, {api: {file: PATH}} or {api: "
       "{credential: NAME}}."},
      {"config", JsonObject{at<&S::config>, at<&S::config_lines>},
       "The plugin's own settings, checked against its schema."},
  };
  return {kFields};
}

}  // namespace davit::config

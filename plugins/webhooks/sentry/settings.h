// The instance's `config`: every rule of the decision is a value here. README.md explains each.
#pragma once

#include <string>
#include <vector>

#include "davit/json.hpp"

namespace sentry {

struct Settings {
  // Which events start `agent`.
  std::string agent = "planning-agent";
  std::string task_type = "issue_fix";
  std::vector<std::string> issue_actions = {"created"};
  bool event_alerts = true;
  std::vector<std::string> alert_rules = {};  // names; empty: all
  bool errors = false;                        // each single error.created
  int settle_seconds = 0;

  // Of which errors. Empty lists: all.
  std::vector<std::string> categories = {"error"};
  std::vector<std::string> levels = {"error", "fatal"};
  std::vector<std::string> projects = {};  // slugs or ids
  std::vector<std::string> environments = {};

  // From where, and by whom.
  std::vector<std::string> organizations = {};  // slugs
  std::vector<std::string> installations = {};  // uuids
  std::vector<std::string> ignore_actors = {};  // ids

  // An agent for metric alerts; empty: nobody.
  std::string metric_alert_agent = {};
  std::vector<std::string> metric_alert_actions = {"critical"};

  std::string organization = {};  // where a delivery does not name it
  std::string base_url = "https://sentry.io";

  // `config` is valid against kConfigSchema. Throws davit::Failure for what a schema cannot say.
  static Settings from(davit::JsonView config);
};

extern const char* const kConfigSchema;

}  // namespace sentry

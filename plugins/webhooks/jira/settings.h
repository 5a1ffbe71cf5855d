// The instance's `config`: every rule of the decision is a value here. README.md explains each.
#pragma once

#include <string>
#include <vector>

#include "davit/json.hpp"

namespace jira {

// Persons are named by account id (Cloud), or by user key or name (Data Center).
struct Settings {
  // Which issues start `agent`.
  std::string agent = "planning-agent";
  std::string task_type = "issue_fix";
  std::vector<std::string> labels = {"AI-Fix"};
  std::vector<std::string> text_markers = {"Sentry Issue:"};
  std::vector<std::string> events = {"issue_created", "issue_updated"};
  bool any_update = false;  // an update counts also if it did not add the label or the text itself
  int settle_seconds = 0;

  // Whose, and where. Empty lists of projects, types and users: all.
  std::vector<std::string> projects = {};
  std::vector<std::string> issue_types = {};
  std::vector<std::string> users = {};
  std::vector<std::string> ignore_users = {};
  std::vector<std::string> allow_bots = {};
  bool allow_customers = false;

  // Commands in comments; an empty prefix switches them off.
  std::string command_prefix = "/davit";
  std::vector<std::string> command_users = {};  // empty: nobody; "*": whoever passes the lists above
  std::vector<std::string> run_agents = {};     // beside `agent`
  std::string comments_from = "auto";           // auto, comment_created or issue_updated

  std::vector<std::string> github_hosts = {"github.com"};
  std::vector<std::string> sentry_hosts = {"sentry.io"};

  // `config` is valid against kConfigSchema. Throws davit::Failure for what a schema cannot say.
  static Settings from(davit::JsonView config);
};

extern const char* const kConfigSchema;

}  // namespace jira

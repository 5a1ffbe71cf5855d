// The instance's `config`: every rule of the decision is a value here. README.md explains each.
#pragma once

#include <string>
#include <vector>

#include "davit/json.hpp"

namespace github {

struct Settings {
  // Which issue events start `agent`.
  std::string agent = "planning-agent";
  std::string task_type = "issue_fix";
  std::vector<std::string> labels = {"AI-Fix"};
  std::vector<std::string> text_markers = {"Sentry Issue:"};
  std::vector<std::string> issue_actions = {"opened", "edited", "reopened", "labeled"};
  int settle_seconds = 0;

  // Who may. A sender is named by login or by numeric id.
  std::vector<std::string> repositories = {};  // "owner/name" or "owner/*"; empty: all
  std::vector<std::string> trusted_associations = {"OWNER", "MEMBER", "COLLABORATOR"};
  bool trust_unknown_authors = false;   // of issues, where the server sends no association
  std::vector<std::string> users = {};  // empty: all
  std::vector<std::string> ignore_senders = {};
  std::vector<std::string> allow_bots = {"sentry-io[bot]", "sentry[bot]"};

  // Commands in comments; an empty prefix switches them off.
  std::string command_prefix = "/davit";
  std::vector<std::string> run_agents = {};  // beside `agent`

  std::vector<std::string> approve_by = {};  // review, merge

  // Agents for pull requests and failed runs; empty: nobody.
  std::string review_agent = {};
  std::string ci_agent = {};
  std::vector<std::string> ci_events = {"check_run", "workflow_run"};
  std::vector<std::string> ci_conclusions = {"failure", "timed_out"};

  std::vector<std::string> sentry_hosts = {"sentry.io"};

  // `config` is valid against kConfigSchema. Throws davit::Failure for what a schema cannot say.
  static Settings from(davit::JsonView config);
};

extern const char* const kConfigSchema;

}  // namespace github

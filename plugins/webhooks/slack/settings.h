// The instance's `config`: every rule of the decision is a value here. README.md explains each.
#pragma once

#include <string>
#include <vector>

#include "davit/json.hpp"

namespace slack {

struct Settings {
  // What starts `agent`.
  std::string agent = "planning-agent";
  std::string task_type = "request";
  bool mentions = true;
  bool direct_messages = false;
  std::vector<std::string> commands = {"/davit"};  // slash commands; empty: none

  // Who, and where, by Slack's ids. Empty lists of teams, channels and users: all.
  std::vector<std::string> teams = {};
  std::vector<std::string> channels = {};
  std::vector<std::string> users = {};
  std::vector<std::string> ignore_users = {};
  bool allow_external = false;  // people of other workspaces, in channels shared with them

  std::vector<std::string> command_users = {};  // who may act on tasks; empty: nobody; "*": whoever passes
  std::vector<std::string> run_agents = {};     // beside `agent`
  std::string button_prefix = "davit_";         // of the action ids of our buttons

  // `config` is valid against kConfigSchema. Throws davit::Failure for what a schema cannot say.
  static Settings from(davit::JsonView config);
};

extern const char* const kConfigSchema;

}  // namespace slack

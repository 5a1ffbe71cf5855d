#include "source_note/settings.h"

#include <algorithm>

#include "davit/failure.hpp"

namespace note {
namespace {

using davit::Failure;
using davit::JsonView;

void need(bool fits, const std::string& key, const char* wanted) {
  if (!fits) throw Failure::invalid_input(key + " is not " + wanted);
}

// An object with no members but `known`, or null.
void need_object(JsonView value, const std::string& key, std::initializer_list<std::string_view> known) {
  need(value.is_null() || value.is_object(), key, "an object");
  for (const auto [name, member] : value.members()) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw Failure::invalid_input(key + "." + std::string(name) + " is unknown");
  }
}

void read_text(JsonView value, const std::string& key, std::string& text) {
  if (value.is_null()) return;
  need(!value.string_or("").empty(), key, "a text");
  text = value.string_or("");
}

void read_address(JsonView value, const std::string& key, std::string& address) {
  read_text(value, key, address);
  need(address.empty() || address.starts_with("https://") || address.starts_with("http://127.0.0.1"), key,
       "an address that begins with https://");
  while (address.ends_with('/')) address.pop_back();
}

}  // namespace

Settings Settings::from(JsonView config) {
  Settings settings;
  need_object(config, "notes", {"github", "jira", "sentry", "slack"});
  const JsonView github = config["github"], jira = config["jira"];
  need(github.is_null() || github.is_bool(), "notes.github", "true or false");
  settings.github = github.bool_or(true);
  need_object(jira, "notes.jira", {"site", "user"});
  read_address(jira["site"], "notes.jira.site", settings.jira_site);
  read_text(jira["user"], "notes.jira.user", settings.jira_user);
  need_object(config["sentry"], "notes.sentry", {"url"});
  read_address(config["sentry"]["url"], "notes.sentry.url", settings.sentry_url);
  need_object(config["slack"], "notes.slack", {"api"});
  read_address(config["slack"]["api"], "notes.slack.api", settings.slack_api);
  return settings;
}

}  // namespace note

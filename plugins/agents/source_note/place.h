// Where a task came from, as a place that one can write to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "github_api/paths.h"

namespace note {

enum class Sender { Github, Jira, Sentry, Slack };

struct Place {
  Sender sender = Sender::Github;
  std::string key;           // the entity's: "jira:x.atlassian.net/TES-41"
  github::Repo repo = {};    // GitHub
  int number = 0;            // GitHub: an issue or pull request
  std::string site = {};     // Jira: the host; Sentry: the organization
  std::string issue = {};    // Jira: "TES-41"; Sentry: the issue's number
  std::string channel = {};  // Slack
  std::string thread = {};   // Slack: "1583636399.000700"
};

// Of the key of a task's entity, as the webhooks make it. Nullopt for what is no place to write to: a commit,
// a repository, another webhook's.
std::optional<Place> place_of(std::string_view entity_key);

}  // namespace note

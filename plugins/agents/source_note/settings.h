// Which senders are told, and how they are reached.
#pragma once

#include <string>
#include <string_view>

#include "davit/json.hpp"

namespace note {

// Secrets, by the names of their grants: jira_token, sentry_token, slack_token.
struct Tokens {
  std::string jira = {}, sentry = {}, slack = {};
};

struct Settings {
  bool github = true;
  std::string jira_site = {};  // "https://x.atlassian.net"; empty: is not told
  std::string jira_user = {};  // of the Cloud the account's mail; empty: the token alone, as on a Data Center
  std::string sentry_url = "https://sentry.io";
  std::string slack_api = "https://slack.com/api";

  // Of `notes` in an agent's config; null is the default. Throws davit::Failure(InvalidInput), naming the
  // key.
  static Settings from(davit::JsonView config);
};

// JSON Schema (draft 4) of it.
inline constexpr std::string_view kSchema = R"({
  "type": "object",
  "description": "Where the source of a task is told what becomes of it",
  "additionalProperties": false,
  "properties": {
    "github": {"type": "boolean", "description": "Comment on the issue or pull request; true by default"},
    "jira": {
      "type": "object", "additionalProperties": false, "required": ["site"],
      "description": "Comment on the Jira issue; wants the grant jira_token",
      "properties": {
        "site": {"type": "string", "description": "Address of the site, https://name.atlassian.net"},
        "user": {"type": "string", "description": "Mail of the account, on the Cloud"}
      }
    },
    "sentry": {
      "type": "object", "additionalProperties": false,
      "description": "Comment on the Sentry issue; wants the grant sentry_token",
      "properties": {"url": {"type": "string", "description": "Of a server of one's own"}}
    },
    "slack": {
      "type": "object", "additionalProperties": false,
      "description": "Answer in the Slack thread; wants the grant slack_token",
      "properties": {"api": {"type": "string", "description": "Address of the API, where it is another"}}
    }
  }
})";

}  // namespace note

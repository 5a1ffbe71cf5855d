// Whom the operator lets start work, beside those who may write to the repository.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "davit/json.hpp"

namespace gate {

struct Settings {
  // Bots on GitHub, by their ids: names that end in [bot] are nobody's proof.
  std::set<std::int64_t> bots = {};
  // Who of another sender is who on GitHub: {"jira": {"5c5f880629be9642ba529340": 11}}, by webhook.
  std::map<std::string, std::map<std::string, std::int64_t>> people = {};
  // Webhooks whose own rules decide who may start work. Never GitHub's, which can be asked.
  std::set<std::string> trust = {"sentry", "cli", "api"};

  // The GitHub that is asked, "github.com" or "ghe.example:8443"; empty: any. What another one delivers is no
  // claim about anybody there. Not of `gate`: who reads the config says it.
  std::string server = {};

  // Of `gate` in an agent's config; null is the default. Throws davit::Failure(InvalidInput), naming the key.
  static Settings from(davit::JsonView config);
};

// JSON Schema (draft 4) of it.
inline constexpr std::string_view kSchema = R"({
  "type": "object",
  "description": "Who may start work beside people with write permission",
  "additionalProperties": false,
  "properties": {
    "bots": {
      "type": "array", "items": {"type": "integer", "minimum": 1},
      "description": "Ids of bots on GitHub that may start work"
    },
    "people": {
      "type": "object",
      "additionalProperties": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
      "description": "By webhook (jira, slack): a person's id there, and the id of the same person on GitHub"
    },
    "trust": {
      "type": "array", "items": {"type": "string"},
      "description": "Webhooks whose own rules say who may start work; by default sentry, cli and api"
    }
  }
})";

}  // namespace gate

// What an event (event.h) leads to, by the rules of the settings. Every verdict says which rule made it.
#pragma once

#include <string>

#include "davit/answer.hpp"
#include "davit/json.hpp"
#include "settings.h"

namespace jira {

struct Verdict {
  enum class Move { Nothing, Start, Act };

  Move move = Move::Nothing;
  std::string reason;                       // a sentence without full stop, for the answer's message
  std::string agent;                        // Start: who
  davit::Verb verb = davit::Verb::Approve;  // Act
  std::string content_hash;                 // Act: of what is decided about, or empty
  std::string comment;                      // Act: what was said with it
  std::string via;                          // Act: how it was said
};

Verdict decide(const Settings& settings, davit::JsonView event);

// jira:<site>/<KEY>
davit::Entity entity_of(davit::JsonView event);

}  // namespace jira

// What an event (event.h) leads to, by the rules of the settings. Every verdict says which rule made it.
#pragma once

#include <string>

#include "davit/answer.hpp"
#include "davit/json.hpp"
#include "settings.h"

namespace slack {

struct Verdict {
  enum class Move { Nothing, Start, Act };

  Move move = Move::Nothing;
  std::string reason;                       // a sentence without full stop, for the answer's message
  std::string agent;                        // Start: who
  std::string request;                      // Start: what was asked for
  davit::Verb verb = davit::Verb::Approve;  // Act
  std::string target;                       // Act: a task's id, or an entity's key, which has a colon
  std::string content_hash;                 // Act: of what is decided about, or empty
  std::string comment;                      // Act: what was said with it
  std::string via;                          // Act: how it was said
};

// Not for url_verification and ssl_check, which are no events.
Verdict decide(const Settings& settings, davit::JsonView event);

// slack:<team>/<channel>/<time stamp of the thread's first message>; for what has no message, of its trigger.
davit::Entity entity_of(davit::JsonView event);

}  // namespace slack

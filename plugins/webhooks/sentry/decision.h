// What an event (event.h) leads to, by the rules of the settings. Every verdict says which rule made it.
#pragma once

#include <string>

#include "davit/answer.hpp"
#include "davit/json.hpp"
#include "settings.h"

namespace sentry {

struct Verdict {
  bool starts = false;
  std::string reason;  // a sentence without full stop, for the answer's message
  std::string agent;   // who, if it starts work
};

Verdict decide(const Settings& settings, davit::JsonView event);

// sentry:<organization>/<issue id>, sentry:<organization>/alert-<id> for a metric alert. Deliveries that name
// no organization get the settings', else the installation's uuid stands for it.
davit::Entity entity_of(const Settings& settings, davit::JsonView event);

}  // namespace sentry

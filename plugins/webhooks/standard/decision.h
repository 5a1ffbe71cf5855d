// Which rule of the settings applies to an event ({event: its name, body: the whole body}), and why none
// does.
#pragma once

#include <string>

#include "davit/json.hpp"
#include "settings.h"

namespace standard {

struct Verdict {
  const Rule* rule = nullptr;  // of the settings; null: nothing is done
  std::string reason;          // a sentence without full stop, for the answer's message
};

Verdict decide(const Settings& settings, davit::JsonView event);

}  // namespace standard

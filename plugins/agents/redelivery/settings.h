// Which hooks are looked after, and how far back.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "davit/json.hpp"
#include "github_account/settings.h"
#include "github_api/hooks.h"

namespace redelivery {

// For people: "acme/shop, hook 5", "the GitHub App".
std::string name_of(const github::Hook& hook);

struct Settings {
  github::Settings github = {};
  std::vector<github::Hook> hooks = {};
  std::chrono::hours lookback{72};  // GitHub forgets deliveries after three days
  int most = 100;                   // asked for in one execution

  // Of the agent's config. Throws davit::Failure(InvalidInput), naming the key.
  static Settings from(davit::JsonView config);
};

std::string config_schema();

}  // namespace redelivery

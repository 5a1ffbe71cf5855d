// What GitHub remembers of the webhooks it sent, for three days.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "davit/json.hpp"
#include "github_api/paths.h"

namespace github {

// Whose: a repository's, an organization's, or with neither the GitHub App's own.
struct Hook {
  std::int64_t id = 0;  // the App has one hook, without a number
  Repo repo = {};
  std::string organization = {};

  bool of_app() const { return repo.name.empty() && organization.empty(); }
};

// "/repos/OWNER/NAME/hooks/7/deliveries". Throws davit::Failure(InvalidInput) for a hook of both, or without
// its id.
std::string deliveries_path(const Hook& hook);

struct HookDelivery {
  std::int64_t id = 0;
  std::string guid;  // the same for all attempts to deliver one event
  std::chrono::sys_seconds at{};
  bool again = false;  // somebody asked for it
  bool good = false;   // was answered with 2xx
  int status = 0;      // 0: not answered at all
  std::string event = {}, action = {};
};

// Throws davit::Failure(Permanent) without id, guid or time.
HookDelivery hook_delivery_of(davit::JsonView json);

struct DeliveryPage {
  std::vector<HookDelivery> deliveries;  // the newest first
  std::string next;                      // where older ones are; empty: there are none
};

}  // namespace github

#include "actor_gate/settings.h"

#include "davit/failure.hpp"

namespace gate {
namespace {

using davit::Failure;
using davit::JsonView;

std::int64_t id_in(JsonView value, const std::string& key) {
  if (value.int_or(0) <= 0)
    throw Failure::invalid_input(key +
                                 " holds something that is no id on GitHub: give the number, not the name");
  return value.int_or(0);
}

// Null and absent leave the default.
bool is_set(JsonView value, bool fits, const std::string& key, const char* wanted) {
  if (value.is_null()) return false;
  if (!fits) throw Failure::invalid_input(key + " is not " + wanted);
  return true;
}

}  // namespace

Settings Settings::from(JsonView config) {
  Settings settings;
  if (!is_set(config, config.is_object(), "gate", "an object")) return settings;
  for (const auto [name, value] : config.members()) {
    if (name != "bots" && name != "people" && name != "trust")
      throw Failure::invalid_input("gate." + std::string(name) +
                                   " is unknown: there are bots, people and trust");
  }
  const JsonView bots = config["bots"], people = config["people"], trust = config["trust"];
  if (is_set(bots, bots.is_array(), "gate.bots", "a list of ids")) {
    for (const JsonView bot : bots) settings.bots.insert(id_in(bot, "gate.bots"));
  }
  if (is_set(people, people.is_object(), "gate.people", "an object")) {
    for (const auto [webhook, ids] : people.members()) {
      const std::string key = "gate.people." + std::string(webhook);
      if (!ids.is_object()) throw Failure::invalid_input(key + " is not an object of ids");
      for (const auto [there, here] : ids.members())
        settings.people[std::string(webhook)][std::string(there)] = id_in(here, key);
    }
  }
  if (is_set(trust, trust.is_array(), "gate.trust", "a list of webhooks")) {
    settings.trust.clear();
    for (const JsonView webhook : trust) {
      if (webhook.string_or("").empty())
        throw Failure::invalid_input("gate.trust holds what is no webhook's name");
      settings.trust.emplace(webhook.string_or(""));
    }
  }
  return settings;
}

}  // namespace gate

// The instance's `config`: which events of its sender matter, and where in their bodies things are. README.md
// explains each.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../reading/links.h"
#include "condition.h"
#include "davit/json.hpp"
#include "template.h"

namespace standard {

// The first rule that applies decides.
struct Rule {
  std::string name;                 // for people
  std::vector<std::string> events;  // patterns, of which one must fit
  std::vector<Condition> when;      // all of them must hold
  std::string agent = "planning-agent";
  std::string task_type = "webhook_event";
  int priority = 0;
};

struct Settings {
  std::string event_at = "/type";  // pointer to the event's name
  std::vector<Condition> require;  // must hold for any rule to be looked at
  std::vector<Rule> rules;
  Template title;
  Template entity_key, entity_title, entity_url, entity_group;
  std::string entity_type;
  Template actor_id, actor_login, actor_role;
  struct LinkTexts {
    std::string rel;
    Template key, url;
  };
  std::vector<LinkTexts> links;
  std::vector<std::string> texts;                            // pointers to prose that is searched for links
  std::vector<std::pair<std::string, std::string>> payload;  // member and pointer; empty: the whole body
  int settle_seconds = 0;
  reading::LinkHosts hosts;

  // `config` is valid against kConfigSchema. Throws davit::Failure for what a schema cannot say.
  static Settings from(davit::JsonView config);
};

extern const char* const kConfigSchema;

}  // namespace standard

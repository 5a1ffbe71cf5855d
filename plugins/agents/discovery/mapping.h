// What the operator says: work that comes like this is about that repository.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "davit/json.hpp"
#include "work_item/request.h"

namespace discovery {

// What a mapping looks at.
struct Origin {
  std::string webhook;      // as the configuration calls it
  davit::JsonView payload;  // as that webhook makes it
  const work::Request& request;
};

struct Mapping {
  // By the name of the condition; all of them must hold. Letters A to Z count in either case.
  //   webhook         Origin::webhook
  //   source          payload.source: github, jira, sentry, slack, or the name of an instance of standard
  //   jira_project    of jira: payload.issue.project
  //   sentry_project  of sentry: payload.project.slug, .id or .name, or one of payload.metric_alert.projects
  //   slack_channel   of slack: payload.channel
  //   label           one of payload.issue.labels, payload.pull_request.labels or payload.tags
  //   text            words that stand in the request's title or text
  std::map<std::string, std::string> when;
  std::string repository;
};

std::vector<std::string_view> names_of_conditions();

// Throws davit::Failure(Internal) for a condition that does not exist.
bool holds(const Mapping& mapping, const Origin& origin);

// "jira_project SHOP, label billing".
std::string to_text(const Mapping& mapping);

}  // namespace discovery

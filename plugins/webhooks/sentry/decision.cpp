// Rules in the order they are asked: what kind of event, then from where and by whom, then about what.
#include "decision.h"

#include <algorithm>

#include "../reading/lists.h"

namespace sentry {
namespace {

using davit::JsonView;
using reading::contains;

std::string text(std::string_view view) { return std::string(view); }
std::string quoted(std::string_view view) { return "'" + std::string(view) + "'"; }

Verdict nothing(std::string reason) { return {.reason = std::move(reason)}; }

std::string event_name(JsonView event) {
  return text(event["resource"].string_or("")) + "." + text(event["action"].string_or(""));
}

std::string_view organization_of(const Settings& settings, JsonView event) {
  const std::string_view named = event["organization"].string_or("");
  return named.empty() ? std::string_view(settings.organization) : named;
}

// Why nothing from there counts; empty if it does.
std::string refusal(const Settings& settings, JsonView event) {
  const std::string_view installation = event["installation"].string_or("");
  if (!settings.installations.empty() && !contains(settings.installations, installation))
    return "installation " + quoted(installation) + " is not in installations";
  const std::string_view organization = organization_of(settings, event);
  if (!settings.organizations.empty() && !contains(settings.organizations, organization))
    return "organization " + quoted(organization) + " is not in organizations";
  const JsonView actor = event["actor"];
  if (actor["id"].is_string() && contains(settings.ignore_actors, actor["id"].string_or("")))
    return "actor " + quoted(actor["id"].string_or("")) + " is in ignore_actors";
  if (settings.projects.empty() || event["resource"] == "installation") return "";
  const JsonView project = event["project"], several = event["metric_alert"]["projects"];
  const std::string_view slug = project["slug"].string_or(""), id = project["id"].string_or("");
  const bool wanted = contains(settings.projects, slug) || contains(settings.projects, id) ||
                      std::any_of(several.begin(), several.end(), [&](JsonView one) {
                        return contains(settings.projects, one.string_or(""));
                      });
  return wanted ? "" : "project " + quoted(slug.empty() ? id : slug) + " is not in projects";
}

// Why this issue or event is not worth work. What a delivery does not say cannot be held against it, but an
// environment that is asked for must be named.
std::string unworthy(const Settings& settings, JsonView event) {
  const JsonView issue = event["issue"], of = event["event"];
  const std::string_view category = issue["category"].string_or("");
  if (!settings.categories.empty() && !category.empty() && !contains(settings.categories, category))
    return "issue category " + quoted(category) + " is not in categories";
  const std::string_view level = issue["level"].string_or(of["level"].string_or(""));
  if (!settings.levels.empty() && !level.empty() && !contains(settings.levels, level))
    return "level " + quoted(level) + " is not in levels";
  const std::string_view environment = of["environment"].string_or("");
  if (!settings.environments.empty() && of.is_object() && !contains(settings.environments, environment))
    return "environment " + quoted(environment) + " is not in environments";
  return "";
}

Verdict start(const Settings& settings, JsonView event, std::string reason) {
  if (std::string why = unworthy(settings, event); !why.empty()) return nothing(std::move(why));
  return {.starts = true, .reason = std::move(reason), .agent = settings.agent};
}

Verdict decide_event_alert(const Settings& settings, JsonView event) {
  if (event["action"] != "triggered" || !settings.event_alerts)
    return nothing(event_name(event) + " starts no work");
  const std::string_view rule = event["alert"]["rule"].string_or("");
  if (!settings.alert_rules.empty() && !contains(settings.alert_rules, rule))
    return nothing("alert rule " + quoted(rule) + " is not in alert_rules");
  return start(settings, event,
               rule.empty() ? "an alert rule fired" : "alert rule " + quoted(rule) + " fired");
}

Verdict decide_metric_alert(const Settings& settings, JsonView event) {
  if (settings.metric_alert_agent.empty())
    return nothing("metric alerts are for people: no metric_alert_agent is set");
  const std::string_view action = event["action"].string_or("");
  if (!contains(settings.metric_alert_actions, action)) return nothing(event_name(event) + " starts no work");
  return {
      .starts = true, .reason = "the metric alert is " + text(action), .agent = settings.metric_alert_agent};
}

}  // namespace

Verdict decide(const Settings& settings, JsonView event) {
  const std::string_view resource = event["resource"].string_or(""), action = event["action"].string_or("");
  if (std::string why = refusal(settings, event); !why.empty()) return nothing(std::move(why));
  if (resource == "installation")
    return nothing("installation " + text(event["installation"].string_or("")) + " is " + text(action) +
                   "; that starts no work");
  if (resource == "comment") return nothing("comments start no work");
  if (resource == "event_alert") return decide_event_alert(settings, event);
  if (resource == "metric_alert") return decide_metric_alert(settings, event);
  if (resource == "error") {
    if (!settings.errors || action != "created")
      return nothing(event_name(event) + " starts no work: issues and alerts do, unless errors is set");
    return start(settings, event, "an error was sent");
  }
  if (!contains(settings.issue_actions, action)) return nothing(event_name(event) + " starts no work");
  return start(settings, event, "the issue was " + text(action));
}

davit::Entity entity_of(const Settings& settings, JsonView event) {
  std::string_view organization = organization_of(settings, event);
  std::string base = "sentry:";
  base += organization.empty() ? event["installation"].string_or("") : organization;
  base += "/";
  const JsonView project = event["project"];
  std::string_view slug = project["slug"].string_or("");
  if (slug.empty()) slug = project["id"].string_or("");
  const std::string group = slug.empty() ? "" : base + "project-" + text(slug);
  const JsonView alert = event["metric_alert"];
  if (alert.is_object()) {
    return {.key = base + "alert-" + text(alert["id"].string_or("")),
            .type = "metric_alert",
            .title = text(alert["title"].string_or("")),
            .url = text(alert["url"].string_or("")),
            .group = group};
  }
  const JsonView issue = event["issue"];
  const std::string id = text(issue["id"].string_or(""));
  std::string url = text(issue["url"].string_or(""));
  if (url.empty() && !organization.empty())
    url = settings.base_url + "/organizations/" + text(organization) + "/issues/" + id + "/";
  return {.key = base + id,
          .type = "issue",
          .title = text(issue["title"].string_or(event["event"]["title"].string_or(""))),
          .url = std::move(url),
          .group = group};
}

}  // namespace sentry

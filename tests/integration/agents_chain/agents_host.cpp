#include "tests/integration/agents_chain/agents_host.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "davit/failure.hpp"

namespace davit::testing {
namespace {

namespace fs = std::filesystem;

// Their files; the part that the model plays for each, if it does; what tests want of its config.
struct Agent {
  std::string plugin, name, part, config = "{}";
};
const Agent kAgents[] = {{"discovery_agent", "discovery-agent", "",
                          R"({"repositories": ["acme/shop", "acme/warehouse"], "mappings": [
       {"when": {"jira_project": "TES"}, "repository": "acme/shop"},
       {"when": {"slack_channel": "C123"}, "repository": "acme/shop"}]})"},
                         {"planning_agent", "planning-agent", "plan"},
                         {"executor_agent", "executor-agent", "execute",
                          R"({"test_command": ["grep", "-q", "+", "src/cart.cpp"]})"},
                         {"code_review_agent", "code-review-agent", "review"},
                         {"cicd_agent", "cicd-agent", "", R"({"settle_seconds": 0, "poll_seconds": 1})"},
                         {"notify_agent", "notify-agent", ""}};

constexpr const char* kTokenOfIncidents = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

Json lists_of_files() { return Json::array({AgentsHost::kFile}); }

std::string replaced(std::string text, const AgentsHost::Replace& replace) {
  for (const auto& [old, wanted] : replace) {
    EXPECT_NE(text.find(old), std::string::npos) << "nothing says " << old;
    for (std::size_t at = 0; (at = text.find(old, at)) != std::string::npos; at += wanted.size())
      text.replace(at, old.size(), wanted);
  }
  return text;
}

}  // namespace

AgentsHost::AgentsHost() {
  repositories.token = FakeGithub::kToken;
  repositories.commit("acme/shop", "main", {{kFile, Blob{kWrong}}, {"README.md", Blob{"A shop.\n"}}});
  const fs::path repository = repositories.repository("acme/shop");
  github.lie_at(repository);
  github.add_issue("Wrong sum", "total(2, 3) is -1.");
  github.check_commits(
      [repository](const std::string& sha) {
        return run_git(repository, {"show", sha + ":" + kFile}) + "\n" == kRight ? "success" : "failure";
      },
      kLog);
  github.end_reruns("failure");
  for (const auto& [id, login] : {std::pair(kLabeller, "sbansal1999"), std::pair(kCommenter, "chhsia0")}) {
    github.rename(id, login);
    github.permit(id, "write");
  }
  plan();
  execute(kRight);
  review();

  for (const Agent& agent : kAgents) davit.install(agent.plugin);
  for (const char* webhook : {"github", "jira", "sentry", "slack", "standard"}) davit.install(webhook);
  davit.environment().insert({{"GITHUB_TOKEN", FakeGithub::kToken},
                              {"JIRA_TOKEN", "jira-secret"},
                              {"SENTRY_TOKEN", "sentry-secret"},
                              {"SLACK_TOKEN", "slack-secret"},
                              {"INCIDENTS_SECRET", kTokenOfIncidents}});
  for (const Agent& agent : kAgents)
    if (!agent.part.empty()) davit.environment()["SCRIPT_OF_" + agent.part] = claude.grant(agent.part);
}

void AgentsHost::plan(const std::string& summary) {
  Json step = Json::object({{"what", "Add the two."}, {"why", "It is a sum."}, {"files", lists_of_files()}});
  claude.answer(Json::object({{"status", "planned"},
                              {"summary", summary},
                              {"root_cause", "It subtracts."},
                              {"steps", Json::array({std::move(step)})},
                              {"files", lists_of_files()},
                              {"tests", Json::array({"CartTest.Sums"})},
                              {"risks", Json::array()},
                              {"estimate", "small"}}),
                "", {"plan", kPlanUsd});
}

void AgentsHost::limit_plans(std::chrono::sys_seconds until) {
  const std::string recorded = streams::bytes_of("success_is_error");
  claude.play("emit " + claude.file("limited", replaced(recorded, {{"\"resetsAt\":1790000000",
                                                                   "\"resetsAt\":" +
                                                                       std::to_string(until.time_since_epoch().count())}})) +
                  "\n",
              "plan");
}

// The prompt of a repair says which mode it is; that of the first session knows none.
void AgentsHost::execute(const std::string& content) {
  const scripted::Part part{"execute", kExecuteUsd};
  Json tests = Json::object({{"added", Json::array()}, {"ran", Json::array()}, {"passed", false}});
  const std::string done = claude.stream_of(Json::object({{"status", "done"},
                                                          {"summary", "The two are added."},
                                                          {"commit_message", "Add the two"},
                                                          {"files", lists_of_files()},
                                                          {"tests", std::move(tests)},
                                                          {"deviations", Json::array()}}),
                                            part);
  const std::string repaired =
      claude.stream_of(Json::object({{"status", "fixed"},
                                     {"cause", "change"},
                                     {"explanation", "One was added twice."},
                                     {"evidence", Json::array({"expected 5, got 6"})},
                                     {"files", lists_of_files()},
                                     {"commit_message", "Add each of the two"}}),
                       {"repair", kExecuteUsd});
  const std::string file = kFile;
  claude.play("unless Mode: put " + file + " " + claude.file("content", content) + "\nunless Mode: emit " +
                  done + "\nwhen Mode: put " + file + " " + claude.file("right", kRight) +
                  "\nwhen Mode: emit " + repaired + "\n",
              part.name);
}

void AgentsHost::review() {
  Json finding = Json::object(
      {{"path", kFile}, {"line", 1}, {"severity", "low"}, {"body", "Sums can be too large for an int."}});
  claude.answer(Json::object({{"status", "reviewed"},
                              {"summary", "It adds."},
                              {"verdict", "remarks"},
                              {"findings", Json::array({std::move(finding)})}}),
                "", {"review", kReviewUsd});
}

Json AgentsHost::shared_config() const {
  Json config = Json::object();
  config.set("github", Json::object({{"api", github.api()}, {"git_url", "http://" + repositories.host()}}));
  claude.add_to(config);
  config.set("gate", Json::parse(R"({"trust": ["sentry", "cli", "api", "incidents"],
    "people": {"jira": {"5c5f880629be9642ba529340": 35286603}, "slack": {"U234": 35286603}}})"));
  config.set("notes", Json::object({{"github", true},
                                    {"jira", Json::object({{"site", jira.url()}})},
                                    {"sentry", Json::object({{"url", sentry.url()}})},
                                    {"slack", Json::object({{"api", slack.url()}})}}));
  return config;
}

void AgentsHost::start(const std::map<std::string, Json>& configs) {
  std::string sections = R"(
webhooks:
  github: {secret_env: GITHUB_WEBHOOK_SECRET, answer_within_ms: 10000, config: {agent: planning-agent}}
  jira: {secret_env: GITHUB_WEBHOOK_SECRET, answer_within_ms: 10000, config: {agent: discovery-agent}}
  sentry: {secret_env: GITHUB_WEBHOOK_SECRET, answer_within_ms: 10000, config: {agent: discovery-agent}}
  slack: {secret_env: GITHUB_WEBHOOK_SECRET, answer_within_ms: 10000, config: {agent: discovery-agent}}
  incidents:
    plugin: standard
    secret_env: INCIDENTS_SECRET
    answer_within_ms: 10000
    config:
      rules: [{events: ["incident.*"], agent: discovery-agent}]
      title: "{/data/summary}"
      payload: {summary: /data/summary, description: /data/description}
      entity: {key: "incident/{/data/id}"}
chain: {max_depth: 14, max_visits: 4, notify: notify-agent}
approvals: {notify: notify-agent}
agent_defaults:
  grants:
    github_token: {env: GITHUB_TOKEN}
    jira_token: {env: JIRA_TOKEN}
    sentry_token: {env: SENTRY_TOKEN}
    slack_token: {env: SLACK_TOKEN}
  config: )" + shared_config().dump() +
                         "\nagents:\n";
  for (const Agent& agent : kAgents) {
    sections += "  " + agent.name + ":\n    on_reject: rework\n";
    if (!agent.part.empty())
      sections += std::string("    grants: {") + scripted::Claude::kGrant + ": {env: SCRIPT_OF_" +
                  agent.part + "}}\n";
    if (const auto line = further_lines.find(agent.name); line != further_lines.end())
      sections += "    " + line->second + "\n";
    const auto own = configs.find(agent.name);
    sections += "    config: " + (own != configs.end() ? own->second.dump() : agent.config) + "\n";
  }
  davit.configure(sections);
  ASSERT_TRUE(davit.start()) << davit.log();
  // On a slow machine it answers before it has looked at all of its plugins.
  ASSERT_TRUE(comes([&] {
    const Json agents = Json::parse(davit.api("GET", "/api/dashboard/agents").body);
    int serving = 0;
    for (const JsonView agent : agents["agents"]) serving += agent["state"] == "serving";
    return serving >= std::ssize(kAgents);
  })) << davit.log();
}

std::string AgentsHost::send(const std::string& webhook, const std::string& payload, const Replace& replace,
                             const std::string& event) {
  std::ostringstream body;
  body << std::ifstream(fs::path(DAVIT_SOURCE_DIR) / "plugins/webhooks" / payload).rdbuf();
  const fs::path file = davit.folder() / fs::path(payload).filename();
  std::ofstream(file) << replaced(body.str(), replace);
  std::vector<std::string> words{"send", webhook, file.string()};
  if (!event.empty()) words.push_back("--event=" + event);
  said = davit.command(std::move(words));
  const std::size_t at = said.find('{');
  if (at == std::string::npos) return "";
  const Json answer = Json::parse(said.substr(at, said.find('\n', at) - at));
  return std::string(answer["task_id"].string_or(""));
}

std::string AgentsHost::label_issue(int number) {
  // Of the GitHub whose repositories the agents fetch: another one's say nothing of who may do what in them.
  return send(
      "github", "github/testdata/payloads/derived-issues-labeled-ai-fix.json",
      {{"https://github.com/sbansal1999/testing-gh\"", "http://" + repositories.host() + "/acme/shop\""},
       {"sbansal1999/testing-gh", "acme/shop"},
       {"\"number\": 9", "\"number\": " + std::to_string(number)}},
      "issues");
}

void AgentsHost::comment(int number, const std::string& first_line, std::int64_t by) {
  send("github", "github/testdata/payloads/derived-issue-comment-approve.json",
       {{"chhsia0/knative-route-demo", "acme/shop"},
        {"\"number\": 3", "\"number\": " + std::to_string(number)},
        {"\"id\": " + std::to_string(kCommenter), "\"id\": " + std::to_string(by)},
        {"/davit approve looks right to me", first_line}},
       "issue_comment");
}

std::string AgentsHost::told_command(int number) {
  std::string command;
  comes([&] {
    for (const std::string& body : github.comments(number)) {
      const std::size_t at = body.find("    /davit approve ");
      if (at != std::string::npos) command = body.substr(at + 4, body.find('\n', at) - at - 4);
    }
    return !command.empty();
  });
  return command;
}

Json AgentsHost::task(const std::string& id) {
  const DavitProgram::Answer answer = davit.api("GET", "/api/dashboard/tasks/" + id);
  try {
    if (answer.status == 200) return Json::parse(answer.body);
  } catch (const Failure&) {  // davit ended in the middle of it
  }
  return Json::object();
}

std::optional<AgentsHost::Waiting> AgentsHost::what_waits(const Json& root) {
  for (const JsonView link : root["chain"]) {
    if (link["status"] != "awaiting_approval") continue;
    Waiting waiting{.task = std::string(link["task_id"].string_or("")), .hash = {}};
    const Json shown = task(waiting.task);
    waiting.hash = shown.at_pointer("/approval/content_hash").string_or("");
    if (!waiting.hash.empty()) return waiting;
  }
  return std::nullopt;
}

AgentsHost::Waiting AgentsHost::waiting(const std::string& root) {
  std::optional<Waiting> found;
  Json first;
  comes([&] {
    first = task(root);
    found = what_waits(first);
    return found || has_ended(first);
  });
  EXPECT_TRUE(found) << "nothing waits for approval: " << first.dump() << "\n" << davit.log();
  return found.value_or(Waiting());
}

bool AgentsHost::approve(const Waiting& waiting) {
  return davit
             .api("POST", "/api/tasks/" + waiting.task + "/approve",
                  Json::object({{"content_hash", waiting.hash}}).dump())
             .status == 200;
}

// A successor is there as soon as the task before it has ended.
bool AgentsHost::has_ended(const Json& root) {
  const std::set<std::string_view> ends{"completed", "failed", "parked", "cancelled"};
  for (const JsonView link : root["chain"])
    if (!ends.contains(link["status"].string_or(""))) return false;
  return !root["chain"].empty();
}

Json AgentsHost::ended(const std::string& root) {
  Json first;
  const bool came = comes([&] {
    first = task(root);
    return has_ended(first);
  });
  EXPECT_TRUE(came) << "the chain did not end: " << first.dump() << "\n" << davit.log();
  return first;
}

std::vector<std::string> AgentsHost::states(const Json& root) {
  std::vector<std::string> states;
  for (const JsonView link : root["chain"])
    states.push_back(std::string(link["agent"].string_or("")) + " " +
                     std::string(link["status"].string_or("")));
  return states;
}

bool AgentsHost::has_told_of_the_end() {
  return comes([&] {
    const Json found = Json::parse(davit.api("GET", "/api/dashboard/tasks?agent=notify-agent").body);
    return !found["tasks"].empty() && found["tasks"][0]["status"] == "completed";
  });
}

double AgentsHost::cost_of_executions(const Json& root) {
  double sum = 0;
  for (const JsonView link : root["chain"]) {
    const Json each = task(std::string(link["task_id"].string_or("")));
    for (const JsonView execution : each["agent_executions"]) sum += execution["total_cost_usd"].number_or(0);
  }
  return sum;
}

int AgentsHost::sessions(const Json& root) {
  int count = 0;
  for (const JsonView link : root["chain"]) {
    const std::string id(link["task_id"].string_or(""));
    const Json transcript = Json::parse(davit.api("GET", "/api/dashboard/tasks/" + id + "/transcript").body);
    for (const JsonView execution : transcript["executions"])
      for (const JsonView line : execution["lines"])
        count += line["kind"] == "stderr" && line["line"] == "a session began";
  }
  return count;
}

std::string AgentsHost::git(std::vector<std::string> arguments) const {
  return run_git(repositories.repository("acme/shop"), std::move(arguments));
}

std::string AgentsHost::branch() const {
  return git({"for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/davit"});
}

std::vector<std::string> AgentsHost::changes() const {
  std::vector<std::string> lines = github.journal();
  std::erase_if(lines, [](const std::string& line) { return line.starts_with("GET "); });
  return lines;
}

}  // namespace davit::testing

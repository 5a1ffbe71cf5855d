#include "tests/api/sample_host.h"

namespace davit::testing {

const char* const kSampleSections = R"(
webhooks:
  github: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, config: {agent: worker}}
  slack: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, config: {agent: worker}}
  good: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, config: {mode: echo}}
  small: {plugin: good, secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, max_body_bytes: 16, config: {mode: echo}}
  uninterested: {plugin: good, secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, config: {mode: ignore}}
  unable: {plugin: good, secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, config: {mode: cannot}}
  confused: {plugin: good, secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, config: {mode: invalid}}
  limited: {plugin: good, secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, config: {mode: limited}}
  late: {plugin: good, secret_env: GITHUB_WEBHOOK_SECRET, isolation: process, config: {mode: exit}}
  telling: {plugin: good, secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, config: {mode: verbatim}}
  keyless: {plugin: good, config: {mode: echo}}
  idle: {plugin: good, secret_env: GITHUB_WEBHOOK_SECRET, enabled: false}
agents:
  worker: {max_retries: 0, on_reject: rework, grants: {TOKEN: {env: THE_TOKEN}}}
  second: {requires_approval: true, max_retries: 0}
  third: {max_retries: 3}
  command-agent:
    max_retries: 0
    config:
      command: [/bin/sh, -c, 'printf plan > "$DAVIT_ARTIFACTS/plan.txt"; printf "%s" "$ANSWER"']
      environment:
        ANSWER: '{"davit_result":true,"output":{},"usage":{"model":"big","input_tokens":100,"cost_usd":0.25,"models":{"small":{"cost_usd":0.05}}}}'
schedules:
  sweep: {agent: worker, cron: "0 4 * * *", payload: {mode: noop}}
budgets: {daily_usd: 100, per_agent_daily_usd: 50}
approvals: {deadline: 1d, remind_after: 1h}
)";

namespace {

std::string task_of(const test::RawAnswer& answer) {
  const auto body = parse_json(answer.body);
  return body.ok() ? string_member(*body, "task_id") : "";
}

}  // namespace

void start_sample_host(HotHost& host) {
  for (const char* library : {"good_webhook.so", "scripted_agent.so"}) host.install(kTestPlugins / library);
  for (const char* library : {"github.so", "slack.so", "command_agent.so"}) host.install(kPlugins / library);
  host.put_bytes("broken.so", "this is no library");
  host.environment["THE_TOKEN"] = "s3cr3t-value";
  host.environment["DAVIT_READER_TOKEN"] = Walk::kReaderToken;
  host.server_options = ", max_event_streams: 2";
  // Whatever a test asks: no operation may answer in a way that is not described.
  host.on_answer = [](const std::string& method, const std::string& target, const test::RawAnswer& answer) {
    static const Description description;
    const Operation* operation = description.of_request(method, target);
    EXPECT_TRUE(operation == nullptr || operation->responses.contains(std::to_string(answer.status)))
        << method << " " << target << " is answered " << answer.status
        << ", which is not described: " << answer.body;
  };
  host.configure(kSampleSections);
  ASSERT_TRUE(host.start()) << host.log();
}

std::string make_task(HotHost& host, const std::string& agent, const std::string& mode, const std::string& members) {
  const auto made = host.api("POST", "/api/tasks",
                             R"({"agent":")" + agent + R"(","payload":{"mode":")" + mode + R"(","next":"second"})" +
                                 (members.empty() ? "" : "," + members) + "}");
  EXPECT_EQ(made.status, 201) << made.body;
  return task_of(made);
}

test::RawAnswer label_issue(HotHost& host, int number, const std::string& title) {
  auto text = read_file(DAVIT_SOURCE_DIR "/examples/demo/1-issue-labeled.json");
  EXPECT_TRUE(text.ok());
  auto body = parse_json(*text);
  (*body)["issue"]["number"].SetInt(number);
  (*body)["issue"]["title"].SetString(title.data(), static_cast<rapidjson::SizeType>(title.size()),
                                      body->GetAllocator());
  return host.github("issues", to_json(*body));
}

Samples fill(HotHost& host) {
  Samples samples;
  // What comes of a delivery: "unknown mode", since the agent of the tests does not know issues.
  const auto issue = label_issue(host, 1, "The login page forgets where one wanted to go");
  EXPECT_EQ(issue.status, 202) << issue.body;
  samples.failed = task_of(issue);
  samples.delivery = string_member(host.wait_for_task(samples.failed, {"failed"}), "delivery_id");

  const auto comment = read_file(DAVIT_SOURCE_DIR "/plugins/webhooks/github/testdata/payloads/derived-issue-comment-approve.json");
  EXPECT_TRUE(comment.ok());
  const auto commented = parse_json(host.github("issue_comment", *comment).body);
  EXPECT_TRUE(commented.ok());
  samples.comment = string_member((*commented)["details"], "delivery_id");

  samples.done = make_task(host, "command-agent", "", R"("task_type":"fix","title":"Fix it","entity":"test:1")");
  const JsonDocument done = host.wait_for_task(samples.done, {"completed"});
  samples.session = string_member(done["agent_executions"][0], "session_id");
  samples.artifact = "plan.txt";

  samples.first = make_task(host, "worker", "chain", R"("title":"Goes on","group":"g","key":"first")");
  const JsonDocument chain = host.wait_for_task(samples.first, {"completed"});
  for (const JsonValue& link : chain["chain"].GetArray())
    if (string_member(link, "parent_id") == samples.first) samples.waiting = string_member(link, "task_id");
  host.wait_for_task(samples.waiting, {"awaiting_approval"});

  // More than a page of each, of work that nobody takes up.
  host.api("POST", "/api/queue/pause", R"({"agent":"third"})");
  for (int i = 0; i < 51; ++i) make_task(host, "third", "noop");
  for (int i = 0; i < 51; ++i) EXPECT_EQ(host.github("ping", R"({"zen":")" + std::to_string(i) + R"("})").status, 200);
  return samples;
}

Walk::Words words_for(const Operation& operation, const Samples& samples) {
  Walk::Words words;
  for (const std::string& name : operation.names_in("path")) {
    const bool of_delivery = operation.path.find("/deliveries/") != std::string::npos;
    if (name == "id") {
      words.push_back(of_delivery ? samples.delivery : samples.done);
    } else if (name == "session") {
      words.push_back(samples.session);
    } else if (name == "kind") {
      words.push_back("webhook");
    } else if (operation.path.starts_with("/webhooks/")) {
      words.push_back("github");
    } else if (operation.path.find("/artifacts/") != std::string::npos) {
      words.push_back(samples.artifact);
    } else if (operation.path.starts_with("/api/agents/")) {
      words.push_back("worker");
    } else {
      words.push_back("good");
    }
  }
  return words;
}

}  // namespace davit::testing

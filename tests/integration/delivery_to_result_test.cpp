// davit as its users see it: the real program, signed deliveries over HTTP, plugins from the build, tasks
// that run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <set>
#include <thread>

#include "tests/support/process_file.h"
#include "tests/support/running_host.h"

namespace davit::testing {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::filesystem::path kPlugins = DAVIT_BUILD_DIR "/plugins";
const std::filesystem::path kTestPlugins = DAVIT_BUILD_DIR "/tests/plugins";

std::string payload(const std::string& name) {
  auto text = read_file(std::filesystem::path(DAVIT_SOURCE_DIR) / "examples/demo" / name);
  EXPECT_TRUE(text.ok()) << name;
  return text.ok() ? *text : "";
}

constexpr char kGithubToCommand[] = R"(
webhooks:
  github: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: ISOLATION, answer_within_ms: 10000, config: {agent: command-agent}}
agents:
  command-agent: {concurrency: 2, max_retries: 0, config: {command: [/bin/sh, -c, "cat >/dev/null; echo done"]}}
)";

std::string sections(const std::string& isolation) {
  std::string text = kGithubToCommand;
  text.replace(text.find("ISOLATION"), 9, isolation);
  return text;
}

class DeliveryToResultTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    host.install(kPlugins / "github.so");
    host.install(kPlugins / "command_agent.so");
    host.configure(sections(GetParam()));
    ASSERT_TRUE(host.start()) << host.log();
  }
  std::string labeled = payload("1-issue-labeled.json");
  RunningHost host;
};

INSTANTIATE_TEST_SUITE_P(Isolation, DeliveryToResultTest, ::testing::Values("inprocess", "process"));

TEST_P(DeliveryToResultTest, ASignedDeliveryBecomesATaskThatAnAgentCompletes) {
  auto answer = host.github("issues", labeled);
  ASSERT_EQ(answer.status, 202) << answer.body << host.log();
  auto body = parse_json(answer.body);
  EXPECT_EQ(string_member(*body, "status"), "queued");
  auto task = host.wait_for_task(string_member(*body, "task_id"), {"completed", "failed"});
  EXPECT_EQ(string_member(task, "status"), "completed") << host.log();
  EXPECT_EQ(string_member(task, "current_agent"), "command-agent");
  ASSERT_EQ(find_member(task, "agent_executions")->Size(), 1u);
  EXPECT_TRUE(bool_member((*find_member(task, "agent_executions"))[0], "success"));
}

TEST_P(DeliveryToResultTest, AnEventWithoutTheLabelIsIgnoredAndStored) {
  auto answer = host.github("issue_comment", payload("2-issue-comment.json"));
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(string_member(*parse_json(answer.body), "status"), "ignored");
  auto deliveries = parse_json(host.api("GET", "/api/dashboard/deliveries").body);
  ASSERT_EQ(find_member(*deliveries, "deliveries")->Size(), 1u);
}

TEST_P(DeliveryToResultTest, BadSignaturesAreRefusedAndLeaveNothing) {
  std::string good = RunningHost::github_signature(labeled);
  auto send = [&](std::vector<std::pair<std::string, std::string>> signatures) {
    signatures.push_back({"Content-Type", "application/json"});
    signatures.push_back({"X-GitHub-Event", "issues"});
    signatures.push_back({"X-GitHub-Delivery", new_id()});
    return host.request("POST", "/webhooks/github", labeled, signatures).status;
  };
  EXPECT_EQ(send({}), 401) << "missing";
  EXPECT_EQ(send({{"X-Hub-Signature-256", RunningHost::github_signature(labeled, "another-secret-0123456")}}),
            401);
  EXPECT_EQ(send({{"X-Hub-Signature-256", good}, {"X-Hub-Signature-256", good}}), 401) << "doubled";
  EXPECT_EQ(send({{"X-Hub-Signature-256", good.substr(7)}}), 401) << "without its prefix";
  EXPECT_EQ(send({{"X-Hub-Signature-256", "sha256=zz" + good.substr(9)}}), 401) << "not hex";
  EXPECT_EQ(send({{"X-Hub-Signature-256", "sha256="}}), 401) << "empty";
  EXPECT_EQ(send({{"X-Hub-Signature", "sha1=" + std::string(40, 'a')}}), 401) << "SHA-1 only";
  auto deliveries = parse_json(host.api("GET", "/api/dashboard/deliveries").body);
  EXPECT_EQ(find_member(*deliveries, "deliveries")->Size(), 0u);
  EXPECT_THAT(host.api("GET", "/metrics").body, HasSubstr("davit_delivery_rejections_total{"));
}

TEST_P(DeliveryToResultTest, MalformedBodiesAreRefusedBeforeThePluginSeesThem) {
  for (const std::string& bad : {std::string("{"), std::string("\"\xC0\xAF\""),
                                 std::string(65, '[') + std::string(65, ']'), std::string("{}\0{}", 5)}) {
    auto answer = host.github("issues", bad);
    EXPECT_EQ(answer.status, 400) << bad << answer.body;
    EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
  }
}

TEST_P(DeliveryToResultTest, ABodyMayBeAsLargeAsItsWebhookSays) {
  auto event = parse_json(labeled);
  ASSERT_TRUE(event.ok());
  const auto sized = [&](std::size_t bytes) {
    (*event)["issue"]["body"].SetString(std::string(bytes, 'x').c_str(), event->GetAllocator());
    return host.github("issues", to_json(*event)).status;
  };
  EXPECT_EQ(sized(24u << 20), 202) << "GitHub's own limit is 25 MiB";
  EXPECT_EQ(sized(25u << 20), 413);
}

TEST_P(DeliveryToResultTest, UnknownWebhooksMethodsAndMediaTypesHaveTheirAnswers) {
  EXPECT_EQ(host.request("POST", "/webhooks/nobody", "{}").status, 404);
  EXPECT_EQ(host.request("POST", "/webhooks/", "{}").status, 404);
  EXPECT_EQ(host.request("POST", "/webhooks/github/", "{}").status, 404);
  EXPECT_EQ(host.request("POST", "//webhooks/github", "{}").status, 404);
  auto get = host.request("GET", "/webhooks/github");
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(get.header("Allow"), "POST");
  EXPECT_EQ(host.request("POST", "/webhooks/github", labeled,
                         {{"Content-Type", "text/plain"},
                          {"X-GitHub-Delivery", new_id()},
                          {"X-Hub-Signature-256", RunningHost::github_signature(labeled)}})
                .status,
            415);
}

TEST_P(DeliveryToResultTest, TheSameIdOnEightConnectionsAtOnceIsOneTask) {
  std::string id = new_id();
  std::vector<test::RawAnswer> answers(8);
  std::vector<std::thread> senders;
  for (auto& answer : answers) {
    senders.emplace_back([&] { answer = host.github("issues", labeled, id); });
  }
  for (std::thread& sender : senders) sender.join();
  std::set<std::string> tasks;
  int accepted = 0;
  for (const auto& answer : answers) {
    EXPECT_TRUE(answer.status == 202 || answer.status == 200) << answer.body;
    if (answer.status == 202) ++accepted;
    tasks.insert(string_member(*parse_json(answer.body), "task_id"));
  }
  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks.count(""), 0u);
  auto listed = parse_json(host.api("GET", "/api/dashboard/tasks").body);
  EXPECT_EQ(find_member(*listed, "tasks")->Size(), 1u);
}

TEST_P(DeliveryToResultTest, ASignedBodyUnderANewIdIsADuplicateThatIsToldApart) {
  const std::string first = host.github("issues", labeled).body;
  auto again = host.github("issues", labeled);
  EXPECT_EQ(again.status, 200);
  auto body = parse_json(again.body);
  EXPECT_TRUE(bool_member(*find_member(*body, "details"), "duplicate"));
  EXPECT_EQ(string_member(*body, "task_id"), string_member(*parse_json(first), "task_id"));
  EXPECT_THAT(string_member(*body, "message"), HasSubstr("under another id"));
  EXPECT_THAT(host.api("GET", "/metrics").body,
              HasSubstr(R"(davit_deliveries_total{webhook="github",outcome="duplicate_body"} 1)"));
  EXPECT_THAT(host.log(), HasSubstr("came again under another id"));
}

TEST_P(DeliveryToResultTest, ADeliveryIsReplayedAsANewOneOrOnlyRehearsed) {
  auto first = parse_json(host.github("issues", labeled).body);
  const std::string id = string_member(*find_member(*first, "details"), "delivery_id");
  host.wait_for_task(string_member(*first, "task_id"), {"completed"});
  const std::string path = "/api/deliveries/" + id + "/replay";
  auto list = [&] {
    return find_member(*parse_json(host.api("GET", "/api/dashboard/deliveries").body), "deliveries")->Size();
  };

  auto said = parse_json(host.api("POST", path, R"({"dry_run":true})").body);
  ASSERT_TRUE(said.ok());
  EXPECT_EQ(string_member(*said, "verdict"), "queued");
  ASSERT_EQ(find_member(*said, "tasks")->Size(), 1u);
  EXPECT_EQ(string_member((*find_member(*said, "tasks"))[0], "agent"), "command-agent");
  EXPECT_NE(find_member(*find_member(*said, "timings"), "handle_us"), nullptr);
  EXPECT_EQ(list(), 1u) << "nothing was stored";

  auto answer = host.api("POST", path);
  EXPECT_EQ(answer.status, 202);
  const std::string replay = string_member(*parse_json(answer.body), "delivery_id");
  JsonDocument shown;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < until) {
    auto now = parse_json(host.api("GET", "/api/dashboard/deliveries/" + replay).body);
    ASSERT_TRUE(now.ok());
    shown = std::move(*now);
    if (string_member(shown, "verdict") == "queued") break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // watches another process
  }
  ASSERT_EQ(string_member(shown, "verdict"), "queued") << host.log();
  EXPECT_EQ(string_member(shown, "replay_of"), id);
  EXPECT_EQ(string_member(shown, "replayed_by"), "admin");
  EXPECT_NE(string_member(shown, "plugin_version"), "");
  EXPECT_EQ(string_member(shown, "plugin_sha256").size(), 64u);
  EXPECT_NE(find_member(*find_member(shown, "timings"), "parse_payload_us"), nullptr);
  EXPECT_EQ(list(), 2u);

  EXPECT_EQ(host.api("POST", path, R"({"dry_run":"yes"})").status, 400);
  EXPECT_EQ(host.api("POST", path, R"({"dryrun":true})").status, 400);
  EXPECT_EQ(host.api("POST", "/api/deliveries/" + new_id() + "/replay", R"({"dry_run":true})").status, 404);
}

TEST_P(DeliveryToResultTest, WhatWasAcknowledgedSurvivesAKill) {
  auto answer = host.github("issues", labeled);
  ASSERT_EQ(answer.status, 202);
  std::string id = string_member(*parse_json(answer.body), "task_id");
  host.end(SIGKILL);
  ASSERT_TRUE(host.start()) << host.log();
  auto task = host.wait_for_task(id, {"completed"});
  EXPECT_EQ(string_member(task, "status"), "completed");
}

TEST_P(DeliveryToResultTest, StopsInOrderWhenAsked) {
  ASSERT_EQ(host.github("issues", labeled).status, 202);
  EXPECT_EQ(host.end(SIGTERM), 0) << host.log();
}

TEST_P(DeliveryToResultTest, NoSecretIsInTheLogTheDatabaseOrAnAnswer) {
  host.github("issues", labeled);
  std::string shown = host.api("GET", "/api/dashboard/webhooks").body +
                      host.api("GET", "/api/dashboard/plugins").body +
                      host.api("GET", "/api/dashboard/deliveries").body + host.api("GET", "/metrics").body;
  EXPECT_THAT(shown, Not(HasSubstr(RunningHost::kSecret)));
  EXPECT_EQ(host.end(SIGTERM), 0);
  EXPECT_THAT(host.log().substr(host.log().find('\n')), Not(HasSubstr(RunningHost::kSecret)));
  auto database = read_file(host.folder() / "davit.db", 256u << 20);
  ASSERT_TRUE(database.ok());
  EXPECT_EQ(database->find(RunningHost::kSecret), std::string::npos);
  EXPECT_EQ(database->find(host.token()), std::string::npos);
  EXPECT_EQ(database->find(RunningHost::github_signature(labeled).substr(7)), std::string::npos);
}

TEST_P(DeliveryToResultTest, ASecretInTheQueryIsNotKept) {
  const std::string body = labeled;
  const std::string query =
      "token=CANARY-1&page=7&API_Key=CANARY-2;to%6ben=CANARY-3&x-signature=CANARY-4&user%5Bpassword%5D="
      "CANARY-5&"
      "Authorization=CANARY-6&empty&name=value";
  auto answer = host.request("POST", "/webhooks/github?" + query, body,
                             {{"Content-Type", "application/json"},
                              {"X-GitHub-Event", "issues"},
                              {"X-GitHub-Delivery", new_id()},
                              {"X-Hub-Signature-256", RunningHost::github_signature(body)}});
  ASSERT_EQ(answer.status, 202) << answer.body << host.log();
  EXPECT_EQ(host.end(SIGTERM), 0);
  EXPECT_THAT(host.log(), Not(HasSubstr("CANARY")));
  auto database = read_file(host.folder() / "davit.db", 256u << 20);
  ASSERT_TRUE(database.ok());
  EXPECT_EQ(database->find("CANARY"), std::string::npos);
  EXPECT_NE(database->find("token=(removed)&page=7&API_Key=(removed);to%6ben=(removed)&x-signature=(removed)&"
                           "user%5Bpassword%5D=(removed)&Authorization=(removed)&empty&name=value"),
            std::string::npos);
}

TEST_P(DeliveryToResultTest, TheApiWantsAToken) {
  EXPECT_EQ(host.request("GET", "/api/dashboard/tasks").status, 401);
  EXPECT_EQ(host.request("GET", "/api/dashboard/tasks", "", {{"Authorization", "Bearer wrong"}}).status, 401);
  EXPECT_EQ(host.request("POST", "/api/tasks", "{}").status, 401);
  EXPECT_EQ(host.request("GET", "/metrics").status, 401);
  EXPECT_EQ(host.request("GET", "/healthz").status, 200);
  EXPECT_EQ(host.request("GET", "/readyz").status, 200);
}

TEST_P(DeliveryToResultTest, ApiParametersAreChecked) {
  for (const char* bad :
       {"limit=0", "limit=501", "limit=x", "status=nope", "start_date=yesterday", "nosuch=1", "q=%zz"}) {
    auto answer = host.api("GET", std::string("/api/dashboard/tasks?") + bad);
    EXPECT_EQ(answer.status, 400) << bad << answer.body;
  }
  EXPECT_EQ(host.api("GET", "/api/dashboard/tasks/" + new_id()).status, 404);
  EXPECT_EQ(host.api("GET", "/api/dashboard/tasks/not-an-id").status, 404);
  EXPECT_EQ(host.api("POST", "/api/tasks", R"({"agent":"nobody"})").status, 400);
  EXPECT_EQ(host.api("POST", "/api/tasks", R"({"agent":"command-agent","priority":1000})").status, 400);
  for (const char* bad :
       {R"({})", R"({"status":"completed"})", R"({"status":"failed","nosuch":"1"})",
        R"({"status":"failed","start_date":"yesterday"})", R"({"status":"failed","agent":1})",
        R"({"status":"failed","by":""})", R"({"status":"failed","way":"a\nb"})"})
    EXPECT_EQ(host.api("POST", "/api/tasks/retry", bad).status, 400) << bad;
}

TEST_P(DeliveryToResultTest, ATaskMadeByHandRunsAndFollowsItsStates) {
  auto made =
      host.api("POST", "/api/tasks", R"({"agent":"command-agent","title":"by hand","payload":{"a":1}})");
  ASSERT_EQ(made.status, 201) << made.body;
  std::string id = string_member(*parse_json(made.body), "task_id");
  host.wait_for_task(id, {"completed"});
  EXPECT_EQ(host.api("POST", "/api/tasks/" + id + "/cancel").status, 409);
  EXPECT_EQ(host.api("POST", "/api/tasks/" + id + "/retry").status, 409);
  EXPECT_EQ(host.api("POST", "/api/tasks/" + new_id() + "/retry").status, 404);
}

TEST(ServeTest, AnAgentThatNeedsApprovalWaitsForAPerson) {
  RunningHost host;
  host.install(kPlugins / "github.so");
  host.install(kPlugins / "command_agent.so");
  std::string text = sections("inprocess");
  text.replace(text.find("concurrency: 2"), 14, "requires_approval: true");
  host.configure(text);
  ASSERT_TRUE(host.start()) << host.log();
  auto answer = host.github("issues", payload("1-issue-labeled.json"));
  ASSERT_EQ(answer.status, 202);
  std::string id = string_member(*parse_json(answer.body), "task_id");
  auto task = host.wait_for_task(id, {"awaiting_approval", "running", "completed"});
  EXPECT_EQ(string_member(task, "status"), "awaiting_approval");
  EXPECT_EQ(
      host.api("POST", "/api/tasks/" + id + "/approve", "{\"content_hash\":\"" + std::string(64, '0') + "\"}")
          .status,
      409);
  const auto unnamed = host.api("POST", "/api/tasks/" + id + "/approve");
  EXPECT_EQ(unnamed.status, 400);
  const std::string hash = string_member(*find_member(task, "approval"), "content_hash");
  EXPECT_THAT(unnamed.body, HasSubstr(hash));
  EXPECT_EQ(host.api("POST", "/api/tasks/" + id + "/approve", R"({"content_hash":")" + hash + "\"}").status,
            200);
  host.wait_for_task(id, {"completed"});

  auto made = host.api("POST", "/api/tasks", R"({"agent":"command-agent"})");
  id = string_member(*parse_json(made.body), "task_id");
  EXPECT_EQ(string_member(*parse_json(made.body), "status"), "awaiting_approval");
  const auto unseen =
      host.api("POST", "/api/tasks/" + id + "/reject", R"({"content_hash":")" + std::string(64, '0') + R"("})");
  EXPECT_EQ(unseen.status, 409);
  EXPECT_THAT(unseen.body, HasSubstr("is not what was looked at"));
  EXPECT_EQ(host.command({"tasks", "reject", id, "--hash", "0123"}).status, 1);
  EXPECT_EQ(host.api("POST", "/api/tasks/" + id + "/reject",
                     R"({"comment":"not now","by":"alice","way":"a script"})")
                .status,
            200);
  EXPECT_EQ(string_member(host.wait_for_task(id, {"cancelled"}), "error"), "not now");
  EXPECT_EQ(host.api("POST", "/api/tasks/retry", R"({"status":"cancelled"})").body,
            R"({"retried":1,"left":0,"next_cursor":null})");
  task = host.wait_for_task(id, {"awaiting_approval"});
  const JsonValue& decisions = *find_member(task, "decisions");
  ASSERT_EQ(decisions.Size(), 2u);
  EXPECT_EQ(string_member(task, "status"), "awaiting_approval") << "a retry is no approval";
  EXPECT_EQ(string_member(decisions[0], "by"), "alice");
  EXPECT_EQ(string_member(decisions[0], "way"), "a script");
  EXPECT_EQ(string_member(decisions[1], "kind"), "retry");
  EXPECT_EQ(string_member(decisions[1], "by"), "admin");
  EXPECT_EQ(string_member(decisions[1], "way"), "api");
}

// Looks until `found` says yes, for at most 20 s.
bool eventually(const std::function<bool()>& found) {
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!found()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // watches other processes
  }
  return true;
}

// A webhook whose hooks do what its config says.
class DeferredTest : public ::testing::Test {
 protected:
  void start(const std::string& settings, const std::string& mode) {
    host.install(kTestPlugins / "good_webhook.so");
    host.install(kPlugins / "command_agent.so");
    host.configure("webhooks:\n  good: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, " + settings +
                   ", config: {mode: " + mode +
                   "}}\nagents:\n  command-agent: {config: {command: [/bin/true]}}\n");
    ASSERT_TRUE(host.start()) << host.log();
  }
  test::RawAnswer deliver(const std::string& id) {
    const std::string body = R"({"a":1})";
    return host.request("POST", "/webhooks/good", body,
                        {{"Content-Type", "application/json"},
                         {"X-Delivery", id},
                         {"X-Signature", RunningHost::github_signature(body)}});
  }
  bool becomes(const std::string& delivery, const std::string& verdict) {
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < until) {
      auto shown = parse_json(host.api("GET", "/api/dashboard/deliveries/" + delivery).body);
      if (shown && string_member(*shown, "verdict") == verdict) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));  // watches another process
    }
    return false;
  }
  static std::string delivery_of(const test::RawAnswer& answer) {
    auto body = parse_json(answer.body);
    const JsonValue* details = body.ok() ? find_member(*body, "details") : nullptr;
    return details ? string_member(*details, "delivery_id") : "";
  }
  RunningHost host;
};

TEST_F(DeferredTest, HooksThatCrashLeaveTheDeliveryKeptThenParkedThenReplayable) {
  start("isolation: process, max_retries_of_deferred: 1", "crash");
  auto first = deliver("one");
  EXPECT_EQ(first.status, 202) << first.body;
  EXPECT_THAT(first.body, HasSubstr("\"deferred\":true"));
  auto again = deliver("one");
  EXPECT_EQ(again.status, 200);
  EXPECT_THAT(again.body, HasSubstr("\"status\":\"queued\""));
  EXPECT_THAT(again.body, HasSubstr("\"duplicate\":true"));
  EXPECT_EQ(delivery_of(again), delivery_of(first));
  EXPECT_TRUE(becomes(delivery_of(first), "parked")) << host.log();
  EXPECT_EQ(host.api("POST", "/api/deliveries/" + delivery_of(first) + "/replay").status, 202);
  auto replayed = parse_json(host.api("GET", "/api/dashboard/deliveries?limit=1").body);
  const JsonValue& newest = (*find_member(*replayed, "deliveries"))[0];
  EXPECT_EQ(string_member(newest, "replay_of"), delivery_of(first));
  EXPECT_TRUE(becomes(string_member(newest, "delivery_id"), "parked")) << "it crashes again";
  const std::string parked = "davit_deliveries_total{webhook=\"good\",outcome=\"parked\"} ";
  EXPECT_THAT(host.api("GET", "/metrics").body, AnyOf(HasSubstr(parked + "1\n"), HasSubstr(parked + "2\n")))
      << "the first one, and the second one if that is counted already";
  EXPECT_EQ(host.request("GET", "/healthz").status, 200);
}

TEST_F(DeferredTest, HooksThatAreLateAreRunAgainAndMakeTheirTask) {
  start("isolation: process, answer_within_ms: 100", "slow");
  auto first = deliver("two");
  EXPECT_EQ(first.status, 202) << first.body;
  EXPECT_THAT(first.body, HasSubstr("\"deferred\":true"));
  EXPECT_TRUE(becomes(delivery_of(first), "queued")) << host.log();
  auto tasks = parse_json(host.api("GET", "/api/dashboard/tasks").body);
  EXPECT_EQ(find_member(*tasks, "tasks")->Size(), 1u);
}

TEST_F(DeferredTest, NewDeferralsDoNotPutOffTheOldest) {
  start("isolation: process, answer_within_ms: 100", "slow");
  auto first = deliver("oldest");
  const std::string oldest = delivery_of(first);
  bool settled = false;
  for (int i = 0; i < 100 && !settled; ++i) {
    deliver("more-" + std::to_string(i));  // each takes 100 ms to be deferred
    auto shown = parse_json(host.api("GET", "/api/dashboard/deliveries/" + oldest).body);
    settled = shown && string_member(*shown, "verdict") == "queued";
  }
  EXPECT_TRUE(settled) << host.log();
}

TEST_F(DeferredTest, AStopDoesNotWaitForEverForAHookThatHangsInTheHost) {
  host.server_options = ", drain_timeout: 100ms";
  start("isolation: inprocess", "hang");
  test::RawClient client(host.port());
  const std::string body = R"({"a":1})";
  client.send(
      "POST /webhooks/good HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nX-Delivery: "
      "x\r\nX-Signature: " +
      RunningHost::github_signature(body) + "\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body);
  ASSERT_TRUE(eventually([&] { return host.log().find("hangs from now on") != std::string::npos; }));
  // A connection of the thread that hangs gets no answer any more. Of those that stay open every other one is
  // of that thread.
  bool hangs = false;
  std::vector<std::unique_ptr<test::RawClient>> others;
  while (others.size() < 100 && !hangs) {
    others.push_back(std::make_unique<test::RawClient>(host.port()));
    others.back()->send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    pollfd answer{others.back()->fd(), POLLIN, 0};
    hangs = ::poll(&answer, 1, 1'000) == 0;
  }
  EXPECT_TRUE(hangs);
  EXPECT_EQ(host.end(SIGTERM), 1);
  EXPECT_THAT(host.log(), HasSubstr("the stop takes too long"));
}

TEST(ServeTest, AWebhookWithoutASecretAnswers503AndSaysSoAtTheStart) {
  RunningHost host;
  host.install(kPlugins / "github.so");
  host.environment.clear();
  host.configure("webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET}\n");
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(host.github("issues", "{}").status, 503);
  EXPECT_THAT(host.log(), HasSubstr("GITHUB_WEBHOOK_SECRET"));
}

TEST(ServeTest, TheTokenThatItMadeIsNotPrintedWhereItWouldStay) {
  RunningHost host;
  host.configure("");
  ASSERT_TRUE(host.start()) << host.log();
  ASSERT_GE(host.token().size(), 16u);
  EXPECT_THAT(host.log(), Not(HasSubstr(host.token())));
  EXPECT_THAT(host.log(),
              HasSubstr("an admin token was made; it is in " + (host.folder() / "admin.token").string()));
}

TEST(ServeTest, ATokenOfDavitsOwnThatEverybodyMayReadIsClosedAndToldOfAndKeepsNoStartFromServing) {
  RunningHost host;
  host.configure("");
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(host.end(SIGTERM), 0);
  const auto file = host.folder() / "admin.token";
  std::filesystem::permissions(file, std::filesystem::perms(0644));
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_THAT(host.log(),
              HasSubstr("The admin token was open to everyone on this machine, and is closed now"));
  EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(host.end(SIGTERM), 0);
}

TEST(ServeTest, ADatabaseThatOthersMayReadIsWarnedOf) {
  RunningHost host;
  host.configure("");
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(host.end(SIGTERM), 0);
  EXPECT_THAT(host.log(), Not(HasSubstr("is open to others")));
  std::filesystem::permissions(host.folder() / "davit.db", std::filesystem::perms(0640));
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(host.end(SIGTERM), 0);
  EXPECT_THAT(host.log(), HasSubstr("The database is open to others on this machine"));
}

// What the program says first when its output is a terminal.
std::string first_line_at_a_terminal(const RunningHost& host) {
  const UniqueFd screen(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ::grantpt(screen.number());
  ::unlockpt(screen.number());
  char name[64];
  if (::ptsname_r(screen.number(), name, sizeof name) != 0) return "no terminal";
  std::string program = DAVIT_BUILD_DIR "/bin/davit",
              config = "--config=" + (host.folder() / "davit.yaml").string();
  std::string serve = "serve", alone = "--no-supervisor";
  char* argv[] = {program.data(), serve.data(), alone.data(), config.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, name, O_RDWR | O_NOCTTY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, host.log_file().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  pid_t pid = -1;
  EXPECT_EQ(::posix_spawn(&pid, argv[0], &actions, nullptr, argv, environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  std::string line;
  pollfd output{screen.number(), POLLIN, 0};
  for (char c; ::poll(&output, 1, 20'000) == 1 && ::read(screen.number(), &c, 1) == 1 && c != '\n';)
    line += c;
  ::kill(pid, SIGTERM);
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return line;
}

TEST(ServeTest, TheTokenThatItMadeIsShownAtATerminal) {
  RunningHost host;
  host.configure("");
  const std::string line = first_line_at_a_terminal(host);
  auto token = read_file(host.folder() / "admin.token");
  ASSERT_TRUE(token.ok()) << host.log();
  EXPECT_THAT(line, HasSubstr("the admin token is " + token->substr(0, token->find('\n'))));
}

TEST(ServeTest, ADisabledWebhookIsNotFound) {
  RunningHost host;
  host.install(kPlugins / "github.so");
  host.configure("webhooks:\n  github: {enabled: false, secret_env: GITHUB_WEBHOOK_SECRET}\n");
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(host.github("issues", "{}").status, 404);
}

TEST(ServeTest, AnAnswerOverTheLimitOfAWebhookIs413) {
  RunningHost host;
  host.install(kPlugins / "github.so");
  host.configure("webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, max_body_bytes: 1000}\n");
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(host.github("issues", std::string(1001, ' ')).status, 413);
}

TEST(ServeTest, APluginThatCannotBeLoadedIsNamedAndTheOthersServe) {
  RunningHost host;
  host.install(kPlugins / "github.so");
  write_file_atomically(host.folder() / "plugins" / "broken.so", "this is no library", 0700).ok();
  host.configure(sections("process"));
  ASSERT_TRUE(host.start()) << host.log();
  auto plugins = host.api("GET", "/api/dashboard/plugins");
  EXPECT_THAT(plugins.body, HasSubstr("broken.so"));
  EXPECT_THAT(plugins.body, HasSubstr("not_elf"));
  EXPECT_EQ(host.github("issue_comment", payload("2-issue-comment.json")).status, 200);
}

TEST(ServeTest, ASecondHostOnTheSameDatabaseIsRefused) {
  RunningHost host;
  host.install(kPlugins / "github.so");
  host.configure(sections("process"));
  ASSERT_TRUE(host.start()) << host.log();
  auto second = host.command({"serve", "--no-supervisor"});
  EXPECT_EQ(second.status, 15) << second.text;
  EXPECT_THAT(second.text, HasSubstr("already in use"));
}

// The processes right below `parent`.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    std::ifstream stat(entry.path() / "stat");
    std::string line;
    std::getline(stat, line);
    std::size_t behind_name = line.rfind(')');
    if (behind_name == std::string::npos) continue;
    char state = 0;
    int of = 0;
    if (std::sscanf(line.c_str() + behind_name + 1, " %c %d", &state, &of) == 2 && of == parent &&
        state != 'Z') {
      children.push_back(pid);
    }
  }
  return children;
}

bool any_process_with(const std::string& word) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && process_file(pid, "cmdline").find(word) != std::string::npos) return true;
  }
  return false;
}

class KilledHostTest : public ::testing::Test {
 protected:
  // An agent whose program leaves a daemon of its own session behind and then waits; `word` finds both in
  // /proc.
  void SetUp() override {
    word = "davit-test-" + new_id();
    host.install(kPlugins / "github.so");
    host.install(kPlugins / "command_agent.so");
    host.configure(
        "webhooks:\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: process, "
        "config: {agent: "
        "command-agent}}\n"
        "agents:\n  command-agent: {config: {command: [/bin/sh, -c, \"test -e " +
        (host.folder() / "second").string() + " && exit 0; touch " + (host.folder() / "second").string() +
        "; setsid sh -c 'sleep 600; : " + word + "' >/dev/null 2>&1 & sleep 600; : " + word + "\"]}}\n");
  }
  std::string start_work() {
    auto answer = host.github("issues", payload("1-issue-labeled.json"));
    EXPECT_EQ(answer.status, 202) << answer.body;
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(host.folder() / "second"); })) << host.log();
    EXPECT_TRUE(eventually([&] { return any_process_with(word); }));
    return string_member(*parse_json(answer.body), "task_id");
  }
  std::string word;
  RunningHost host;
};

TEST_F(KilledHostTest, TheSupervisorStartsItAgainEndsWhatItLeftAndTheTaskRunsAgain) {
  ASSERT_TRUE(host.start({})) << host.log();
  std::string task = start_work();
  auto hosts = children_of(host.pid());
  ASSERT_EQ(hosts.size(), 1u);
  ASSERT_EQ(::kill(hosts[0], SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
  EXPECT_FALSE(any_process_with(word)) << "a process of the killed host is left";
  EXPECT_EQ(host.command({"verify-store"}).status, 0)
      << "the second start must not write where the first reported ready";
  auto again = host.wait_for_task(task, {"completed"});
  const auto& executions = *find_member(again, "agent_executions");
  ASSERT_EQ(executions.Size(), 2u);
  EXPECT_EQ(string_member(executions[0], "outcome"), "lost");
  EXPECT_EQ(host.end(SIGTERM), 0) << host.log();
}

TEST_F(KilledHostTest, AKilledSupervisorTakesItsHostWithIt) {
  ASSERT_TRUE(host.start({})) << host.log();
  start_work();
  host.end(SIGKILL);
  EXPECT_TRUE(eventually([&] {
    return !any_process_with(host.folder().string()) && !any_process_with(word);
  })) << "the host or its runners go on";
  ASSERT_TRUE(host.start()) << host.log();
}

TEST_F(KilledHostTest, WithoutASupervisorItsRunnersEndByThemselves) {
  ASSERT_TRUE(host.start()) << host.log();
  std::string task = start_work();
  host.end(SIGKILL);
  EXPECT_TRUE(eventually([&] { return !any_process_with(word); })) << "a process of the killed host is left";
  ASSERT_TRUE(host.start()) << host.log();
  host.wait_for_task(task, {"completed"});
}

TEST_F(KilledHostTest, AStopReturnsTheTaskAndLeavesNoProcess) {
  ASSERT_TRUE(host.start()) << host.log();
  std::string task = start_work();
  EXPECT_EQ(host.end(SIGTERM), 0) << host.log();
  EXPECT_FALSE(any_process_with(word));
  ASSERT_TRUE(host.start()) << host.log();
  auto again = host.wait_for_task(task, {"completed"});
  EXPECT_EQ(int_member(again, "attempt"), 1) << "our own shutdown is no attempt";
}

}  // namespace
}  // namespace davit::testing

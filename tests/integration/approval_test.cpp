// Approvals in the real program: by the API, the command line and each sender that can give one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ApprovalTest : public ::testing::Test {
 protected:
  ApprovalTest() {
    host.install(DAVIT_BUILD_DIR "/tests/plugins/scripted_agent.so");
    for (const char* sender : {"github", "jira", "slack"})
      host.install(std::string(DAVIT_BUILD_DIR "/plugins/") + sender + ".so");
    host.environment["SECRET"] = RunningHost::kSecret;
  }
  void start(const std::string& sections = "") {
    host.configure(sections + R"(
webhooks:
  github: {secret_env: SECRET, answer_within_ms: 10000, config: {agent: worker}}
  jira: {secret_env: SECRET, answer_within_ms: 10000, config: {agent: worker, command_users: ["*"]}}
  slack: {secret_env: SECRET, answer_within_ms: 10000, config: {agent: worker, command_users: ["*"]}}
agents:
  worker: {on_reject: rework}
  second: {requires_approval: true}
  third: {}
)");
    ASSERT_TRUE(host.start()) << host.log();
  }
  std::string make(const std::string& task) {
    auto answer = host.api("POST", "/api/tasks", task);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return string_member(*parse_json(answer.body), "task_id");
  }
  // A task that waits for approval.
  std::string ask(const std::string& entity = "") {
    return make(R"({"agent":"second","title":"Asks first","payload":{"mode":"noop"})" +
                (entity.empty() ? "" : R"(,"entity":")" + entity + "\"") + "}");
  }
  std::string hash_of(const std::string& id) {
    const JsonDocument task = host.wait_for_task(id, {"awaiting_approval"});
    const JsonValue* approval = find_member(task, "approval");
    return approval && approval->IsObject() ? string_member(*approval, "content_hash") : "";
  }
  // Sends a recorded payload of a sender with another text in it; the whole answer.
  std::string send(const std::string& sender, const std::string& payload, const std::string& text,
                   const std::string& other) {
    const auto read =
        read_file(DAVIT_SOURCE_DIR "/plugins/webhooks/" + sender + "/testdata/payloads/" + payload);
    EXPECT_TRUE(read.ok()) << payload;
    std::string body = *read;
    EXPECT_NE(body.find(text), std::string::npos);
    body.replace(body.find(text), text.size(), other);
    // A click counts once.
    constexpr std::string_view kTrigger = "trigger_id%22%3A%22";
    if (const auto at = body.find(kTrigger); at != std::string::npos)
      body.insert(at + kTrigger.size(), std::to_string(++clicks_));
    const auto file = host.folder() / payload;
    std::ofstream(file) << body;
    std::vector<std::string> words{"send", sender, file.string()};
    if (sender == "github") words.push_back("--event=issue_comment");
    return davit(std::move(words)).text;
  }
  RunningHost::Output davit(std::vector<std::string> words) {
    words.push_back("--url=http://127.0.0.1:" + std::to_string(host.port()));
    return host.command(std::move(words));
  }
  // What the newest delivery of a sender came to.
  std::string outcome(const std::string& sender) {
    const auto all = parse_json(host.api("GET", "/api/dashboard/deliveries?limit=1&webhook=" + sender).body);
    return string_member((*find_member(*all, "deliveries"))[0], "message");
  }
  RunningHost host;

 private:
  int clicks_ = 0;
};

TEST_F(ApprovalTest, ApprovingFromASenderCountsOnlyWithTheHashOfWhatWaits) {
  start();
  struct Row {
    std::string sender, payload, entity, text, without, with, way;
  };
  const Row rows[] = {
      {"github", "derived-issue-comment-approve.json", "github:chhsia0/knative-route-demo#3",
       "/davit approve looks right to me", "/davit approve fine", "/davit approve HASH fine",
       "github comment"},
      {"jira", "derived-cloud-comment-created-approve.json", "jira:some-instance-test.atlassian.net/TES-41",
       "/davit approve looks right to me", "/davit approve fine", "/davit approve HASH fine", "jira comment"},
      {"slack", "derived-block-actions-approve.form.txt", "jira:acme.atlassian.net/TES-41", "TES-41",
       "TES-41", "TES-41%23HASH", "slack button"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.sender);
    const std::string id = ask(row.entity);
    const std::string hash = hash_of(id);
    send(row.sender, row.payload, row.text, row.without);
    EXPECT_THAT(outcome(row.sender), HasSubstr("approve refused: an approval names the content hash"));
    EXPECT_THAT(outcome(row.sender), HasSubstr(hash));
    std::string with = row.with;
    with.replace(with.find("HASH"), 4, hash.substr(0, 12));
    send(row.sender, row.payload, row.text, with);
    EXPECT_THAT(outcome(row.sender), HasSubstr("approve accepted"));
    const JsonDocument task = host.wait_for_task(id, {"completed"});
    const JsonValue& decision = (*find_member(task, "decisions"))[0];
    EXPECT_EQ(string_member(decision, "kind"), "approve");
    EXPECT_THAT(string_member(decision, "by"), HasSubstr(row.sender + ":"));
    EXPECT_EQ(string_member(decision, "way"), row.way);
    EXPECT_EQ(string_member(decision, "content_hash"), hash);
  }
  EXPECT_THAT(host.api("GET", "/metrics").body,
              HasSubstr("davit_approvals_total{decision=\"approve\",way=\"webhook\"} 3"));
}

TEST_F(ApprovalTest, WhatWaitsOutlivesARestartAndIsApprovedAsItIsShown) {
  start();
  const std::string id = ask();
  const std::string hash = hash_of(id);
  host.end(SIGKILL);
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(hash_of(id), hash);
  EXPECT_EQ(davit({"tasks", "approve", id, "--hash", std::string(64, '0')}).status, 1);
  const auto approved = davit({"tasks", "approve", id, "--as", "carol"});
  EXPECT_EQ(approved.status, 0) << approved.text;
  EXPECT_THAT(approved.text, HasSubstr("\"mode\": \"noop\"")) << "it shows what it approves";
  EXPECT_THAT(approved.text, HasSubstr(hash));
  const JsonDocument task = host.wait_for_task(id, {"completed"});
  EXPECT_EQ(string_member((*find_member(task, "decisions"))[0], "by"), "carol");
  EXPECT_EQ(string_member((*find_member(task, "decisions"))[0], "way"), "cli");
}

TEST_F(ApprovalTest, AHashIsOptionalWhereTheConfigurationSaysSo) {
  start("approvals: {hash: optional}\n");
  const std::string id = ask();
  EXPECT_EQ(host.api("POST", "/api/tasks/" + id + "/approve").status, 200);
  host.wait_for_task(id, {"completed"});
}

TEST_F(ApprovalTest, SomebodyIsToldOfAWaitAndAnEndComesByItself) {
  start("approvals: {deadline: 1s, notify: third}\n");
  const std::string id = ask();
  const std::string why = string_member(host.wait_for_task(id, {"cancelled"}), "error");
  EXPECT_THAT(why, HasSubstr("nobody approved it by "));
  const auto told = parse_json(host.api("GET", "/api/dashboard/tasks?agent=third").body);
  const JsonValue& tasks = *find_member(*told, "tasks");
  ASSERT_EQ(tasks.Size(), 1u);
  EXPECT_EQ(string_member(tasks[0], "title"), "Approval wanted: Asks first");
  EXPECT_THAT(host.api("GET", "/metrics").body, HasSubstr("davit_reminders_total 1"));
  EXPECT_THAT(host.api("GET", "/metrics").body,
              HasSubstr("davit_approvals_total{decision=\"reject\",way=\"deadline\"} 1"));
}

TEST_F(ApprovalTest, ARejectedPlanGoesBackToItsAgentWithTheComment) {
  start();
  const std::string first =
      make(R"({"agent":"worker","title":"A plan","payload":{"mode":"chain","next":"second"}})");
  // Of the chain.
  const auto waiting = [&] {
    std::string id;
    EXPECT_TRUE(eventually([&] {
      const auto task = parse_json(host.api("GET", "/api/dashboard/tasks/" + first).body);
      for (const JsonValue& link : (*find_member(*task, "chain")).GetArray())
        if (string_member(link, "status") == "awaiting_approval") id = string_member(link, "task_id");
      return !id.empty();
    })) << host.log();
    return id;
  };
  const std::string plan = waiting();
  const std::string hash = hash_of(plan);
  ASSERT_EQ(davit({"tasks", "reject", plan, "--reason", "smaller steps", "--as", "carol"}).status, 0);
  host.wait_for_task(plan, {"cancelled"});
  const std::string again = waiting();
  EXPECT_NE(again, plan);
  const JsonDocument task = host.wait_for_task(again, {"awaiting_approval"});
  EXPECT_EQ(int_member(task, "chain_tasks"), 4);
  EXPECT_EQ(int_member(task, "rework"), 1);
  const std::string worker = string_member(task, "parent_id");
  const JsonDocument reworked = host.wait_for_task(worker, {"completed"});
  EXPECT_EQ(
      to_json(*find_member(reworked, "previous_result")),
      R"({"rejected":{"comment":"smaller steps","by":"carol","actor_id":"","way":"cli","content_hash":")" +
          hash + R"(","output":{"found":42}}})");
}

TEST_F(ApprovalTest, WhoRunsATaskIsToldWhoApprovedItWhatIsLeftAndWhereToKeepThings) {
  start("sandbox: {command: /opt/bubble, required: false}\n");
  const std::string id = make(R"({"agent":"second","title":"Asks first","payload":{"mode":"context"}})");
  const std::string hash = hash_of(id);
  ASSERT_EQ(davit({"tasks", "approve", id, "--hash", hash, "--as", "carol"}).status, 0);
  const JsonDocument task = host.wait_for_task(id, {"completed"});
  const JsonValue& context = *find_member(task, "result");
  const JsonValue& approval = *find_member(context, "approval");
  EXPECT_EQ(string_member(approval, "by"), "carol");
  EXPECT_EQ(string_member(approval, "way"), "cli");
  EXPECT_EQ(string_member(approval, "content_hash"), hash);
  EXPECT_EQ(int_member(context, "max_retries"), int_member(task, "max_retries"));
  EXPECT_EQ(int_member(context, "chain_depth"), 1);
  EXPECT_EQ(to_json(*find_member(context, "sandbox")), R"({"command":"/opt/bubble","required":false})");
  const std::string state = string_member(context, "state_folder");
  EXPECT_EQ(state, (host.folder() / "agents").string());
  EXPECT_EQ(std::filesystem::status(state).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(ApprovalTest, AnApprovalThatDoesNotCountIsNotUsedUp) {
  start();
  const std::string id = make(R"({"agent":"second","title":"Asks first","payload":{"mode":"carol_only"}})");
  const std::string hash = hash_of(id);
  ASSERT_EQ(davit({"tasks", "approve", id, "--hash", hash, "--as", "bob"}).status, 0);
  const auto refusals = [&] {
    return host.api("GET", "/metrics").body.find("davit_approvals_total{decision=\"refused\",way=\"agent\"} 1") !=
           std::string::npos;
  };
  EXPECT_TRUE(eventually(refusals)) << host.log();
  const JsonDocument waits = host.wait_for_task(id, {"awaiting_approval"});
  EXPECT_EQ(string_member(*find_member(waits, "approval"), "content_hash"), hash);
  EXPECT_EQ(int_member(waits, "attempt"), 0);
  EXPECT_EQ(string_member(waits, "error"), "only carol may");
  const JsonValue& execution = (*find_member(waits, "agent_executions"))[0];
  EXPECT_EQ(string_member(execution, "outcome"), "approval_refused");
  EXPECT_EQ(string_member(execution, "error_class"), "approval_refused");
  EXPECT_THAT(host.api("GET", "/metrics").body, HasSubstr("status=\"approval_refused\""));
  EXPECT_THAT(host.log(), HasSubstr("outcome=approval_refused state=awaiting_approval"));

  const auto shown = davit({"tasks", "show", id});
  EXPECT_THAT(shown.text, HasSubstr("refused: approval by bob, cli: only carol may"));
  const auto again = davit({"tasks", "approve", id, "--hash", hash, "--as", "bob"});
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.text, HasSubstr("waits for somebody else"));
  host.end(SIGKILL);
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(davit({"tasks", "approve", id, "--hash", hash, "--as", "bob"}).status, 1);
  ASSERT_EQ(davit({"tasks", "approve", id, "--hash", hash, "--as", "carol"}).status, 0);
  const JsonDocument done = host.wait_for_task(id, {"completed"});
  EXPECT_EQ(find_member(done, "agent_executions")->Size(), 2u);
  EXPECT_EQ(find_member(done, "decisions")->Size(), 3u);
}

TEST_F(ApprovalTest, WhatRanOnNoApprovalFailsForGoodWhateverItsAgentSaysOfOne) {
  start();
  const std::string id = make(R"({"agent":"worker","title":"Asks nobody","payload":{"mode":"carol_only"}})");
  const JsonDocument failed = host.wait_for_task(id, {"failed"});
  EXPECT_THAT(string_member(failed, "error"),
              HasSubstr("says that an approval does not count, and this task ran on none: only carol may"));
  EXPECT_EQ(find_member(failed, "agent_executions")->Size(), 1u);
}

}  // namespace
}  // namespace davit::testing

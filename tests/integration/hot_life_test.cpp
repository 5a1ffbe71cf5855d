// Plugins of a running host come, are replaced, go and come back; nobody restarts it, nothing is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kAgent[] =
    "agents: {command-agent: {concurrency: 2, max_retries: 0, config: {command: [/bin/sh, -c, \"cat "
    ">/dev/null; "
    "echo done\"]}}}\n";
std::string sections(const std::string& webhook) {
  return "webhooks: {good: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s" + webhook + "}}\n" + kAgent;
}

class HotLifeTest : public ::testing::Test {
 protected:
  void start(const std::string& webhook = "") {
    host.install(kPlugins / "command_agent.so");
    host.configure(sections(webhook));
    ASSERT_TRUE(host.start()) << host.log();
  }
  void reload(const std::string& all) {
    host.configure(all);
    ::kill(host.pid(), SIGHUP);
  }
  bool answers(int status) {
    return eventually([&] { return host.deliver().status == status; });
  }
  std::string sha256() {
    JsonDocument entry = host.plugin("webhook", "good");
    return entry.IsObject() ? string_member(entry, "sha256") : "";
  }
  const std::filesystem::path library = kTestPlugins / "good_webhook.so";
  HotHost host;
};

TEST_F(HotLifeTest, ADroppedLibraryServesWithoutARestart) {
  start();
  EXPECT_EQ(host.deliver().status, 503);
  const pid_t pid = host.pid();
  host.put("good_webhook.so", library);
  ASSERT_TRUE(answers(202)) << host.log();
  EXPECT_EQ(host.pid(), pid);
  EXPECT_TRUE(host.running());
  JsonDocument entry = host.plugin("webhook", "good");
  EXPECT_EQ(string_member(entry, "state"), "serving");
  EXPECT_EQ(string_member(entry, "sha256"), sha256_hex(bytes_of(library)));
  EXPECT_GT(int_member(entry, "generation"), 0);
  EXPECT_THAT(string_member(entry, "loaded_at"), HasSubstr("T"));
  EXPECT_THAT(host.api("GET", "/metrics").body,
              HasSubstr("davit_plugin_info{kind=\"webhook\",name=\"good\""));
  EXPECT_TRUE(host.wait_for_log("A plugin serves kind=webhook name=good"));
}

TEST_F(HotLifeTest, ALibraryThatIsCopiedSlowlyServesWhenItIsWhole) {
  start();
  const std::string whole = bytes_of(library);
  {
    std::ofstream copy(host.drop() / "good_webhook.so", std::ios::binary);
    for (std::size_t at = 0; at < whole.size(); at += 4'096) {
      copy << whole.substr(at, 4'096) << std::flush;
      // Whoever looks in between sees a part of the file.
      if (at % 16'384 == 0) host.ask({"plugins", "rescan"});
      EXPECT_EQ(host.deliver().status, 503);
    }
  }
  ::chmod((host.drop() / "good_webhook.so").c_str(), 0700);
  EXPECT_TRUE(answers(202)) << host.log();
  EXPECT_EQ(sha256(), sha256_hex(whole));
}

TEST_F(HotLifeTest, ARenameOverALibraryMakesANewGenerationThatGetsTheWork) {
  host.put("good_webhook.so", library);
  start();
  const std::int64_t first = host.generation_of("webhook", "good");
  host.put_variant("good_webhook.so", library, "second");
  ASSERT_TRUE(eventually([&] { return host.generation_of("webhook", "good") > first; })) << host.log();
  EXPECT_EQ(sha256(), sha256_hex(bytes_of(library) + "second"));
  auto answer = host.deliver();
  ASSERT_EQ(answer.status, 202);
  auto delivery = parse_json(
      host.api("GET", "/api/dashboard/deliveries/" +
                          string_member(*find_member(*parse_json(answer.body), "details"), "delivery_id"))
          .body);
  EXPECT_EQ(string_member(*delivery, "plugin_sha256"), sha256());
}

TEST_F(HotLifeTest, AFailedReplacementLeavesTheOldOneServingAndShowsWhy) {
  host.put("good_webhook.so", library);
  start();
  const std::int64_t first = host.generation_of("webhook", "good");
  host.put_bytes("good_webhook.so", "this is no library");
  ASSERT_TRUE(eventually([&] { return host.refusal_of("good_webhook.so") == "not_elf"; })) << host.log();
  EXPECT_EQ(host.deliver().status, 202);
  EXPECT_EQ(host.generation_of("webhook", "good"), first);
  EXPECT_THAT(host.api("GET", "/metrics").body,
              HasSubstr("davit_plugin_load_failures_total{code=\"not_elf\"} 1"));
  host.put_variant("good_webhook.so", library, "third");
  ASSERT_TRUE(eventually([&] { return host.generation_of("webhook", "good") > first; })) << host.log();
  EXPECT_EQ(host.refusal_of("good_webhook.so"), "");
}

TEST_F(HotLifeTest, ARemovedWebhookTurnsDeliveriesAwayForAllToSeeAndComesBackWithItsFile) {
  host.put("good_webhook.so", library);
  start();
  EXPECT_EQ(host.deliver().status, 202);
  EXPECT_EQ(host.runners_of("good"), 1u);
  host.remove("good_webhook.so");
  EXPECT_TRUE(answers(503)) << host.log();
  const auto refused = host.deliver();
  EXPECT_EQ(refused.header("Retry-After"), "5");
  EXPECT_THAT(refused.body, HasSubstr("is not ready to serve"));
  EXPECT_EQ(host.api("POST", "/webhooks/nobody", "{}").status, 404) << "what is not configured is not there";
  const std::string metrics = host.api("GET", "/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("davit_delivery_rejections_total{webhook=\"good\",reason=\"no_plugin\"}"));
  EXPECT_THAT(metrics, HasSubstr("davit_deliveries_total{webhook=\"good\",outcome=\"unavailable\"}"));
  EXPECT_THAT(metrics,
              HasSubstr("davit_plugin_not_serving{kind=\"webhook\",name=\"good\",state=\"missing\"} 1"));
  EXPECT_TRUE(eventually([&] {
    const std::string listed = host.ask({"deliveries", "list", "--refused"}).text;
    return listed.find("no_plugin") != std::string::npos;
  })) << host.log();
  // Its runners end once they have nothing to do, long before an idle one would; the agent's stay.
  EXPECT_TRUE(eventually([&] { return host.runners_of("good") == 0; }));
  EXPECT_THAT(host.api("GET", "/metrics").body,
              ::testing::Not(HasSubstr("davit_plugin_info{kind=\"webhook\",name=\"good\"")));
  host.put("good_webhook.so", library);
  EXPECT_TRUE(answers(202)) << host.log();
  EXPECT_THAT(host.api("GET", "/metrics").body,
              ::testing::Not(HasSubstr("davit_plugin_not_serving{kind=\"webhook\"")));
}

TEST_F(HotLifeTest, AWebhookThatIsSwitchedOffIsNotFoundAlsoWithoutItsLibrary) {
  host.put("good_webhook.so", library);
  start();
  EXPECT_EQ(host.ask({"plugins", "disable", "webhook", "good"}).status, 0);
  host.remove("good_webhook.so");
  ASSERT_TRUE(host.wait_for_state("webhook", "good", "missing")) << host.log();
  EXPECT_EQ(host.deliver().status, 404);
  EXPECT_THAT(host.api("GET", "/metrics").body,
              ::testing::Not(HasSubstr("davit_plugin_not_serving{kind=\"webhook\"")));
}

TEST_F(HotLifeTest, TasksOfARemovedAgentWaitAndRunWhenItIsBack) {
  host.put("good_webhook.so", library);
  start();
  host.remove("command_agent.so");
  ASSERT_TRUE(host.wait_for_state("agent", "command-agent", "missing")) << host.log();
  auto answer = host.deliver();
  ASSERT_EQ(answer.status, 202);
  const std::string task = string_member(*parse_json(answer.body), "task_id");
  EXPECT_EQ(string_member(host.wait_for_task(task, {"queued", "running", "completed"}), "status"), "queued");
  host.put("command_agent.so", kPlugins / "command_agent.so");
  EXPECT_EQ(string_member(host.wait_for_task(task, {"completed", "failed"}), "status"), "completed")
      << host.log();
}

TEST_F(HotLifeTest, TheFolderMayGoAndComeBackAndHaveFoldersInIt) {
  start();
  std::filesystem::rename(host.drop(), host.folder() / "elsewhere");
  ASSERT_TRUE(host.wait_for_log("plugins is gone")) << host.log();
  EXPECT_EQ(host.state_of("agent", "command-agent"), "serving");
  std::filesystem::create_directory(host.drop());
  ASSERT_TRUE(host.wait_for_state("agent", "command-agent", "missing")) << host.log();
  std::filesystem::permissions(host.drop(), std::filesystem::perms::owner_all);
  host.put("command_agent.so", kPlugins / "command_agent.so");
  ASSERT_TRUE(host.wait_for_state("agent", "command-agent", "serving")) << host.log();
  const auto inner = host.drop() / "team";
  std::filesystem::create_directory(inner);
  std::filesystem::permissions(inner, std::filesystem::perms::owner_all);
  host.put("team/good_webhook.so", library);
  ASSERT_TRUE(answers(202)) << host.log();
  std::filesystem::remove_all(inner);
  EXPECT_TRUE(answers(503)) << host.log();
}

TEST_F(HotLifeTest, WithoutAWatchTheFolderIsLookedAtWhenToldTo) {
  host.plugin_options = ", watch: false";
  start();
  host.put("good_webhook.so", library);
  auto seen = host.ask({"plugins", "rescan"});
  EXPECT_EQ(seen.status, 0) << seen.text;
  EXPECT_THAT(seen.text, HasSubstr("2 libraries, 0 refused"));
  EXPECT_EQ(host.deliver().status, 202) << host.log();
  host.remove("good_webhook.so");
  EXPECT_EQ(host.deliver().status, 202);
  ::kill(host.pid(), SIGHUP);
  EXPECT_TRUE(answers(503)) << host.log();
}

TEST_F(HotLifeTest, AnIdleHostIsNotWokenByItsPlugins) {
  host.put("good_webhook.so", library);
  start();
  ASSERT_EQ(host.state_of("webhook", "good"), "serving");
  auto switches = [&] {
    std::uint64_t count = 0;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(host.pid()) + "/task")) {
      std::ifstream name(task.path() / "comm");
      std::string comm;
      std::getline(name, comm);
      if (comm != "davit-plugins" && comm != "davit-watchdog") continue;
      std::ifstream status(task.path() / "status");
      for (std::string line; std::getline(status, line);) {
        if (line.rfind("voluntary_ctxt_switches:", 0) == 0) count += std::stoull(line.substr(24));
      }
    }
    return count;
  };
  EXPECT_GT(switches(), 0u);
  // What the start set off may still end. Three hundred requests that have nothing to do with plugins are
  // time enough for a poll to show.
  EXPECT_TRUE(eventually([&] {
    const std::uint64_t before = switches();
    for (int i = 0; i < 300; ++i) host.request("GET", "/healthz");
    return switches() == before;
  }));
}

TEST_F(HotLifeTest, CommandsFindAHostThatTookAnyFreePortAlsoAfterItEndedBadly) {
  host.put("good_webhook.so", library);
  host.configure(sections(""));
  ASSERT_TRUE(host.start({})) << host.log();
  const auto found = [&] { return host.command({"plugins", "list"}); };
  EXPECT_THAT(found().text, HasSubstr("good"));
  ::kill(host.host_pid(), SIGKILL);
  ASSERT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
  EXPECT_EQ(found().status, 0);
  EXPECT_EQ(host.end(SIGTERM), 0);
  const auto gone = found();
  EXPECT_EQ(gone.status, 1);
  EXPECT_THAT(gone.text, HasSubstr("no davit that runs has left its port"));
}

// ---- switched by command and by configuration ----

TEST_F(HotLifeTest, ACommandSwitchesAWebhookOffOverARestartAndOnAgain) {
  host.put("good_webhook.so", library);
  start();
  auto off = host.ask({"plugins", "disable", "webhook", "good"});
  EXPECT_EQ(off.status, 0) << off.text;
  EXPECT_THAT(off.text, HasSubstr("webhook good: disabled"));
  EXPECT_EQ(host.deliver().status, 404);
  EXPECT_EQ(string_member(host.plugin("webhook", "good"), "override"), "disabled");
  EXPECT_EQ(host.end(SIGTERM), 0);
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(host.deliver().status, 404);
  EXPECT_THAT(host.reason_of("webhook", "good"), HasSubstr("switched off by command"));
  auto on = host.ask({"plugins", "enable", "webhook", "good"});
  EXPECT_THAT(on.text, HasSubstr("webhook good: serving"));
  EXPECT_EQ(host.deliver().status, 202);
}

TEST_F(HotLifeTest, ACommandSwitchesAnAgentOffAndItsTasksWait) {
  host.put("good_webhook.so", library);
  start();
  EXPECT_EQ(host.ask({"plugins", "disable", "agent", "command-agent"}).status, 0);
  auto answer = host.deliver();
  const std::string task = string_member(*parse_json(answer.body), "task_id");
  EXPECT_EQ(string_member(host.wait_for_task(task, {"queued", "running", "completed"}), "status"), "queued");
  EXPECT_EQ(host.ask({"plugins", "enable", "agent", "command-agent"}).status, 0);
  EXPECT_EQ(string_member(host.wait_for_task(task, {"completed", "failed"}), "status"), "completed")
      << host.log();
}

TEST_F(HotLifeTest, WhatDoesNotExistCannotBeSwitched) {
  start();
  auto answer = host.ask({"plugins", "enable", "webhook", "nobody"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.text, HasSubstr("there is no webhook named nobody"));
  EXPECT_EQ(host.api("POST", "/api/plugins/library/good/enable").status, 404);
  EXPECT_EQ(host.request("POST", "/api/plugins/rescan").status, 401);
}

TEST_F(HotLifeTest, TheConfigurationSwitchesOffWithASignalAndWinsOverTheCommand) {
  host.put("good_webhook.so", library);
  start();
  EXPECT_EQ(host.deliver().status, 202);
  reload(sections(", enabled: false"));
  ASSERT_TRUE(answers(404)) << host.log();
  auto on = host.ask({"plugins", "enable", "webhook", "good"});
  EXPECT_EQ(on.status, 0);
  EXPECT_THAT(on.text, HasSubstr("enabled: false in the configuration wins"));
  EXPECT_EQ(host.deliver().status, 404);
  reload(sections(""));
  EXPECT_TRUE(answers(202)) << host.log();
}

// ---- SIGHUP ----

TEST_F(HotLifeTest, ABadConfigurationIsRefusedWithItsLineAndTheOldOneStaysInForce) {
  host.put("good_webhook.so", library);
  start();
  reload("webhoks: {}\n" + std::string(kAgent));
  EXPECT_TRUE(host.wait_for_log("davit.yaml:5: webhoks: unknown key")) << host.log();
  EXPECT_EQ(host.deliver().status, 202);
  // A plugin's own schema has a say as well, and refuses the whole: the agent stays as it was, too.
  reload(
      "webhooks:\n  good:\n    secret_env: GITHUB_WEBHOOK_SECRET\n    replay_window: 0s\n    config:\n      "
      "mod: echo\n"
      "agents: {command-agent: {enabled: false}}\n");
  EXPECT_TRUE(host.wait_for_log("davit.yaml:10: webhooks.good.config.mod")) << host.log();
  EXPECT_EQ(host.deliver().status, 202);
  EXPECT_EQ(host.state_of("agent", "command-agent"), "serving");
}

TEST_F(HotLifeTest, ASignalBringsNewWebhooksSecretsAndSettingsAndNamesWhatMustWait) {
  host.put("good_webhook.so", library);
  const auto secret = host.folder() / "secret";
  ASSERT_TRUE(write_file_atomically(secret, RunningHost::kSecret, 0600).ok());
  const std::string good = "webhooks:\n  good: {replay_window: 0s, secret_file: " + secret.string();
  host.install(kPlugins / "command_agent.so");
  host.configure(good + "}\n" + kAgent);
  ASSERT_TRUE(host.start()) << host.log();
  ASSERT_EQ(host.deliver().status, 202);

  host.server_options = ", max_connections: 99";
  reload(good + "}\n  twin: {plugin: good, secret_file: " + secret.string() + ", config: {mode: ignore}}\n" +
         kAgent);
  ASSERT_TRUE(eventually([&] { return host.deliver("{}", new_id(), "twin").status == 200; })) << host.log();
  EXPECT_TRUE(host.wait_for_log("waits for the next start key=server.max_connections"));
  EXPECT_EQ(host.deliver().status, 202);

  // Another secret in the same file: the old signature is refused from then on.
  ASSERT_TRUE(write_file_atomically(secret, "another-secret-0123456789", 0600).ok());
  ::kill(host.pid(), SIGHUP);
  EXPECT_TRUE(answers(401)) << host.log();
}

// ---- code that really differs ----

TEST_F(HotLifeTest, NewCodeAnswersWhileTheOldFinishesWhatItBegan) {
  host.put("good_webhook.so", library);
  start(", answer_within_ms: 60000, config: {mode: obey}");
  auto says = [](const test::RawAnswer& answer) {
    auto body = parse_json(answer.body);
    return body ? string_member(*body, "message") : "";
  };
  ASSERT_EQ(says(host.deliver()), "echo");
  const auto go_on = host.folder() / "go-on";
  test::RawClient begun(host.port());
  begun.send(good_request(R"({"do":"wait-now","file":")" + go_on.string() + "\"}", new_id()));
  ASSERT_TRUE(host.wait_for_log("handle waits from now on")) << host.log();
  host.put("good_webhook.so", kTestPlugins / "second_webhook.so");
  ASSERT_TRUE(eventually([&] { return says(host.deliver()) == "second"; })) << host.log();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(says(host.deliver()), "second");
  std::ofstream(go_on) << "now";
  EXPECT_EQ(says(begun.read_answer()), "echo");
  // Back again, by bytes that were there before.
  host.put("good_webhook.so", library);
  EXPECT_TRUE(eventually([&] { return says(host.deliver()) == "echo"; })) << host.log();
}

// ---- under load ----

TEST_F(HotLifeTest, ReplacementsUnderLoadLoseNothing) {
  host.put("good_webhook.so", library);
  start(", answer_within_ms: 5000");
  ASSERT_EQ(host.deliver().status, 202);
  constexpr int kReplacements = 20;
  Load load(host.port(), 200,
            [](std::size_t number) { return "{\"number\":" + std::to_string(number) + "}"; });
  for (int i = 0; i < kReplacements; ++i) {
    const std::int64_t before = host.generation_of("webhook", "good");
    host.put_variant("good_webhook.so", library, "variant " + std::to_string(i));
    ASSERT_TRUE(eventually([&] { return host.generation_of("webhook", "good") > before; })) << host.log();
    // Some work for each generation.
    const std::size_t sent = load.so_far();
    ASSERT_TRUE(eventually([&] { return load.so_far() >= sent + 20; }));
  }
  Load::Sent sent = load.stop();
  EXPECT_EQ(sent.statuses.size(), 1u) << ::testing::PrintToString(sent.statuses);
  EXPECT_EQ(sent.statuses[202], sent.sent);
  EXPECT_EQ(sent.acknowledged.size(), sent.sent);
  EXPECT_TRUE(eventually([&] {
    return host.api("GET", "/api/dashboard/deliveries?verdict=deferred").body.find("\"delivery_id\"") ==
           std::string::npos;
  }));
  EXPECT_EQ(host.api("GET", "/api/dashboard/tasks?status=failed").body.find("\"task_id\""),
            std::string::npos);
}

}  // namespace
}  // namespace davit::testing

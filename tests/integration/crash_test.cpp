// A plugin that brings its process down: named, counted, put into quarantine by its bytes, and taken out
// again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <optional>

#include "tests/support/hot_host.h"
#include "tests/support/temp_database.h"

namespace davit::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class CrashTest : public ::testing::Test {
 protected:
  void start(const std::string& webhook, const std::string& plugins = "",
             const std::vector<std::string>& arguments = {}) {
    host.put("good_webhook.so", library);
    host.plugin_options = plugins;
    host.configure(
        "webhooks: {good: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, config: {mode: obey}, " +
        webhook + "}}\n");
    const auto begun = std::chrono::steady_clock::now();
    ASSERT_TRUE(host.start(arguments)) << host.log();
    start_took = std::chrono::steady_clock::now() - begun;
  }
  // Sends what ends the host and waits until it serves again; gives how long that took.
  std::chrono::milliseconds crash(const std::string& word) {
    const pid_t before = host.host_pid();
    EXPECT_EQ(host.deliver("{\"do\":\"" + word + "\"}").status, 0);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
    const auto took = std::chrono::steady_clock::now() - begun;
    EXPECT_NE(host.host_pid(), before);
    return std::chrono::duration_cast<std::chrono::milliseconds>(took);
  }
  // Returns once a thread of the host hangs in a call.
  void hang_in_a_call() {
    hanging.emplace(host.port());
    hanging->send(good_request(R"({"do":"hang-now"})", new_id()));
    // That thread answers nobody; connections take turns on the threads.
    std::list<test::RawClient> others;
    EXPECT_TRUE(eventually([&] {
      test::RawClient& other = others.emplace_back(host.port());
      other.patience = std::chrono::milliseconds(200);
      other.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
      return other.read_answer().status == 0;
    }));
  }
  // What served before the guilty library came does so again, from its copy.
  void expect_the_former_serves() {
    EXPECT_EQ(host.deliver().status, 202) << host.log();
    EXPECT_EQ(string_member(host.plugin("webhook", "good"), "sha256"), sha256_hex(bytes_of(library)));
    EXPECT_THAT(host.reason_of("webhook", "good"), HasSubstr("its plugin crashed"));
    EXPECT_THAT(host.reason_of("webhook", "good"), HasSubstr("serves on"));
    const JsonDocument serving = host.plugin("webhook", "good");
    const JsonValue* held_back = find_member(serving, "held_back");
    ASSERT_TRUE(held_back != nullptr && held_back->IsObject()) << to_json(serving);
    EXPECT_EQ(string_member(*held_back, "state"), "quarantined");
    EXPECT_NE(string_member(*held_back, "sha256"), string_member(serving, "sha256"));
    EXPECT_THAT(string_member(*held_back, "reason"),
                AllOf(HasSubstr("its plugin crashed"), HasSubstr("davit plugins clear webhook good")));
    EXPECT_FALSE(string_member(*held_back, "since").empty());
    EXPECT_THAT(host.api("GET", "/metrics").body,
                HasSubstr("davit_plugin_quarantined{kind=\"webhook\",name=\"good\""));
  }
  const std::filesystem::path library = kTestPlugins / "good_webhook.so";
  HotHost host;
  std::optional<test::RawClient> hanging;
  std::chrono::steady_clock::duration start_took{};
};

TEST_F(CrashTest, ThreeCrashesPutALibraryIntoQuarantineAndNewBytesStartClean) {
  start("isolation: inprocess");
  const std::string crumb = "A plugin brought the host down plugin=good";
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(host.deliver().status, 202) << i;
    std::cout << "serving again after a crash in " << crash("crash-now").count() << " ms\n";
    EXPECT_TRUE(host.wait_for_log(crumb, static_cast<std::size_t>(i))) << host.log();
  }
  EXPECT_THAT(host.log(), HasSubstr("call=handle"));
  EXPECT_THAT(host.log(), HasSubstr("SIGSEGV"));
  EXPECT_EQ(host.state_of("webhook", "good"), "quarantined");
  EXPECT_THAT(host.reason_of("webhook", "good"),
              HasSubstr("crashed 3 times within 10 minutes, last in handle"));
  auto refused = host.deliver();
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("in quarantine"));
  EXPECT_THAT(host.api("GET", "/metrics").body,
              HasSubstr("davit_plugin_quarantined{kind=\"webhook\",name=\"good\""));
  EXPECT_THAT(host.ask({"plugins", "list"}).text, HasSubstr("quarantined"));
  // Nor does it serve on behind bytes that are refused.
  host.put_bytes("good_webhook.so", "this is no library");
  EXPECT_TRUE(eventually([&] { return host.refusal_of("good_webhook.so") == "not_elf"; })) << host.log();
  EXPECT_THAT(host.ask({"plugins", "list"}).text, Not(HasSubstr("serves on")));
  // The same bytes under another name are as guilty; other bytes are not.
  host.remove("good_webhook.so");
  host.put("renamed.so", library);
  EXPECT_TRUE(host.wait_for_state("webhook", "good", "quarantined"));
  host.put_variant("renamed.so", library, "repaired");
  EXPECT_TRUE(eventually([&] { return host.deliver().status == 202; })) << host.log();
}

TEST_F(CrashTest, AHostThatCrashesForTheFirstTimeIsStartedAgainWithTheLeastDelay) {
  start("isolation: inprocess");
  const auto took = crash("crash-now");
  std::cout << "serving again after a crash in " << took.count() << " ms\n";
  EXPECT_TRUE(host.wait_for_log("it is started again in 100 ms")) << host.log();
  // Beside that delay a start is a start: what the first one took, with room for a busy machine.
  EXPECT_LT(took, std::chrono::milliseconds(100) + 20 * start_took);
}

TEST_F(CrashTest, EveryCrashThatAPluginIsBlamedForIsFollowedByAStartWithTheLeastDelay) {
  start("isolation: inprocess", ", quarantine_after: 7");
  for (std::size_t i = 1; i <= 6; ++i) {
    crash("crash-now");
    EXPECT_TRUE(host.wait_for_log("A plugin brought the host down plugin=good", i)) << host.log();
    EXPECT_EQ(host.deliver().status, 202) << host.log();
  }
  EXPECT_TRUE(host.wait_for_log("it is started again in 100 ms", 6)) << host.log();
  crash("crash-now");
  EXPECT_EQ(host.state_of("webhook", "good"), "quarantined");
}

TEST_F(CrashTest, TheDelayGrowsWhileNobodyIsBlamedAndBeginsAnewOnceAPluginIs) {
  start("isolation: inprocess", ", quarantine_after: 7");
  for (const char* delay : {"100 ms", "200 ms", "400 ms"}) {
    ::kill(host.host_pid(), SIGSEGV);
    EXPECT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
    EXPECT_TRUE(host.wait_for_log("it is started again in " + std::string(delay))) << host.log();
  }
  crash("crash-now");
  EXPECT_TRUE(host.wait_for_log("it is started again in 800 ms")) << host.log();
  crash("crash-now");
  EXPECT_TRUE(host.wait_for_log("it is started again in 100 ms", 2)) << host.log();
}

TEST_F(CrashTest, WithoutAQuarantineToBoundThemBlamedCrashesLengthenTheDelay) {
  start("isolation: inprocess", ", quarantine_after: 0");
  for (const char* delay : {"100 ms", "200 ms"}) {
    crash("crash-now");
    EXPECT_TRUE(host.wait_for_log("it is started again in " + std::string(delay))) << host.log();
  }
}

TEST_F(CrashTest, APortThatTheConfigurationLeavesOpenStaysTheSameOverRestarts) {
  start("isolation: inprocess");
  const int port = host.port();
  for (int i = 0; i < 2; ++i) {
    ::kill(host.host_pid(), SIGKILL);
    EXPECT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
    EXPECT_EQ(host.port(), port);
  }
  EXPECT_EQ(host.deliver().status, 202);
}

TEST_F(CrashTest, ACommandEndsTheQuarantineAndCrashesCountAnew) {
  start("isolation: inprocess", ", quarantine_after: 1");
  crash("exit-now");
  EXPECT_TRUE(host.wait_for_log("A plugin brought the host down plugin=good")) << host.log();
  EXPECT_EQ(host.deliver().status, 503);
  auto cleared = host.ask({"plugins", "clear", "webhook", "good"});
  EXPECT_EQ(cleared.status, 0) << cleared.text;
  EXPECT_THAT(cleared.text, HasSubstr("webhook good: serving"));
  EXPECT_EQ(host.deliver().status, 202);
  crash("crash-now");
  EXPECT_EQ(host.deliver().status, 503);
}

TEST_F(CrashTest, AHookThatHangsInTheHostIsEndedAndBlamed) {
  start("isolation: inprocess, answer_within_ms: 50", ", quarantine_after: 1");
  crash("hang-now");
  EXPECT_THAT(
      host.log(),
      HasSubstr("A plugin hangs in the host, which ends to be started again plugin=good call=handle"));
  EXPECT_THAT(host.log(), HasSubstr("A plugin brought the host down plugin=good"));
  EXPECT_EQ(host.state_of("webhook", "good"), "quarantined");
}

// What a probe cannot see: code that behaves differently in the host.
TEST_F(CrashTest, AConstructorThatCrashesInTheHostOnlyIsBlamedAndQuarantined) {
  start("isolation: inprocess", ", quarantine_after: 1");
  host.put("good_webhook.so", kTestPlugins / "crashes_in_host.so");
  EXPECT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
  EXPECT_THAT(host.log(), HasSubstr("A plugin brought the host down plugin=good"));
  EXPECT_THAT(host.log(), HasSubstr("call=load"));
  expect_the_former_serves();
}

TEST_F(CrashTest, AConstructorThatHangsInTheHostOnlyIsEndedAndQuarantined) {
  start("isolation: inprocess", ", quarantine_after: 1");
  host.put("good_webhook.so", kTestPlugins / "hangs_in_host.so");
  EXPECT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
  EXPECT_THAT(host.log(),
              HasSubstr("A plugin hangs in the host, which ends to be started again plugin=good call=load"));
  expect_the_former_serves();
}

TEST_F(CrashTest, ACallThatClosesTheHostsDescriptorsIsBlamedAndTheHostComesBack) {
  start("isolation: inprocess", ", quarantine_after: 1");
  crash("close-now");
  EXPECT_TRUE(host.wait_for_log("A plugin brought the host down plugin=good")) << host.log();
  EXPECT_THAT(host.log(), HasSubstr("a descriptor of this process was closed behind its back"));
  EXPECT_EQ(host.state_of("webhook", "good"), "quarantined");
}

TEST_F(CrashTest, ACrashInAPluginsOwnThreadIsBlamedOnItsLibrary) {
  start("isolation: inprocess", ", quarantine_after: 1");
  const auto go_on = host.folder() / "go-on";
  EXPECT_EQ(host.deliver(R"({"do":"thread-crash","file":")" + go_on.string() + "\"}").status, 202);
  std::ofstream(go_on) << "now";
  EXPECT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
  EXPECT_TRUE(host.wait_for_log("A plugin brought the host down plugin=good")) << host.log();
  EXPECT_THAT(host.log(), HasSubstr("it was in a thread of its own"));
  EXPECT_EQ(host.state_of("webhook", "good"), "quarantined");
}

TEST_F(CrashTest, AnEndThatNoPluginIsToBlameForIsToldAsThat) {
  start("isolation: inprocess", ", quarantine_after: 1");
  for (const auto& [signal, words] :
       {std::pair(SIGKILL, "The host was killed from outside"),
        std::pair(SIGSEGV, "The host ended while no plugin was known to run")}) {
    ::kill(host.host_pid(), signal);
    EXPECT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
    EXPECT_TRUE(host.wait_for_log(words)) << host.log();
  }
  EXPECT_EQ(host.deliver().status, 202);
}

TEST_F(CrashTest, AKillFromOutsideIsNobodysFault) {
  start("isolation: inprocess, answer_within_ms: 60000", ", quarantine_after: 1");
  hang_in_a_call();
  ::kill(host.host_pid(), SIGKILL);
  EXPECT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
  EXPECT_TRUE(host.wait_for_log("The host was killed in the middle of a plugin's call")) << host.log();
  EXPECT_EQ(host.deliver().status, 202);
}

TEST_F(CrashTest, WithoutASupervisorAKillIsNobodysFaultEither) {
  start("isolation: inprocess, answer_within_ms: 60000", ", quarantine_after: 1", {"--no-supervisor"});
  hang_in_a_call();
  EXPECT_EQ(host.end(SIGKILL), -SIGKILL);
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_TRUE(host.wait_for_log("The host ended unseen in the middle of a plugin's call")) << host.log();
  EXPECT_THAT(host.log(), Not(HasSubstr("A plugin brought the host down")));
  EXPECT_EQ(host.deliver().status, 202);
}

TEST_F(CrashTest, WithoutASupervisorACrashIsBlamedAtTheNextStart) {
  start("isolation: inprocess", ", quarantine_after: 1", {"--no-supervisor"});
  EXPECT_EQ(host.deliver("{\"do\":\"crash-now\"}").status, 0);
  host.wait_for_end();
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_THAT(host.log(), HasSubstr("A plugin brought the host down plugin=good"));
  EXPECT_EQ(host.state_of("webhook", "good"), "quarantined");
}

TEST_F(CrashTest, AnAgentWhoseTasksCrashIsQuarantinedAndItsTasksAreParkedUntilItIsCleared) {
  host.put("worker.so", kTestPlugins / "scripted_agent.so");
  host.configure("agents: {worker: {concurrency: 4, max_retries: 5}}\n");
  ASSERT_TRUE(host.start({})) << host.log();
  auto task = [&](const std::string& mode) {
    auto made = host.api("POST", "/api/tasks", R"({"agent":"worker","payload":{"mode":")" + mode + "\"}}");
    EXPECT_EQ(made.status, 201) << made.body;
    return string_member(*parse_json(made.body), "task_id");
  };
  std::vector<std::string> crashing{task("crash"), task("crash"), task("crash")};
  ASSERT_TRUE(host.wait_for_state("agent", "worker", "quarantined")) << host.log();
  for (const std::string& id : crashing)
    EXPECT_EQ(string_member(host.wait_for_task(id, {"parked", "failed"}), "status"), "parked");
  const std::string later = task("noop");
  auto parked = host.wait_for_task(later, {"parked", "completed", "failed"});
  EXPECT_EQ(string_member(parked, "status"), "parked");
  EXPECT_THAT(string_member(parked, "hold_reason"), HasSubstr("quarantine"));
  auto retried = host.ask({"tasks", "retry", later});
  EXPECT_EQ(retried.status, 1);
  EXPECT_THAT(retried.text, HasSubstr("davit plugins clear agent worker"));
  for (const std::string& id : crashing) host.ask({"tasks", "cancel", id});
  EXPECT_EQ(host.ask({"plugins", "clear", "agent", "worker"}).status, 0);
  EXPECT_EQ(string_member(host.wait_for_task(later, {"completed", "failed"}), "status"), "completed")
      << host.log();
}

TEST_F(CrashTest, NewBytesOfAnAgentEndItsQuarantineAndItsTasksRun) {
  host.put("worker.so", kTestPlugins / "crashing_worker.so");
  host.plugin_options = ", quarantine_after: 1";
  host.configure("agents: {worker: {concurrency: 1, max_retries: 5}}\n");
  ASSERT_TRUE(host.start({})) << host.log();
  auto task = [&] {
    auto made = host.api("POST", "/api/tasks", R"({"agent":"worker","payload":{"mode":"noop"}})");
    return string_member(*parse_json(made.body), "task_id");
  };
  const std::string guilty = task();
  ASSERT_TRUE(host.wait_for_state("agent", "worker", "quarantined")) << host.log();
  const std::string later = task();
  for (const std::string& id : {guilty, later})
    EXPECT_EQ(string_member(host.wait_for_task(id, {"parked", "completed", "failed"}), "status"), "parked");
  host.put("worker.so", kTestPlugins / "scripted_agent.so");
  for (const std::string& id : {guilty, later})
    EXPECT_EQ(string_member(host.wait_for_task(id, {"completed", "failed"}), "status"), "completed")
        << host.log();
  // Its crashes are kept: should the guilty bytes come back, they are judged as before. They can be forgotten
  // all the same, and without their file, too.
  host.remove("worker.so");
  ASSERT_TRUE(host.wait_for_state("agent", "worker", "missing"));
  EXPECT_EQ(host.ask({"plugins", "clear", "agent", "worker"}).status, 0);
  auto again = host.ask({"plugins", "clear", "agent", "worker"});
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.text, HasSubstr("none of this name is in quarantine"));
  host.put("worker.so", kTestPlugins / "crashing_worker.so");
  EXPECT_TRUE(host.wait_for_state("agent", "worker", "serving")) << host.log();
}

TEST_F(CrashTest, NewBytesOfAnAgentThatCrashAreHeldBackUntilACommandLetsThemServeAgain) {
  const auto crashing = kTestPlugins / "crashing_worker.so";
  host.put("worker.so", kTestPlugins / "scripted_agent.so");
  host.plugin_options = ", quarantine_after: 1";
  host.configure("agents: {worker: {concurrency: 1, max_retries: 0}}\n");
  ASSERT_TRUE(host.start({})) << host.log();
  auto run = [&] {
    auto made = host.api("POST", "/api/tasks", R"({"agent":"worker","payload":{"mode":"noop"}})");
    const std::string id = string_member(*parse_json(made.body), "task_id");
    return string_member(host.wait_for_task(id, {"completed", "failed", "parked"}), "status");
  };
  auto hash_that_serves = [&] { return string_member(host.plugin("agent", "worker"), "sha256"); };
  ASSERT_EQ(run(), "completed") << host.log();
  host.put("worker.so", crashing);
  ASSERT_TRUE(eventually([&] { return hash_that_serves() == sha256_hex(bytes_of(crashing)); })) << host.log();
  // The one before it serves again, those tasks too, and what is there now is shown beside it.
  ASSERT_TRUE(eventually([&] { return run() == "completed" && hash_that_serves() != sha256_hex(bytes_of(crashing)); }))
      << host.log();
  const JsonDocument serving = host.plugin("agent", "worker");
  EXPECT_EQ(string_member(serving, "state"), "serving");
  const JsonValue* held_back = find_member(serving, "held_back");
  ASSERT_TRUE(held_back != nullptr && held_back->IsObject()) << to_json(serving);
  EXPECT_EQ(string_member(*held_back, "state"), "quarantined");
  EXPECT_EQ(string_member(*held_back, "sha256"), sha256_hex(bytes_of(crashing)));
  EXPECT_THAT(string_member(*held_back, "reason"), HasSubstr("davit plugins clear agent worker"));
  EXPECT_EQ(run(), "completed") << host.log();
  const auto cleared = host.api("POST", "/api/plugins/agent/worker/clear", "{}");
  EXPECT_EQ(cleared.status, 200) << cleared.body;
  EXPECT_TRUE(eventually([&] { return hash_that_serves() == sha256_hex(bytes_of(crashing)); })) << host.log();
  EXPECT_THAT(to_json(host.plugin("agent", "worker")), HasSubstr("\"held_back\":null"));
}

TEST_F(CrashTest, AWebhookThatHangsInItsRunnerIsDeferredAndGetsANewRunner) {
  host.put("good_webhook.so", library);
  host.configure(
      "webhooks: {good: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, config: {mode: obey}, "
      "answer_within_ms: 1000, "
      "max_retries_of_deferred: 0}}\n");
  ASSERT_TRUE(host.start()) << host.log();
  ASSERT_EQ(host.deliver().status, 202);
  ASSERT_TRUE(eventually([&] { return host.runners_of("good") == 1; }));
  const std::set<pid_t> before = host.runner_pids("good");
  auto hung = host.deliver("{\"do\":\"hang-now\"}");
  EXPECT_EQ(hung.status, 202);
  EXPECT_THAT(hung.body, HasSubstr("\"deferred\":true"));
  EXPECT_TRUE(eventually([&] { return host.runner_pids("good") != before; })) << host.log();
  auto next = host.deliver();
  EXPECT_EQ(next.status, 202);
  EXPECT_THAT(next.body, HasSubstr("\"task_id\""));
  for (pid_t runner : host.runner_pids("good")) EXPECT_FALSE(before.contains(runner));
}

TEST_F(CrashTest, OneTaskThatCrashesItsAgentAgainAndAgainDoesNotCondemnIt) {
  host.put("worker.so", kTestPlugins / "scripted_agent.so");
  host.configure("agents: {worker: {concurrency: 4, max_retries: 5}}\n");
  ASSERT_TRUE(host.start({})) << host.log();
  auto made = host.api("POST", "/api/tasks", R"({"agent":"worker","payload":{"mode":"crash"}})");
  const std::string id = string_member(*parse_json(made.body), "task_id");
  EXPECT_EQ(string_member(host.wait_for_task(id, {"parked", "failed"}), "status"), "parked") << host.log();
  EXPECT_EQ(host.state_of("agent", "worker"), "serving");
}

// ---- libraries that are being looked at ----

TEST_F(CrashTest, ALibraryThatWasBeingLookedAtAtEveryEndOfTheHostIsNotLookedAtAnyMore) {
  start("isolation: inprocess", ", quarantine_after: 2, probe_timeout: 60s");
  const auto is_looked_at = [&] {
    for (const auto& entry : std::filesystem::directory_iterator(host.folder() / "plugin-store")) {
      if (entry.path().extension() == ".probing") return true;
    }
    return false;
  };
  host.put("guilty.so", kBrokenPlugins / "constructor_hangs.so");
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(eventually(is_looked_at)) << host.log();
    ::kill(host.host_pid(), SIGKILL);
    ASSERT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
  }
  EXPECT_EQ(host.refusal_of("guilty.so"), "probe_ended_host") << host.log();
  EXPECT_THAT(host.refusal_sentence_of("guilty.so"),
              AllOf(HasSubstr("Looking at it ended davit"), HasSubstr("crashed 2 times"),
                    HasSubstr("davit plugins rescan")));
  EXPECT_FALSE(is_looked_at());
  EXPECT_EQ(host.deliver().status, 202) << "the others serve";
  // After a restart as well, until somebody wants to know.
  EXPECT_EQ(host.end(SIGTERM), 0);
  ASSERT_TRUE(host.start({})) << host.log();
  EXPECT_EQ(host.refusal_of("guilty.so"), "probe_ended_host") << host.log();
  host.api("POST", "/api/plugins/rescan");
  EXPECT_TRUE(eventually(is_looked_at)) << host.log();
  EXPECT_THAT(host.log(), HasSubstr("is looked at again by command"));
}

TEST_F(CrashTest, ARescanEndsNoQuarantineOfAPluginWhateverItsName) {
  {
    const auto log = Log::silent();
    const SystemClock clock;
    auto opened =
        store::Store::open({.path = host.folder() / "davit.db", .create_if_missing = true}, *log, clock);
    ASSERT_TRUE(std::holds_alternative<std::unique_ptr<store::Store>>(opened));
    auto& store = *std::get<std::unique_ptr<store::Store>>(opened);
    const store::PluginCrash crash{.sha256 = sha256_hex(bytes_of(library)),
                                   .plugin = "probe",
                                   .call = "handle",
                                   .request_id = "",
                                   .reason = "killed",
                                   .at = clock.wall()};
    for (int times = 0; times < 3; ++times)
      ASSERT_TRUE(wait<bool>([&](auto done) { store.note_crash(crash, {}, done); }).ok());
  }
  start("isolation: process");
  EXPECT_EQ(host.state_of("webhook", "good"), "quarantined");
  ASSERT_EQ(host.ask({"plugins", "rescan"}).status, 0);
  EXPECT_EQ(host.state_of("webhook", "good"), "quarantined");
  EXPECT_EQ(host.end(SIGTERM), 0);
  ASSERT_TRUE(host.start({})) << host.log();
  EXPECT_EQ(host.state_of("webhook", "good"), "quarantined");
}

// ---- kept deliveries ----

TEST_F(CrashTest, AKeptDeliveryThatBringsTheHostDownIsTriedAsOftenAsMayBeAndThenWaitsForAPerson) {
  const auto configure = [&](const std::string& mode) {
    host.plugin_options = ", quarantine_after: 0";
    host.configure(
        "webhooks: {good: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, "
        "max_retries_of_deferred: 2, config: {mode: " +
        mode + "}}}\n");
  };
  const auto of_verdict = [&](const std::string& verdict) {
    auto told = parse_json(host.ask({"deliveries", "list", "--json", "--verdict", verdict}).text);
    return told.ok() ? std::move(told).value() : JsonDocument();
  };
  host.put("good_webhook.so", library);
  configure("decline");
  ASSERT_TRUE(host.start({})) << host.log();
  ASSERT_EQ(host.deliver(R"({"do":"crash-now"})").status, 200);
  configure("obey");
  ASSERT_EQ(host.ask({"reload"}).status, 0);
  const JsonDocument stored = of_verdict("ignored");
  const std::string id = string_member(stored["deliveries"][0], "delivery_id");
  host.api("POST", "/api/deliveries/" + id + "/replay");  // an answer may come before the end, or none
  for (int crashes = 0; crashes < 2; ++crashes)
    ASSERT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
  JsonDocument parked;
  ASSERT_TRUE(eventually([&] {
    parked = of_verdict("parked");
    return parked.IsObject() && parked["deliveries"].Size() == 1;
  })) << host.log();
  EXPECT_EQ(int_member(parked["deliveries"][0], "tries"), 2);
  EXPECT_THAT(string_member(parked["deliveries"][0], "message"),
              HasSubstr("tried 2 times, and davit ended in the last try; mend the plugin"));
  EXPECT_TRUE(host.wait_for_log("A plugin brought the host down plugin=good", 2)) << host.log();
  EXPECT_EQ(host.deliver().status, 202);
}

// ---- a stop while a plugin hangs in the host ----

class StopOfAHangTest : public CrashTest {
 protected:
  // The host in one process, so that its exit status is seen. A stop has 5 s, less than a plugin has before
  // the watchdog ends the host.
  void configure() {
    host.server_options = ", drain_timeout: 0ms";
    host.configure("webhooks: {good: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess}}\n");
  }
  void expect_an_end_by_the_stop() {
    EXPECT_EQ(host.end(SIGTERM), 1) << host.log();
    EXPECT_THAT(host.log(), HasSubstr("the stop takes too long"));
    EXPECT_THAT(host.log(), Not(HasSubstr("A plugin hangs in the host")));
  }
};

TEST_F(StopOfAHangTest, AStopIsObeyedWhileAReloadWaitsForAPlugin) {
  host.put("good_webhook.so", library);
  configure();
  ASSERT_TRUE(host.start()) << host.log();
  host.put("good_webhook.so", kTestPlugins / "create_hangs.so");
  ASSERT_TRUE(host.wait_for_log("create hangs from now on")) << host.log();
  ::kill(host.pid(), SIGHUP);
  // Meanwhile the old one serves.
  EXPECT_EQ(host.deliver().status, 202);
  expect_an_end_by_the_stop();
  EXPECT_THAT(host.log(), HasSubstr("davit stops"));
}

TEST_F(StopOfAHangTest, AStopIsObeyedWhileTheStartWaitsForAPlugin) {
  host.put("good_webhook.so", kTestPlugins / "create_hangs.so");
  configure();
  host.launch();
  ASSERT_TRUE(host.wait_for_log("create hangs from now on")) << host.log();
  expect_an_end_by_the_stop();
}

TEST_F(StopOfAHangTest, ARescanThatAStopOvertakesIsAnswered) {
  host.put("good_webhook.so", library);
  host.server_options = ", drain_timeout: 10s";
  host.plugin_options = ", probe_timeout: 10m, watch: false";
  host.configure("webhooks: {good: {secret_env: GITHUB_WEBHOOK_SECRET}}\n");
  ASSERT_TRUE(host.start()) << host.log();
  host.put("hangs.so", kBrokenPlugins / "metadata_hangs.so");
  test::RawClient client(host.port());
  client.send("POST /api/plugins/rescan HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nAuthorization: Bearer " +
              host.token() + "\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return host.children() > 0; }));
  EXPECT_EQ(host.end(SIGTERM), 0) << host.log();
  EXPECT_EQ(client.read_answer().status, 200);
}

// ---- under load ----

std::string every_tenth_crashes(std::size_t number) {
  return number % 10 == 9 ? "{\"do\":\"crash-now\"}" : "{\"number\":" + std::to_string(number) + "}";
}

TEST_F(CrashTest, InRunnersNoVerifiedDeliveryIsLostToAPluginThatCrashesOnEveryTenth) {
  start("isolation: process, max_retries_of_deferred: 0, answer_within_ms: 5000");
  Load load(host.port(), 100, every_tenth_crashes);
  EXPECT_TRUE(eventually([&] { return load.so_far() >= 300; }));
  Load::Sent sent = load.stop();
  EXPECT_EQ(sent.statuses[202], sent.sent) << ::testing::PrintToString(sent.statuses);
  EXPECT_GE(sent.deferred, 29u);
  // Each became a task, or is kept, visible and replayable, if it is one that crashes.
  std::size_t kept = 0;
  for (const auto& [delivery, task] : sent.acknowledged) {
    if (task.empty())
      ++kept;
    else
      EXPECT_EQ(host.api("GET", "/api/dashboard/tasks/" + task).status, 200);
  }
  EXPECT_EQ(kept, sent.deferred);
  EXPECT_THAT(host.log(), ::testing::Not(HasSubstr("the host ended")));
}

TEST_F(CrashTest, InTheHostNoAcknowledgedDeliveryIsLostToAPluginThatCrashesOnItsTenth) {
  start("isolation: inprocess", ", quarantine_after: 0");
  std::map<std::string, std::string> acknowledged;
  std::size_t unanswered = 0;
  for (int crashes = 0; crashes < 4; ++crashes) {
    // Each round is one life of the host; what is sent between it and the next one has no answer.
    Load load(host.port(), 100,
              [](std::size_t number) { return number < 10 ? every_tenth_crashes(number) : "{}"; });
    EXPECT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
    Load::Sent sent = load.stop();
    unanswered += sent.statuses[0];
    acknowledged.merge(sent.acknowledged);
  }
  EXPECT_GE(unanswered, 4u);
  EXPECT_GE(acknowledged.size(), 9u);
  for (const auto& [delivery, task] : acknowledged) {
    ASSERT_FALSE(task.empty()) << delivery;
    EXPECT_EQ(host.api("GET", "/api/dashboard/tasks/" + task).status, 200) << task;
  }
}

}  // namespace
}  // namespace davit::testing

// What is kept of deliveries, in the real program: run again by hand, found by what they mention, removed by
// age and by size.
#include <gmock/gmock.h>
#include <signal.h>

#include "host/store/database.h"
#include "tests/support/fake_clock.h"
#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class KeptDeliveriesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    host.put("good_webhook.so", kTestPlugins / "good_webhook.so");
    host.install(kPlugins / "github.so");
  }
  // `mode` is what the hooks of the webhook "good" do.
  void configure(const std::string& mode, const std::string& isolation = "inprocess", int tries = 1) {
    host.configure("webhooks:\n  good: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: " + isolation +
                   ", max_retries_of_deferred: " + std::to_string(tries) + ", config: {mode: " + mode +
                   "}}\n  github: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, "
                   "config: {agent: nobody}}\n");
  }
  void start(const std::string& mode, const std::string& isolation = "inprocess") {
    configure(mode, isolation);
    ASSERT_TRUE(host.start()) << host.log();
  }
  void reload(const std::string& mode) {
    configure(mode);
    const auto taken_over = host.ask({"reload"});
    ASSERT_EQ(taken_over.status, 0) << taken_over.text;
  }
  static std::string delivery_of(const test::RawAnswer& answer) {
    const auto body = parse_json(answer.body);
    const JsonValue* details = body.ok() ? find_member(*body, "details") : nullptr;
    return details ? string_member(*details, "delivery_id") : "";
  }
  JsonDocument shown(const std::string& id) {
    auto document = parse_json(host.ask({"deliveries", "show", id, "--json"}).text);
    return document.ok() ? std::move(document).value() : JsonDocument();
  }
  // The ids that a list command prints.
  std::vector<std::string> listed(std::vector<std::string> words) {
    words.push_back("--json");
    const std::string list = words.front(), id = list == "tasks" ? "task_id" : "delivery_id";
    const auto told = parse_json(host.ask(std::move(words)).text);
    std::vector<std::string> ids;
    if (!told.ok() || find_member(*told, list) == nullptr) return {"no list"};
    for (const JsonValue& each : find_member(*told, list)->GetArray()) ids.push_back(string_member(each, id));
    return ids;
  }
  std::string metric(const std::string& name) {
    const std::string all = host.api("GET", "/metrics").body;
    const std::size_t at = all.find("\n" + name + " ");
    return at == std::string::npos ? "" : all.substr(at + 1, all.find('\n', at + 1) - at - 1);
  }
  HotHost host;
};

// --- run again

TEST_F(KeptDeliveriesTest, AReplayLetsTheHooksOfTodayRunOnWhatCameThen) {
  start("decline");
  const std::string first = delivery_of(host.deliver("{\"n\":1}", "one"));
  EXPECT_EQ(string_member(shown(first), "verdict"), "ignored");
  reload("echo");

  const auto said = host.ask({"deliveries", "replay", first, "--json"});
  ASSERT_EQ(said.status, 0) << said.text;
  const std::string replay = string_member(*parse_json(said.text), "delivery_id");
  EXPECT_NE(replay, first);
  ASSERT_TRUE(eventually([&] { return string_member(shown(replay), "verdict") == "queued"; })) << host.log();
  const JsonDocument run = shown(replay);
  EXPECT_EQ(string_member(run, "replay_of"), first);
  EXPECT_EQ(string_member(run, "replayed_by"), "admin");
  EXPECT_EQ(find_member(run, "task_ids")->Size(), 1u);
  EXPECT_THAT(host.log(), AllOf(HasSubstr("A delivery is run again"), HasSubstr("replay_of=" + first),
                                HasSubstr("by=admin")));
  EXPECT_EQ(string_member(shown(first), "verdict"), "ignored") << "as it was";
  EXPECT_EQ(delivery_of(host.deliver("{\"n\":1}", "one")), first) << "its sender's redelivery is one still";

  // Once more, though its body and its key have been here twice.
  EXPECT_EQ(host.ask({"deliveries", "replay", first}).status, 0);
  ASSERT_TRUE(eventually([&] { return listed({"deliveries", "list", "--verdict", "queued"}).size() == 2; }));
}

TEST_F(KeptDeliveriesTest, ADryRunTellsWhatTheHooksWouldDoAndKeepsNothing) {
  start("decline");
  const std::string id = delivery_of(host.deliver());
  const auto declined = host.ask({"deliveries", "replay", id, "--dry-run"});
  EXPECT_EQ(declined.status, 0);
  EXPECT_THAT(declined.text, AllOf(HasSubstr("Would be ignored: the label is missing"),
                                   Not(HasSubstr("task for")), HasSubstr("Nothing was stored.")));
  reload("echo");
  const auto queued = host.ask({"deliveries", "replay", id, "--dry-run"});
  EXPECT_EQ(queued.status, 0);
  EXPECT_THAT(queued.text, AllOf(HasSubstr("Would be queued"), HasSubstr("task for     command-agent"),
                                 HasSubstr("handle_us")));
  EXPECT_EQ(listed({"deliveries", "list"}), std::vector{id});
  EXPECT_TRUE(listed({"tasks", "list"}).empty());
}

TEST_F(KeptDeliveriesTest, ADryRunOfHooksThatCrashTellsThat) {
  start("crash", "process");
  const std::string id = delivery_of(host.deliver());
  ASSERT_TRUE(eventually([&] { return string_member(shown(id), "verdict") == "parked"; })) << host.log();
  const auto said = host.ask({"deliveries", "replay", id, "--dry-run"});
  EXPECT_EQ(said.status, 0);
  EXPECT_THAT(said.text, AllOf(HasSubstr("Would be deferred: "), HasSubstr("crashed")));
  EXPECT_EQ(string_member(shown(id), "verdict"), "parked");
  // As it came, as it was tried once more, and the dry run.
  EXPECT_EQ(metric("davit_plugin_crashes_total{name=\"good\",call=\"hooks\"}"),
            "davit_plugin_crashes_total{name=\"good\",call=\"hooks\"} 3");
  EXPECT_EQ(metric("davit_runner_ends_total{kind=\"webhook\",how=\"crashed\"}"),
            "davit_runner_ends_total{kind=\"webhook\",how=\"crashed\"} 3");
}

TEST_F(KeptDeliveriesTest, AReplayThatCannotBeSaysWhy) {
  start("echo");
  const std::string id = delivery_of(host.deliver());
  const auto refused = [&](const std::string& delivery, const std::string& why) {
    for (std::vector<std::string> words : {std::vector<std::string>{}, {"--dry-run"}}) {
      words.insert(words.begin(), {"deliveries", "replay", delivery});
      const auto said = host.ask(words);
      EXPECT_EQ(said.status, 1);
      EXPECT_THAT(said.text, HasSubstr(why));
      EXPECT_EQ(std::count(said.text.begin(), said.text.end(), '\n'), 1) << said.text;
    }
  };
  refused(new_id(), "does not exist, or is not kept any more");
  ASSERT_EQ(host.ask({"plugins", "disable", "webhook", "good"}).status, 0);
  refused(id, "webhook good is disabled; enable it");
  ASSERT_EQ(host.ask({"plugins", "enable", "webhook", "good"}).status, 0);
  host.remove("good_webhook.so");
  ASSERT_TRUE(host.wait_for_state("webhook", "good", "missing"));
  refused(id, "webhook good has no plugin; put it into the plugins folder");
  host.configure("webhooks: {}\n");
  ASSERT_EQ(host.ask({"reload"}).status, 0);
  refused(id, "webhook good is not in the configuration any more");
  EXPECT_EQ(listed({"deliveries", "list"}), std::vector{id});
}

TEST_F(KeptDeliveriesTest, TheIdOfAFailedDeliveryWithAnotherBodyRunsAndIsNamedInTheLog) {
  start("crash", "process");
  const std::string failed = delivery_of(host.deliver("{\"n\":1}", "one"));
  ASSERT_TRUE(eventually([&] { return string_member(shown(failed), "verdict") == "parked"; })) << host.log();
  reload("echo");
  const auto other = host.deliver("{\"n\":2}", "one");
  EXPECT_EQ(other.status, 202) << other.body;
  EXPECT_NE(delivery_of(other), failed);
  EXPECT_THAT(host.log(), AllOf(HasSubstr("came again with another body; both are kept"),
                                HasSubstr("failed=" + failed), HasSubstr("delivery=" + delivery_of(other))));
  EXPECT_EQ(string_member(shown(failed), "body"), "{\"n\":1}");
  EXPECT_EQ(host.ask({"deliveries", "replay", failed}).status, 0);
  ASSERT_TRUE(eventually([&] { return listed({"tasks", "list"}).size() == 2; })) << host.log();
}

TEST_F(KeptDeliveriesTest, WhatIsKeptForAWebhookThatDoesNotServeWaitsForItUntriedAndIsToldOfOnce) {
  configure("crash", "process", 100);
  ASSERT_TRUE(host.start()) << host.log();
  const std::string id = delivery_of(host.deliver());
  ASSERT_EQ(host.ask({"plugins", "disable", "webhook", "good"}).status, 0);
  const std::string waits = "A deferred delivery waits for its webhook";
  ASSERT_TRUE(host.wait_for_log(waits)) << host.log();
  ASSERT_TRUE(eventually(
      [&] { return string_member(shown(id), "message") == "waits, because webhook good is disabled"; }));
  const std::int64_t tries = int_member(shown(id), "tries");
  // Neither another look at the plugins nor a restart tries it or tells of it again.
  ASSERT_EQ(host.ask({"plugins", "rescan"}).status, 0);
  EXPECT_EQ(host.end(SIGTERM), 0);
  configure("echo", "process");
  ASSERT_TRUE(host.start()) << host.log();
  const std::string writes = metric("davit_commit_writes_sum");
  for (int i = 0; i < 300; ++i) host.request("GET", "/healthz");
  EXPECT_EQ(metric("davit_commit_writes_sum"), writes);
  EXPECT_EQ(string_member(shown(id), "verdict"), "deferred");
  const std::string log = host.log();
  EXPECT_EQ(log.find(waits), log.rfind(waits)) << log;

  ASSERT_EQ(host.ask({"plugins", "enable", "webhook", "good"}).status, 0);
  ASSERT_TRUE(eventually([&] { return string_member(shown(id), "verdict") == "queued"; })) << host.log();
  EXPECT_EQ(int_member(shown(id), "tries"), tries);
}

// --- found

TEST_F(KeptDeliveriesTest, WhatRunsAgainInTheHostKeepsNoHooksInRunnersWaiting) {
  const auto configured = [this](const std::string& mode) {
    host.configure(
        "webhooks:\n  good: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, config: {mode: " +
        mode + "}}\n  other: {plugin: good, secret_env: GITHUB_WEBHOOK_SECRET, isolation: process}\n");
  };
  configured("decline");
  ASSERT_TRUE(host.start()) << host.log();
  const std::filesystem::path file = host.folder() / "go-on";
  const std::string id =
      delivery_of(host.deliver("{\"do\":\"wait-now\",\"file\":\"" + file.string() + "\"}"));
  configured("obey");
  ASSERT_EQ(host.ask({"reload"}).status, 0);
  const auto said = host.ask({"deliveries", "replay", id, "--json"});
  ASSERT_EQ(said.status, 0) << said.text;
  const std::string replay = string_member(*parse_json(said.text), "delivery_id");
  ASSERT_TRUE(eventually([&] { return host.log().find("handle waits from now on") != std::string::npos; }))
      << host.log();

  const std::string asked = delivery_of(host.deliver("{}", new_id(), "other"));
  EXPECT_EQ(string_member(shown(asked), "verdict"), "queued") << host.log();
  EXPECT_NE(string_member(shown(replay), "verdict"), "queued") << "it waits still";
  std::ofstream(file) << "now";
  EXPECT_TRUE(eventually([&] { return string_member(shown(replay), "verdict") == "queued"; })) << host.log();
}

TEST_F(KeptDeliveriesTest, WhatAnEventMentionsIsFoundByItsKey) {
  start("echo");
  auto event =
      parse_json(bytes_of(std::filesystem::path(DAVIT_SOURCE_DIR) / "examples/demo/1-issue-labeled.json"));
  ASSERT_TRUE(event.ok());
  host.github("issues", to_json(*event));
  (*event)["issue"]["number"].SetInt(1'000);
  (*event)["issue"]["body"].SetString("See https://acme.sentry.io/issues/4711/ for it",
                                      event->GetAllocator());
  const auto answer = host.github("issues", to_json(*event));
  ASSERT_EQ(answer.status, 202) << answer.body;
  const std::string task = string_member(*parse_json(answer.body), "task_id");

  EXPECT_EQ(listed({"tasks", "list", "--link", "sentry:acme/4711"}), std::vector{task});
  EXPECT_EQ(listed({"deliveries", "list", "--link", "sentry:acme/4711"}), std::vector{delivery_of(answer)});
  EXPECT_TRUE(listed({"tasks", "list", "--link", "sentry:acme/47"}).empty());
  EXPECT_EQ(listed({"tasks", "list"}).size(), 2u);
  EXPECT_THAT(host.ask({"deliveries", "show", delivery_of(answer)}).text,
              HasSubstr("sentry:acme/4711 https://acme.sentry.io/issues/4711/"));
  EXPECT_THAT(host.ask({"tasks", "show", task}).text, HasSubstr("sentry:acme/4711"));
}

// --- removed

class RetentionTest : public KeptDeliveriesTest {
 protected:
  static store::NewDelivery ignored(const Clock& clock, std::size_t body_bytes) {
    store::NewDelivery delivery;
    delivery.id = new_id();
    delivery.webhook = "good";
    delivery.delivery_key = delivery.id;
    delivery.received_at = clock.wall();
    delivery.body = std::string(body_bytes, 'x');
    return delivery;
  }
  // Puts deliveries into the host's database as of the time of `clock`, before the host runs.
  void fill(const Clock& clock, std::vector<store::NewDelivery> deliveries) {
    auto log = Log::silent();
    auto opened =
        store::Store::open({.path = host.folder() / "davit.db", .create_if_missing = true}, *log, clock);
    ASSERT_TRUE(std::holds_alternative<std::unique_ptr<store::Store>>(opened));
    store::Store& store = *std::get<0>(opened);
    for (store::NewDelivery& delivery : deliveries) {
      ASSERT_TRUE(wait<store::Accepted>([&](auto done) { store.accept(std::move(delivery), done); }).ok());
    }
  }
  std::int64_t bytes_in_use() {
    auto opened = store::Database::open(host.folder() / "davit.db", store::Database::Mode::Read, "");
    store::Database& database = *std::get<0>(opened);
    return (database.integer("PRAGMA page_count") - database.integer("PRAGMA freelist_count")) *
           database.integer("PRAGMA page_size");
  }
};

TEST_F(RetentionTest, WhatIsOldGoesAtTheStartButNotWhatATaskWaitsFor) {
  FakeClock past;
  past.jump(Duration(-500ll * 86'400'000));
  std::vector<store::NewDelivery> old;
  for (int i = 0; i < 100; ++i) old.push_back(ignored(past, 1'000));
  old[50].answer.tasks.emplace_back();
  old[50].answer.tasks[0].agent = "nobody";
  old[50].verdict = store::Verdict::Queued;
  const std::string waits = old[50].id;
  fill(past, std::move(old));

  host.storage_options = ", retention_days: 90";
  start("ignore");
  const std::string young = delivery_of(host.deliver());
  EXPECT_TRUE(eventually([&] {
    return metric("davit_pruned_rows_total{kind=\"delivery\"}") ==
           "davit_pruned_rows_total{kind=\"delivery\"} 99";
  })) << host.api("GET", "/metrics").body;
  EXPECT_EQ(listed({"deliveries", "list"}), (std::vector{young, waits}));
  EXPECT_EQ(listed({"tasks", "list"}).size(), 1u);
  EXPECT_TRUE(host.wait_for_log("What was kept long enough was removed deliveries=99 tasks=0"));
  EXPECT_THAT(host.ask({"deliveries", "show", waits}).status, 0);
  EXPECT_EQ(host.end(SIGTERM), 0);
  const auto verified = host.command({"verify-store"});
  EXPECT_EQ(verified.status, 0) << verified.text;
}

TEST_F(RetentionTest, BeyondItsMaxSizeTheOldestGoWhenThatIsTakenOver) {
  FakeClock past;
  past.jump(Duration(-100ll * 86'400'000));
  std::vector<store::NewDelivery> large;
  for (int i = 0; i < 30; ++i) {
    large.push_back(ignored(past, 1 << 20));
    past.advance(Duration(1'000));
  }
  const std::string oldest = large.front().id, newest = large.back().id;
  fill(past, std::move(large));
  host.storage_options = ", retention_days: 0";
  start("ignore");
  EXPECT_EQ(listed({"deliveries", "list"}).size(), 30u);

  host.storage_options = ", retention_days: 0, max_size: 16MiB";
  reload("ignore");
  EXPECT_TRUE(host.wait_for_log("What was kept long enough was removed")) << host.log();
  const std::size_t left = listed({"deliveries", "list"}).size();
  EXPECT_GE(left, 12u) << "no more than must";
  EXPECT_LE(left, 15u);
  EXPECT_EQ(host.ask({"deliveries", "show", newest}).status, 0);
  EXPECT_EQ(host.ask({"deliveries", "show", oldest}).status, 1);
  EXPECT_EQ(host.end(SIGTERM), 0);
  EXPECT_LE(bytes_in_use(), 16 << 20);
  const auto verified = host.command({"verify-store"});
  EXPECT_EQ(verified.status, 0) << verified.text;
}

TEST_F(RetentionTest, IfDeliveriesStaySoThatReplaysAreSeenALogLineSaysSoOnce) {
  SystemClock now;
  FakeClock past;
  past.jump(now.wall() - past.wall() - Duration(3'600'000));
  std::vector<store::NewDelivery> large;
  for (int i = 0; i < 18; ++i) large.push_back(ignored(past, 1 << 20));
  fill(past, std::move(large));
  host.storage_options = ", max_size: 16MiB";
  start("ignore");
  const std::string line = "deliveries stay as long as replays of them must be seen";
  EXPECT_TRUE(host.wait_for_log(line)) << host.log();
  EXPECT_EQ(listed({"deliveries", "list"}).size(), 18u);
  // The next look at it says nothing again.
  host.storage_options = ", retention_days: 0, max_size: 17MiB";
  reload("ignore");
  EXPECT_TRUE(host.wait_for_log("The configuration was taken over")) << host.log();
  EXPECT_EQ(host.end(SIGTERM), 0);
  const std::string log = host.log();
  EXPECT_EQ(log.find(line, log.find(line) + 1), std::string::npos) << log;
}

TEST_F(RetentionTest, IfNothingMayGoALogLineSaysSo) {
  FakeClock past;
  SystemClock now;
  past.jump(now.wall() - past.wall() - Duration(3 * 86'400'000));
  std::vector<store::NewDelivery> deferred;
  for (int i = 0; i < 18; ++i) {
    deferred.push_back(ignored(past, 1 << 20));
    deferred.back().verdict = store::Verdict::Deferred;
    deferred.back().webhook = "nobody";
  }
  fill(past, std::move(deferred));
  host.storage_options = ", max_size: 16MiB";
  start("ignore");
  EXPECT_TRUE(host.wait_for_log("uses more than storage.max_size, and nothing in it is done that could go"))
      << host.log();
  EXPECT_EQ(listed({"deliveries", "list"}).size(), 18u);
}

}  // namespace
}  // namespace davit::testing

// What stands before the hooks, in the real program: limits, refusals that are counted and sampled, secrets
// that change.
#include <gmock/gmock.h>
#include <signal.h>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kNew[] = "the-new-secret-0123456789", kOld[] = "the-old-secret-0123456789";

class GateTest : public ::testing::Test {
 protected:
  void SetUp() override { host.install(kPlugins / "github.so"); }
  // `webhook` is what the configuration says of github, beside its settings.
  void start(const std::string& webhook) {
    configure(webhook);
    ASSERT_TRUE(host.start()) << host.log();
  }
  void configure(const std::string& webhook) {
    host.configure("webhooks: {github: {" + webhook + ", isolation: inprocess, config: {agent: nobody}}}\n");
  }
  test::RawAnswer deliver(const std::string& from, const std::string& secret = RunningHost::kSecret,
                          const std::string& body = R"({"zen":"Keep it."})") {
    return host.request("POST", "/webhooks/github?token=a-token-of-somebody", body,
                        {{"Content-Type", "application/json"},
                         {"X-GitHub-Event", "ping"},
                         {"X-GitHub-Delivery", new_id()},
                         {"X-Forwarded-For", from},
                         {"X-Hub-Signature-256", RunningHost::github_signature(body, secret)}});
  }
  // How often something was refused for this cause, as the command tells.
  std::int64_t refused(const std::string& cause) {
    const auto told =
        parse_json(host.ask({"deliveries", "list", "--refused", "--json", "--cause=" + cause}).text);
    std::int64_t count = 0;
    for (const JsonValue& each : find_member(*told, "causes")->GetArray()) count += int_member(each, "count");
    return count;
  }
  // Of the delivery that was answered so.
  JsonDocument stored(const test::RawAnswer& answer) {
    const auto told = parse_json(answer.body);
    const std::string id = string_member(*find_member(*told, "details"), "delivery_id");
    auto document = parse_json(host.api("GET", "/api/dashboard/deliveries/" + id).body);
    return std::move(document).value();
  }

  HotHost host;
};

TEST_F(GateTest, AFloodFromOneAddressIsAnswered429AndStarvesNobody) {
  host.server_options = ", trusted_proxies: [127.0.0.1], address_rate: 1, address_burst: 20";
  start("replay_window: 0s, secret_env: GITHUB_WEBHOOK_SECRET");
  std::map<int, int> statuses;
  for (int i = 0; i < 300; ++i) {
    const auto answer = deliver("198.51.100.7", "a-wrong-secret-of-somebody");
    ++statuses[answer.status];
    if (answer.status == 429) {
      EXPECT_GE(std::atoi(answer.header("Retry-After").c_str()), 1);
    }
  }
  EXPECT_GE(statuses[401], 20);
  EXPECT_GT(statuses[429], 0);
  EXPECT_EQ(statuses[401] + statuses[429], 300);
  EXPECT_EQ(deliver("198.51.100.8").status, 200) << "from another address";
  EXPECT_EQ(deliver("198.51.100.7, 198.51.100.8").status, 200) << "who claims to be it";
  EXPECT_TRUE(eventually([&] { return refused("mismatch") == statuses[401]; })) << host.log();
  EXPECT_TRUE(eventually([&] { return refused("address_rate") == statuses[429]; })) << host.log();
  EXPECT_THAT(host.api("GET", "/metrics").body,
              HasSubstr("davit_delivery_rejections_total{webhook=\"github\",reason=\"mismatch\"} " +
                        std::to_string(statuses[401])));
}

TEST_F(GateTest, WithoutATrustedProxyNobodyIsBelievedAndThisMachineIsNotLimited) {
  host.server_options = ", address_rate: 1, address_burst: 1";
  start("replay_window: 0s, secret_env: GITHUB_WEBHOOK_SECRET");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(deliver("198.51.100.7").status, 200);
  EXPECT_EQ(string_member(stored(deliver("198.51.100.7")), "remote_address"), "127.0.0.1");
}

TEST_F(GateTest, TheAddressThatIsStoredIsTheOneBehindTheTrustedProxy) {
  host.server_options = ", trusted_proxies: [127.0.0.1, 10.0.0.2]";
  start("replay_window: 0s, secret_env: GITHUB_WEBHOOK_SECRET");
  EXPECT_EQ(string_member(stored(deliver("1.1.1.1, 198.51.100.7, 10.0.0.2")), "remote_address"),
            "198.51.100.7");
}

TEST_F(GateTest, AWebhookTakesSoManyVerifiedDeliveriesAndForgedOnesDoNotCount) {
  start("replay_window: 0s, secret_env: GITHUB_WEBHOOK_SECRET, rate: 1, burst: 3");
  for (int i = 0; i < 30; ++i) EXPECT_EQ(deliver("", "a-wrong-secret-of-somebody").status, 401);
  std::map<int, int> statuses;
  for (int i = 0; i < 100; ++i) ++statuses[deliver("").status];
  EXPECT_GE(statuses[200], 3);
  EXPECT_GT(statuses[429], 0);
  EXPECT_EQ(statuses[200] + statuses[429], 100);
  EXPECT_TRUE(eventually([&] { return refused("webhook_rate") == statuses[429]; }));
}

TEST_F(GateTest, RefusalsAreSampledWithoutBodySignatureOrTokenAndCostFewLinesOfLog) {
  start("replay_window: 0s, secret_env: GITHUB_WEBHOOK_SECRET");
  const std::string body = R"({"stranger":"a-body-of-nobody"})";
  for (int i = 0; i < 200; ++i) EXPECT_EQ(deliver("", "a-wrong-secret-of-somebody", body).status, 401);
  EXPECT_EQ(deliver("", RunningHost::kSecret, "{").status, 400);
  ASSERT_TRUE(eventually([&] { return refused("mismatch") == 200 && refused("json") == 1; })) << host.log();
  const auto table = host.ask({"deliveries", "list", "--refused"}).text;
  EXPECT_THAT(table, AllOf(HasSubstr("mismatch"), HasSubstr("200"), HasSubstr("127.0.0.1")));
  const auto told = parse_json(host.api("GET", "/api/dashboard/refused-deliveries?cause=mismatch").body);
  const JsonValue& samples = *find_member((*find_member(*told, "causes"))[0], "samples");
  EXPECT_GE(samples.Size(), 1u);
  EXPECT_LE(samples.Size(), 20u);
  EXPECT_EQ(string_member(*find_member(samples[0], "headers"), "X-GitHub-Event"), "ping");
  EXPECT_EQ(int_member(samples[0], "body_bytes"), static_cast<std::int64_t>(body.size()));
  EXPECT_EQ(host.api("GET", "/api/dashboard/refused-deliveries?reason=x").status, 400);
  EXPECT_EQ(host.request("GET", "/api/dashboard/refused-deliveries").status, 401);

  const std::string signature = RunningHost::github_signature(body, "a-wrong-secret-of-somebody").substr(7);
  std::size_t lines = 0;
  const std::string log = host.log();
  for (std::size_t at = 0; (at = log.find("Deliveries were refused", at)) != std::string::npos; ++at) ++lines;
  EXPECT_LT(lines, 100u);
  EXPECT_EQ(host.end(SIGTERM), 0);
  for (const char* file : {"davit.db", "davit.db-wal", "log.txt"}) {
    const std::string bytes = bytes_of(host.folder() / file);
    for (const std::string& kept_out :
         {std::string("a-body-of-nobody"), signature, std::string("a-token-of-somebody")})
      EXPECT_EQ(bytes.find(kept_out), std::string::npos) << file << " holds " << kept_out;
  }
  EXPECT_THAT(host.command({"deliveries", "list", "--refused", "--offline"}).text, HasSubstr("mismatch"));
}

TEST_F(GateTest, TextThatMisleadsIsStoredAsItCameAndShownEscaped) {
  start("replay_window: 0s, secret_env: GITHUB_WEBHOOK_SECRET");
  const std::string body = "{\"zen\":\"a\\u0000b \u202egnp.exe\u200b\"}";
  const JsonDocument delivery = stored(deliver("", RunningHost::kSecret, body));
  EXPECT_EQ(string_member(delivery, "body"), body);
  const std::string shown = host.ask({"deliveries", "show", string_member(delivery, "delivery_id")}).text;
  EXPECT_THAT(shown, AllOf(HasSubstr("\\u202e"), Not(HasSubstr("\u202e")), Not(HasSubstr("\u200b"))));
}

TEST_F(GateTest, RefusalsAreNotedBeforeAStop) {
  start("replay_window: 0s, secret_env: GITHUB_WEBHOOK_SECRET");
  EXPECT_EQ(deliver("", "a-wrong-secret-of-somebody").status, 401);
  EXPECT_EQ(deliver("", "a-wrong-secret-of-somebody").status, 401);
  EXPECT_EQ(host.end(SIGTERM), 0);
  const auto told = parse_json(host.command({"deliveries", "list", "--refused", "--json", "--offline"}).text);
  EXPECT_EQ(int_member((*find_member(*told, "causes"))[0], "count"), 2);
}

class RotationTest : public GateTest {
 protected:
  std::string file(const std::string& name, const std::string& text) {
    const auto path = host.folder() / name;
    std::ofstream(path) << text;
    std::filesystem::permissions(path,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return path.string();
  }
};

TEST_F(RotationTest, SeveralSecretsServeAtOnceAndAnOldOneStopsWhenItIsTakenOut) {
  const std::string old_file = file("old", kOld + std::string("\n")), new_file = file("new", kNew);
  start("replay_window: 0s, secret_file: " + old_file);
  EXPECT_EQ(deliver("", kOld).status, 200);
  EXPECT_EQ(deliver("", kNew).status, 401);

  configure("replay_window: 0s, secret_files: [" + new_file + ", " + old_file + "]");
  const auto taken_over = host.ask({"reload"});
  EXPECT_EQ(taken_over.status, 0) << taken_over.text;
  EXPECT_THAT(taken_over.text, AllOf(HasSubstr("ends with a line break"), HasSubstr("was taken over")));
  const auto by_new = deliver("", kNew), by_old = deliver("", kOld);
  EXPECT_EQ(int_member(stored(by_new), "secret_number"), 1);
  EXPECT_EQ(int_member(stored(by_old), "secret_number"), 2);
  EXPECT_THAT(host.ask({"deliveries", "show", string_member(stored(by_old), "delivery_id")}).text,
              HasSubstr("secret no.   2"));

  configure("replay_window: 0s, secret_file: " + new_file);
  ::kill(host.host_pid(), SIGHUP);
  EXPECT_TRUE(host.wait_for_log("The configuration was taken over", 2)) << host.log();
  EXPECT_EQ(deliver("", kOld).status, 401);
  EXPECT_EQ(deliver("", kNew).status, 200);
}

TEST_F(RotationTest, ACredentialOfTheServiceIsASecret) {
  std::filesystem::create_directory(host.folder() / "credentials");
  file("credentials/hook", kNew);
  host.environment["CREDENTIALS_DIRECTORY"] = (host.folder() / "credentials").string();
  start("credential: hook");
  EXPECT_EQ(deliver("", kNew).status, 200) << host.log();
  EXPECT_EQ(deliver("", kOld).status, 401);
}

TEST_F(RotationTest, AnEmptyOrShortSecretSwitchesItsWebhookOffAndNamesThePlace) {
  host.install(kTestPlugins / "good_webhook.so");
  host.environment["GOOD_SECRET"] = RunningHost::kSecret;
  for (const std::string secret : {"", "\n", "fifteen bytes !"}) {
    host.environment["GITHUB_WEBHOOK_SECRET"] = secret;
    host.configure(
        "webhooks: {github: {replay_window: 0s, secret_env: GITHUB_WEBHOOK_SECRET, config: {agent: nobody}},"
        " good: {secret_env: GOOD_SECRET}}\n");
    ASSERT_TRUE(host.start()) << host.log();
    EXPECT_EQ(deliver("", secret).status, 503);
    EXPECT_EQ(deliver("", "").status, 503);
    EXPECT_LT(host.deliver().status, 300) << "another webhook serves";
    EXPECT_EQ(host.state_of("webhook", "github"), "no_secret");
    EXPECT_THAT(host.reason_of("webhook", "github"),
                HasSubstr("the environment variable GITHUB_WEBHOOK_SECRET"));
    EXPECT_THAT(host.log(), HasSubstr("the environment variable GITHUB_WEBHOOK_SECRET"));
    EXPECT_EQ(host.command({"check-config"}).status, 1);
    if (secret.size() > 1) {
      EXPECT_THAT(host.log(), Not(HasSubstr(secret)));
    }
    EXPECT_EQ(host.end(SIGTERM), 0);
  }
}

TEST_F(RotationTest, AFileThatIsEmptyJustNowDoesNotTakeTheSecretAway) {
  const std::string path = file("secret", kOld);
  start("secret_file: " + path);
  file("secret", "");
  const auto refused = host.ask({"reload"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.text, AllOf(HasSubstr("the file " + path + " is empty"), HasSubstr("stays in force")));
  EXPECT_EQ(deliver("", kOld).status, 200);
  file("secret", kNew);
  EXPECT_EQ(host.ask({"reload"}).status, 0);
  EXPECT_EQ(deliver("", kOld).status, 401);
  EXPECT_EQ(deliver("", kNew).status, 200);
}

TEST_F(RotationTest, AReloadTellsWhatWaitsForTheNextStartAndWantsTheAdminToken) {
  start("replay_window: 0s, secret_env: GITHUB_WEBHOOK_SECRET");
  host.server_options = ", address_rate: 7";
  configure("secret_env: GITHUB_WEBHOOK_SECRET");
  EXPECT_THAT(host.ask({"reload"}).text, HasSubstr("server.address_rate changes at the next start"));
  EXPECT_EQ(host.request("POST", "/api/reload").status, 401);
}

}  // namespace
}  // namespace davit::testing

// Tokens, sessions and the audit log in the real program, over the command line and as browsers do it.
#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <thread>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AccessIntegrationTest : public ::testing::Test {
 protected:
  void start() {
    host.configure("");
    ASSERT_TRUE(host.start()) << host.log();
  }
  // What `davit token create` prints on standard output, which the token stands alone on.
  std::string create_token(const std::string& name, const std::string& role,
                           std::vector<std::string> more = {}) {
    std::vector<std::string> words{"token", "create", name, "--role", role, "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const auto made = host.ask(words);
    EXPECT_EQ(made.status, 0) << made.text;
    const auto json = parse_json(made.text);
    return json.ok() ? string_member(*json, "token") : "";
  }
  int looks(const std::string& token) {
    return host.request("GET", "/api/dashboard/queue", "", {{"Authorization", "Bearer " + token}}).status;
  }
  int acts(const std::string& token) {
    return host.request("POST", "/api/queue/resume", "{}", {{"Authorization", "Bearer " + token}}).status;
  }
  std::string concurrency_of_worker() {
    const auto agents = parse_json(host.api("GET", "/api/dashboard/agents").body);
    if (!agents.ok()) return "";
    for (const JsonValue& agent : (*agents)["agents"].GetArray())
      if (string_member(agent, "name") == "worker") return std::to_string(int_member(agent, "concurrency"));
    return "";
  }
  bool audit_tells(const std::string& words) {
    return eventually([&] { return host.ask({"audit", "--json"}).text.find(words) != std::string::npos; });
  }

  HotHost host;
};

TEST_F(AccessIntegrationTest, ATokenWorksAtOnceAndUntilItIsRevokedAlsoOverARestart) {
  start();
  const std::string reader = create_token("ci", "reader");
  const std::string admin = create_token("ada", "admin", {"--for", "1h"});
  EXPECT_EQ(looks(reader), 200);
  EXPECT_EQ(acts(reader), 403);
  EXPECT_EQ(acts(admin), 200);
  EXPECT_EQ(host.end(SIGTERM), 0);
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(looks(reader), 200);
  EXPECT_EQ(acts(admin), 200);
  EXPECT_THAT(host.ask({"token", "list"}).text,
              AllOf(HasSubstr("ci"), HasSubstr("reader"), HasSubstr("good"), Not(HasSubstr(reader))));
  EXPECT_EQ(host.ask({"token", "revoke", "ci"}).status, 0);
  EXPECT_EQ(looks(reader), 401);
  EXPECT_THAT(host.ask({"token", "revoke", "ci"}).text, HasSubstr("was revoked"));
  EXPECT_THAT(host.ask({"token", "revoke", "eve"}).text, HasSubstr("there is no token named eve"));
  EXPECT_THAT(host.ask({"token", "create", "Eve", "--role", "reader"}).text, HasSubstr("name:"));
  EXPECT_THAT(host.ask({"token", "create", "eve", "--role", "reader", "--for", "soon"}).text,
              HasSubstr("is not a duration"));
  EXPECT_EQ(host.ask({"token", "create", "eve", "--role", "owner"}).status, 2);
}

TEST_F(AccessIntegrationTest, ASecretStandsNeitherInTheDatabaseNorInTheLog) {
  start();
  const std::string token = create_token("ada", "admin");
  const auto in = host.request("POST", "/api/session", "{\"token\":\"" + token + "\"}",
                               {{"Content-Type", "application/json"}});
  ASSERT_EQ(in.status, 200) << in.body;
  std::string cookie = in.header("Set-Cookie");
  cookie = cookie.substr(0, cookie.find(';'));
  EXPECT_EQ(host.request("GET", "/api/dashboard/queue", "", {{"Cookie", cookie}}).status, 200);
  EXPECT_EQ(host.end(SIGTERM), 0);
  const std::string secret = cookie.substr(cookie.find('=') + 1);
  const std::string random = token.substr(token.find('_') + 1);
  for (const char* file : {"davit.db", "log.txt"}) {
    const auto bytes = read_file(host.folder() / file, 64u << 20);
    ASSERT_TRUE(bytes.ok());
    for (const std::string& hidden : {secret, random, host.token()})
      EXPECT_EQ(bytes->find(hidden), std::string::npos) << file;
  }
}

TEST_F(AccessIntegrationTest, TokensAreMadeAndEndedWhileNoHostRuns) {
  host.configure("");
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(host.end(SIGTERM), 0);
  const auto made = host.command({"token", "create", "ada", "--role", "admin", "--offline", "--json"});
  ASSERT_EQ(made.status, 0) << made.text;
  const std::string token = string_member(*parse_json(made.text), "token");
  EXPECT_THAT(host.command({"token", "list", "--offline"}).text, HasSubstr("ada"));
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(acts(token), 200);
  EXPECT_EQ(host.end(SIGTERM), 0);
  EXPECT_EQ(host.command({"token", "revoke", "ada", "--offline"}).status, 0);
  EXPECT_THAT(host.command({"audit", "--offline"}).text,
              AllOf(HasSubstr("createToken"), HasSubstr("revokeToken"), HasSubstr("offline")));
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(acts(token), 401);
}

TEST_F(AccessIntegrationTest, WhatCommandsAndSignalsDoIsInTheAuditLogWithWhoDidIt) {
  start();
  const std::string ada = create_token("ada", "admin");
  EXPECT_EQ(acts(ada), 200);
  EXPECT_EQ(looks("a-wrong-token-0000"), 401);
  EXPECT_EQ(host.ask({"queue", "pause", "--reason", "maintenance"}).status, 0);
  ::kill(host.pid(), SIGHUP);
  EXPECT_TRUE(audit_tells(R"("way":"signal","operation":"reload")"));
  host.configure("no_such_section: {}\n");
  EXPECT_EQ(host.api("POST", "/api/reload").status, 200) << "with the mistakes";
  EXPECT_TRUE(eventually([&] {
    return host.api("GET", "/api/dashboard/audit?operation=reload&outcome=refused").body.find("no_such_section") !=
           std::string::npos;
  }));
  host.configure("");
  const std::string lines = host.ask({"audit", "--json"}).text;
  EXPECT_THAT(lines, HasSubstr(R"("actor":"ada","way":"token","operation":"resumeQueue")"));
  EXPECT_THAT(lines,
              HasSubstr(R"("operation":"pauseQueue","object":null,"parameters":{"reason":"maintenance"})"));
  EXPECT_THAT(lines, HasSubstr(R"("outcome":"denied","reason":"davit does not know this token")"));
  EXPECT_THAT(host.ask({"audit", "--actor", "ada"}).text,
              AllOf(HasSubstr("resumeQueue"), Not(HasSubstr("reload"))));
  EXPECT_THAT(host.ask({"audit", "--outcome", "denied"}).text, HasSubstr("127.0.0.1"));
  EXPECT_THAT(host.ask({"audit", "--operation", "createToken", "--json"}).text, Not(HasSubstr(ada)));
}

TEST_F(AccessIntegrationTest, AReplayAndItsLineAreCommittedTogetherAndOneThatIsRefusedHasItsLineToo) {
  host.install(kTestPlugins / "good_webhook.so");
  host.configure("webhooks: {good: {secret_env: GITHUB_WEBHOOK_SECRET}}\n");
  ASSERT_TRUE(host.start()) << host.log();
  const auto delivered = parse_json(host.deliver().body);
  ASSERT_TRUE(delivered.ok());
  const std::string id = string_member((*delivered)["details"], "delivery_id");
  const auto lines = [&] {
    auto body = parse_json(host.api("GET", "/api/dashboard/audit?operation=replayDelivery").body);
    return body.ok() ? std::move(*body) : JsonDocument();
  };
  for (int replays = 1; replays <= 5; ++replays) {
    const auto answer = parse_json(host.api("POST", "/api/deliveries/" + id + "/replay").body);
    ASSERT_TRUE(answer.ok());
    const std::string made = string_member(*answer, "delivery_id");
    // With the answer it is there, and of the same moment: that of the transaction.
    const JsonDocument audit = lines();
    ASSERT_EQ(audit["entries"].Size(), static_cast<unsigned>(replays));
    const JsonValue& line = audit["entries"][0];
    EXPECT_EQ(string_member(line, "outcome"), "done");
    EXPECT_EQ(string_member(line, "object"), id);
    const auto delivery = parse_json(host.api("GET", "/api/dashboard/deliveries/" + made).body);
    EXPECT_EQ(string_member(line, "at"), string_member(*delivery, "received_at"));
  }
  const std::string unknown = new_id();
  EXPECT_EQ(host.api("POST", "/api/deliveries/" + unknown + "/replay").status, 404);
  EXPECT_TRUE(eventually([&] { return lines()["entries"].Size() == 6; }));
  const JsonDocument audit = lines();
  EXPECT_EQ(string_member(audit["entries"][0], "outcome"), "refused");
  EXPECT_EQ(string_member(audit["entries"][0], "object"), unknown);
}

// Switches and numbers are set, and the configuration read anew, until davit is killed right behind an
// answer: just when a line that was written after its act would be on its way.
TEST_F(AccessIntegrationTest,
       HoweverOftenDavitIsKilledNothingIsDoneWithoutItsLineAndNoLineTellsOfWhatWasNotDone) {
  host.install(kTestPlugins / "scripted_agent.so");
  host.configure("agents: {worker: {}}\n");
  const auto lines = [&](const std::string& operations, const std::string& outcome) {
    auto body = parse_json(
        host.api("GET", "/api/dashboard/audit?limit=500&outcome=" + outcome + "&operation=" + operations)
            .body);
    return body.ok() ? std::move(*body) : JsonDocument();
  };
  std::size_t set = 0, switched = 0, reloaded = 0;  // as they were answered
  for (int kills = 0; kills < 8; ++kills) {
    ASSERT_TRUE(host.start()) << host.log();
    std::atomic<int> answered{0};
    std::thread person([&] {
      for (int n = 1;; ++n) {
        const std::string number = std::to_string(n % 9 + 1), how = n % 2 == 0 ? "enable" : "disable";
        if (host.api("PUT", "/api/agents/worker/concurrency", "{\"concurrency\":" + number + "}").status !=
            200)
          return;
        ++set, ++answered;
        if (host.api("POST", "/api/plugins/agent/worker/" + how).status != 200) return;
        ++switched, ++answered;
        if (host.api("POST", "/api/reload").status != 200) return;
        ++reloaded, ++answered;
      }
    });
    while (answered < 3 + kills) std::this_thread::yield();
    ::kill(host.pid(), SIGKILL);
    person.join();
    host.wait_for_end();

    ASSERT_TRUE(host.start()) << host.log();
    const JsonDocument numbers = lines("setConcurrency", "done");
    ASSERT_GE(numbers["entries"].Size(), set);
    const JsonDocument agent = host.plugin("agent", "worker");
    EXPECT_EQ(concurrency_of_worker(), string_member(numbers["entries"][0]["parameters"], "concurrency"));
    const JsonDocument on = lines("enablePlugin", "done"), off = lines("disablePlugin", "done");
    ASSERT_GE(on["entries"].Size() + off["entries"].Size(), switched);
    const auto newest = [](const JsonDocument& all) {
      return all["entries"].Empty() ? 0 : std::atoi(string_member(all["entries"][0], "id").c_str());
    };
    EXPECT_EQ(string_member(agent, "override"), newest(on) > newest(off) ? "enabled" : "disabled");
    const std::size_t reloads = lines("reload", "done")["entries"].Size(),
                      begun = lines("reload", "begun")["entries"].Size();
    EXPECT_GE(reloads + begun, reloaded);
    std::size_t taken_over = 0;
    const std::string log = host.log(), words = "The configuration was taken over";
    for (std::size_t at = 0; (at = log.find(words, at)) != std::string::npos; at += words.size())
      ++taken_over;
    EXPECT_GE(reloads + begun, taken_over);
    EXPECT_LE(reloads, taken_over);
    EXPECT_EQ(host.end(SIGTERM), 0);
  }
  EXPECT_GE(set + switched + reloaded, 8u * 3u);
}

TEST_F(AccessIntegrationTest, EveryAnswerKeepsBrowsersFromMisusingIt) {
  start();
  for (const char* path :
       {"/", "/healthz", "/metrics", "/api/dashboard/tasks", "/nowhere", "/webhooks/nobody"}) {
    const auto answer = host.api("GET", path);
    EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff") << path;
    EXPECT_EQ(answer.header("Referrer-Policy"), "no-referrer") << path;
    EXPECT_EQ(answer.header("Cross-Origin-Resource-Policy"), "same-origin") << path;
    EXPECT_EQ(answer.header("Cross-Origin-Opener-Policy"), "same-origin") << path;
    EXPECT_THAT(answer.header("Content-Security-Policy"),
                AllOf(HasSubstr("frame-ancestors 'none'"), Not(HasSubstr("unsafe"))))
        << path;
    EXPECT_NE(answer.header("Cache-Control"), "") << path;
    EXPECT_EQ(answer.head.find("Access-Control-"), std::string::npos) << path;
  }
  const auto preflight =
      host.request("OPTIONS", "/api/tasks", "",
                   {{"Origin", "https://evil.test"}, {"Access-Control-Request-Method", "POST"}});
  EXPECT_EQ(preflight.status, 405);
  EXPECT_EQ(preflight.head.find("Access-Control-"), std::string::npos);
}

}  // namespace
}  // namespace davit::testing

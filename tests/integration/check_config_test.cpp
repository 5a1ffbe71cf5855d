// `davit check-config` with the real program and plugins: what would keep an instance from serving is told
// with its line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/file.h"
#include "tests/support/running_host.h"

namespace davit::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class CheckConfigTest : public ::testing::Test {
 protected:
  CheckConfigTest() {
    const std::filesystem::path plugins = DAVIT_BUILD_DIR "/plugins";
    host.install(plugins / "github.so");
    host.install(plugins / "command_agent.so");
  }
  // Four lines come before `sections`.
  RunningHost::Output check(const std::string& sections, std::vector<std::string> more = {}) {
    host.configure(sections);
    more.insert(more.begin(), "check-config");
    return host.command(more);
  }
  RunningHost host;
};

TEST_F(CheckConfigTest, AGoodConfigurationIsGood) {
  auto checked = check(R"(webhooks:
  github: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, config: {agent: command-agent}}
agents:
  command-agent: {config: {command: [/bin/true]}}
)");
  EXPECT_EQ(checked.status, 0) << checked.text;
  EXPECT_THAT(checked.text, AllOf(HasSubstr("is good: 1 webhook, 1 agent"), Not(HasSubstr("note: "))));
}

TEST_F(CheckConfigTest, TheCompleteConfigurationOfTheDocumentsIsGood) {
  const auto text = read_file(DAVIT_SOURCE_DIR "/docs/BUSINESS_LOGIC.md");
  ASSERT_TRUE(text.ok());
  const std::string before = "A complete configuration:\n\n```yaml\n";
  const std::size_t begin = text->find(before);
  ASSERT_NE(begin, std::string::npos);
  const std::size_t first = begin + before.size();
  auto checked = check(text->substr(first, text->find("```", first) - first), {"--no-plugins"});
  EXPECT_EQ(checked.status, 0) << checked.text;
}

TEST_F(CheckConfigTest, AgentsThatNobodyOffersAreNotedWhereverTheyAreNamed) {
  auto checked = check(R"(webhooks:
  github:
    secret_env: GITHUB_WEBHOOK_SECRET
    config:
      agent: comand-agent
      run_agents: [command-agent, cicd-agent]
agents:
  command-agent: {config: {command: [/bin/true]}}
approvals: {notify: chat-agent}
chain: {notify: teller-agent}
schedules:
  nightly: {agent: nightly-agent, cron: "@daily"}
  off: {agent: nobody, cron: "@daily", enabled: false}
)");
  EXPECT_EQ(checked.status, 0) << checked.text;
  const std::string file = (host.folder() / "davit.yaml").string();
  EXPECT_THAT(checked.text,
              AllOf(HasSubstr("note: " + file + ":9: webhooks.github.config.agent: no library in "),
                    HasSubstr(" offers an agent named comand-agent, so its tasks will wait; did you mean "
                              "command-agent?"),
                    HasSubstr(":10: webhooks.github.config.run_agents[1]: no library"),
                    HasSubstr("approvals.notify: no library"), HasSubstr("named chat-agent"),
                    HasSubstr("chain.notify: no library"), HasSubstr("named teller-agent"),
                    HasSubstr(":16: schedules.nightly.agent: no library"), HasSubstr("is good"),
                    Not(HasSubstr("named command-agent")), Not(HasSubstr("named nobody"))));
}

TEST_F(CheckConfigTest, MistakesInPluginsOwnSettingsHaveTheirLinesAndRemedies) {
  const std::string sections = R"(webhooks:
  github:
    secret_env: GITHUB_WEBHOOK_SECRET
    config:
      agnet: command-agent
  second:
    plugin: github
    secret_env: GITHUB_WEBHOOK_SECRET
    config: {agent: [1]}
agents:
  command-agent:
    config:
      command:
        - /bin/true
        - 5
)";
  auto checked = check(sections);
  EXPECT_EQ(checked.status, 1);
  const std::string file = (host.folder() / "davit.yaml").string();
  EXPECT_THAT(
      checked.text,
      AllOf(HasSubstr(file + ":9: webhooks.github.config.agnet: is not known to the plugin; did you mean "
                             "\"agent\"?\n"),
            HasSubstr(file + ":13: webhooks.second.config.agent: has the wrong type: it is a list; "
                             "expected text\n"),
            HasSubstr(file + ":19: agents.command-agent.config.command[1]: has the wrong type: it is a "
                             "number; expected text, in quotes\n"),
            Not(HasSubstr("is good"))));
  EXPECT_EQ(check(sections, {"--no-plugins"}).status, 0);
}

TEST_F(CheckConfigTest, MistakesInWhatIsForAllAgentsStandThereAndWhatNobodyTakesIsNoted) {
  auto checked = check(R"(agents:
  command-agent: {config: {command: [/bin/true]}}
agent_defaults:
  grants:
    api: {env: PATH}
  config:
    input: nonsense
    inptu: payload
)");
  EXPECT_NE(checked.status, 0) << checked.text;
  const std::string file = (host.folder() / "davit.yaml").string();
  EXPECT_THAT(checked.text,
              AllOf(HasSubstr(file + ":11: agent_defaults.config.input: for command-agent: "),
                    HasSubstr("note: " + file + ":9: agent_defaults.grants.api: no agent in "),
                    HasSubstr(" asks for a secret of that name"),
                    HasSubstr("note: " + file + ":12: agent_defaults.config.inptu: no agent in "),
                    HasSubstr(" has a setting of that name"), Not(HasSubstr("config.input: no agent"))));
}

TEST_F(CheckConfigTest, WhatIsMissingInSettingsHasTheLineOfTheInstance) {
  auto checked = check("agents:\n  command-agent:\n    concurrency: 1\n");
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.text,
              HasSubstr(":6: agents.command-agent.config: lacks the member \"command\"; add it\n"));
}

TEST_F(CheckConfigTest, InstancesOfPluginsThatNobodyOffersAreNamed) {
  auto checked = check(R"(webhooks:
  github: {secret_env: GITHUB_WEBHOOK_SECRET, plugin: gitlab-ci}
agents:
  comand-agent: {config: {command: [/bin/true]}}
  off: {enabled: false}
)");
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(
      checked.text,
      AllOf(HasSubstr(":6: webhooks.github: no library in "),
            HasSubstr("offers a webhook named gitlab-ci; put one there, or name one of github, or set "
                      "enabled: false\n"),
            HasSubstr(":8: agents.comand-agent: no library in "),
            HasSubstr("offers an agent named comand-agent; did you mean command-agent?\n"),
            Not(HasSubstr("agents.off"))));
}

TEST_F(CheckConfigTest, ALibraryThatCrashesWhenItIsLookedAtIsNamedWithItsInstance) {
  host.install(DAVIT_BUILD_DIR "/tests/broken_plugins/metadata_crashes.so", "crashing.so");
  auto checked =
      check("agents:\n  crashing: {concurrency: 1}\n  command-agent: {config: {command: [/bin/true]}}\n");
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.text, AllOf(HasSubstr(":6: agents.crashing: its library "),
                                  HasSubstr("crashing.so is refused (metadata_crashed): ")));
}

TEST_F(CheckConfigTest, ARunningHostIsNotDisturbed) {
  const std::string sections = "agents:\n  command-agent: {config: {command: [/bin/true]}}\n";
  host.configure(sections);
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(check(sections).status, 0);
  EXPECT_EQ(host.api("GET", "/readyz").status, 200);
}

TEST_F(CheckConfigTest, ReadersWithTheAdminsTokenAreAMistakeThatNoHostStartsWith) {
  const std::string token = "0123456789abcdef-token";
  host.environment["DAVIT_ADMIN_TOKEN"] = host.environment["DAVIT_READER_TOKEN"] = token;
  const std::string told = "DAVIT_READER_TOKEN holds the admin token";
  auto checked = check("", {"--no-plugins"});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.text, AllOf(HasSubstr(told), Not(HasSubstr(token))));
  EXPECT_FALSE(host.start());
  EXPECT_THAT(host.log(), AllOf(HasSubstr(told), Not(HasSubstr(token))));
  // Nor with the one that the host made for itself.
  host.environment.erase("DAVIT_ADMIN_TOKEN");
  ASSERT_TRUE(host.start()) << host.log();
  host.environment["DAVIT_READER_TOKEN"] = host.token();
  EXPECT_EQ(host.end(SIGTERM), 0);
  checked = check("", {"--no-plugins"});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.text, AllOf(HasSubstr(told), HasSubstr("admin.token"), Not(HasSubstr(host.token()))));
  EXPECT_FALSE(host.start());
}

}  // namespace
}  // namespace davit::testing

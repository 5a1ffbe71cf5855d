#include "claude_cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "davit/failure.hpp"

namespace {

using claude::arguments_for;
using claude::environment_for;
using claude::Session;
using claude::Settings;
using claude::Tools;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Session session() {
  Session session;
  session.prompt = "Find the fault.";
  session.session_id = "7d1f0b52-6c1e-4c3a-9b60-0a51f6f3c201";
  return session;
}

std::string refusal_of(const Session& bad) {
  try {
    check(bad);
  } catch (const davit::Failure& failure) {
    EXPECT_EQ(failure.status(), davit::Status::InvalidInput);
    return failure.what();
  }
  return "taken";
}

TEST(ClaudeCommandLineTest, ASessionReadsNoSettingsAndAsksNobody) {
  const auto arguments = arguments_for({}, session(), {});
  EXPECT_THAT(arguments,
              ElementsAre("-p", "--output-format=stream-json", "--verbose", "--include-partial-messages",
                          "--session-id=7d1f0b52-6c1e-4c3a-9b60-0a51f6f3c201", "--no-session-persistence",
                          "--setting-sources=", "--strict-mcp-config", "--permission-mode=dontAsk",
                          "--tools=", "--max-turns=120", "--max-budget-usd=2.0000"));
}

TEST(ClaudeCommandLineTest, ToolsAreThoseOfTheKindOfWork) {
  Session reads = session();
  reads.tools = Tools::Read;
  EXPECT_THAT(arguments_for({}, reads, {}), Contains("--tools=Read,Grep,Glob"));
  EXPECT_THAT(arguments_for({}, reads, {}), Contains("--allowedTools=Read,Grep,Glob"));
  EXPECT_THAT(arguments_for({}, reads, {}), Each(Not(HasSubstr("Bash"))));
  Session edits = session();
  edits.tools = Tools::Edit;
  EXPECT_THAT(arguments_for({}, edits, {}), Contains("--tools=Read,Grep,Glob,Edit,Write,Bash"));
  Session changes = session();
  changes.tools = Tools::Change;
  EXPECT_THAT(arguments_for({}, changes, {}), Contains("--tools=Read,Grep,Glob,Edit,Write"));
  EXPECT_THAT(asked_for({}, edits).tools, ElementsAre("Read", "Grep", "Glob", "Edit", "Write", "Bash"));
}

TEST(ClaudeCommandLineTest, WhatIsSetIsGivenAndCannotBecomeAnotherOption) {
  Settings settings;
  settings.model = "--dangerous";
  settings.fallback_model = "sonnet";
  settings.max_turns = 7;
  Session asks = session();
  asks.schema = R"({"type":"object"})";
  const auto arguments =
      arguments_for(settings, asks, {.system_prompt = "/run/system.md", .mcp_config = "/run/mcp.json"});
  EXPECT_THAT(arguments, Contains("--model=--dangerous"));
  EXPECT_THAT(arguments, Contains("--fallback-model=sonnet"));
  EXPECT_THAT(arguments, Contains("--max-turns=7"));
  EXPECT_THAT(arguments, Contains(R"(--json-schema={"type":"object"})"));
  EXPECT_THAT(arguments, Contains("--append-system-prompt-file=/run/system.md"));
  EXPECT_THAT(arguments, Contains("--mcp-config=/run/mcp.json"));
  EXPECT_THAT(arguments, Each(StartsWith("-")));
  EXPECT_TRUE(asked_for(settings, asks).schema);
  EXPECT_EQ(asked_for(settings, asks).max_turns, 7);
}

TEST(ClaudeCommandLineTest, PromptsAndSecretsAreInNoArgument) {
  Session asks = session();
  asks.system_prompt = "You know of Canary-1.";
  asks.prompt = "Canary-2";
  asks.mcp_config = R"({"mcpServers": {"tracker": {"command": "t", "env": {"KEY": "Canary-3"}}}})";
  const auto arguments = arguments_for({}, asks, {.system_prompt = "/run/a", .mcp_config = "/run/b"});
  EXPECT_THAT(arguments, Each(Not(HasSubstr("Canary"))));
  EXPECT_THAT(arguments, Contains("--allowedTools=mcp__tracker"));
  EXPECT_THAT(asked_for({}, asks).servers, ElementsAre("tracker"));
}

TEST(ClaudeCommandLineTest, TheSmallerBudgetCountsAndIsRoundedDown) {
  const auto budget = [](double most, std::optional<double> left) {
    Settings settings;
    settings.max_usd = most;
    Session asks = session();
    asks.budget_usd = left;
    return arguments_for(settings, asks, {}).back();
  };
  EXPECT_EQ(budget(2, std::nullopt), "--max-budget-usd=2.0000");
  EXPECT_EQ(budget(2, 0.29), "--max-budget-usd=0.2900");
  EXPECT_EQ(budget(2, 0.12349), "--max-budget-usd=0.1234");
  EXPECT_EQ(budget(0.5, 100), "--max-budget-usd=0.5000");
}

TEST(ClaudeCommandLineTest, WhatCannotBeGivenIsRefused) {
  EXPECT_EQ(refusal_of(session()), "taken");
  const auto with = [](auto change) {
    Session bad = session();
    change(bad);
    return refusal_of(bad);
  };
  EXPECT_THAT(with([](Session& bad) { bad.session_id = "7"; }), HasSubstr("no UUID"));
  EXPECT_THAT(with([](Session& bad) { bad.session_id[3] = 'x'; }), HasSubstr("no UUID"));
  EXPECT_THAT(with([](Session& bad) { bad.prompt = ""; }), HasSubstr("no prompt"));
  EXPECT_THAT(with([](Session& bad) { bad.prompt = std::string(10'000'001, 'x'); }), HasSubstr("10 MB"));
  EXPECT_THAT(with([](Session& bad) { bad.budget_usd = 0; }), HasSubstr("no money"));
  EXPECT_THAT(with([](Session& bad) { bad.budget_usd = -1; }), HasSubstr("no money"));
  EXPECT_THAT(with([](Session& bad) { bad.schema = "{"; }), HasSubstr("schema cannot be read"));
  EXPECT_THAT(with([](Session& bad) { bad.schema = "7"; }), HasSubstr("schema is no object"));
  EXPECT_THAT(with([](Session& bad) { bad.schema = "{}" + std::string(100'000, ' '); }), HasSubstr("100 kB"));
  EXPECT_THAT(with([](Session& bad) { bad.mcp_config = "x"; }),
              HasSubstr("MCP configuration cannot be read"));
  EXPECT_THAT(with([](Session& bad) { bad.mcp_config = R"({"mcpServers": {"a,Bash": {}}})"; }),
              HasSubstr("'a,Bash' needs a name"));
}

TEST(ClaudeCommandLineTest, TheEnvironmentIsWhatIsNamedAndNothingElse) {
  Settings settings;
  settings.pass_environment = {"ANTHROPIC_API_KEY", "NOT_SET", "EMPTY"};
  const std::map<std::string, std::string> host = {
      {"ANTHROPIC_API_KEY", "key"}, {"EMPTY", ""}, {"DAVIT_GITHUB_SECRET", "no"}, {"CLAUDECODE", "1"}};
  std::vector<std::string> asked;
  const auto environment = environment_for(
      settings,
      {.path = "/usr/bin", .home = "/home/agent", .temporary = "/tmp", .proxy = "http://127.0.0.1:7"},
      [&](const std::string& name) -> std::optional<std::string> {
        asked.push_back(name);
        const auto found = host.find(name);
        return found == host.end() ? std::nullopt : std::optional(found->second);
      });
  EXPECT_THAT(environment,
              ElementsAre("PATH=/usr/bin", "LANG=C.UTF-8", "HOME=/home/agent", "TMPDIR=/tmp",
                          "CLAUDE_CONFIG_DIR=/home/agent/.claude", "DISABLE_AUTOUPDATER=1",
                          "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", "CLAUDE_CODE_SUBPROCESS_ENV_SCRUB=0",
                          "HTTPS_PROXY=http://127.0.0.1:7", "ANTHROPIC_API_KEY=key"));
  EXPECT_THAT(asked, ElementsAre("ANTHROPIC_API_KEY", "NOT_SET", "EMPTY"));
}

TEST(ClaudeCommandLineTest, WithoutAProxyNoneIsNamed) {
  const auto environment = environment_for({}, {.home = "/h", .temporary = "/t"},
                                           [](const std::string&) { return std::optional<std::string>(); });
  EXPECT_THAT(environment, Each(Not(StartsWith("HTTPS_PROXY"))));
}

TEST(ClaudeCommandLineTest, AValueOfSeveralLinesIsRefusedAndNotTold) {
  Settings settings;
  settings.pass_environment = {"ANTHROPIC_API_KEY"};
  try {
    environment_for(settings, {},
                    [](const std::string&) { return std::optional<std::string>("sk-canary\nx"); });
    ADD_FAILURE() << "taken";
  } catch (const davit::Failure& failure) {
    EXPECT_THAT(failure.what(), HasSubstr("ANTHROPIC_API_KEY"));
    EXPECT_THAT(failure.what(), Not(HasSubstr("canary")));
  }
}

}  // namespace

#include "claude_cli/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "davit/failure.hpp"

namespace {

using claude::at_least;
using claude::Settings;
using davit::Json;
using testing::ElementsAre;
using testing::HasSubstr;

Settings settings_from(const std::string& text) {
  const Json json = Json::parse(text);
  return Settings::from(json);
}

std::string refusal_of(const std::string& text) {
  try {
    settings_from(text);
  } catch (const davit::Failure& failure) {
    EXPECT_EQ(failure.status(), davit::Status::InvalidInput);
    return failure.what();
  }
  return "taken";
}

TEST(ClaudeSettingsTest, WithoutAWordTheDefaultsHold) {
  for (const char* text : {"null", "{}"}) {
    const Settings settings = settings_from(text);
    EXPECT_EQ(settings.path, "claude");
    EXPECT_EQ(settings.model, "");
    EXPECT_EQ(settings.max_turns, 120);
    EXPECT_EQ(settings.max_usd, 2);
    EXPECT_EQ(settings.idle, std::chrono::minutes(7));
    EXPECT_EQ(settings.min_version, "2.1.0");
    EXPECT_EQ(settings.prices.at("claude-sonnet-4").output, 15);
  }
}

TEST(ClaudeSettingsTest, EveryMemberIsRead) {
  const Settings settings = settings_from(R"({"path": "/opt/claude/bin/claude", "model": "opus",
      "fallback_model": "sonnet", "pass_environment": ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "HIGH_WATER"],
      "max_turns": 5, "max_usd": 0.5, "idle_seconds": 400, "start_seconds": 10, "result_grace_seconds": 3,
      "min_version": "2.1.197", "prices": {"claude-x": {"input": 4, "output": 20, "cache_read": 0.2, "cache_write": 5}}})");
  EXPECT_EQ(settings.path, "/opt/claude/bin/claude");
  EXPECT_EQ(settings.model, "opus");
  EXPECT_EQ(settings.fallback_model, "sonnet");
  EXPECT_THAT(settings.pass_environment,
              ElementsAre("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "HIGH_WATER"));
  EXPECT_EQ(settings.max_turns, 5);
  EXPECT_EQ(settings.max_usd, 0.5);
  EXPECT_EQ(settings.idle, std::chrono::seconds(400));
  EXPECT_EQ(settings.start, std::chrono::seconds(10));
  EXPECT_EQ(settings.result_grace, std::chrono::seconds(3));
  EXPECT_EQ(settings.min_version, "2.1.197");
  EXPECT_EQ(settings.prices.at("claude-x").cache_read, 0.2);
  EXPECT_EQ(settings.prices.at("claude-x").cache_write, 5);
  EXPECT_EQ(settings.prices.count("claude-opus-5"), 1u) << "beside the usual ones";
}

TEST(ClaudeSettingsTest, APriceOfTheCacheFollowsFromThatOfTheInput) {
  const Settings settings = settings_from(R"({"prices": {"claude-x": {"input": 4, "output": 20}}})");
  EXPECT_DOUBLE_EQ(settings.prices.at("claude-x").cache_read, 0.4);
  EXPECT_DOUBLE_EQ(settings.prices.at("claude-x").cache_write, 5);
}

TEST(ClaudeSettingsTest, NonsenseIsRefusedByName) {
  const std::pair<const char*, const char*> kRows[] = {
      {R"([])", "config.claude: must be an object"},
      {R"({"modle": "x"})", "config.claude.modle: is unknown"},
      {R"({"path": ""})", "config.claude.path"},
      {R"({"path": 7})", "config.claude.path"},
      {R"({"path": "bin/claude"})", "absolute path"},
      {R"({"path": "a\nb"})", "config.claude.path"},
      {R"({"model": "a\u0000b"})", "config.claude.model"},
      {R"({"max_turns": 0})", "config.claude.max_turns: must be a whole number from 1 to 1000"},
      {R"({"max_turns": 1001})", "config.claude.max_turns"},
      {R"({"max_turns": 2.5})", "config.claude.max_turns"},
      {R"({"max_turns": "many"})", "config.claude.max_turns"},
      {R"({"max_usd": 0})", "config.claude.max_usd"},
      {R"({"max_usd": -1})", "config.claude.max_usd"},
      {R"({"max_usd": "2"})", "config.claude.max_usd"},
      {R"({"idle_seconds": 0})", "config.claude.idle_seconds"},
      {R"({"start_seconds": 100000})", "config.claude.start_seconds"},
      {R"({"min_version": "new"})", "config.claude.min_version"},
      {R"({"min_version": "2.1"})", "config.claude.min_version"},
      {R"({"pass_environment": "A"})", "config.claude.pass_environment"},
      {R"({"pass_environment": [1]})", "no name of a variable"},
      {R"({"pass_environment": ["A=B"]})", "no name of a variable"},
      {R"({"pass_environment": ["1A"]})", "no name of a variable"},
      {R"({"prices": []})", "config.claude.prices"},
      {R"({"prices": {"": {"input": 1, "output": 1}}})", "a model has no name"},
      {R"({"prices": {"x": 3}})", "config.claude.prices.x"},
      {R"({"prices": {"x": {"input": 1}}})", "config.claude.prices.x: output is missing"},
      {R"({"prices": {"x": {"input": -1, "output": 1}}})", "config.claude.prices.x.input"},
      {R"({"prices": {"x": {"input": 1, "output": 1, "thought": 1}}})", "'thought' is unknown"},
  };
  for (const auto& [text, part] : kRows) EXPECT_THAT(refusal_of(text), HasSubstr(part)) << text;
}

TEST(ClaudeSettingsTest, CredentialsOfTheHostAndItsWritersAreNotPassedOn) {
  for (const char* name : {"GITHUB_TOKEN", "MY_GITHUB_KEY", "GH_TOKEN", "MY_GH_TOKEN", "gh_token",
                           "DAVIT_SECRET", "MY_DAVIT_KEY"}) {
    EXPECT_THAT(refusal_of("{\"pass_environment\": [\"" + std::string(name) + "\"]}"),
                HasSubstr(std::string(name)))
        << name;
  }
}

TEST(ClaudeSettingsTest, WhatEverySessionSetsIsNotPassedOn) {
  for (const char* name : {"PATH", "HOME", "CLAUDE_CONFIG_DIR", "HTTPS_PROXY", "CLAUDECODE"}) {
    EXPECT_THAT(refusal_of("{\"pass_environment\": [\"" + std::string(name) + "\"]}"),
                HasSubstr("is set for every session"))
        << name;
  }
}

TEST(ClaudeSettingsTest, VersionsAreComparedByNumber) {
  EXPECT_TRUE(at_least("2.1.0", "2.1.0"));
  EXPECT_TRUE(at_least("2.1.197 (Claude Code)", "2.1.20"));
  EXPECT_TRUE(at_least("10.0.0", "9.9.9"));
  EXPECT_FALSE(at_least("2.0.99", "2.1.0"));
  EXPECT_FALSE(at_least("1.9.9", "2.0.0"));
  EXPECT_FALSE(at_least("", "2.1.0"));
  EXPECT_FALSE(at_least("2.1", "2.1.0"));
  EXPECT_FALSE(at_least("2.-1.0", "2.0.0"));
  EXPECT_FALSE(at_least("99999999999.0.0", "2.0.0"));
}

}  // namespace

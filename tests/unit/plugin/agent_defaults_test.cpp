#include "host/plugin/agent_defaults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::plugin {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

const AgentDefaults kDefaults{
    {{"api", "all's"}, {"other", "value"}}, {{"TZ", "UTC"}}, R"({"github":{"url":"u"},"depth":2})"};

AgentMetadata asks_for(std::vector<std::string> secrets) {
  AgentMetadata metadata;
  metadata.secrets = std::move(secrets);
  metadata.config_schema = R"({"type":"object","properties":{"github":{},"mode":{}}})";
  return metadata;
}

TEST(AgentDefaultsTest, AnAgentGetsTheSecretsItAsksForAndTheSettingsItHas) {
  const AgentSettings settings =
      with_defaults({.config = R"({"mode":"x"})"}, kDefaults, asks_for({"api", "third"}));
  EXPECT_THAT(settings.granted, ElementsAre(Secret{"api", "all's"}));
  EXPECT_THAT(settings.environment, ElementsAre(Pair("TZ", "UTC")));
  EXPECT_EQ(settings.config, R"({"mode":"x","github":{"url":"u"}})");
}

TEST(AgentDefaultsTest, AnAgentThatAsksForNothingAndHasNoSchemaGetsNeitherSecretNorSetting) {
  const AgentSettings settings = with_defaults({}, kDefaults, AgentMetadata{});
  EXPECT_THAT(settings.granted, ElementsAre());
  EXPECT_EQ(settings.config, "{}");
}

TEST(AgentDefaultsTest, WhatAnAgentHasOfItsOwnCountsWhole) {
  AgentSettings own;
  own.granted = {{"api", "its own"}};
  own.named_grants = {"api"};
  own.environment = {{"TZ", "CET"}};
  own.config = R"({"github":{"app":1}})";
  EXPECT_EQ(with_defaults(own, kDefaults, asks_for({"api"})), own);
}

TEST(AgentDefaultsTest, AGrantOfItsOwnThatDoesNotExistIsNotMadeUpFor) {
  AgentSettings own;
  own.named_grants = {"api"};
  EXPECT_THAT(with_defaults(own, kDefaults, asks_for({"api"})).granted, ElementsAre());
}

TEST(AgentDefaultsTest, AnAgentMayBeKeptFromAllOfThem) {
  AgentSettings own;
  own.takes_defaults = false;
  EXPECT_EQ(with_defaults(own, kDefaults, asks_for({"api"})), own);
}

}  // namespace
}  // namespace davit::plugin

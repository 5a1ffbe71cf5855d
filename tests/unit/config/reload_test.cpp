#include "host/config/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReloadTest, AnUnchangedConfigurationNeedsNoRestart) {
  EXPECT_THAT(waits_for_restart({}, {}), IsEmpty());
}

TEST(ReloadTest, WhatIsTakenOverAtOnceIsNotNamed) {
  Config wanted;
  wanted.webhooks["github"].enabled = false;
  wanted.webhooks["jira"].rate = 5;
  wanted.agents["planner"].concurrency = 7;
  wanted.plugins.directory = "elsewhere";
  wanted.plugins.quarantine_after = 1;
  wanted.storage.retention_days = 3;
  wanted.storage.max_size = 1u << 30;
  wanted.chain.max_depth = 2;
  wanted.agent_defaults.environment = {"TZ"};
  wanted.sandbox.required = false;
  wanted.replies.hosts = {"hooks.example.org"};
  wanted.log.level = LogLevel::Debug;
  EXPECT_THAT(waits_for_restart({}, wanted), IsEmpty());
}

TEST(ReloadTest, WhatMustWaitIsNamedByItsKey) {
  Config wanted;
  wanted.runners.max = 3;
  wanted.server.port = 81;
  wanted.server.threads = 4;
  wanted.server.trusted_proxies = {"10.0.0.1"};
  wanted.server.address_rate = 7;
  wanted.storage.path = "other.db";
  wanted.log.file = "log";
  wanted.metrics.public_access = true;
  EXPECT_THAT(waits_for_restart({}, wanted),
              ElementsAre("server.port", "server.threads", "server.trusted_proxies", "server.address_rate",
                          "storage.path", "log.file", "metrics.public", "runners.max"));
}

}  // namespace
}  // namespace davit::config

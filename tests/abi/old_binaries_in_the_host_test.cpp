// The kept binaries (tests/abi/fixtures/) in the real program: probed, loaded in the host and in runners,
// serving.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "tests/support/running_host.h"

namespace davit::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path kFolder = DAVIT_SOURCE_DIR "/tests/abi/fixtures/1.0";
constexpr char kOrder[] = R"({"order": {"id": "A-17", "state": "failed", "reason": "card declined"}})";

TEST(OldBinariesTest, AreTheBytesThatWereBuiltThen) {
  std::ifstream sums(kFolder / "SHA256SUMS");
  std::set<std::string> named;
  for (std::string hash, name; sums >> hash >> name;) {
    auto bytes = read_file(kFolder / name);
    ASSERT_TRUE(bytes.ok()) << name;
    EXPECT_EQ(sha256_hex(*bytes), hash) << name;
    named.insert(name);
  }
  std::set<std::string> there;
  for (const auto& file : fs::directory_iterator(kFolder)) {
    if (file.path().extension() == ".so") there.insert(file.path().filename().string());
  }
  EXPECT_EQ(named, there);
  EXPECT_EQ(named.size(), 4u);
}

class OldBinariesInTheHostTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Isolation, OldBinariesInTheHostTest, ::testing::Values("inprocess", "process"));

TEST_P(OldBinariesInTheHostTest, AreProbedAndServe) {
  RunningHost host;
  for (const char* name : {"webhook_cpp.so", "agent_cpp.so", "webhook_c.so", "agent_c.so"})
    host.install(kFolder / name);
  host.configure(std::string("webhooks:\n") +  //
                 "  shop: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: " + GetParam() + "}\n" +
                 "  echo: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: " + GetParam() + "}\n" +
                 "agents:\n  full-agent: {requires_approval: false, config: {greeting: good morning}}\n");
  ASSERT_TRUE(host.start()) << host.log();
  const std::string plugins = host.api("GET", "/api/dashboard/plugins").body;
  EXPECT_THAT(plugins, ::testing::Not(HasSubstr("\"refusal\":{"))) << plugins;

  const auto shop = host.request("POST", "/webhooks/shop", kOrder,
                                 {{"Content-Type", "application/json"},
                                  {"X-Shop-Event", "order"},
                                  {"X-Shop-Delivery", "d-1"},
                                  {"X-Shop-Signature", RunningHost::github_signature(kOrder)}});
  EXPECT_EQ(shop.status, 202) << shop.body << host.log();

  const auto echo = host.request("POST", "/webhooks/echo", kOrder,
                                 {{"Content-Type", "application/json"},
                                  {"X-Echo-Delivery", "d-2"},
                                  {"X-Echo-Signature", RunningHost::github_signature(kOrder)}});
  ASSERT_EQ(echo.status, 202) << echo.body << host.log();
  const auto task = host.wait_for_task(string_member(*parse_json(echo.body), "task_id"), {"completed"});
  EXPECT_THAT(to_json(task), HasSubstr("card declined"));

  const auto made =
      host.api("POST", "/api/tasks", R"({"agent":"full-agent","title":"By hand","payload":{"plain":true}})");
  ASSERT_EQ(made.status, 201) << made.body;
  // It names an agent to go on that is not installed here: its own output counts all the same.
  const auto full =
      host.wait_for_task(string_member(*parse_json(made.body), "task_id"), {"completed", "failed"});
  EXPECT_THAT(to_json(full), HasSubstr("good morning"));
}

}  // namespace
}  // namespace davit::testing

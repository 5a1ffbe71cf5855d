// Replacements while requests flow: what is lost (nothing), how long a drop takes to serve, and what a
// generation leaves in memory.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/faults/lane.h"
#include "tests/support/hot_host.h"

namespace davit::faults {
namespace {

using testing::eventually;
using testing::HotHost;
using testing::kPlugins;
using testing::kTestPlugins;
using testing::Load;

const std::filesystem::path kLibrary = kTestPlugins / "good_webhook.so";

class ReplacementTest : public ::testing::TestWithParam<const char*> {
 protected:
  void start() {
    host.put("command_agent.so", kPlugins / "command_agent.so");
    host.put("good_webhook.so", kLibrary);
    host.configure(
        std::string("webhooks: {good: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, "
                    "answer_within_ms: 10000, "
                    "isolation: ") +
        GetParam() +
        "}}\nagents: {command-agent: {concurrency: 2, max_retries: 0, config: {command: [/bin/true]}}}\n");
    ASSERT_TRUE(host.start()) << host.log();
    ASSERT_EQ(host.deliver().status, 202);
  }
  HotHost host;
};
INSTANTIATE_TEST_SUITE_P(Isolation, ReplacementTest, ::testing::Values("inprocess", "process"));

TEST_P(ReplacementTest, NoRequestAndNoExecutionIsLost) {
  start();
  Luck luck;
  const int replacements = trials(10, 100);
  const std::size_t least = static_cast<std::size_t>(trials(1'000, 20'000));
  Load load(host.port(), 200,
            [](std::size_t number) { return "{\"number\":" + std::to_string(number) + "}"; });
  for (int i = 1; i <= replacements; ++i) {
    const std::int64_t before = host.generation_of("webhook", "good");
    host.put_variant("good_webhook.so", kLibrary, "variant " + std::to_string(i));
    // Agents are replaced in the middle of their work, too.
    if (i % 5 == 0) host.put_variant("command_agent.so", kPlugins / "command_agent.so", std::to_string(i));
    ASSERT_TRUE(eventually([&] { return host.generation_of("webhook", "good") > before; })) << host.log();
    const std::size_t next =
        std::max(load.so_far() + static_cast<std::size_t>(luck.between(1, 40)),
                 least * static_cast<std::size_t>(i) / static_cast<std::size_t>(replacements));
    ASSERT_TRUE(eventually([&] { return load.so_far() >= next; }, std::chrono::seconds(120)));
  }
  Load::Sent sent = load.stop();
  EXPECT_GE(sent.sent, least);
  EXPECT_EQ(sent.statuses[202], sent.sent) << ::testing::PrintToString(sent.statuses);
  EXPECT_EQ(sent.acknowledged.size(), sent.sent);
  std::cout << GetParam() << ": " << replacements << " replacements, " << sent.sent << " requests, "
            << sent.sent - sent.statuses[202] << " failed, " << sent.deferred
            << " answered first and run later\n";
  // Whatever ran while its agent was replaced ended well; the rest is not waited for.
  EXPECT_EQ(host.api("GET", "/api/dashboard/tasks?status=failed").body.find("\"task_id\""),
            std::string::npos);
  EXPECT_EQ(host.end(SIGTERM), 0);
}

TEST_P(ReplacementTest, ADroppedLibraryServesSoon) {
  start();
  host.remove("good_webhook.so");
  ASSERT_TRUE(eventually([&] { return host.deliver().status == 404; }));
  std::vector<double> milliseconds;
  for (int i = 0; i < trials(10, 200); ++i) {
    const auto begun = std::chrono::steady_clock::now();
    host.put_variant("good_webhook.so", kLibrary, "dropped " + std::to_string(i));
    ASSERT_TRUE(eventually([&] { return host.deliver().status == 202; })) << host.log();
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
    host.remove("good_webhook.so");
    ASSERT_TRUE(eventually([&] { return host.deliver().status == 404; })) << host.log();
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  std::cout << GetParam() << ": from rename to the first 202, " << milliseconds.size() << " times: p50 "
            << milliseconds[milliseconds.size() / 2] << " ms, p99 "
            << milliseconds[milliseconds.size() * 99 / 100] << " ms\n";
}

TEST_P(ReplacementTest, AGenerationLeavesNoMoreThanItsLibraryBehind) {
  start();
  const int generations = trials(20, 200);
  auto replace = [&](int i) {
    const std::int64_t before = host.generation_of("webhook", "good");
    host.put_variant("good_webhook.so", kLibrary, "generation " + std::to_string(i));
    ASSERT_TRUE(eventually([&] { return host.generation_of("webhook", "good") > before; })) << host.log();
    ASSERT_EQ(host.deliver().status, 202);
  };
  for (int i = 0; i < 5; ++i) replace(-i);  // what the first ones allocate is no growth
  const long before = host.resident_kib();
  const std::size_t descriptors = host.descriptors();
  for (int i = 1; i <= generations; ++i) replace(i);
  const double grown = static_cast<double>(host.resident_kib() - before) / generations;
  std::cout << GetParam() << ": " << grown << " KiB of memory per generation over " << generations << "\n";
  // In this process the loader keeps the library; beside that, and where a runner has it, next to nothing
  // stays.
  const double library_kib = static_cast<double>(std::filesystem::file_size(kLibrary)) / 1024;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  // A sanitizer keeps books of its own of every byte, and freed memory for a while.
  const double most = library_kib + (64 << 10);
#else
  const double most = library_kib + 64;
#endif
  EXPECT_LT(grown, most);
  EXPECT_TRUE(eventually([&] { return host.descriptors() <= descriptors + 8; }))
      << host.descriptors() << descriptors;
}

}  // namespace
}  // namespace davit::faults

// Replacements while requests flow: what is lost (nothing), how long a drop takes to serve, what a generation
// leaves in memory, what a process of its own costs a webhook, and how long a host is gone that one brought
// down. The long lane prints the figures of docs/PERFORMANCE.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>

#include "tests/bench/load.h"
#include "tests/bench/process.h"
#include "tests/faults/books.h"
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
const std::filesystem::path kSecond = kTestPlugins / "second_webhook.so";

// What the webhook says, which tells its code.
std::string message_of(const test::RawAnswer& answer) {
  auto body = parse_json(answer.body);
  return body ? string_member(*body, "message") : "";
}

// That a generation may leave: in the host the loader keeps its library; beside that, and where a runner has
// it, next to nothing stays.
double most_kib(const std::filesystem::path& library) {
  const double library_kib = static_cast<double>(std::filesystem::file_size(library)) / 1024;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  // A sanitizer keeps books of its own of every byte, and freed memory for a while.
  return library_kib + (64 << 10);
#else
  return library_kib + 64;
#endif
}

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
    const auto begun = std::chrono::steady_clock::now();
    ASSERT_TRUE(host.start()) << host.log();
    start_took = std::chrono::steady_clock::now() - begun;
    ASSERT_EQ(host.deliver().status, 202);
  }
  HotHost host;
  std::chrono::duration<double, std::milli> start_took{};
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
    // Two codes take turns.
    host.put_variant("good_webhook.so", i % 2 == 0 ? kLibrary : kSecond, "variant " + std::to_string(i));
    // Agents are replaced in the middle of their work, too.
    if (i % 5 == 0) host.put_variant("command_agent.so", kPlugins / "command_agent.so", std::to_string(i));
    ASSERT_TRUE(eventually([&] { return host.generation_of("webhook", "good") > before; })) << host.log();
    const auto answer = message_of(host.deliver());
    ASSERT_EQ(answer, i % 2 == 0 ? "echo" : "second") << "generation " << i;
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
  EXPECT_EQ(host.end(SIGTERM), 0);
  // Every task that was acknowledged is in the books; what ran of them, while its agent was replaced, ended
  // well or was given back at the stop, and nothing ran twice. The rest is not waited for.
  const auto books = read_books(host.folder() / "davit.db");
  std::size_t completed = 0;
  for (const auto& [delivery, task] : sent.acknowledged) {
    if (task.empty()) continue;  // deferred
    const auto booked = books.find(in_books(task));
    ASSERT_NE(booked, books.end()) << "the task of delivery " << delivery << " is lost";
    completed += static_cast<std::size_t>(booked->second.completed());
    for (const BookedExecution& one : booked->second.executions)
      EXPECT_THAT(one.outcome, ::testing::AnyOf("completed", "interrupted", "released")) << one.error;
  }
  EXPECT_GT(completed, 0u);
  EXPECT_THAT(double_entries(books), ::testing::IsEmpty());
}

TEST_P(ReplacementTest, ADroppedLibraryServesSoon) {
  start();
  host.remove("good_webhook.so");
  ASSERT_TRUE(eventually([&] { return host.deliver().status == 503; }));
  std::vector<double> milliseconds;
  for (int i = 0; i < trials(10, 200); ++i) {
    const auto begun = std::chrono::steady_clock::now();
    host.put_variant("good_webhook.so", kLibrary, "dropped " + std::to_string(i));
    ASSERT_TRUE(eventually([&] { return host.deliver().status == 202; })) << host.log();
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
    host.remove("good_webhook.so");
    ASSERT_TRUE(eventually([&] { return host.deliver().status == 503; })) << host.log();
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  std::cout << GetParam() << ": from rename to the first 202, " << milliseconds.size() << " times: p50 "
            << milliseconds[milliseconds.size() / 2] << " ms, p99 "
            << milliseconds[milliseconds.size() * 99 / 100] << " ms\n";
  // Typically it is less than a start of the whole host, which does the same and more; with room for a busy
  // machine.
  EXPECT_LT(milliseconds[milliseconds.size() / 2], 10 * start_took.count());
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
  EXPECT_LT(grown, most_kib(kLibrary));
  EXPECT_TRUE(eventually([&] { return host.descriptors() <= descriptors + 8; }))
      << host.descriptors() << descriptors;
}

// As authors write them: in C++, with the SDK, of the size that comes of it.
TEST_P(ReplacementTest, AGenerationOfAUsualCppLibraryLeavesNoMoreThanItselfBehind) {
  const std::filesystem::path library = kPlugins / "github.so";
  host.put("github.so", library);
  host.configure(std::string("webhooks: {github: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, "
                             "answer_within_ms: 10000, config: {agent: nobody}, isolation: ") +
                 GetParam() + "}}\n");
  ASSERT_TRUE(host.start()) << host.log();
  const std::string event =
      *read_file(std::filesystem::path(DAVIT_SOURCE_DIR) / "examples/demo/1-issue-labeled.json");
  auto replace = [&](int i) {
    const std::int64_t before = host.generation_of("webhook", "github");
    host.put_variant("github.so", library, "generation " + std::to_string(i));
    ASSERT_TRUE(eventually([&] { return host.generation_of("webhook", "github") > before; })) << host.log();
    const test::RawAnswer answer = host.github("issues", event);
    ASSERT_LT(answer.status, 300) << answer.body;
    ASSERT_GE(answer.status, 200);
  };
  const int generations = trials(10, 100);
  for (int i = 0; i < 3; ++i) replace(-i);  // what the first ones allocate is no growth
  const long before = host.resident_kib();
  for (int i = 1; i <= generations; ++i) replace(i);
  const double grown = static_cast<double>(host.resident_kib() - before) / generations;
  std::cout << GetParam() << ": " << grown << " KiB of memory per generation of a library of "
            << std::filesystem::file_size(library) / 1024 << " KiB over " << generations << "\n";
  EXPECT_LT(grown, most_kib(library));
}

// ---- what is not of one isolation ----

struct Turns {
  std::uint64_t answered = 0;
  double seconds = 0, cpu_seconds = 0;
};

// What each isolation takes, a delivery through a hook that costs next to nothing and a real one through the
// GitHub webhook.
struct Hook {
  const char* name;
  std::filesystem::path library;
  const char* plugin;
  const char* config;
  std::string (*next)(const std::string& webhook);
};

std::string next_for_good(const std::string& webhook) {
  static const std::string body = R"({"text":")" + std::string(1'400, 'x') + "\"}";
  return testing::good_request(body, new_id(), webhook);
}

// Each about another issue, for a task of its own.
std::string next_for_github(const std::string& webhook) {
  static const std::string body = [] {
    std::ifstream file(DAVIT_SOURCE_DIR "/examples/demo/4-issue-opened-sentry.json");
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  static const std::size_t number = body.find("\"number\":") + 9;
  static int issues = 0;
  std::string mine = body;
  mine.replace(number, mine.find(',', number) - number, std::to_string(++issues));
  return "POST /webhooks/" + webhook +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-GitHub-Event: issues\r\n"
         "X-GitHub-Delivery: " +
         new_id() + "\r\nX-Hub-Signature-256: " + testing::RunningHost::github_signature(mine) +
         "\r\nContent-Length: " + std::to_string(mine.size()) + "\r\n\r\n" + mine;
}

class CostOfIsolationTest : public ::testing::TestWithParam<Hook> {};

TEST_P(CostOfIsolationTest, ByTurnsBothKindsAnswerAllThatComesAsFastAsItGoes) {
  const Hook& hook = GetParam();
  HotHost host;
  host.put(hook.library.filename(), hook.library);
  std::string webhooks;
  for (const std::string isolation : {"inprocess", "process"}) {
    webhooks += "  " + isolation + ": {plugin: " + hook.plugin +
                ", secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, rate: 0, answer_within_ms: 10000, " +
                "config: " + hook.config + ", isolation: " + isolation + "}\n";
  }
  host.configure("webhooks:\n" + webhooks);
  ASSERT_TRUE(host.start()) << host.log();
  std::map<std::string, Turns> turns;
  std::vector<double> shares;  // of the throughput in the host, by round
  const int rounds = trials(3, 11);
  for (int round = 0; round < rounds; ++round) {
    std::map<std::string, double> throughput;
    for (const bool first : {true, false}) {
      const std::string webhook = first == (round % 2 == 0) ? "inprocess" : "process";
      bench::Load load;
      load.port = host.port();
      load.seconds = in_long_lane() ? 3 : 0.3;
      load.next = [&] { return hook.next(webhook); };
      const double before = bench::cpu_of_tree(host.pid());
      const bench::LoadResult result = bench::run(load);
      Turns& all = turns[webhook];
      all.cpu_seconds += bench::cpu_of_tree(host.pid()) - before;
      all.seconds += result.seconds;
      all.answered += result.total();
      throughput[webhook] = static_cast<double>(result.total()) / result.seconds;
      ASSERT_GT(result.total(), 0u);
      EXPECT_EQ(result.count(202), result.total()) << ::testing::PrintToString(result.answers);
    }
    shares.push_back(throughput["process"] / throughput["inprocess"]);
  }
  for (const auto& [webhook, all] : turns) {
    std::printf("%s, %s: %llu requests, %.0f a second, %.0f us of CPU each\n", hook.name, webhook.c_str(),
                static_cast<unsigned long long>(all.answered),
                static_cast<double>(all.answered) / all.seconds,
                all.cpu_seconds * 1e6 / static_cast<double>(all.answered));
  }
  std::sort(shares.begin(), shares.end());
  std::printf("%s, process / inprocess: %.2f of the throughput (median of %d rounds, %.2f to %.2f)\n",
              hook.name, shares[shares.size() / 2], rounds, shares.front(), shares.back());
  // What was answered first and run later would be no measure of anything.
  EXPECT_THAT(host.api("GET", "/metrics").body,
              ::testing::Not(::testing::ContainsRegex("outcome=\"deferred\"} [1-9]")));
}

INSTANTIATE_TEST_SUITE_P(Hooks, CostOfIsolationTest,
                         ::testing::Values(Hook{"Idle", kLibrary, "good", "{}", next_for_good},
                                           Hook{"GitHub", kPlugins / "github.so", "github", "{agent: nobody}",
                                                next_for_github}),
                         [](const auto& hook) { return std::string(hook.param.name); });

TEST(RestartTest, AHostThatAPluginBringsDownForTheFirstTimeServesAgainAfterTheLeastDelay) {
  std::vector<double> milliseconds;
  for (int i = 0; i < trials(2, 50); ++i) {
    HotHost host;
    host.put("good_webhook.so", kLibrary);
    host.configure(
        "webhooks: {good: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: inprocess, "
        "config: "
        "{mode: obey}}}\n");
    ASSERT_TRUE(host.start({})) << host.log();
    ASSERT_EQ(host.deliver().status, 202) << host.log();
    ASSERT_EQ(host.deliver(R"({"do":"crash-now"})").status, 0) << host.log();
    const auto begun = std::chrono::steady_clock::now();
    ASSERT_TRUE(eventually([&] { return host.follow_port(); })) << host.log();
    ASSERT_EQ(host.deliver().status, 202) << host.log();
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
    EXPECT_THAT(host.log(), ::testing::HasSubstr("it is started again in 100 ms"));
    EXPECT_THAT(host.log(), ::testing::HasSubstr("A plugin brought the host down plugin=good"));
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  std::printf(
      "from a crash to the first 202, %zu times: p50 %.0f ms, longest %.0f ms, 100 ms of it the delay\n",
      milliseconds.size(), milliseconds[milliseconds.size() / 2], milliseconds.back());
}

}  // namespace
}  // namespace davit::faults

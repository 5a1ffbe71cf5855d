// Real libraries in real runners: what the calls of protocol.h give, and what a probe says about broken ones.
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <mutex>

#include "host/base/crypto.h"
#include "host/base/file.h"
#include "host/base/id.h"
#include "host/base/json.h"
#include "host/isolation/probe.h"
#include "host/isolation/protocol.h"
#include "host/isolation/runner_pool.h"
#include "host/plugin/refusal_codes.h"

namespace davit::isolation {
namespace {

const std::filesystem::path kTests = std::filesystem::path(DAVIT_BUILD_DIR) / "tests";

std::string digest(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return sha256_hex(std::string((std::istreambuf_iterator<char>(file)), {}));
}

class PluginRunnerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { become_subreaper(); }
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    loop_ = Loop::start("isolation").value();
    PoolOptions options;
    options.runner_command = {DAVIT_TEST_RUNNER, "plugin"};
    loop_->run([&] { pool_ = std::make_unique<RunnerPool>(*loop_, children_, options, *log_, clock_); });
  }
  void TearDown() override {
    loop_->run([&] { pool_.reset(); });
    EXPECT_FALSE(has_children());
    std::filesystem::remove_all(folder_);
  }

  RunnerSpec webhook(const std::string& mode, std::uint32_t index = 0) const {
    RunnerSpec spec;
    spec.kind = PluginKind::Webhook;
    spec.index = index;
    spec.library = kTests / "plugins/good_webhook.so";
    spec.sha256 = digest(spec.library);
    spec.name = "hook";
    spec.config = index == 0 ? R"({"mode":")" + mode + "\"}" : "{}";
    spec.signature_secrets = {"s3cret"};
    return spec;
  }
  RunnerSpec agent(const std::string& mode) const {
    RunnerSpec spec;
    spec.library = kTests / "plugins/good_agent.so";
    spec.sha256 = digest(spec.library);
    spec.name = "agent";
    spec.config = R"({"mode":")" + mode + "\"}";
    spec.granted = {{"TOKEN", "\"granted\""}};
    return spec;
  }
  Delivery delivery(std::string_view body) const {
    Delivery made;
    made.id = new_id();
    made.request_id = "request-1";
    made.webhook = "hook";
    made.method = "POST";
    made.path = "/webhooks/hook";
    made.query = "challenge=42";
    made.headers = {{"X-Odd", "\xff\xfe\x01"}, {"X-Plain-Secret", "s3cret"}};
    made.body = body;
    made.remote_address = "127.0.0.1";
    return made;
  }
  CallOutcome call(const RunnerSpec& spec, CallText text, Duration deadline = Duration{60'000},
                   Duration grace = Duration{100}) {
    std::promise<CallOutcome> promise;
    auto future = promise.get_future();
    Call made;
    set_request(made, std::move(text));
    made.working_directory = folder_;
    made.deadline = clock_.monotonic() + deadline;
    made.cancel_grace = grace;
    made.on_report = [this](std::string_view report, std::string_view blob) {
      auto parsed = parse_report(report);
      ASSERT_TRUE(parsed.ok()) << report;
      reports_.push_back(*parsed);
      blobs_.emplace_back(blob);
    };
    made.on_end = [&](CallOutcome outcome) { promise.set_value(std::move(outcome)); };
    loop_->run([&] { pool_->call(spec, std::move(made)); });
    return future.get();
  }
  Result<plugin::HookOutcome> run_webhook(const RunnerSpec& spec, std::string_view body) {
    CallOutcome outcome =
        call(spec, webhook_run_request(VerifiedDeliveryMaker::make(delivery(body), "key", false)));
    if (outcome.end != CallEnd::Answered) return Error{ErrorCode::Unavailable, outcome.detail};
    return hook_outcome_from(outcome.answer);
  }
  Result<AgentResult> run_agent(const RunnerSpec& spec) {
    CallOutcome outcome = call(spec, agent_run_request(R"({"task_id":"t"})"));
    if (outcome.end != CallEnd::Answered) return Error{ErrorCode::Unavailable, outcome.detail};
    return agent_result_from(outcome.answer);
  }

  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / new_id();
  std::unique_ptr<Log> log_ = Log::silent();
  SystemClock clock_;
  KnownChildren children_;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<RunnerPool> pool_;
  std::vector<LiveReport> reports_;
  std::vector<std::string> blobs_;
};

// --- webhooks

TEST_F(PluginRunnerTest, AWebhookAnswersWithTasksAndTimings) {
  auto outcome = run_webhook(webhook("echo"), R"({"n":1,"about":"echo#1"})");
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  ASSERT_EQ(outcome->answer.tasks.size(), 1u);
  EXPECT_EQ(outcome->answer.tasks[0].agent, "command-agent");
  EXPECT_EQ(outcome->answer.tasks[0].payload, R"({"n":1,"about":"echo#1"})");
  EXPECT_EQ(outcome->answer.entity->key, "echo#1");
  EXPECT_LT(outcome->timings.handle, std::chrono::seconds(5));
}

TEST_F(PluginRunnerTest, AWebhooksErrorsKeepTheirCodeAndSentence) {
  auto invalid = run_webhook(webhook("invalid"), "{}");
  EXPECT_EQ(invalid.error().code, ErrorCode::InvalidInput);
  EXPECT_NE(invalid.error().message.find("the body has no action"), std::string::npos);
  EXPECT_EQ(run_webhook(webhook("limited"), "{}").error().code, ErrorCode::RateLimited);
  EXPECT_EQ(run_webhook(webhook("garbage"), "{}").error().code, ErrorCode::Internal);
}

TEST_F(PluginRunnerTest, AWebhookThatCrashesOrHangsCostsItsCall) {
  EXPECT_NE(run_webhook(webhook("crash"), "{}").error().message.find("SIGSEGV"), std::string::npos);
  EXPECT_NE(run_webhook(webhook("exit"), "{}").error().message.find("status 0"), std::string::npos);
  CallOutcome hang =
      call(webhook("hang"), webhook_run_request(VerifiedDeliveryMaker::make(delivery("{}"), "k", false)),
           Duration{500}, Duration{0});
  EXPECT_EQ(hang.end, CallEnd::TimedOut);
}

TEST_F(PluginRunnerTest, AnUnverifiedAnswerOnlyHoldsTheResponse) {
  CallOutcome outcome = call(webhook("challenge"), webhook_unverified_request(delivery("{}")));
  auto answer = unverified_answer_from(outcome.answer);
  ASSERT_TRUE(answer.ok() && answer->has_value()) << outcome.answer;
  EXPECT_EQ((*answer)->http->body, "challenge=42");
  EXPECT_TRUE((*answer)->tasks.empty());
  outcome = call(webhook("echo"), webhook_unverified_request(delivery("{}")));
  answer = unverified_answer_from(outcome.answer);
  ASSERT_TRUE(answer.ok());
  EXPECT_FALSE(answer->has_value());
}

TEST_F(PluginRunnerTest, APluginsOwnSignatureCheckComesFirst) {
  const Delivery good = delivery(R"({"event":{"id":"e-1"}})");
  auto outcome =
      hook_outcome_from(call(webhook("", 1), webhook_verify_and_run_request(good, "k", true)).answer);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome->payload_delivery_id, "e-1");
  Delivery bad = good;
  bad.headers[1].value = "wrong";
  EXPECT_EQ(hook_outcome_from(call(webhook("", 1), webhook_verify_and_run_request(bad, "k", true)).answer)
                .error()
                .code,
            ErrorCode::Unauthorized);
}

// --- agents

TEST_F(PluginRunnerTest, AnAgentReportsLiveAndAnswersWithItsResult) {
  auto result = run_agent(agent("echo"));
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_TRUE(result->success);
  EXPECT_EQ(result->output, R"({"task_id":"t"})");
  EXPECT_EQ(result->usage.input_tokens, 7);
  ASSERT_EQ(reports_.size(), 3u);
  EXPECT_EQ(reports_[0].message, "half way");
  EXPECT_EQ(reports_[1].usage.model, "test-model");
  EXPECT_EQ(reports_[2].line, "hello");
}

TEST_F(PluginRunnerTest, AWarmAgentKeepsItsInstance) {
  EXPECT_EQ(run_agent(agent("echo"))->metrics, R"({"runs":1})");
  EXPECT_EQ(run_agent(agent("echo"))->metrics, R"({"runs":2})");
}

TEST_F(PluginRunnerTest, AnAgentGetsItsGrantedSecret) {
  EXPECT_EQ(run_agent(agent("secret"))->output, "\"granted\"");
}

TEST_F(PluginRunnerTest, AnAgentThatHeedsCancellationAnswersWithinTheGrace) {
  CallOutcome outcome = call(agent("waits"), agent_run_request("{}"), Duration{500}, Duration{20'000});
  ASSERT_EQ(outcome.end, CallEnd::Answered) << outcome.detail;
  EXPECT_FALSE(agent_result_from(outcome.answer)->success);
}

TEST_F(PluginRunnerTest, AnAgentThatIgnoresTermAndCancelIsKilled) {
  CallOutcome outcome = call(agent("ignore_term"), agent_run_request("{}"), Duration{500}, Duration{100});
  EXPECT_EQ(outcome.end, CallEnd::TimedOut);
  EXPECT_LT(outcome.kill_took, Duration{5000});
}

TEST_F(PluginRunnerTest, ADaemonOfAnAgentIsGoneWhenTheCallHasEnded) {
  ASSERT_TRUE(run_agent(agent("fork_daemon")).ok());
  std::ifstream file(folder_ / "daemon.pid");
  pid_t pid = 0;
  file >> pid;
  ASSERT_GT(pid, 0);
  EXPECT_FALSE(process(pid).has_value());
}

TEST_F(PluginRunnerTest, ARunnerRefusesBytesThatWereNotProbed) {
  RunnerSpec spec = agent("echo");
  spec.sha256 = sha256_hex("other bytes");
  CallOutcome outcome = call(spec, agent_run_request("{}"));
  EXPECT_EQ(outcome.end, CallEnd::Refused);
  EXPECT_EQ(outcome.detail.substr(0, 12), "wrong_bytes:");
}

TEST_F(PluginRunnerTest, ABadConfigIsARefusedCreation) {
  RunnerSpec spec = agent("echo");
  spec.config = R"({"mode":7})";
  CallOutcome outcome = call(spec, agent_run_request("{}"));
  EXPECT_EQ(outcome.end, CallEnd::Refused);
  EXPECT_NE(outcome.detail.find("mode"), std::string::npos) << outcome.detail;
}

// --- the probe

// Enough for 80 MiB on any machine; a sanitizer keeps books of each byte.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr Duration kTimeToEat{15'000};
#else
constexpr Duration kTimeToEat{3'000};
#endif

class ProbeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { become_subreaper(); }
  void TearDown() override { EXPECT_FALSE(has_children()); }
  std::variant<ProbeReport, Refusal> look_at(const std::filesystem::path& file,
                                             Duration deadline = Duration{30'000}) {
    ProbeOptions options;
    options.runner_command = {DAVIT_TEST_RUNNER, "plugin"};
    options.deadline = deadline;
    options.memory_limit = 256u << 20;
    options.hidden = hidden_;
    return probe(file, options, children_, *log_);
  }
  std::string code_of(const std::string& name, Duration deadline = Duration{30'000}) {
    auto seen = look_at(kTests / "broken_plugins" / (name + ".so"), deadline);
    auto* refusal = std::get_if<Refusal>(&seen);
    if (refusal) last_ = *refusal;
    return refusal ? refusal->code : "";
  }
  KnownChildren children_;
  std::unique_ptr<Log> log_ = Log::silent();
  std::vector<std::filesystem::path> hidden_;
  Refusal last_;
};

TEST_F(ProbeTest, AGoodLibraryTellsWhatItOffers) {
  auto seen = look_at(kTests / "plugins/good_webhook.so");
  ASSERT_TRUE(std::holds_alternative<ProbeReport>(seen)) << std::get<Refusal>(seen).reason;
  EXPECT_EQ(std::get<ProbeReport>(seen).offers.at(0).name, "good");
}

// What it tries, and from which threads, is in its file. Without Landlock, which kernels have since 5.13, it
// reads, but changes nothing all the same.
TEST_F(ProbeTest, NoThreadOfWhatIsLookedAtReachesDavitOrOthers) {
  const auto folder = std::filesystem::temp_directory_path() / ("davit-probe-" + new_id());
  const auto copy = folder / "plugin-store/reads_davit.so";
  std::filesystem::create_directories(copy.parent_path());
  std::filesystem::copy_file(kTests / "plugins/reads_davit.so", copy);
  for (const char* name : {"davit.db", "admin.token"}) std::ofstream(folder / name) << "text";
  hidden_ = {folder, copy.parent_path()};
  auto seen = look_at(copy);
  std::filesystem::remove_all(folder);
  const auto* refusal = std::get_if<Refusal>(&seen);
  if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1) {
    EXPECT_EQ(refusal, nullptr) << refusal->reason;
  } else {
    ASSERT_NE(refusal, nullptr);
    EXPECT_NE(refusal->reason.find("it reached: database token"), std::string::npos) << refusal->reason;
    for (const char* change : {" mode", " write", " child", " signal"})
      EXPECT_EQ(refusal->reason.find(change), std::string::npos) << refusal->reason;
  }
}

TEST_F(ProbeTest, ACrashIsRefusedWithItsSignal) {
  EXPECT_EQ(code_of("constructor_segfaults"), "constructor_crashed");
  EXPECT_NE(last_.reason.find("SIGSEGV"), std::string::npos) << last_.reason;
  EXPECT_EQ(code_of("metadata_crashes"), "metadata_crashed");
}

TEST_F(ProbeTest, AnExitIsRefusedWithItsStatus) {
  EXPECT_EQ(code_of("constructor_exits"), "probe_exited");
  EXPECT_NE(last_.reason.find("status 0"), std::string::npos) << last_.reason;
}

TEST_F(ProbeTest, WhatWritesToOrClosesDescriptorsOfOursIsToldSoAndNotBelieved) {
  EXPECT_EQ(code_of("constructor_writes_everywhere"), "foreign_descriptors");
  EXPECT_NE(last_.reason.find("It wrote to a descriptor that it did not open"), std::string::npos);
  EXPECT_EQ(code_of("constructor_closes_everything"), "foreign_descriptors");
  EXPECT_NE(last_.reason.find("It closed the descriptors"), std::string::npos);
  EXPECT_EQ(code_of("constructor_forges_a_report"), "foreign_descriptors");
  EXPECT_EQ(code_of("constructor_forges_a_refusal"), "foreign_descriptors");
  EXPECT_FALSE(plugin::is_passing("foreign_descriptors")) << "it is not looked at again and again";
}

TEST_F(ProbeTest, AHangIsKilledAtTheDeadline) {
  EXPECT_EQ(code_of("constructor_hangs", Duration{500}), "probe_timeout");
  EXPECT_EQ(code_of("metadata_hangs", Duration{500}), "probe_timeout");
}

TEST_F(ProbeTest, WhatTakesMemoryUntilItsTimeIsUpIsRefusedForThatOnASlowMachineToo) {
  EXPECT_EQ(code_of("constructor_eats_and_hangs", kTimeToEat), "probe_memory") << last_.reason;
  EXPECT_NE(last_.reason.find("MiB of memory in a constructor, did not come back within "), std::string::npos)
      << last_.reason;
}

// A sanitizer reserves more addresses than any limit that a probe could have.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(ProbeTest, MemoryWithoutEndIsRefusedAsSuch) {
  EXPECT_EQ(code_of("constructor_eats_memory"), "probe_memory") << last_.reason;
}
#endif

TEST_F(ProbeTest, EveryBrokenLibraryIsRefusedWithAKnownCodeOrOffersWhatItHas) {
  for (const auto& entry : std::filesystem::directory_iterator(kTests / "broken_plugins")) {
    const std::string name = entry.path().stem();
    if (entry.path().extension() != ".so" || name == "constructor_eats_memory" || name.ends_with("_hangs"))
      continue;
    const std::string code = code_of(name);
    if (code.empty()) continue;
    const auto& codes = plugin::kRefusalCodes;
    EXPECT_TRUE(std::any_of(std::begin(codes), std::end(codes),
                            [&](const auto& known) { return known.code == code; }))
        << name << ": " << code;
    EXPECT_NE(code, "probe_failed") << name << ": " << last_.reason;
  }
}

TEST_F(ProbeTest, AProbeThatCannotBeStartedRefuses) {
  ProbeOptions options;
  options.runner_command = {"/nonexistent/davit"};
  auto seen = probe(kTests / "plugins/good_agent.so", options, children_, *log_);
  ASSERT_TRUE(std::holds_alternative<Refusal>(seen));
  EXPECT_EQ(std::get<Refusal>(seen).code, "probe_failed");
}

TEST_F(ProbeTest, AFileThatIsNoLibraryIsRefused) {
  auto seen = look_at(__FILE__);
  ASSERT_TRUE(std::holds_alternative<Refusal>(seen));
}

}  // namespace
}  // namespace davit::isolation

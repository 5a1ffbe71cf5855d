#include "host/isolation/runner_main.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "host/base/crypto.h"
#include "host/base/file.h"
#include "host/base/guarded.h"
#include "host/isolation/protocol.h"
#include "host/isolation/runner_server.h"
#include "host/isolation/usage_file.h"
#include "host/plugin/agent.h"
#include "host/plugin/marshal.h"
#include "host/plugin/plugin_module.h"
#include "host/plugin/refusal_codes.h"
#include "host/plugin/webhook.h"

namespace davit::isolation {
namespace {

// A library that has used up its address space gets NULL from malloc and crashes on it, which would look like
// any other crash. The handler tells the two apart while the process still knows its size. Everything it
// needs is made before.
class OutOfMemoryTeller {
 public:
  static void install(std::uint64_t limit) {
    if (limit == 0) return;
    std::string json = refusal_json(plugin::refuse(
        plugin::refusal::kProbeMemory,
        "It took more than " + std::to_string(limit >> 20) + " MiB of memory while it was looked at"));
    static_cast<void>(encode_header(frame_header_, FrameKind::Refused, json.size(), 0).ok());
    frame_json_ = new std::string(std::move(json));
    near_limit_pages_ = (limit - std::min<std::uint64_t>(limit / 8, 16u << 20)) / sysconf(_SC_PAGESIZE);
    static char stack[64 << 10];  // a crash may be an overflow of the usual one
    stack_t other{};
    other.ss_sp = stack;
    other.ss_size = sizeof stack;
    sigaltstack(&other, nullptr);
    struct sigaction action {};
    action.sa_handler = on_crash;
    action.sa_flags = SA_ONSTACK | static_cast<int>(SA_RESETHAND);
    for (int signal : {SIGABRT, SIGSEGV, SIGBUS}) sigaction(signal, &action, nullptr);
  }
  // Allocates nothing.
  static bool near_limit() {
    if (near_limit_pages_ == 0) return false;
    const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    char text[64]{};
    const ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    std::uint64_t pages = 0;
    for (ssize_t i = 0; i < got && text[i] >= '0' && text[i] <= '9'; ++i)
      pages = pages * 10 + (text[i] - '0');
    return pages >= near_limit_pages_;
  }

 private:
  static void on_crash(int signal) {
    if (near_limit()) {
      (void)!send(fd_, frame_header_, sizeof frame_header_, MSG_NOSIGNAL);
      (void)!send(fd_, frame_json_->data(), frame_json_->size(), MSG_NOSIGNAL);
      _exit(kProtocolFailure);
    }
    raise(signal);  // the handler was reset, so this is the end
  }
  static inline int fd_ = 3;
  static inline char frame_header_[kFrameHeaderBytes];
  static inline std::string* frame_json_ = nullptr;
  static inline std::uint64_t near_limit_pages_ = 0;
};

Result<std::string> digest_of(const std::filesystem::path& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.open()) return Error{ErrorCode::NotFound, path.string() + ": " + errno_text(errno)};
  Sha256Stream stream;
  std::string buffer(256u << 10, '\0');
  for (;;) {
    const ssize_t got = read(fd.number(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{ErrorCode::Unavailable, path.string() + ": " + errno_text(errno)};
    if (got == 0) return stream.finish_hex();
    stream.update({buffer.data(), static_cast<std::size_t>(got)});
  }
}

// Serves one webhook or agent of one library.
class PluginServant final : public Servant {
 public:
  std::optional<Refusal> create(const CreateRequest& request, RunnerOutput& output) override {
    const RunnerSpec& spec = request.spec;
    if (!spec.sha256.empty()) {
      auto digest = digest_of(spec.library);
      if (!digest.ok()) return Refusal{"unreadable", digest.error().message};
      if (*digest != spec.sha256) {
        return Refusal{"wrong_bytes", spec.library.string() +
                                          " does not hold the bytes that were looked at: remove it "
                                          "from the store and run davit plugins rescan"};
      }
    }
    log_ = Log::forwarding(LogLevel::Debug,
                           [&output](LogLevel level, std::string_view line) { output.log(level, line); });
    auto loaded = plugin::PluginModule::load(spec.library);
    if (auto* refusal = std::get_if<Refusal>(&loaded)) return *refusal;
    auto module = std::get<0>(std::move(loaded));
    const PluginOffer* offer = nullptr;
    for (const PluginOffer& candidate : module->report().offers) {
      if (candidate.kind == spec.kind && candidate.index == spec.index) offer = &candidate;
    }
    if (!offer)
      return Refusal{"no_such_offer", "the library offers no such " + std::string(to_string(spec.kind))};
    auto failure = spec.kind == PluginKind::Webhook ? create_webhook(std::move(module), *offer, spec)
                                                    : create_agent(std::move(module), *offer, spec, output);
    if (failure) return Refusal{std::string(to_string(failure->code)), failure->message};
    return std::nullopt;
  }

  std::variant<std::string, Refusal> scan(const CreateRequest& request, RunnerOutput& output) override {
    OutOfMemoryTeller::install(request.address_space_limit);
    auto loaded = plugin::PluginModule::load(request.spec.library, [&output] { output.constructed(); });
    if (auto* refusal = std::get_if<Refusal>(&loaded)) {
      const bool memory =
          refusal->reason.find("bad_alloc") != std::string::npos || OutOfMemoryTeller::near_limit();
      if (!memory) return *refusal;
      return plugin::refuse(plugin::refusal::kProbeMemory, "It ran out of memory while it was looked at");
    }
    return plugin::to_json(std::get<0>(loaded)->report());
  }

  std::string run(const CallHead& head, std::string_view blob) override {
    auto request = request_from(head.request, blob);
    if (!request.ok()) return error_answer(request.error());
    const bool for_agent = request->kind == CallKind::AgentRun;
    if (for_agent ? !agent_ : !webhook_) {
      return error_answer({ErrorCode::Internal, "this runner does not serve such calls"});
    }
    switch (request->kind) {
      case CallKind::AgentRun:
        artifacts_.with([&](ArtifactLedger& ledger) { ledger = ArtifactLedger(request->artifacts); });
        usage_file_.with([&](UsageFile& file) { file.begin(std::move(request->usage_file)); });
        return agent_result_answer(agent_->run(blob, head.deadline));
      case CallKind::WebhookUnverified:
        return unverified_answer(webhook_->answer_unverified(request->delivery, head.deadline));
      case CallKind::WebhookRun:
        return hook_outcome_answer(run_hooks(std::move(*request), head.deadline));
      case CallKind::WebhookVerifyAndRun:
        return hook_outcome_answer(verify_and_run(std::move(*request), head.deadline));
    }
    return error_answer({ErrorCode::Internal, "no such call"});
  }

  void cancel() override {
    cancelled_ = true;
    if (agent_) agent_->cancel();
  }

  void release() override {
    if (cancelled_) return;  // the plugin's cancel may still be under way in another thread
    agent_.reset();
    webhook_.reset();
  }

 private:
  std::optional<Error> create_webhook(std::shared_ptr<const plugin::PluginModule> module,
                                      const PluginOffer& offer, const RunnerSpec& spec) {
    plugin::WebhookSettings settings;
    settings.instance = spec.name;
    settings.plugin = offer.name;
    settings.config = spec.config;
    settings.granted = spec.granted;
    settings.secrets = spec.signature_secrets;
    settings.allow_own_signature_check = true;  // the host asks for it or does not
    settings.allow_unverified_answer = true;
    auto made = plugin::WebhookInstance::create(std::move(module), offer, settings, *log_, clock_);
    if (!made.ok()) return made.error();
    webhook_ = std::move(*made);
    return std::nullopt;
  }

  std::optional<Error> create_agent(std::shared_ptr<const plugin::PluginModule> module,
                                    const PluginOffer& offer, const RunnerSpec& spec, RunnerOutput& output) {
    plugin::AgentSettings settings;
    settings.name = spec.name;
    settings.config = spec.config;
    settings.granted = spec.granted;
    plugin::AgentReports reports;
    // A report that comes too late is dropped: the call it belongs to is over.
    reports.progress = [&output](double fraction, std::string_view phase, std::string_view message) {
      static_cast<void>(output.report(progress_report(fraction, phase, message)).ok());
    };
    reports.usage = [this, &output](std::string_view usage) {
      if (const auto totals = plugin::usage_from_json(usage); totals.ok())
        usage_file_.with([&](UsageFile& file) { file.add(*totals); });
      static_cast<void>(output.report(usage_report(usage)).ok());
    };
    reports.transcript = [&output](std::string_view kind, std::string_view line) {
      static_cast<void>(output.report(transcript_report(kind, line)).ok());
    };
    reports.artifact = [this, &output](std::string_view name, std::string_view type,
                                       std::string_view content) -> Result<> {
      const std::string report = artifact_report(name, type, content.size());
      const auto refused =
          artifacts_.with([&](ArtifactLedger& ledger) { return ledger.refuse(name, content.size()); });
      if (!refused) return output.report(report, content);
      TRY(output.report(report));  // the host tells people
      return Error{ErrorCode::TooLarge, *refused};
    };
    auto made =
        plugin::AgentInstance::create(std::move(module), offer, settings, std::move(reports), *log_, clock_);
    if (!made.ok()) return made.error();
    agent_ = std::move(*made);
    return std::nullopt;
  }

  Result<plugin::HookOutcome> run_hooks(CallRequest request, MonotonicTime deadline) {
    return webhook_->run(
        VerifiedDeliveryMaker::make(std::move(request.delivery), std::move(request.delivery_key),
                                    request.key_is_body_hash),
        deadline);
  }
  Result<plugin::HookOutcome> verify_and_run(CallRequest request, MonotonicTime deadline) {
    const MonotonicTime start = clock_.monotonic();
    TRY(webhook_->validate_signature(request.delivery, deadline));
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(clock_.monotonic() - start);
    plugin::HookOutcome outcome = TRY(run_hooks(std::move(request), deadline));
    outcome.timings.verify = took;
    return outcome;
  }

  SystemClock clock_;
  std::unique_ptr<Log> log_;
  std::shared_ptr<plugin::WebhookInstance> webhook_;
  std::unique_ptr<plugin::AgentInstance> agent_;
  Guarded<UsageFile> usage_file_;      // likewise
  Guarded<ArtifactLedger> artifacts_;  // of the execution that runs; any thread
  std::atomic<bool> cancelled_{false};
};

}  // namespace

int runner_main(int fd) {
  // Lives for good: threads of the plugin may use it while the process ends.
  serve_runner(fd, *new PluginServant());
}

bool is_runner_command(int argc, char** argv, int& fd) {
  if (argc < 3 || std::strcmp(argv[1], "__runner") != 0) return false;
  fd = std::atoi(argv[2]);
  return fd > 2;
}

}  // namespace davit::isolation

// A host for unit tests of plugins: it needs no davit, keeps all it was told, and can be made poorer.
//
//   davit::testing::FakeHost host;
//   host.config = R"({"label": "AI-Fix"})";
//   host.secrets["TOKEN"] = "…";
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "davit/abi/agent.h"
#include "davit/abi/host.h"
#include "davit/failure.hpp"
#include "davit/host.hpp"
#include "davit/json.hpp"
#include "davit/text.hpp"

namespace davit {
inline namespace sdk {
namespace testing {

struct LogLine {
  LogLevel level;
  std::string message;
  std::string fields;  // JSON object or empty
};

struct Artifact {
  std::string content_type;
  std::string content;
};

// What came out of a call.
struct Outcome {
  Status status = Status::Ok;
  std::string output;  // what was written into the sink
  std::string error;   // what was set by set_error
  std::optional<std::chrono::milliseconds> retry_after;
};

// Plain members are set before and read after the calls; what plugins report may come from any thread.
class FakeHost {
 public:
  std::string instance_name = "test";
  std::string config = "{}";
  std::map<std::string, std::string> secrets;
  Time now = time_from_unix_ms(1'700'000'000'000);
  std::set<std::string> services = {DAVIT_SERVICE_PROGRESS, DAVIT_SERVICE_USAGE, DAVIT_SERVICE_TRANSCRIPT,
                                    DAVIT_SERVICE_ARTIFACT, DAVIT_SERVICE_KV};
  std::uint64_t remaining_ms = UINT64_MAX;
  std::atomic<bool> cancelled = false;
  std::uint32_t host_size = sizeof(davit_host);  // smaller: an older host; at least 16
  std::uint32_t call_size = sizeof(davit_call);

  std::vector<LogLine> log;
  std::vector<std::string> progress;                            // "phase: message"
  std::vector<std::string> usage;                               // JSON
  std::vector<std::pair<std::string, std::string>> transcript;  // kind, line
  std::map<std::string, Artifact> artifacts;
  std::map<std::string, std::string> keys;

  FakeHost() = default;
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  // The struct for create(), as the members are now. Valid until the next call of abi() or the end of this.
  const davit_host* abi() {
    host_ = {host_size, DAVIT_ABI_MINOR, this,       text_of(instance_name), text_of(config),
             &log_line, &give_secret,    &tell_time, &find_service};
    blank_behind(host_, host_size);
    return &host_;
  }

  // Makes one call of a plugin's function.
  Outcome call(const std::function<davit_status(const davit_call*, const davit_sink*)>& function) {
    Call in_flight{this, {}};
    davit_call call{call_size, 0, &in_flight, &set_error, &set_retry_after, &tell_remaining, &tell_cancelled};
    blank_behind(call, call_size);
    const davit_sink sink = detail::string_sink(in_flight.outcome.output);
    in_flight.outcome.status = static_cast<Status>(function(&call, &sink));
    return std::move(in_flight.outcome);
  }

 private:
  struct Call {
    FakeHost* host;
    Outcome outcome;
  };

  // What lies behind the size is poison, so that a plugin that reads it is caught.
  template <class Struct>
  static void blank_behind(Struct& value, std::uint32_t size) {
    if (size < sizeof value) std::memset(reinterpret_cast<char*>(&value) + size, 0x5A, sizeof value - size);
  }

  static FakeHost& of(const davit_host* host) { return *static_cast<FakeHost*>(host->context); }
  static FakeHost& of(const davit_call* call) { return *static_cast<Call*>(call->context)->host; }
  static Outcome& outcome_of(const davit_call* call) { return static_cast<Call*>(call->context)->outcome; }

  static void log_line(const davit_host* host, std::int32_t level, davit_text message, davit_text fields) {
    const std::scoped_lock lock(of(host).mutex_);
    of(host).log.push_back(
        {static_cast<LogLevel>(level), std::string(view_of(message)), std::string(view_of(fields))});
  }
  static davit_status give_secret(const davit_host* host, davit_text name, const davit_sink* out) {
    const auto found = of(host).secrets.find(std::string(view_of(name)));
    return found == of(host).secrets.end() ? DAVIT_NOT_FOUND : out->write(out, text_of(found->second));
  }
  static std::int64_t tell_time(const davit_host* host) { return unix_ms(of(host).now); }
  static const void* find_service(const davit_host* host, davit_text id) {
    static constexpr davit_progress_v1 kProgress{sizeof kProgress, 0, &report_progress};
    static constexpr davit_usage_v1 kUsage{sizeof kUsage, 0, &report_usage};
    static constexpr davit_transcript_v1 kTranscript{sizeof kTranscript, 0, &append_transcript};
    static constexpr davit_artifact_v1 kArtifact{sizeof kArtifact, 0, &put_artifact};
    static constexpr davit_kv_v1 kKv{sizeof kKv, 0, &read_key, &write_key, &remove_key};
    const std::string name(view_of(id));
    if (!of(host).services.contains(name)) return nullptr;
    if (name == DAVIT_SERVICE_PROGRESS) return &kProgress;
    if (name == DAVIT_SERVICE_USAGE) return &kUsage;
    if (name == DAVIT_SERVICE_TRANSCRIPT) return &kTranscript;
    if (name == DAVIT_SERVICE_ARTIFACT) return &kArtifact;
    return name == DAVIT_SERVICE_KV ? &kKv : nullptr;
  }

  static void set_error(const davit_call* call, davit_text message) {
    outcome_of(call).error = view_of(message);
  }
  static void set_retry_after(const davit_call* call, std::uint64_t milliseconds) {
    outcome_of(call).retry_after = std::chrono::milliseconds(milliseconds);
  }
  static std::uint64_t tell_remaining(const davit_call* call) { return of(call).remaining_ms; }
  static std::int32_t tell_cancelled(const davit_call* call) { return of(call).cancelled ? 1 : 0; }

  static davit_status report_progress(const davit_call* call, double, davit_text phase, davit_text message) {
    const std::scoped_lock lock(of(call).mutex_);
    of(call).progress.push_back(std::string(view_of(phase)) + ": " + std::string(view_of(message)));
    return DAVIT_OK;
  }
  static davit_status report_usage(const davit_call* call, davit_text usage) {
    const std::scoped_lock lock(of(call).mutex_);
    of(call).usage.emplace_back(view_of(usage));
    return DAVIT_OK;
  }
  static davit_status append_transcript(const davit_call* call, davit_text kind, davit_text line) {
    const std::scoped_lock lock(of(call).mutex_);
    of(call).transcript.emplace_back(view_of(kind), view_of(line));
    return DAVIT_OK;
  }
  static davit_status put_artifact(const davit_call* call, davit_text name, davit_text type,
                                   davit_text content) {
    const std::string_view key = view_of(name);
    if (key.empty() || key.size() > 128 || key.find('/') != std::string_view::npos)
      return DAVIT_INVALID_INPUT;
    const std::scoped_lock lock(of(call).mutex_);
    of(call).artifacts[std::string(key)] = {std::string(view_of(type)), std::string(view_of(content))};
    return DAVIT_OK;
  }
  static davit_status read_key(const davit_call* call, davit_text key, const davit_sink* out) {
    const std::scoped_lock lock(of(call).mutex_);
    const auto found = of(call).keys.find(std::string(view_of(key)));
    return found == of(call).keys.end() ? DAVIT_NOT_FOUND : out->write(out, text_of(found->second));
  }
  static davit_status write_key(const davit_call* call, davit_text key, davit_text value) {
    if (key.size == 0 || key.size > 256 || value.size > 64 * 1024) return DAVIT_INVALID_INPUT;
    const std::scoped_lock lock(of(call).mutex_);
    of(call).keys[std::string(view_of(key))] = view_of(value);
    return DAVIT_OK;
  }
  static davit_status remove_key(const davit_call* call, davit_text key) {
    const std::scoped_lock lock(of(call).mutex_);
    of(call).keys.erase(std::string(view_of(key)));
    return DAVIT_OK;
  }

  davit_host host_{};
  std::mutex mutex_;
};

}  // namespace testing
}  // namespace sdk
}  // namespace davit

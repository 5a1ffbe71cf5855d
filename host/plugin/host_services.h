// The host's side of the ABI: davit_call, davit_sink and davit_host as objects that the C structs point back
// to.
//
// Nothing here throws into a plugin. None of the objects moves: the structs hold their addresses.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "davit/abi/davit.h"
#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/result.h"
#include "host/plugin/redactor.h"
#include "host/plugin/settings.h"

namespace davit::plugin {

inline constexpr std::size_t kMaxAnswerBytes = 8u << 20;
inline constexpr std::size_t kMaxErrorBytes = 4u << 10;
inline constexpr MonotonicTime kNoDeadline = MonotonicTime::max();

inline davit_text to_text(std::string_view text) { return davit_text{text.data(), text.size()}; }
// Nullopt where a plugin broke the rule that NULL goes with size 0 only.
std::optional<std::string_view> from_text(davit_text text);

// Text of a plugin made fit to be shown: well-formed UTF-8, no control bytes but line breaks and tabs, at
// most `max` bytes.
std::string presentable(std::string_view text, std::size_t max);

// Which functions of the agent services are on offer; see agent.h. Read during execute() from any thread.
struct AgentReports;

// One call in flight. Confined to the thread of the call, but for remaining_ms and is_cancelled.
class CallContext {
 public:
  CallContext(const Clock& clock, MonotonicTime deadline, const std::atomic<bool>* cancelled = nullptr,
              const AgentReports* reports = nullptr);
  CallContext(const CallContext&) = delete;
  CallContext& operator=(const CallContext&) = delete;

  const davit_call* abi() const { return &call_; }
  // What set_error got last, presentable; `fallback` if nothing.
  std::string error(std::string_view fallback) const;
  Duration retry_after() const { return retry_after_; }
  MonotonicTime deadline() const { return deadline_; }
  bool past_deadline() const { return deadline_ != kNoDeadline && clock_.monotonic() >= deadline_; }
  const AgentReports* reports() const { return reports_; }
  static CallContext* from(const davit_call* call);  // nullptr for what is no call of ours

 private:
  friend struct CallFunctions;
  davit_call call_;
  const Clock& clock_;
  MonotonicTime deadline_;
  const std::atomic<bool>* cancelled_;
  const AgentReports* reports_;
  std::string error_;
  Duration retry_after_{0};
};

// Takes an answer up to a limit. Confined to the thread of the call.
class AnswerSink {
 public:
  explicit AnswerSink(std::size_t limit = kMaxAnswerBytes);
  AnswerSink(const AnswerSink&) = delete;
  AnswerSink& operator=(const AnswerSink&) = delete;

  const davit_sink* abi() const { return &sink_; }
  const std::string& bytes() const { return bytes_; }
  bool over_limit() const { return over_limit_; }

 private:
  friend struct SinkFunctions;
  davit_sink sink_;
  std::string bytes_;
  std::size_t limit_;
  bool over_limit_ = false;
};

// What an instance gets at create() and keeps. Immutable; thread-safe.
class HostContext {
 public:
  HostContext(std::string instance, std::string config, std::vector<Secret> granted, Log& log,
              const Clock& clock, const AgentReports* offered = nullptr);
  HostContext(const HostContext&) = delete;
  HostContext& operator=(const HostContext&) = delete;

  const davit_host* abi() const { return &host_; }
  const std::string& instance() const { return instance_; }

 private:
  friend struct HostFunctions;
  davit_host host_;
  std::string instance_;
  std::string config_;
  std::vector<Secret> granted_;
  Redactor redactor_;
  Log& log_;
  const Clock& clock_;
  const AgentReports* offered_;
};

// The name of a status for messages, and what it means to the host. OK and IGNORED are no errors: they give
// Internal, as does a value that is not listed.
std::string_view status_name(davit_status status);
ErrorCode error_code_of(davit_status status);

}  // namespace davit::plugin

// The host that plugins are checked with: it needs no davit, can be poorer, older or newer than a real one,
// and notices what is used after its time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "davit/abi/davit.h"
#include "host/base/clock.h"
#include "host/conformance/guarded_bytes.h"
#include "host/conformance/reporter.h"
#include "host/model/task.h"

namespace davit::conformance {

struct HostProfile {
  bool bare = false;            // no service, no secret
  bool guard_structs = false;   // structs of ABI minor 0 that end at unreadable memory
  bool guard_texts = false;     // texts that end there, gone after the call
  bool longer_structs = false;  // structs with members nobody knows yet
};

// What a function of the plugin did.
struct Said {
  davit_status status = DAVIT_INTERNAL;
  std::string output;
  std::string error;
  bool set_error = false;
  bool over_limit = false;
  std::string thrown;  // empty: nothing was thrown
};

class CheckHost;

// One call in flight, and its memory after that: the structs stay readable, so that late use is noticed.
struct CallSlot {
  davit_call call{};
  davit_sink sink{};
  char room[64]{};  // behind the structs where longer ones are promised
  CheckHost* host = nullptr;
  std::string hook;
  std::atomic<bool> live{false};
  MonotonicTime deadline = MonotonicTime::max();
  const std::atomic<bool>* cancelled = nullptr;
  Usage usage;
  Said said;
  std::unique_ptr<GuardedBytes> guarded_call, guarded_sink;
  std::vector<std::unique_ptr<GuardedBytes>> texts;

  // A text as the profile wants it, for this call only.
  davit_text lend(std::string_view text);
  const davit_call* abi_call() const;
  const davit_sink* abi_sink() const;
};

// Thread-safe but for begin_life and end_life.
class CheckHost {
 public:
  // `config` is a JSON object. The report outlives the host.
  CheckHost(std::string config, HostProfile profile, Reporter& report);
  ~CheckHost();
  CheckHost(const CheckHost&) = delete;
  CheckHost& operator=(const CheckHost&) = delete;

  const davit_host* abi() const { return host_; }
  const HostProfile& profile() const { return profile_; }
  Reporter& report() const { return report_; }
  // After destroy of its instance nobody may use it.
  void end_life() { live_ = false; }
  void begin_life() { live_ = true; }

  // Calls `function` with the structs of a call of its own; what it throws is caught and told.
  Said call(const std::string& hook, const std::function<davit_status(CallSlot&)>& function,
            MonotonicTime deadline = MonotonicTime::max(), const std::atomic<bool>* cancelled = nullptr);

 private:
  friend struct HostSide;
  CallSlot& take_slot();
  std::string config_;
  const HostProfile profile_;
  Reporter& report_;
  std::atomic<bool> live_{true};
  struct LongHost {
    davit_host host;
    char room[64];
  } long_host_{};
  std::unique_ptr<GuardedBytes> guarded_host_, guarded_name_, guarded_config_;
  const davit_host* host_ = nullptr;
  std::mutex mutex_;
  std::vector<std::unique_ptr<CallSlot>> slots_;
  std::size_t next_slot_ = 0;
};

// The sizes of ABI minor 0, what the oldest host has.
inline constexpr std::uint32_t kOldestHost = offsetof(davit_host, service) + sizeof(void*);
inline constexpr std::uint32_t kOldestCall = offsetof(davit_call, is_cancelled) + sizeof(void*);
inline constexpr std::uint32_t kOldestSink = offsetof(davit_sink, write) + sizeof(void*);
inline constexpr std::uint32_t kOldestRequest =
    offsetof(davit_request, received_unix_ms) + sizeof(std::int64_t);
inline constexpr std::uint32_t kOldestWebhook = offsetof(davit_webhook, destroy) + sizeof(void*);
inline constexpr std::uint32_t kOldestAgent = offsetof(davit_agent, destroy) + sizeof(void*);

}  // namespace davit::conformance

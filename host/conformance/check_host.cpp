#include "host/conformance/check_host.h"

#include <cmath>
#include <cstring>

#include "host/base/json.h"
#include "host/plugin/host_services.h"
#include "host/plugin/marshal.h"

namespace davit::conformance {
namespace {

constexpr std::size_t kSlots = 64;  // so many calls later a late use may go unnoticed
constexpr std::uint32_t kLonger = 32;
constexpr char kUnknownMember = 0x5a;
// A secret of any name is this; made up, and nobody's.
constexpr std::string_view kMadeUpSecret = "davit-check-made-up-secret";
constexpr std::int64_t kNow = 1'767'323'045'678;  // 2026-01-02T03:04:05.678Z: time stands still

std::string_view bytes_of(const void* value, std::size_t size) {
  return {static_cast<const char*>(value), size};
}

}  // namespace

// The functions that plugins call.
struct HostSide {
  static CallSlot* live_slot(const davit_call* call, const char* function) {
    auto* slot = call ? static_cast<CallSlot*>(call->context) : nullptr;
    if (!slot) return nullptr;
    if (slot->live) return slot;
    slot->host->report_.found(rule("stale-handles"), std::string(function) +
                                                         " was called with the davit_call of " + slot->hook +
                                                         " after that had returned");
    return nullptr;
  }
  static const CheckHost* live_host(const davit_host* host, const char* function) {
    auto* mine = host ? static_cast<const CheckHost*>(host->context) : nullptr;
    if (!mine) return nullptr;
    if (!mine->live_)
      mine->report_.found(rule("stale-handles"),
                          std::string(function) + " of davit_host was called after destroy had returned");
    return mine;
  }

  static void set_error(const davit_call* call, davit_text message) {
    CallSlot* slot = live_slot(call, "set_error");
    const auto text = plugin::from_text(message);
    if (!slot || !text) return;
    slot->said.set_error = true;
    slot->said.error = text->substr(0, plugin::kMaxErrorBytes);
  }
  static void set_retry_after(const davit_call* call, std::uint64_t) { live_slot(call, "set_retry_after"); }
  static std::uint64_t remaining_ms(const davit_call* call) {
    const CallSlot* slot = live_slot(call, "remaining_ms");
    if (!slot || slot->deadline == MonotonicTime::max()) return UINT64_MAX;
    const auto left = std::chrono::duration_cast<Duration>(slot->deadline - std::chrono::steady_clock::now());
    return left.count() > 0 ? static_cast<std::uint64_t>(left.count()) : 0;
  }
  static std::int32_t is_cancelled(const davit_call* call) {
    const CallSlot* slot = live_slot(call, "is_cancelled");
    return slot && slot->cancelled && slot->cancelled->load() ? 1 : 0;
  }
  static davit_status write(const davit_sink* sink, davit_text text) {
    auto* slot = sink ? static_cast<CallSlot*>(sink->context) : nullptr;
    const auto bytes = plugin::from_text(text);
    if (!slot) return DAVIT_INVALID_INPUT;
    if (!slot->live) {
      slot->host->report_.found(rule("stale-handles"),
                                "The sink of " + slot->hook + " was written to after that had returned");
      return DAVIT_INVALID_INPUT;
    }
    Said& said = slot->said;
    if (!bytes || said.over_limit || bytes->size() > plugin::kMaxAnswerBytes - said.output.size()) {
      said.over_limit = true;
      return DAVIT_INVALID_INPUT;
    }
    said.output += *bytes;
    return DAVIT_OK;
  }

  static void log(const davit_host* host, std::int32_t, davit_text, davit_text) { live_host(host, "log"); }
  static davit_status secret(const davit_host* host, davit_text, const davit_sink* out) {
    const CheckHost* mine = live_host(host, "secret");
    if (!mine || !out) return DAVIT_INVALID_INPUT;
    return mine->profile_.bare ? DAVIT_NOT_FOUND : out->write(out, plugin::to_text(kMadeUpSecret));
  }
  static std::int64_t now(const davit_host* host) {
    live_host(host, "now_unix_ms");
    return kNow;
  }
  static const void* service(const davit_host* host, davit_text id);

  static davit_status progress(const davit_call* call, double, davit_text, davit_text) {
    return live_slot(call, "progress") ? DAVIT_OK : DAVIT_INVALID_INPUT;
  }
  static davit_status usage(const davit_call* call, davit_text usage) {
    CallSlot* slot = live_slot(call, "usage");
    const auto text = plugin::from_text(usage);
    if (!slot || !text) return DAVIT_INVALID_INPUT;
    Reporter& report = slot->host->report_;
    bool mended = false;
    auto now = plugin::usage_from_json(*text, &mended);
    if (!now) {
      report.found(rule("usage"), "The usage cannot be read: " + now.error().message);
      return DAVIT_INVALID_INPUT;
    }
    const Usage& before = slot->usage;
    if (mended) report.found(rule("usage"), "A figure or a model's name of the usage is impossible");
    if (now->input_tokens < before.input_tokens || now->output_tokens < before.output_tokens ||
        (now->cost_micro_usd < before.cost_micro_usd && !replaces_estimate(before, *now))) {
      report.found(rule("usage"), "The usage is less than what was reported before");
    }
    slot->usage = plugin::merged(before, *now);
    return DAVIT_OK;
  }
  static davit_status transcript(const davit_call* call, davit_text, davit_text) {
    return live_slot(call, "transcript") ? DAVIT_OK : DAVIT_INVALID_INPUT;
  }
  static davit_status artifact(const davit_call* call, davit_text, davit_text, davit_text) {
    return live_slot(call, "artifact") ? DAVIT_OK : DAVIT_INVALID_INPUT;
  }
  static davit_status kv_read(const davit_call* call, davit_text, const davit_sink*) {
    return live_slot(call, "kv read") ? DAVIT_NOT_FOUND : DAVIT_INVALID_INPUT;
  }
  static davit_status kv_write(const davit_call* call, davit_text, davit_text) {
    return live_slot(call, "kv write") ? DAVIT_OK : DAVIT_INVALID_INPUT;
  }
  static davit_status kv_remove(const davit_call* call, davit_text) {
    return live_slot(call, "kv remove") ? DAVIT_OK : DAVIT_INVALID_INPUT;
  }
};

const void* HostSide::service(const davit_host* host, davit_text id) {
  static constexpr davit_progress_v1 kProgress{sizeof kProgress, 0, progress};
  static constexpr davit_usage_v1 kUsage{sizeof kUsage, 0, usage};
  static constexpr davit_transcript_v1 kTranscript{sizeof kTranscript, 0, transcript};
  static constexpr davit_artifact_v1 kArtifact{sizeof kArtifact, 0, artifact};
  static constexpr davit_kv_v1 kKv{sizeof kKv, 0, kv_read, kv_write, kv_remove};
  const CheckHost* mine = live_host(host, "service");
  const auto name = plugin::from_text(id);
  if (!mine || mine->profile_.bare || !name) return nullptr;
  if (*name == DAVIT_SERVICE_PROGRESS) return &kProgress;
  if (*name == DAVIT_SERVICE_USAGE) return &kUsage;
  if (*name == DAVIT_SERVICE_TRANSCRIPT) return &kTranscript;
  if (*name == DAVIT_SERVICE_ARTIFACT) return &kArtifact;
  if (*name == DAVIT_SERVICE_KV) return &kKv;
  return nullptr;
}

davit_text CallSlot::lend(std::string_view text) {
  if (!host->profile().guard_texts || text.empty()) return plugin::to_text(text);
  texts.push_back(std::make_unique<GuardedBytes>(text));
  return plugin::to_text(texts.back()->view());
}
const davit_call* CallSlot::abi_call() const {
  return guarded_call ? reinterpret_cast<const davit_call*>(guarded_call->data()) : &call;
}
const davit_sink* CallSlot::abi_sink() const {
  return guarded_sink ? reinterpret_cast<const davit_sink*>(guarded_sink->data()) : &sink;
}

CheckHost::CheckHost(std::string config, HostProfile profile, Reporter& report)
    : config_(std::move(config)), profile_(profile), report_(report) {
  std::string_view name = "check", settings = config_;
  if (profile_.guard_texts) {
    guarded_name_ = std::make_unique<GuardedBytes>(name);
    guarded_config_ = std::make_unique<GuardedBytes>(settings);
    name = guarded_name_->view(), settings = guarded_config_->view();
  }
  std::memset(&long_host_, kUnknownMember, sizeof long_host_);
  long_host_.host = davit_host{kOldestHost,
                               profile_.guard_structs ? 0u : DAVIT_ABI_MINOR,
                               this,
                               plugin::to_text(name),
                               plugin::to_text(settings),
                               HostSide::log,
                               HostSide::secret,
                               HostSide::now,
                               HostSide::service};
  if (!profile_.guard_structs) long_host_.host.struct_size = sizeof(davit_host);
  if (profile_.longer_structs) {
    long_host_.host.struct_size += kLonger;
    long_host_.host.abi_minor += 1;
  }
  host_ = &long_host_.host;
  if (profile_.guard_structs) {
    guarded_host_ = std::make_unique<GuardedBytes>(bytes_of(&long_host_, kOldestHost));
    host_ = reinterpret_cast<const davit_host*>(guarded_host_->data());
  }
  slots_.reserve(kSlots);
}

CheckHost::~CheckHost() = default;

CallSlot& CheckHost::take_slot() {
  const std::scoped_lock lock(mutex_);
  if (slots_.size() < kSlots) {
    slots_.push_back(std::make_unique<CallSlot>());
    slots_.back()->live = true;
    return *slots_.back();
  }
  do {
    next_slot_ = (next_slot_ + 1) % kSlots;
  } while (slots_[next_slot_]->live);
  slots_[next_slot_]->live = true;
  return *slots_[next_slot_];
}

Said CheckHost::call(const std::string& hook, const std::function<davit_status(CallSlot&)>& function,
                     MonotonicTime deadline, const std::atomic<bool>* cancelled) {
  CallSlot& slot = take_slot();
  slot.host = this;
  slot.hook = hook;
  slot.deadline = deadline;
  slot.cancelled = cancelled;
  slot.usage = Usage{};
  slot.said = Said{};
  std::memset(slot.room, kUnknownMember, sizeof slot.room);
  slot.call = davit_call{
      sizeof(davit_call),    0, &slot, HostSide::set_error, HostSide::set_retry_after, HostSide::remaining_ms,
      HostSide::is_cancelled};
  slot.sink = davit_sink{sizeof(davit_sink), 0, &slot, HostSide::write};
  if (profile_.longer_structs) {
    // Readable memory follows both, so that the promise is kept.
    slot.call.struct_size += sizeof(davit_sink);
    slot.sink.struct_size += kLonger;
  }
  if (profile_.guard_structs) {
    slot.call.struct_size = kOldestCall;
    slot.sink.struct_size = kOldestSink;
    slot.guarded_call = std::make_unique<GuardedBytes>(bytes_of(&slot.call, kOldestCall));
    slot.guarded_sink = std::make_unique<GuardedBytes>(bytes_of(&slot.sink, kOldestSink));
  }
  try {
    slot.said.status = function(slot);
  } catch (const std::exception& exception) {
    slot.said.thrown = plugin::presentable(exception.what(), 512);
    if (slot.said.thrown.empty()) slot.said.thrown = "an exception without text";
  } catch (...) {
    slot.said.thrown = "an object that is no std::exception";
  }
  if (!slot.said.thrown.empty()) report_.found(rule("exceptions"), hook + " threw " + slot.said.thrown);
  slot.texts.clear();
  Said said = std::move(slot.said);
  slot.live = false;
  return said;
}

}  // namespace davit::conformance

#include "host/plugin/host_services.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "host/base/json.h"
#include "host/model/artifact.h"
#include "host/plugin/agent.h"

namespace davit::plugin {
namespace {

constexpr std::size_t kMaxLogBytes = 8u << 10;
constexpr std::size_t kMaxKeyBytes = 256;
constexpr std::size_t kMaxValueBytes = 64u << 10;
constexpr std::size_t kMaxUsageBytes = 64u << 10;

davit_status status_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::InvalidInput:
    case ErrorCode::TooLarge:
      return DAVIT_INVALID_INPUT;
    case ErrorCode::Unauthorized:
      return DAVIT_UNAUTHORIZED;
    case ErrorCode::NotFound:
      return DAVIT_NOT_FOUND;
    case ErrorCode::RateLimited:
      return DAVIT_RATE_LIMITED;
    case ErrorCode::Conflict:
    case ErrorCode::Overloaded:
    case ErrorCode::Unavailable:
      return DAVIT_RETRYABLE;
    case ErrorCode::Cancelled:
      return DAVIT_CANCELLED;
    case ErrorCode::Deadline:
      return DAVIT_DEADLINE;
    case ErrorCode::Permanent:
      return DAVIT_PERMANENT;
    case ErrorCode::NotImplemented:
      return DAVIT_NOT_IMPLEMENTED;
    case ErrorCode::Internal:
      return DAVIT_INTERNAL;
  }
  return DAVIT_INTERNAL;
}

template <typename Function>
davit_status guarded(Function&& function) noexcept {
  try {
    return function();
  } catch (...) {
    return DAVIT_RETRYABLE;  // out of memory, or a report function of ours that threw
  }
}

template <typename Value>
davit_status status_of(const Result<Value>& result) {
  return result.ok() ? DAVIT_OK : status_of(result.error());
}

}  // namespace

std::optional<std::string_view> from_text(davit_text text) {
  if (!text.data) return text.size == 0 ? std::optional(std::string_view()) : std::nullopt;
  return std::string_view(text.data, text.size);
}

std::string presentable(std::string_view text, std::size_t max) {
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (text.size() <= max && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string shown;
  shown.reserve(std::min(text.size(), max));
  std::size_t i = 0;
  while (i < text.size()) {
    auto lead = static_cast<unsigned char>(text[i]);
    std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    std::string_view character = text.substr(i, length);
    if (!is_utf8(character)) character = text.substr(i, 1), length = 1;
    bool bad = !is_utf8(character) || (lead < 0x20 && lead != '\n' && lead != '\t') || lead == 0x7f;
    if (shown.size() + (bad ? 1 : length) > max) break;
    if (bad) {
      shown += '?';
    } else {
      shown += character;
    }
    i += length;
  }
  return shown;
}

// --- davit_call

struct CallFunctions {
  static void set_error(const davit_call* call, davit_text message) {
    guarded([&] {
      CallContext* context = CallContext::from(call);
      auto text = from_text(message);
      if (context && text) context->error_ = text->substr(0, kMaxErrorBytes);
      return DAVIT_OK;
    });
  }
  static void set_retry_after(const davit_call* call, std::uint64_t milliseconds) {
    // A year is for ever here, and keeps sums of times from overflowing.
    constexpr std::uint64_t kYear = 365ull * 86'400'000;
    if (CallContext* context = CallContext::from(call)) {
      context->retry_after_ = Duration(static_cast<std::int64_t>(std::min(milliseconds, kYear)));
    }
  }
  static std::uint64_t remaining_ms(const davit_call* call) {
    const CallContext* context = CallContext::from(call);
    if (!context || context->deadline_ == kNoDeadline) return UINT64_MAX;
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(context->deadline_ -
                                                                      context->clock_.monotonic());
    return left.count() > 0 ? static_cast<std::uint64_t>(left.count()) : 0;
  }
  static std::int32_t is_cancelled(const davit_call* call) {
    const CallContext* context = CallContext::from(call);
    return context && context->cancelled_ && context->cancelled_->load() ? 1 : 0;
  }
};

CallContext::CallContext(const Clock& clock, MonotonicTime deadline, const std::atomic<bool>* cancelled,
                         const AgentReports* reports)
    : call_{sizeof(davit_call),
            0,
            this,
            CallFunctions::set_error,
            CallFunctions::set_retry_after,
            CallFunctions::remaining_ms,
            CallFunctions::is_cancelled},
      clock_(clock),
      deadline_(deadline),
      cancelled_(cancelled),
      reports_(reports) {}

CallContext* CallContext::from(const davit_call* call) {
  return call ? static_cast<CallContext*>(call->context) : nullptr;
}

std::string CallContext::error(std::string_view fallback) const {
  return error_.empty() ? std::string(fallback) : presentable(error_, kMaxErrorBytes);
}

// --- davit_sink

struct SinkFunctions {
  static davit_status write(const davit_sink* sink, davit_text text) {
    return guarded([&] {
      if (!sink || !sink->context) return DAVIT_INVALID_INPUT;
      auto* answer = static_cast<AnswerSink*>(sink->context);
      auto bytes = from_text(text);
      if (!bytes || answer->over_limit_ || bytes->size() > answer->limit_ - answer->bytes_.size()) {
        answer->over_limit_ = true;
        return DAVIT_INVALID_INPUT;
      }
      answer->bytes_ += *bytes;
      return DAVIT_OK;
    });
  }
};

AnswerSink::AnswerSink(std::size_t limit)
    : sink_{sizeof(davit_sink), 0, this, SinkFunctions::write}, limit_(limit) {}

// --- the services of agents

namespace {

struct Services {
  static davit_status progress(const davit_call* call, double fraction, davit_text phase,
                               davit_text message) {
    return guarded([&] {
      const CallContext* context = CallContext::from(call);
      if (!context || !context->reports() || !context->reports()->progress) return DAVIT_NOT_IMPLEMENTED;
      auto word = from_text(phase), sentence = from_text(message);
      if (!word || !sentence) return DAVIT_INVALID_INPUT;
      double known = std::isfinite(fraction) && fraction >= 0 ? std::min(fraction, 1.0) : -1.0;
      context->reports()->progress(known, presentable(*word, 64), presentable(*sentence, 1024));
      return DAVIT_OK;
    });
  }

  static davit_status usage(const davit_call* call, davit_text usage) {
    return guarded([&] {
      const CallContext* context = CallContext::from(call);
      if (!context || !context->reports() || !context->reports()->usage) return DAVIT_NOT_IMPLEMENTED;
      auto json = from_text(usage);
      if (!json || json->size() > kMaxUsageBytes || !check_json(*json).ok()) return DAVIT_INVALID_INPUT;
      context->reports()->usage(*json);
      return DAVIT_OK;
    });
  }

  static davit_status transcript(const davit_call* call, davit_text kind, davit_text line) {
    return guarded([&] {
      const CallContext* context = CallContext::from(call);
      if (!context || !context->reports() || !context->reports()->transcript) return DAVIT_NOT_IMPLEMENTED;
      auto word = from_text(kind), text = from_text(line);
      if (!word || !text) return DAVIT_INVALID_INPUT;
      context->reports()->transcript(presentable(*word, 32), presentable(*text, 64u << 10));
      return DAVIT_OK;
    });
  }

  static davit_status artifact(const davit_call* call, davit_text name, davit_text content_type,
                               davit_text content) {
    return guarded([&] {
      const CallContext* context = CallContext::from(call);
      if (!context || !context->reports() || !context->reports()->artifact) return DAVIT_NOT_IMPLEMENTED;
      auto file = from_text(name), type = from_text(content_type), bytes = from_text(content);
      if (!file || !type || !bytes || !is_artifact_name(*file)) return DAVIT_INVALID_INPUT;
      return status_of(context->reports()->artifact(*file, presentable(*type, 128), *bytes));
    });
  }

  static davit_status kv_read(const davit_call* call, davit_text key, const davit_sink* out) {
    return guarded([&] {
      const CallContext* context = CallContext::from(call);
      if (!context || !context->reports() || !context->reports()->kv_read) return DAVIT_NOT_IMPLEMENTED;
      auto name = from_text(key);
      if (!name || name->empty() || name->size() > kMaxKeyBytes || !out) return DAVIT_INVALID_INPUT;
      Result<std::string> value = context->reports()->kv_read(*name);
      if (!value) return status_of(value.error());
      return out->write(out, to_text(*value));
    });
  }

  static davit_status kv_write(const davit_call* call, davit_text key, davit_text value) {
    return guarded([&] {
      const CallContext* context = CallContext::from(call);
      if (!context || !context->reports() || !context->reports()->kv_write) return DAVIT_NOT_IMPLEMENTED;
      auto name = from_text(key), bytes = from_text(value);
      if (!name || name->empty() || name->size() > kMaxKeyBytes || !bytes || bytes->size() > kMaxValueBytes) {
        return DAVIT_INVALID_INPUT;
      }
      return status_of(context->reports()->kv_write(*name, *bytes));
    });
  }

  static davit_status kv_remove(const davit_call* call, davit_text key) {
    return guarded([&] {
      const CallContext* context = CallContext::from(call);
      if (!context || !context->reports() || !context->reports()->kv_remove) return DAVIT_NOT_IMPLEMENTED;
      auto name = from_text(key);
      if (!name || name->empty() || name->size() > kMaxKeyBytes) return DAVIT_INVALID_INPUT;
      return status_of(context->reports()->kv_remove(*name));
    });
  }
};

constexpr davit_progress_v1 kProgress{sizeof(davit_progress_v1), 0, Services::progress};
constexpr davit_usage_v1 kUsage{sizeof(davit_usage_v1), 0, Services::usage};
constexpr davit_transcript_v1 kTranscript{sizeof(davit_transcript_v1), 0, Services::transcript};
constexpr davit_artifact_v1 kArtifact{sizeof(davit_artifact_v1), 0, Services::artifact};
constexpr davit_kv_v1 kKv{sizeof(davit_kv_v1), 0, Services::kv_read, Services::kv_write, Services::kv_remove};

}  // namespace

// --- davit_host

struct HostFunctions {
  static const HostContext* from(const davit_host* host) {
    return host ? static_cast<const HostContext*>(host->context) : nullptr;
  }

  static void log(const davit_host* host, std::int32_t level, davit_text message, davit_text fields) {
    guarded([&] {
      const HostContext* context = from(host);
      auto sentence = from_text(message), more = from_text(fields);
      if (!context || !sentence) return DAVIT_INVALID_INPUT;
      LogLevel log_level = level == DAVIT_LOG_DEBUG   ? LogLevel::Debug
                           : level == DAVIT_LOG_WARN  ? LogLevel::Warn
                           : level == DAVIT_LOG_ERROR ? LogLevel::Error
                                                      : LogLevel::Info;
      if (!context->log_.enabled(log_level)) return DAVIT_OK;
      // A fixed sentence first: what the plugin says is a value, and never looks like a line of the host.
      std::string said(*sentence);
      context->redactor_.redact(said);
      said = presentable(said, kMaxLogBytes);
      if (more && !more->empty() && more->size() <= kMaxLogBytes && check_json(*more).ok()) {
        std::string details(*more);
        context->redactor_.redact(details);
        context->log_.write(log_level, "plugin says",
                            {{"plugin", context->instance_}, {"message", said}, {"fields", details}});
      } else {
        context->log_.write(log_level, "plugin says", {{"plugin", context->instance_}, {"message", said}});
      }
      return DAVIT_OK;
    });
  }

  static davit_status secret(const davit_host* host, davit_text name, const davit_sink* out) {
    return guarded([&] {
      const HostContext* context = from(host);
      auto wanted = from_text(name);
      if (!context || !wanted || !out) return DAVIT_INVALID_INPUT;
      for (const Secret& secret : context->granted_) {
        if (secret.name == *wanted) return out->write(out, to_text(secret.value));
      }
      return DAVIT_NOT_FOUND;
    });
  }

  static std::int64_t now_unix_ms(const davit_host* host) {
    const HostContext* context = from(host);
    return context ? to_unix_ms(context->clock_.wall()) : 0;
  }

  static const void* service(const davit_host* host, davit_text id) {
    const HostContext* context = from(host);
    auto name = from_text(id);
    if (!context || !context->offered_ || !name) return nullptr;
    const AgentReports& offered = *context->offered_;
    if (*name == DAVIT_SERVICE_PROGRESS && offered.progress) return &kProgress;
    if (*name == DAVIT_SERVICE_USAGE && offered.usage) return &kUsage;
    if (*name == DAVIT_SERVICE_TRANSCRIPT && offered.transcript) return &kTranscript;
    if (*name == DAVIT_SERVICE_ARTIFACT && offered.artifact) return &kArtifact;
    if (*name == DAVIT_SERVICE_KV && offered.kv_read && offered.kv_write && offered.kv_remove) return &kKv;
    return nullptr;
  }
};

HostContext::HostContext(std::string instance, std::string config, std::vector<Secret> granted, Log& log,
                         const Clock& clock, const AgentReports* offered)
    : instance_(std::move(instance)),
      config_(std::move(config)),
      granted_(std::move(granted)),
      redactor_(granted_),
      log_(log),
      clock_(clock),
      offered_(offered) {
  host_ = davit_host{sizeof(davit_host),
                     DAVIT_ABI_MINOR,
                     this,
                     to_text(instance_),
                     to_text(config_),
                     HostFunctions::log,
                     HostFunctions::secret,
                     HostFunctions::now_unix_ms,
                     HostFunctions::service};
}

std::string_view status_name(davit_status status) {
  switch (status) {
    case DAVIT_OK:
      return "ok";
    case DAVIT_IGNORED:
      return "ignored";
    case DAVIT_INVALID_INPUT:
      return "invalid_input";
    case DAVIT_UNAUTHORIZED:
      return "unauthorized";
    case DAVIT_NOT_FOUND:
      return "not_found";
    case DAVIT_RETRYABLE:
      return "retryable";
    case DAVIT_RATE_LIMITED:
      return "rate_limited";
    case DAVIT_CANCELLED:
      return "cancelled";
    case DAVIT_DEADLINE:
      return "deadline";
    case DAVIT_PERMANENT:
      return "permanent";
    case DAVIT_INTERNAL:
      return "internal";
    case DAVIT_NOT_IMPLEMENTED:
      return "not_implemented";
    default:
      return "unknown";
  }
}

ErrorCode error_code_of(davit_status status) {
  switch (status) {
    case DAVIT_INVALID_INPUT:
      return ErrorCode::InvalidInput;
    case DAVIT_UNAUTHORIZED:
      return ErrorCode::Unauthorized;
    case DAVIT_NOT_FOUND:
      return ErrorCode::NotFound;
    case DAVIT_RETRYABLE:
      return ErrorCode::Unavailable;
    case DAVIT_RATE_LIMITED:
      return ErrorCode::RateLimited;
    case DAVIT_CANCELLED:
      return ErrorCode::Cancelled;
    case DAVIT_DEADLINE:
      return ErrorCode::Deadline;
    case DAVIT_PERMANENT:
      return ErrorCode::Permanent;
    case DAVIT_NOT_IMPLEMENTED:
      return ErrorCode::NotImplemented;
    default:
      return ErrorCode::Internal;
  }
}

}  // namespace davit::plugin

// What a plugin may ask of its host.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "davit/abi/host.h"
#include "davit/abi/version.h"
#include "davit/failure.hpp"
#include "davit/json.hpp"
#include "davit/text.hpp"

namespace davit {
inline namespace sdk {

// Wall time, UTC.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

inline Time time_from_unix_ms(std::int64_t milliseconds) {
  return Time(std::chrono::milliseconds(milliseconds));
}
inline std::int64_t unix_ms(Time time) { return time.time_since_epoch().count(); }

enum class LogLevel : std::int32_t {
  Debug = DAVIT_LOG_DEBUG,
  Info = DAVIT_LOG_INFO,
  Warn = DAVIT_LOG_WARN,
  Error = DAVIT_LOG_ERROR,
};

namespace detail {

// A sink that fills `text`; both must stay where they are.
inline davit_sink string_sink(std::string& text) {
  return {sizeof(davit_sink), 0, &text, [](const davit_sink* sink, davit_text piece) -> davit_status {
            try {
              static_cast<std::string*>(sink->context)->append(view_of(piece));
              return DAVIT_OK;
            } catch (const std::bad_alloc&) {
              return DAVIT_INVALID_INPUT;
            }
          }};
}

}  // namespace detail

// A cheap value; any thread. What an older or poorer host does not offer does nothing, or is empty.
class Host {
 public:
  Host() = default;
  explicit Host(const davit_host* host) : host_(host) {}

  // One line in the host's log. `fields` is an object: {{"issue", 7}}. Never secrets, bodies or prompts.
  void log(LogLevel level, std::string_view message, JsonView fields = {}) const {
    if (!has(&davit_host::log)) return;
    const std::string text = fields.is_object() ? fields.dump() : std::string();
    const std::string clean = is_utf8(message) ? std::string() : to_utf8(message);
    host_->log(host_, static_cast<std::int32_t>(level), text_of(clean.empty() ? message : clean),
               text_of(text));
  }
  void log(LogLevel level, std::string_view message, std::initializer_list<JsonField> fields) const {
    const Json object = Json::object(fields);
    log(level, message, object.view());
  }
  void debug(std::string_view message, std::initializer_list<JsonField> fields = {}) const {
    log(LogLevel::Debug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<JsonField> fields = {}) const {
    log(LogLevel::Info, message, fields);
  }
  void warn(std::string_view message, std::initializer_list<JsonField> fields = {}) const {
    log(LogLevel::Warn, message, fields);
  }
  void error(std::string_view message, std::initializer_list<JsonField> fields = {}) const {
    log(LogLevel::Error, message, fields);
  }

  // The key of this instance in the configuration.
  std::string_view instance_name() const {
    return host_ ? view_of(host_->instance_name) : std::string_view();
  }

  // The instance's `config`, parsed at each call: configure() gets it once.
  Json config() const {
    const std::string_view text = host_ ? view_of(host_->config) : std::string_view();
    return text.empty() ? Json::object() : Json::parse(text);
  }

  // A secret the operator granted to this instance; nullopt if it was not granted or is not set.
  std::optional<std::string> secret(std::string_view name) const {
    if (!has(&davit_host::secret)) return std::nullopt;
    std::string value;
    const davit_sink sink = detail::string_sink(value);
    const davit_status status = host_->secret(host_, text_of(name), &sink);
    if (status == DAVIT_NOT_FOUND) return std::nullopt;
    if (status != DAVIT_OK)
      throw Failure(static_cast<Status>(status), "the host could not give the secret " + std::string(name));
    return value;
  }

  Time now() const {
    if (has(&davit_host::now_unix_ms)) return time_from_unix_ms(host_->now_unix_ms(host_));
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }

  // ABI minor of the host; 0 outside of one.
  std::uint32_t abi_minor() const { return host_ ? host_->abi_minor : 0; }

  // The struct of a service, or nullptr if this host does not offer or did not grant it.
  template <class Service>
  const Service* service(std::string_view id) const {
    return has(&davit_host::service) ? static_cast<const Service*>(host_->service(host_, text_of(id)))
                                     : nullptr;
  }

 private:
  template <class Function>
  bool has(Function davit_host::*member) const {
    if (!host_) return false;
    const auto end = reinterpret_cast<const char*>(&(host_->*member)) + sizeof(Function) -
                     reinterpret_cast<const char*>(host_);
    return host_->struct_size >= static_cast<std::size_t>(end) && host_->*member;
  }

  const davit_host* host_ = nullptr;
};

namespace detail {
struct Access;
}

// What webhooks and agents have in common.
class Plugin {
 public:
  virtual ~Plugin() = default;
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  // Called once after construction with the instance's config, before any other hook: read it here, and throw
  // a Failure if it makes no sense (the sentence reaches the operator). Metadata is asked of an unconfigured
  // instance.
  virtual void configure(const Json& config) { static_cast<void>(config); }

 protected:
  Plugin() = default;
  // Does nothing and knows nothing before configure().
  const Host& host() const { return host_; }

 private:
  friend struct detail::Access;
  Host host_;
};

namespace detail {
struct Access {
  static const Host& host(const Plugin& plugin) { return plugin.host_; }
  static void set_host(Plugin& plugin, const davit_host* host) { plugin.host_ = Host(host); }
};
}  // namespace detail

}  // namespace sdk
}  // namespace davit

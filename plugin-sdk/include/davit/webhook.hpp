// Write a webhook: derive from WebhookHandler, override the hooks, register it. One file is a plugin.
//
//   class Ping : public davit::WebhookHandler {
//     davit::WebhookMetadata metadata() const override { return {.name = "ping", .description = "…"}; }
//     davit::Answer handle(const davit::Json& parsed) const override { … }
//   };
//   DAVIT_REGISTER_WEBHOOK(Ping)
//
// abi/webhook.h says in which order the host asks, and what it does with the answers. Any hook may throw: a
// davit::Failure with its status, anything else as Status::Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "davit/abi/entry.h"
#include "davit/abi/webhook.h"
#include "davit/answer.hpp"
#include "davit/decision.hpp"
#include "davit/failure.hpp"
#include "davit/guard.hpp"
#include "davit/host.hpp"
#include "davit/json.hpp"
#include "davit/registry.hpp"
#include "davit/request.hpp"
#include "davit/scheme.hpp"

namespace davit {
inline namespace sdk {

// Where the sender's id of a delivery is. Without one, a hash of the body stands for it.
struct DeliveryId {
  std::string header = {};   // "X-GitHub-Delivery"
  std::string pointer = {};  // "/event_id": a JSON pointer into the *parsed* payload
  bool required = false;     // with a header: the sender never leaves it out, so without it is 400
};

struct WebhookMetadata {
  std::string name = {};            // required, [a-z][a-z0-9_-]{0,63}
  std::string endpoint = {};        // suggestion; default "/webhooks/<name>"
  std::string description = {};     // a sentence for people
  std::string secret_env_var = {};  // suggestion
  bool enabled = true;              // false: off unless switched on
  std::string version = "1.0.0";
  std::vector<std::string> event_types = {};
  std::string event_header = {};  // that names the event
  DeliveryId delivery_id = {};
  std::vector<std::string> content_types = {};  // default application/json
  std::uint64_t max_body_bytes = 0;             // 0: the host's default
  std::optional<Signature> signature = {};      // absent: validate_signature, which the operator must allow
  bool answers_unverified = false;  // answer_unverified is to be called, which the operator must allow
  std::string config_schema = {};   // JSON Schema draft 4, as text
  bool answers_get = false;         // GET is answered 200 with nothing, and not 405
  std::vector<std::string> secret_fields = {};  // of the body: what is kept has a mark in their place
  std::string sample = {};  // {"headers": {…}, "body": …}, as text: offered as a test event

  Json to_json() const;
};

// None of this plugin's business, and why.
struct Ignored {
  std::string reason;
};

// What parse_payload gives: a JSON value, or Ignored.
class Parsed {
 public:
  Parsed(Json json) : value_(std::move(json)) {}           // NOLINT(google-explicit-constructor)
  Parsed(Ignored ignored) : value_(std::move(ignored)) {}  // NOLINT(google-explicit-constructor)
  Parsed(std::nullopt_t) : value_(Ignored{}) {}            // NOLINT(google-explicit-constructor)
  Parsed(std::optional<Json> json) : value_(Ignored{}) {   // NOLINT(google-explicit-constructor)
    if (json) value_ = std::move(*json);
  }

  const Json* json() const& { return std::get_if<Json>(&value_); }          // nullptr: ignored
  Json json() && { return std::get<Json>(std::move(value_)); }              // of a value only
  const Ignored* ignored() const { return std::get_if<Ignored>(&value_); }  // nullptr: a value

 private:
  std::variant<Json, Ignored> value_;
};

// The hooks are const because many threads call them at once; what configure() stores is theirs to read.
class WebhookHandler : public Plugin {
 public:
  // Constant, quick, asked of an instance that is not configured.
  virtual WebhookMetadata metadata() const = 0;

  // Only where the metadata declares no signature: is it good? See signature.hpp. No I/O.
  virtual bool validate_signature(const Request& request, const Secrets& secrets, Time now) const {
    static_cast<void>(request), static_cast<void>(secrets), static_cast<void>(now);
    throw Failure(Status::NotImplemented, "this webhook does not check signatures itself");
  }

  // Only with WebhookMetadata::answers_unverified: an answer to what nobody has verified yet, of which only
  // response and HTTP answer count; nullopt goes on to verification.
  virtual std::optional<Answer> answer_unverified(const Request& request) const {
    return static_cast<void>(request), std::nullopt;
  }

  // What is this about? Best a small value with what the next hooks need. Default: the body as it is.
  virtual Parsed parse_payload(const Request& request) const { return request.json(); }

  // Shall anything happen? Default: yes.
  virtual Decision should_process(const Json& parsed) const { return static_cast<void>(parsed), true; }

  // What shall happen? May be called again for the same event: no effects of its own.
  virtual Answer handle(const Json& parsed) const = 0;
};

inline Json WebhookMetadata::to_json() const {
  Json json = detail::texts({{"name", name},
                             {"endpoint", endpoint},
                             {"description", description},
                             {"secret_env_var", secret_env_var},
                             {"version", version},
                             {"event_header", event_header}});
  json.set("enabled", enabled);
  if (!event_types.empty()) json.set("event_types", event_types);
  if (!delivery_id.header.empty()) {
    Json id = Json::object({{"header", delivery_id.header}});
    if (delivery_id.required) id.set("required", true);
    json.set("delivery_id", std::move(id));
  }
  if (!delivery_id.pointer.empty()) json.set("delivery_id", Json::object({{"pointer", delivery_id.pointer}}));
  if (!content_types.empty()) json.set("content_types", content_types);
  if (max_body_bytes != 0) json.set("max_body_bytes", max_body_bytes);
  if (signature) json.set("signature", signature->to_json());
  if (answers_unverified) json.set("answers_unverified", true);
  if (!config_schema.empty()) json.set("config_schema", detail::parse_schema(config_schema));
  if (answers_get) json.set("answers_get", true);
  if (!secret_fields.empty()) json.set("secret_fields", secret_fields);
  if (!sample.empty()) json.set("sample", detail::parse_sample(sample));
  return json;
}

namespace detail {

// What parse_payload gave last on this thread, and its text. The host hands that text to the next two hooks,
// nearly always at once and on the same thread, and then they need not read it again. Equal texts are equal
// values, so it does not matter whose it was.
inline constexpr std::size_t kMostKept = 256u << 10;  // bytes of text that a thread may hold on to

struct LastParsed {
  std::string text = {};
  Json value = {};
};

[[gnu::visibility("hidden")]] inline LastParsed& last_parsed() {
  static thread_local LastParsed last;
  return last;
}

// Calls `hook` with the value of a text from the host.
template <class Hook>
auto with_parsed(davit_text text, Hook&& hook) {
  const LastParsed& last = last_parsed();
  if (!last.text.empty() && last.text == view_of(text)) return hook(last.value);
  const Json parsed = from_host(text);
  return hook(parsed);
}

// The C side of one handler: `self` is the WebhookHandler.
struct WebhookAbi {
  static const WebhookHandler& handler(void* self) { return *static_cast<const WebhookHandler*>(self); }

  static davit_status validate_signature(void* self, const davit_call* call, const davit_request* request,
                                         const davit_secrets* secrets, std::int64_t now_unix_ms) {
    return guarded(call, [&] {
      if (handler(self).validate_signature(Request(*request), Secrets(*secrets),
                                           time_from_unix_ms(now_unix_ms))) {
        return DAVIT_OK;
      }
      throw Failure::unauthorized("the signature does not match");
    });
  }

  static davit_status answer_unverified(void* self, const davit_call* call, const davit_request* request,
                                        const davit_sink* out) {
    return guarded(call, [&] {
      const std::optional<Answer> answer = handler(self).answer_unverified(Request(*request));
      if (!answer) return DAVIT_IGNORED;
      write(out, answer->to_json().dump());
      return DAVIT_OK;
    });
  }

  static davit_status parse_payload(void* self, const davit_call* call, const davit_request* request,
                                    const davit_sink* out) {
    return guarded(call, [&] {
      Parsed parsed = handler(self).parse_payload(Request(*request));
      if (const Ignored* ignored = parsed.ignored()) {
        write(out, to_utf8(ignored->reason));
        return DAVIT_IGNORED;
      }
      LastParsed last{parsed.json()->dump(), std::move(parsed).json()};
      write(out, last.text);
      if (last.text.size() <= kMostKept) last_parsed() = std::move(last);
      return DAVIT_OK;
    });
  }

  static davit_status should_process(void* self, const davit_call* call, davit_text parsed,
                                     const davit_sink* out) {
    return guarded(call, [&] {
      const Decision decision =
          with_parsed(parsed, [&](const Json& value) { return handler(self).should_process(value); });
      write(out, to_utf8(decision.reason()));
      return decision ? DAVIT_OK : DAVIT_IGNORED;
    });
  }

  static davit_status handle(void* self, const davit_call* call, davit_text parsed, const davit_sink* out) {
    return guarded(call, [&] {
      Answer answer = with_parsed(parsed, [&](const Json& value) { return handler(self).handle(value); });
      write(out, std::move(answer).to_json().dump());
      return DAVIT_OK;
    });
  }

  static void destroy(void* self) {
    guarded_quietly([&] { delete static_cast<WebhookHandler*>(self); });
  }
};

struct WebhookKind {
  using Base = WebhookHandler;
  using Struct = davit_webhook;
  using Factory = davit_webhook_factory;
  static constexpr std::size_t kLeast = offsetof(davit_webhook, destroy) + sizeof(davit_webhook::destroy);

  // Optional hooks that the author left alone stay NULL: the host need not ask.
  template <class Handler>
  static davit_webhook table() {
    davit_webhook table{};
    if constexpr (DAVIT_DETAIL_OVERRIDES(Handler, WebhookHandler, validate_signature)) {
      table.validate_signature = WebhookAbi::validate_signature;
    }
    if constexpr (DAVIT_DETAIL_OVERRIDES(Handler, WebhookHandler, answer_unverified)) {
      table.answer_unverified = WebhookAbi::answer_unverified;
    }
    table.parse_payload = WebhookAbi::parse_payload;
    table.should_process = WebhookAbi::should_process;
    table.handle = WebhookAbi::handle;
    table.destroy = WebhookAbi::destroy;
    return table;
  }
};

}  // namespace detail
}  // namespace sdk
}  // namespace davit

// Emitted only into a library that registers a webhook.
extern "C" DAVIT_EXPORT inline const davit_webhook_factory* davit_webhook_factory_v1(void) {
  return davit::detail::factory<davit::detail::WebhookKind>();
}

// At namespace scope, once per handler; several per file and library are fine. Handler has a default
// constructor.
#define DAVIT_REGISTER_WEBHOOK(Handler) \
  DAVIT_DETAIL_REGISTER(Handler, davit::detail::WebhookKind, davit_webhook_factory_v1, __COUNTER__)

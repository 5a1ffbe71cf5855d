// One request, three hooks. The request struct and its headers are built once for all of them, without
// allocating for up to kInlineHeaders headers; each hook gets a call context of its own, so that an error
// text or a retry-after of one never counts for the next.
#include "host/plugin/webhook.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <exception>
#include <vector>

#include "host/base/json.h"
#include "host/plugin/host_services.h"
#include "host/plugin/marshal.h"
#include "host/plugin/metadata.h"

namespace davit::plugin {
namespace {

constexpr std::size_t kInlineHeaders = 48;
constexpr std::size_t kMaxReasonBytes = 1024;

// A hook in this process that is late may still come back; after this much more it counts as hanging.
constexpr int kPatienceInDeadlines = 9;
constexpr Duration kLeastPatience{2'000};
constexpr Duration kPatienceWithoutDeadline{10'000};  // create, destroy

// The request as the ABI shows it. Borrows everything from the delivery. Does not move.
class AbiRequest {
 public:
  AbiRequest(const Delivery& delivery, std::string_view delivery_id) {
    davit_header* headers = inline_.data();
    if (delivery.headers.size() > kInlineHeaders) {
      many_.resize(delivery.headers.size());
      headers = many_.data();
    }
    for (std::size_t i = 0; i < delivery.headers.size(); ++i) {
      headers[i] = davit_header{to_text(delivery.headers[i].name), to_text(delivery.headers[i].value)};
    }
    request_ = davit_request{sizeof(davit_request),
                             0,
                             to_text(delivery.method),
                             to_text(delivery.path),
                             to_text(delivery.query),
                             headers,
                             delivery.headers.size(),
                             to_text(delivery.body),
                             to_text(delivery.remote_address),
                             to_text(delivery.request_id),
                             to_text(delivery_id),
                             to_unix_ms(delivery.received_at)};
  }
  AbiRequest(const AbiRequest&) = delete;
  AbiRequest& operator=(const AbiRequest&) = delete;
  const davit_request* abi() const { return &request_; }

 private:
  std::array<davit_header, kInlineHeaders> inline_;
  std::vector<davit_header> many_;
  davit_request request_;
};

bool is_delivery_id(std::string_view id) {
  if (id.empty() || id.size() > 256) return false;
  for (char c : id) {
    if (c <= 0x20 || c >= 0x7f) return false;
  }
  return true;
}

// What a JSON pointer (RFC 6901, already checked) finds: a text, or a whole number as text. Empty otherwise.
std::string text_at(const JsonValue& root, std::string_view pointer) {
  const JsonValue* value = &root;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    std::string step;
    while (!pointer.empty() && pointer[0] != '/') {
      if (pointer[0] == '~') {
        step += pointer[1] == '0' ? '~' : '/';
        pointer.remove_prefix(2);
      } else {
        step += pointer[0];
        pointer.remove_prefix(1);
      }
    }
    if (value->IsArray()) {
      std::size_t index = 0;
      if (step.empty() || step.size() > 6 || step.find_first_not_of("0123456789") != std::string::npos)
        return {};
      for (char c : step) index = index * 10 + static_cast<std::size_t>(c - '0');
      if (index >= value->Size()) return {};
      value = &(*value)[static_cast<rapidjson::SizeType>(index)];
    } else if (const JsonValue* next = find_member(*value, step)) {
      value = next;
    } else {
      return {};
    }
  }
  if (value->IsString()) return std::string(value->GetString(), value->GetStringLength());
  if (value->IsInt64() || value->IsUint64()) return davit::to_json(*value);
  return {};
}

Error too_late(std::string_view hook) {
  return Error{ErrorCode::Deadline, std::string(hook) + " returned after its deadline"};
}

}  // namespace

struct WebhookInstance::Parts {
  Parts(std::shared_ptr<const PluginModule> the_module, const WebhookSettings& settings,
        WebhookMetadata the_metadata, Log& log, const Clock& the_clock, Breadcrumb* the_trail,
        std::string the_sha256)
      : module(std::move(the_module)),
        metadata(std::move(the_metadata)),
        host(settings.instance, settings.config, settings.granted, log, the_clock),
        clock(the_clock),
        trail(the_trail),
        sha256(std::move(the_sha256)),
        patience(std::max(kPatienceInDeadlines * settings.answer_within, kLeastPatience)),
        secrets(settings.secrets) {
    for (const std::string& secret : secrets) secret_texts.push_back(to_text(secret));
    abi_secrets = davit_secrets{sizeof(davit_secrets), static_cast<std::uint32_t>(secret_texts.size()),
                                secret_texts.data()};
  }

  // Runs one hook: noted in the trail, timed, guarded, its deadline checked. `call` gets the hook's function,
  // to be called with the call context that is handed in.
  template <typename Function>
  Result<davit_status> hook(std::string_view name, std::string_view request_id, CallContext& context,
                            std::chrono::microseconds& took, Function&& function) const {
    MonotonicTime begun = clock.monotonic();
    davit_status status = DAVIT_INTERNAL;
    try {
      NotedCall noted(trail, {host.instance(), sha256, name, request_id, end_by(context.deadline())});
      status = function();
    } catch (const std::exception& exception) {
      return Error{ErrorCode::Internal, std::string(name) + " threw " + presentable(exception.what(), 512)};
    } catch (...) {
      return Error{ErrorCode::Internal, std::string(name) + " threw an object that is no std::exception"};
    }
    took = std::chrono::duration_cast<std::chrono::microseconds>(clock.monotonic() - begun);
    if (context.past_deadline()) return too_late(name);
    return status;
  }

  MonotonicTime end_by(MonotonicTime deadline) const {
    return deadline == kNoDeadline ? clock.monotonic() + kPatienceWithoutDeadline : deadline + patience;
  }

  Error failed(std::string_view name, davit_status status, const CallContext& context) const {
    return Error{error_code_of(status),
                 context.error(std::string(name) + " ended as " + std::string(status_name(status)) +
                               " without saying why")};
  }

  Error broke(std::string_view name, std::string_view how) const {
    return Error{ErrorCode::Internal, std::string(name) + " " + std::string(how)};
  }

  std::shared_ptr<const PluginModule> module;
  WebhookMetadata metadata;
  HostContext host;
  const Clock& clock;
  Breadcrumb* trail;
  std::string sha256;
  Duration patience;
  std::vector<std::string> secrets;
  std::vector<davit_text> secret_texts;
  davit_secrets abi_secrets{};
  davit_webhook webhook{};  // our own full-size copy; what the plugin did not write is zero
  bool created = false;

  ~Parts() {
    if (!created || !webhook.destroy) return;
    try {
      NotedCall noted(trail, {host.instance(), sha256, "destroy", "", end_by(kNoDeadline)});
      webhook.destroy(webhook.self);
    } catch (...) {
      // Nothing is left that could be told or done: the instance is gone either way.
    }
  }
};

WebhookInstance::WebhookInstance(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
WebhookInstance::~WebhookInstance() = default;

Result<std::shared_ptr<WebhookInstance>> WebhookInstance::create(std::shared_ptr<const PluginModule> module,
                                                                 const PluginOffer& offer,
                                                                 const WebhookSettings& settings, Log& log,
                                                                 const Clock& clock, Breadcrumb* trail,
                                                                 std::string sha256) {
  const davit_webhook_factory* factory = module->webhooks();
  if (!factory || offer.kind != PluginKind::Webhook || offer.index >= factory->count) {
    return Error{ErrorCode::NotFound, "the library offers no webhook number " + std::to_string(offer.index)};
  }
  auto metadata = webhook_metadata_from_json(offer.metadata);
  if (auto* refusal = std::get_if<Refusal>(&metadata)) return Error{ErrorCode::Internal, refusal->reason};
  TRY(check_config(std::get<WebhookMetadata>(metadata).config_schema, settings.config));

  auto parts =
      std::make_unique<Parts>(std::move(module), settings, std::get<WebhookMetadata>(std::move(metadata)),
                              log, clock, trail, std::move(sha256));
  davit_webhook& webhook = parts->webhook;
  webhook.struct_size = sizeof webhook;
  CallContext call(clock, kNoDeadline);
  std::chrono::microseconds took{0};
  davit_status status = TRY(parts->hook("create", "", call, took, [&] {
    return factory->create(offer.index, parts->host.abi(), call.abi(), &webhook);
  }));
  if (status != DAVIT_OK) return parts->failed("create", status, call);
  parts->created = true;
  if (webhook.struct_size > sizeof webhook)
    return parts->broke("create", "says it wrote more than there was room for");
  // A later minor makes davit_webhook longer; a plugin of minor 0 then leaves the rest unwritten.
  std::memset(reinterpret_cast<char*>(&webhook) + webhook.struct_size, 0,
              sizeof webhook - webhook.struct_size);
  if (webhook.struct_size < offsetof(davit_webhook, destroy) + sizeof webhook.destroy) {
    parts->created = false;
    return parts->broke("create", "filled in a struct that is smaller than that of ABI 1.0");
  }
  if (!webhook.parse_payload || !webhook.should_process || !webhook.handle || !webhook.destroy) {
    const char* missing = !webhook.parse_payload    ? "parse_payload"
                          : !webhook.should_process ? "should_process"
                          : !webhook.handle         ? "handle"
                                                    : "destroy";
    return parts->broke("create", "left out the required function " + std::string(missing));
  }
  return std::shared_ptr<WebhookInstance>(new WebhookInstance(std::move(parts)));
}

namespace {

std::string_view sender_id(const WebhookMetadata& metadata, const Delivery& delivery) {
  if (metadata.delivery_id_header.empty()) return {};
  std::vector<std::string_view> values = header_values(delivery, metadata.delivery_id_header);
  return values.size() == 1 ? values[0] : std::string_view();
}

}  // namespace

Result<> WebhookInstance::validate_signature(const Delivery& delivery, MonotonicTime deadline) const {
  const davit_webhook& webhook = parts_->webhook;
  if (!webhook.validate_signature) {
    return Error{ErrorCode::NotImplemented,
                 "the webhook neither declares a signature scheme nor checks signatures"};
  }
  AbiRequest request(delivery, sender_id(parts_->metadata, delivery));
  CallContext call(parts_->clock, deadline);
  std::chrono::microseconds took{0};
  davit_status status = TRY(parts_->hook("validate_signature", delivery.request_id, call, took, [&] {
    return webhook.validate_signature(webhook.self, call.abi(), request.abi(), &parts_->abi_secrets,
                                      to_unix_ms(parts_->clock.wall()));
  }));
  if (status == DAVIT_OK) return {};
  // "Ignored" is a no where a question was asked; nothing but a plain yes lets a delivery in.
  if (status == DAVIT_IGNORED) status = DAVIT_UNAUTHORIZED;
  return parts_->failed("validate_signature", status, call);
}

Result<std::optional<WebhookAnswer>> WebhookInstance::answer_unverified(const Delivery& delivery,
                                                                        MonotonicTime deadline) const {
  const davit_webhook& webhook = parts_->webhook;
  if (!webhook.answer_unverified || !parts_->metadata.answers_unverified)
    return std::optional<WebhookAnswer>();
  AbiRequest request(delivery, sender_id(parts_->metadata, delivery));
  CallContext call(parts_->clock, deadline);
  AnswerSink sink;
  std::chrono::microseconds took{0};
  davit_status status = TRY(parts_->hook("answer_unverified", delivery.request_id, call, took, [&] {
    return webhook.answer_unverified(webhook.self, call.abi(), request.abi(), sink.abi());
  }));
  if (status == DAVIT_IGNORED || status == DAVIT_NOT_IMPLEMENTED) return std::optional<WebhookAnswer>();
  if (status != DAVIT_OK) return parts_->failed("answer_unverified", status, call);
  if (sink.over_limit()) return parts_->broke("answer_unverified", "wrote more than 8 MiB");
  auto answer = webhook_answer_from_json(sink.bytes());
  if (!answer)
    return parts_->broke("answer_unverified",
                         "gave an answer that cannot be read: " + answer.error().message);
  // Nobody has been verified: only the response counts.
  WebhookAnswer response;
  response.status = answer->status;
  response.message = std::move(answer->message);
  response.details = std::move(answer->details);
  response.http = std::move(answer->http);
  return std::optional<WebhookAnswer>(std::move(response));
}

Result<HookOutcome> WebhookInstance::run(const VerifiedDelivery& verified, MonotonicTime deadline) const {
  const davit_webhook& webhook = parts_->webhook;
  const Delivery& delivery = verified.delivery();
  AbiRequest request(delivery, verified.key_is_body_hash() ? std::string_view() : verified.delivery_key());
  HookOutcome outcome;
  auto ignored = [&](const AnswerSink& reason, std::string_view fallback) {
    outcome.answer.status = AnswerStatus::Ignored;
    outcome.answer.message =
        reason.bytes().empty() ? std::string(fallback) : presentable(reason.bytes(), kMaxReasonBytes);
    return std::move(outcome);
  };

  AnswerSink parsed;
  {
    CallContext call(parts_->clock, deadline);
    davit_status status =
        TRY(parts_->hook("parse_payload", delivery.request_id, call, outcome.timings.parse, [&] {
          return webhook.parse_payload(webhook.self, call.abi(), request.abi(), parsed.abi());
        }));
    if (status == DAVIT_IGNORED) return ignored(parsed, "not an event this webhook works on");
    if (status != DAVIT_OK) return parts_->failed("parse_payload", status, call);
    if (parsed.over_limit()) return parts_->broke("parse_payload", "wrote more than 8 MiB");
  }
  if (parts_->metadata.delivery_id_pointer.empty()) {
    if (auto good = check_json(parsed.bytes()); !good) {
      return parts_->broke("parse_payload", "wrote what is no JSON: " + good.error().message);
    }
  } else {
    auto document = parse_json(parsed.bytes());
    if (!document)
      return parts_->broke("parse_payload", "wrote what is no JSON: " + document.error().message);
    std::string id = text_at(*document, parts_->metadata.delivery_id_pointer);
    if (is_delivery_id(id)) outcome.payload_delivery_id = std::move(id);
  }

  {
    CallContext call(parts_->clock, deadline);
    AnswerSink reason;
    davit_status status =
        TRY(parts_->hook("should_process", delivery.request_id, call, outcome.timings.decide, [&] {
          return webhook.should_process(webhook.self, call.abi(), to_text(parsed.bytes()), reason.abi());
        }));
    if (status == DAVIT_IGNORED) return ignored(reason, "the webhook decided not to work on it");
    if (status != DAVIT_OK) return parts_->failed("should_process", status, call);
  }

  CallContext call(parts_->clock, deadline);
  AnswerSink sink;
  davit_status status = TRY(parts_->hook("handle", delivery.request_id, call, outcome.timings.handle, [&] {
    return webhook.handle(webhook.self, call.abi(), to_text(parsed.bytes()), sink.abi());
  }));
  // The ABI names no such answer; a plugin that ends here means what it says.
  if (status == DAVIT_IGNORED) return ignored(sink, "the webhook decided not to work on it");
  if (status != DAVIT_OK) return parts_->failed("handle", status, call);
  if (sink.over_limit()) return parts_->broke("handle", "wrote more than 8 MiB");
  auto answer = webhook_answer_from_json(sink.bytes());
  if (!answer)
    return parts_->broke("handle", "gave an answer that cannot be read: " + answer.error().message);
  outcome.answer = std::move(answer).value();
  return outcome;
}

}  // namespace davit::plugin

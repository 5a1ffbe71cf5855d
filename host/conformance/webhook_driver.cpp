#include "host/conformance/webhook_driver.h"

#include <cstring>

#include "host/base/json.h"
#include "host/conformance/judge.h"
#include "host/plugin/host_services.h"
#include "host/plugin/marshal.h"

namespace davit::conformance {
namespace {

constexpr std::int64_t kReceived = 1'767'323'045'000;

// The request of an input as the ABI shows it, in the memory of one call.
class AbiRequest {
 public:
  AbiRequest(CallSlot& slot, const RequestInput& input) {
    for (const auto& [name, value] : input.headers) headers_.push_back({slot.lend(name), slot.lend(value)});
    std::string_view list(reinterpret_cast<const char*>(headers_.data()),
                          headers_.size() * sizeof(davit_header));
    request_ =
        davit_request{sizeof(davit_request),  0,
                      slot.lend("POST"),      slot.lend("/webhooks/check"),
                      slot.lend(""),          reinterpret_cast<const davit_header*>(slot.lend(list).data),
                      headers_.size(),        slot.lend(input.body),
                      slot.lend("192.0.2.7"), slot.lend("check-request"),
                      slot.lend(""),          kReceived};
    std::memset(room_, 0x5a, sizeof room_);
    if (slot.host->profile().longer_structs) request_.struct_size += sizeof room_;
    if (!slot.host->profile().guard_structs) return;
    request_.struct_size = kOldestRequest;
    slot.texts.push_back(std::make_unique<GuardedBytes>(
        std::string_view(reinterpret_cast<const char*>(&request_), kOldestRequest)));
    guarded_ = reinterpret_cast<const davit_request*>(slot.texts.back()->data());
  }
  AbiRequest(const AbiRequest&) = delete;
  AbiRequest& operator=(const AbiRequest&) = delete;
  const davit_request* abi() const { return guarded_ ? guarded_ : &request_; }

 private:
  std::vector<davit_header> headers_;
  davit_request request_{};
  char room_[32];  // behind the request
  const davit_request* guarded_ = nullptr;
};

bool refused_by_host(const RequestInput& input) {
  if (input.body.empty() || input.headers.empty()) return false;
  const auto& [name, value] = input.headers.front();
  return name == "Content-Type" && value.find("json") != std::string::npos && !check_json(input.body);
}

bool asks_for_retry(davit_status status) {
  return status == DAVIT_RETRYABLE || status == DAVIT_INTERNAL || status == DAVIT_CANCELLED ||
         status == DAVIT_DEADLINE;
}

}  // namespace

std::unique_ptr<WebhookDriver> WebhookDriver::create(Subject& subject, CheckHost& host) {
  std::unique_ptr<WebhookDriver> driver(new WebhookDriver(subject, host));
  Reporter& report = subject.report;
  struct Room {
    davit_webhook webhook;
    char more[64];  // a newer host offers more
  } room{};
  const std::uint32_t offered = host.profile().longer_structs  ? sizeof room
                                : host.profile().guard_structs ? kOldestWebhook
                                                               : sizeof(davit_webhook);
  room.webhook.struct_size = offered;
  // An older host has no room behind its struct: what is written there crashes.
  std::unique_ptr<GuardedBytes> guarded;
  davit_webhook* target = &room.webhook;
  if (host.profile().guard_structs) {
    guarded = std::make_unique<GuardedBytes>(std::string_view(reinterpret_cast<const char*>(&room), offered));
    target = reinterpret_cast<davit_webhook*>(guarded->data());
  }
  report.doing("create");
  const Said said = host.call("create", [&](CallSlot& slot) {
    return subject.module->webhooks()->create(subject.job.index, host.abi(), slot.abi_call(), target);
  });
  if (!judge_struct(report, said, target->struct_size, offered, kOldestWebhook)) return nullptr;
  std::memcpy(&driver->webhook_, target, std::min<std::size_t>(target->struct_size, sizeof(davit_webhook)));
  const davit_webhook& webhook = driver->webhook_;
  if (!webhook.parse_payload || !webhook.should_process || !webhook.handle || !webhook.destroy) {
    report.found(rule("instance-struct"), "create left out a required function");
    driver->webhook_.destroy = nullptr;
    return nullptr;
  }
  return driver;
}

WebhookDriver::~WebhookDriver() {
  if (webhook_.destroy) {
    subject_.report.doing("destroy");
    try {
      webhook_.destroy(webhook_.self);
    } catch (...) {
      subject_.report.found(rule("exceptions"), "destroy threw");
    }
  }
  host_.end_life();
}

void WebhookDriver::doing(const char* hook, const std::string& what) {
  subject_.report.doing(std::string(hook) + " with " + what);
}

Delivered WebhookDriver::deliver(const RequestInput& input) {
  Reporter& report = subject_.report;
  doing("parse_payload", input.what);
  const Said parsed = host_.call("parse_payload", [&](CallSlot& slot) {
    const AbiRequest request(slot, input);
    return webhook_.parse_payload(webhook_.self, slot.abi_call(), request.abi(), slot.abi_sink());
  });
  Delivered after_parse{"parse_payload", parsed.status, parsed.output, {}};
  // Where the host refuses a body before any hook sees it, surviving it is enough.
  const bool survive_only = input.survive_only || refused_by_host(input);
  if (survive_only && (!is_utf8(parsed.output) || parsed.over_limit)) return after_parse;
  if (!judge_said(report, "parse_payload", input.what, parsed)) return after_parse;
  if (input.malformed && asks_for_retry(parsed.status)) {
    report.found(rule("bad-input-status"), "parse_payload with " + input.what + " ended as " +
                                               std::string(plugin::status_name(parsed.status)));
  }
  if (parsed.status != DAVIT_OK) return after_parse;
  if (const Result<> readable = check_json(parsed.output); !readable) {
    if (!survive_only) judge_read(report, "parse_payload", input.what, readable);
    return after_parse;
  }

  doing("should_process", input.what);
  const Said decided = host_.call("should_process", [&](CallSlot& slot) {
    return webhook_.should_process(webhook_.self, slot.abi_call(), slot.lend(parsed.output), slot.abi_sink());
  });
  Delivered after_decision{"should_process", decided.status, parsed.output, decided.output};
  if (!judge_said(report, "should_process", input.what, decided) || decided.status != DAVIT_OK)
    return after_decision;

  doing("handle", input.what);
  const Said handled = host_.call("handle", [&](CallSlot& slot) {
    return webhook_.handle(webhook_.self, slot.abi_call(), slot.lend(parsed.output), slot.abi_sink());
  });
  Delivered answer{"handle", handled.status, parsed.output, handled.output};
  if (survive_only && handled.over_limit) return answer;
  if (!judge_said(report, "handle", input.what, handled) || handled.status != DAVIT_OK) return answer;
  if (auto read = plugin::webhook_answer_from_json(handled.output); !read && !survive_only)
    judge_read(report, "handle", input.what, read.error());
  return answer;
}

davit_status WebhookDriver::validate_signature(const RequestInput& input,
                                               const std::vector<std::string>& secrets) {
  if (!webhook_.validate_signature) return DAVIT_NOT_IMPLEMENTED;
  doing("validate_signature", input.what);
  const Said said = host_.call("validate_signature", [&](CallSlot& slot) {
    const AbiRequest request(slot, input);
    std::vector<davit_text> texts;
    for (const std::string& secret : secrets) texts.push_back(slot.lend(secret));
    const davit_secrets given{sizeof(davit_secrets), static_cast<std::uint32_t>(texts.size()), texts.data()};
    return webhook_.validate_signature(webhook_.self, slot.abi_call(), request.abi(), &given, kReceived);
  });
  return said.thrown.empty() ? said.status : DAVIT_INTERNAL;
}

}  // namespace davit::conformance

#include "host/isolation/protocol.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "host/base/json.h"
#include "host/isolation/envelope.h"
#include "host/plugin/marshal.h"

namespace davit::isolation {
namespace {

// The parts in front of the body: these five, then name and value of each header.
constexpr std::size_t kFixedParts = 5;

CallText delivery_text(std::string_view call, const Delivery& delivery, std::string_view key,
                       bool key_is_body_hash) {
  CallText text;
  std::size_t bytes = delivery.body.size() + key.size() + 512;
  for (const DeliveryHeader& header : delivery.headers) bytes += header.name.size() + header.value.size();
  text.blob.reserve(bytes);
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "call", call);
  write_member(writer, "id", delivery.id);
  write_member(writer, "request_id", delivery.request_id);
  write_member(writer, "webhook", delivery.webhook);
  write_member(writer, "received_at", to_unix_ms(delivery.received_at));
  write_member(writer, "key_is_body_hash", key_is_body_hash);
  writer.Key("parts");
  writer.StartArray();
  auto add = [&](std::string_view part) {
    writer.Uint64(part.size());
    text.blob += part;
  };
  for (std::string_view part :
       {delivery.method, delivery.path, delivery.query, std::string_view(delivery.remote_address), key}) {
    add(part);
  }
  for (const DeliveryHeader& header : delivery.headers) add(header.name), add(header.value);
  writer.EndArray();
  writer.EndObject();
  text.request = text_of(buffer);
  text.blob += delivery.body;
  return text;
}

Error malformed(std::string_view what) { return {ErrorCode::InvalidInput, "malformed " + std::string(what)}; }

Error at_fault(Error error) {
  return {ErrorCode::Internal, "the runner's answer cannot be read: " + error.message};
}

}  // namespace

// --- the host's end

CallText webhook_run_request(const VerifiedDelivery& delivery) {
  return delivery_text("webhook.run", delivery.delivery(), delivery.delivery_key(),
                       delivery.key_is_body_hash());
}
CallText webhook_verify_and_run_request(const Delivery& delivery, std::string_view delivery_key,
                                        bool key_is_body_hash) {
  return delivery_text("webhook.verify_and_run", delivery, delivery_key, key_is_body_hash);
}
CallText webhook_unverified_request(const Delivery& delivery) {
  return delivery_text("webhook.unverified", delivery, "", false);
}
CallText agent_run_request(std::string context_json, const ArtifactLimits& artifacts,
                           std::string_view usage_file) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "call", "agent.run");
  write_member(writer, "artifact_bytes", static_cast<std::int64_t>(artifacts.max_size));
  write_member(writer, "artifacts_bytes", static_cast<std::int64_t>(artifacts.max_total));
  write_member(writer, "usage_file", usage_file);
  writer.EndObject();
  return {std::string(text_of(buffer)), std::move(context_json)};
}

Result<plugin::HookOutcome> hook_outcome_from(std::string_view answer) {
  const std::string text = TRY(result_of_answer(answer));
  auto document = parse_json(text);
  if (!document.ok()) return at_fault(document.error());
  plugin::HookOutcome outcome;
  auto read = plugin::webhook_answer_from_json(text_member(*document, "answer"));
  if (!read.ok()) return at_fault(read.error());
  outcome.answer = std::move(*read);
  auto time = [&](std::string_view hook) { return std::chrono::microseconds(int_member(*document, hook)); };
  outcome.timings = {time("verify_us"), time("parse_us"), time("decide_us"), time("handle_us")};
  outcome.payload_delivery_id = string_member(*document, "payload_delivery_id");
  return outcome;
}

Result<std::optional<WebhookAnswer>> unverified_answer_from(std::string_view answer) {
  const std::string text = TRY(result_of_answer(answer));
  if (text == "null") return std::optional<WebhookAnswer>{};
  auto read = plugin::webhook_answer_from_json(text);
  if (!read.ok()) return at_fault(read.error());
  return std::optional(std::move(*read));
}

Result<AgentResult> agent_result_from(std::string_view answer) {
  const std::string text = TRY(result_of_answer(answer));
  auto read = plugin::agent_result_from_json(text);
  if (!read.ok()) return at_fault(read.error());
  return read;
}

Result<LiveReport> parse_report(std::string_view text) {
  JsonDocument document = TRY(parse_json(text));
  const std::string kind = string_member(document, "report");
  LiveReport report;
  if (kind == "progress") {
    report.kind = LiveReport::Kind::Progress;
    report.fraction = number_member(document, "fraction", -1);
    report.phase = string_member(document, "phase");
    report.message = string_member(document, "message");
  } else if (kind == "usage") {
    report.kind = LiveReport::Kind::Usage;
    report.usage = TRY(plugin::usage_from_json(text_member(document, "usage")));
  } else if (kind == "transcript") {
    report.kind = LiveReport::Kind::Transcript;
    report.line_kind = string_member(document, "kind");
    report.line = string_member(document, "line");
  } else if (kind == "artifact") {
    report.kind = LiveReport::Kind::Artifact;
    report.name = string_member(document, "name");
    report.content_type = string_member(document, "content_type");
    report.bytes = static_cast<std::size_t>(std::max<std::int64_t>(int_member(document, "bytes"), 0));
  } else {
    return malformed("report");
  }
  return report;
}

// --- the runner's end

Result<CallRequest> request_from(std::string_view request, std::string_view blob) {
  JsonDocument document = TRY(parse_json(request));
  CallRequest read;
  const std::string call = string_member(document, "call");
  if (call == "agent.run") {
    const auto limit = [&](std::string_view name) {
      return static_cast<std::size_t>(std::max<std::int64_t>(int_member(document, name), 0));
    };
    read.artifacts = {limit("artifact_bytes"), limit("artifacts_bytes")};
    read.usage_file = string_member(document, "usage_file");
    return read;
  }
  if (call == "webhook.run")
    read.kind = CallKind::WebhookRun;
  else if (call == "webhook.verify_and_run")
    read.kind = CallKind::WebhookVerifyAndRun;
  else if (call == "webhook.unverified")
    read.kind = CallKind::WebhookUnverified;
  else
    return Error{ErrorCode::NotImplemented, "no such call"};

  const JsonValue* lengths = find_member(document, "parts");
  if (!lengths || !lengths->IsArray() || lengths->Size() < kFixedParts ||
      (lengths->Size() - kFixedParts) % 2 != 0) {
    return malformed("delivery");
  }
  std::vector<std::string_view> parts;
  for (const JsonValue& length : lengths->GetArray()) {
    if (!length.IsUint64() || length.GetUint64() > blob.size()) return malformed("delivery");
    parts.push_back(blob.substr(0, length.GetUint64()));
    blob.remove_prefix(length.GetUint64());
  }
  Delivery& delivery = read.delivery;
  delivery.id = string_member(document, "id");
  delivery.request_id = string_member(document, "request_id");
  delivery.webhook = string_member(document, "webhook");
  delivery.received_at = from_unix_ms(int_member(document, "received_at"));
  delivery.method = parts[0];
  delivery.path = parts[1];
  delivery.query = parts[2];
  delivery.remote_address = parts[3];
  read.delivery_key = parts[4];
  read.key_is_body_hash = bool_member(document, "key_is_body_hash");
  for (std::size_t i = kFixedParts; i < parts.size(); i += 2)
    delivery.headers.push_back({parts[i], parts[i + 1]});
  delivery.body = blob;
  return read;
}

std::string hook_outcome_answer(const Result<plugin::HookOutcome>& outcome) {
  if (!outcome.ok()) return error_answer(outcome.error());
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_raw_member(writer, "answer", plugin::to_json(outcome.value().answer));
  const plugin::HookTimings& timings = outcome.value().timings;
  write_member(writer, "verify_us", static_cast<std::int64_t>(timings.verify.count()));
  write_member(writer, "parse_us", static_cast<std::int64_t>(timings.parse.count()));
  write_member(writer, "decide_us", static_cast<std::int64_t>(timings.decide.count()));
  write_member(writer, "handle_us", static_cast<std::int64_t>(timings.handle.count()));
  write_member(writer, "payload_delivery_id", outcome.value().payload_delivery_id);
  writer.EndObject();
  return result_answer(text_of(buffer));
}

std::string unverified_answer(const Result<std::optional<WebhookAnswer>>& answer) {
  if (!answer.ok()) return error_answer(answer.error());
  return result_answer(answer.value() ? plugin::to_json(*answer.value()) : "null");
}

std::string agent_result_answer(const AgentResult& result) { return result_answer(plugin::to_json(result)); }

std::string progress_report(double fraction, std::string_view phase, std::string_view message) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "report", "progress");
  write_member(writer, "fraction", std::isfinite(fraction) ? fraction : -1.0);
  write_member(writer, "phase", phase);
  write_member(writer, "message", message);
  writer.EndObject();
  return std::string(text_of(buffer));
}

std::string usage_report(std::string_view usage_json) {
  return R"({"report":"usage","usage":)" + std::string(usage_json) + "}";
}

std::string transcript_report(std::string_view kind, std::string_view line) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "report", "transcript");
  write_member(writer, "kind", kind);
  write_member(writer, "line", line);
  writer.EndObject();
  return std::string(text_of(buffer));
}

std::string artifact_report(std::string_view name, std::string_view content_type, std::size_t bytes) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "report", "artifact");
  write_member(writer, "name", name);
  write_member(writer, "content_type", content_type);
  write_member(writer, "bytes", static_cast<std::int64_t>(bytes));
  writer.EndObject();
  return std::string(text_of(buffer));
}

}  // namespace davit::isolation

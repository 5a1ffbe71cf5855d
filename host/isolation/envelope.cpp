#include "host/isolation/envelope.h"

#include "host/base/json.h"
#include "host/isolation/frames.h"

namespace davit::isolation {
namespace {

Error malformed(std::string_view what) {
  return {ErrorCode::InvalidInput, "malformed " + std::string(what) + " frame"};
}

Result<JsonDocument> object_of(std::string_view json, std::string_view what) {
  auto document = parse_json(json, {.max_bytes = kMaxFrameJson});
  if (!document.ok()) return at(std::string(what) + " frame", std::move(document).error());
  if (!document->IsObject()) return malformed(what);
  return document;
}

std::int64_t nanoseconds(MonotonicTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

std::string hello_json(std::string_view sha256, std::string_view nonce) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("protocol");
  writer.StartArray();
  writer.Int(kProtocolVersion);
  writer.EndArray();
  write_member(writer, "davit", DAVIT_VERSION);
  write_member(writer, "sha256", sha256);
  write_member(writer, "nonce", nonce);
  writer.EndObject();
  return std::string(text_of(buffer));
}

Result<Hello> hello_from_json(std::string_view json) {
  JsonDocument document = TRY(object_of(json, "hello"));
  Hello hello{string_member(document, "davit"), string_member(document, "sha256"),
              string_member(document, "nonce")};
  const JsonValue* protocols = find_member(document, "protocol");
  if (!protocols || !protocols->IsArray()) return malformed("hello");
  for (const JsonValue& protocol : protocols->GetArray()) {
    if (protocol.IsInt() && protocol.GetInt() == kProtocolVersion) return hello;
  }
  return Error{ErrorCode::Conflict, "davit " + hello.davit + " speaks runner protocols " +
                                        to_json(*protocols) + ", this davit " DAVIT_VERSION " speaks " +
                                        std::to_string(kProtocolVersion) + ": restart the host"};
}

std::string welcome_json(std::string_view nonce) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "protocol", kProtocolVersion);
  write_member(writer, "nonce", nonce);
  writer.EndObject();
  return std::string(text_of(buffer));
}

Result<> check_welcome(std::string_view json, std::string_view nonce) {
  JsonDocument document = TRY(object_of(json, "welcome"));
  if (int_member(document, "protocol", -1) != kProtocolVersion) return malformed("welcome");
  if (string_member(document, "nonce") != nonce) return malformed("welcome");
  return {};
}

std::string create_json(const RunnerSpec& spec, std::uint64_t address_space_limit) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "library", spec.library.native());
  write_member(writer, "sha256", spec.sha256);
  write_member(writer, "kind", to_string(spec.kind));
  write_member(writer, "index", static_cast<std::int64_t>(spec.index));
  write_member(writer, "name", spec.name);
  write_member(writer, "config", spec.config);  // as text: the plugin gets exactly these bytes
  writer.Key("granted");
  writer.StartArray();
  for (const plugin::Secret& secret : spec.granted) {
    writer.StartObject();
    write_member(writer, "name", secret.name);
    write_member(writer, "value", secret.value);
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("signature_secrets");
  writer.StartArray();
  for (const std::string& secret : spec.signature_secrets) write_string(writer, secret);
  writer.EndArray();
  write_member(writer, "without_effects", spec.without_effects);
  write_member(writer, "address_space", static_cast<std::int64_t>(address_space_limit));
  writer.EndObject();
  return std::string(text_of(buffer));
}

Result<CreateRequest> create_from_json(std::string_view json) {
  JsonDocument document = TRY(object_of(json, "create"));
  CreateRequest request;
  RunnerSpec& spec = request.spec;
  spec.library = string_member(document, "library");
  spec.sha256 = string_member(document, "sha256");
  const std::string kind = string_member(document, "kind");
  if (kind != "webhook" && kind != "agent") return malformed("create");
  spec.kind = kind == "webhook" ? PluginKind::Webhook : PluginKind::Agent;
  spec.index = static_cast<std::uint32_t>(int_member(document, "index"));
  spec.name = string_member(document, "name");
  spec.config = string_member(document, "config", "{}");
  if (const JsonValue* granted = find_member(document, "granted"); granted && granted->IsArray()) {
    for (const JsonValue& secret : granted->GetArray()) {
      spec.granted.push_back({string_member(secret, "name"), string_member(secret, "value")});
    }
  }
  spec.signature_secrets = strings_member(document, "signature_secrets");
  spec.without_effects = bool_member(document, "without_effects");
  request.address_space_limit = static_cast<std::uint64_t>(int_member(document, "address_space"));
  return request;
}

std::string scan_json(const std::filesystem::path& library, std::uint64_t address_space_limit,
                      const std::vector<std::filesystem::path>& hidden) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "library", library.native());
  write_member(writer, "address_space", static_cast<std::int64_t>(address_space_limit));
  writer.Key("hidden");
  writer.StartArray();
  for (const std::filesystem::path& folder : hidden) write_string(writer, folder.native());
  writer.EndArray();
  writer.EndObject();
  return std::string(text_of(buffer));
}

Result<CreateRequest> scan_from_json(std::string_view json) {
  JsonDocument document = TRY(object_of(json, "scan"));
  CreateRequest request;
  request.spec.library = string_member(document, "library");
  request.address_space_limit = static_cast<std::uint64_t>(int_member(document, "address_space"));
  for (std::string& folder : strings_member(document, "hidden"))
    request.hidden.emplace_back(std::move(folder));
  return request;
}

std::string refusal_json(const Refusal& refusal) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "code", refusal.code);
  write_member(writer, "reason", refusal.reason);
  writer.EndObject();
  return std::string(text_of(buffer));
}

Refusal refusal_from_json(std::string_view json) {
  auto document = object_of(json, "refused");
  Refusal refusal;
  if (document.ok()) refusal = {string_member(*document, "code"), string_member(*document, "reason")};
  if (refusal.code.empty()) refusal = {"broke_protocol", "the runner refused without saying why"};
  return refusal;
}

std::string call_json(std::uint64_t id, MonotonicTime deadline, std::string_view directory,
                      std::string_view request) {
  std::string json;
  json.reserve(request.size() + directory.size() + 128);
  json += "{\"id\":";
  json += std::to_string(id);
  json += ",\"deadline_ns\":";
  json += std::to_string(nanoseconds(deadline));
  json += ",\"directory\":";
  json += json_quote(directory);
  json += ",\"request\":";
  json += request;
  json += '}';
  return json;
}

Result<CallHead> call_from_json(std::string_view json) {
  JsonDocument document = TRY(object_of(json, "call"));
  CallHead head;
  const std::int64_t id = int_member(document, "id");
  if (id <= 0 || !find_member(document, "request")) return malformed("call");
  head.id = static_cast<std::uint64_t>(id);
  head.deadline = MonotonicTime(std::chrono::duration_cast<MonotonicTime::duration>(
      std::chrono::nanoseconds(int_member(document, "deadline_ns"))));
  head.directory = string_member(document, "directory");
  head.request = text_member(document, "request");
  return head;
}

std::string cancel_json(std::uint64_t id) { return "{\"id\":" + std::to_string(id) + "}"; }

Result<std::uint64_t> cancel_from_json(std::string_view json) {
  JsonDocument document = TRY(object_of(json, "cancel"));
  return static_cast<std::uint64_t>(int_member(document, "id"));
}

std::string result_answer(std::string_view result) { return "{\"result\":" + std::string(result) + "}"; }

std::string error_answer(const Error& error) {
  return "{\"error\":{\"code\":" + json_quote(to_string(error.code)) +
         ",\"message\":" + json_quote(error.message) + "}}";
}

// The runner's own texts begin like this, so the result is taken out without reading it; who uses it reads it
// once.
Result<std::string> result_of_answer(std::string_view answer) {
  constexpr std::string_view kBefore = "{\"result\":";
  if (answer.substr(0, kBefore.size()) == kBefore && answer.size() > kBefore.size() && answer.back() == '}') {
    return std::string(answer.substr(kBefore.size(), answer.size() - kBefore.size() - 1));
  }
  auto document = parse_json(answer, {.max_bytes = kMaxFrameJson});
  const JsonValue* error = document.ok() ? find_member(*document, "error") : nullptr;
  if (!error) return Error{ErrorCode::Internal, "the runner's answer is neither a result nor an error"};
  const std::string name = string_member(*error, "code");
  ErrorCode code = ErrorCode::Internal;
  for (int i = 0; i <= static_cast<int>(ErrorCode::Internal); ++i) {
    if (to_string(static_cast<ErrorCode>(i)) == name) code = static_cast<ErrorCode>(i);
  }
  return Error{code, string_member(*error, "message")};
}

std::string log_json(LogLevel level, std::string_view line) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "level", static_cast<int>(level));
  write_member(writer, "line", line);
  writer.EndObject();
  return std::string(text_of(buffer));
}

Result<LogLine> log_from_json(std::string_view json) {
  JsonDocument document = TRY(object_of(json, "log"));
  const std::int64_t level = int_member(document, "level", 1);
  if (level < 0 || level > static_cast<int>(LogLevel::Error)) return malformed("log");
  return LogLine{static_cast<LogLevel>(level), string_member(document, "line")};
}

}  // namespace davit::isolation

#include "host/plugin/metadata.h"

#include <algorithm>

#include "host/base/json.h"
#include "host/base/text.h"
#include "host/plugin/config_schema.h"
#include "host/plugin/refusal_codes.h"

namespace davit::plugin {
namespace {

constexpr std::size_t kMaxSampleBytes = 32u << 10;
constexpr JsonLimits kLimits{.max_bytes = kMaxMetadataBytes, .max_depth = 40, .max_values = 20'000};

Error wrong(std::string_view member, std::string_view what) {
  return Error{ErrorCode::InvalidInput, "metadata." + std::string(member) + " " + std::string(what)};
}

std::string_view view(const JsonValue& text) { return {text.GetString(), text.GetStringLength()}; }

bool has_control_bytes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
  });
}

// Texts of the metadata reach terminals, logs and pages: none may carry control bytes, wherever it stands.
bool holds_control_bytes(const JsonValue& value) {
  if (value.IsString()) return has_control_bytes(view(value));
  if (value.IsArray()) return std::any_of(value.Begin(), value.End(), holds_control_bytes);
  if (value.IsObject()) {
    return std::any_of(value.MemberBegin(), value.MemberEnd(), [](const auto& member) {
      return has_control_bytes(view(member.name)) || holds_control_bytes(member.value);
    });
  }
  return false;
}

Result<std::string> text(const JsonValue& object, std::string_view name, std::size_t max,
                         bool one_line = true) {
  const JsonValue* value = find_member(object, name);
  if (!value) return std::string();
  if (!value->IsString()) return wrong(name, "must be a text");
  if (value->GetStringLength() > max) return wrong(name, "is longer than " + std::to_string(max) + " bytes");
  if (one_line && view(*value).find_first_of("\n\t") != std::string_view::npos)
    return wrong(name, "must be one line");
  return std::string(view(*value));
}

Result<bool> flag(const JsonValue& object, std::string_view name, bool fallback) {
  const JsonValue* value = find_member(object, name);
  if (!value) return fallback;
  if (!value->IsBool()) return wrong(name, "must be true or false");
  return value->GetBool();
}

Result<std::int64_t> number(const JsonValue& object, std::string_view name, std::int64_t fallback,
                            std::int64_t least, std::int64_t most) {
  const JsonValue* value = find_member(object, name);
  if (!value) return fallback;
  if (!value->IsInt64() || value->GetInt64() < least || value->GetInt64() > most) {
    return wrong(name,
                 "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value->GetInt64();
}

Result<std::vector<std::string>> texts(const JsonValue& object, std::string_view name) {
  std::vector<std::string> list;
  const JsonValue* value = find_member(object, name);
  if (!value) return list;
  if (!value->IsArray() || value->Size() > 256) return wrong(name, "must be a list of at most 256 texts");
  for (const JsonValue& item : value->GetArray()) {
    if (!item.IsString() || item.GetStringLength() == 0 || item.GetStringLength() > 128) {
      return wrong(name, "must hold texts of 1 to 128 bytes");
    }
    list.emplace_back(view(item));
  }
  return list;
}

bool is_header_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Result<std::string> header_name(const JsonValue& object, std::string_view name) {
  std::string header = TRY(text(object, name, 128));
  if (!header.empty() && !is_header_name(header)) return wrong(name, "must be the name of an HTTP header");
  return header;
}

bool is_json_pointer(std::string_view pointer) {
  if (pointer.empty() || pointer.front() != '/' || pointer.size() > 256) return false;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '~' && (i + 1 == pointer.size() || (pointer[i + 1] != '0' && pointer[i + 1] != '1')))
      return false;
  }
  return true;
}

Result<std::string> name_of(const JsonValue& object) {
  const JsonValue* value = find_member(object, "name");
  if (!value) return wrong("name", "is missing");
  std::string name = TRY(text(object, "name", 256));
  if (!is_plugin_name(name)) {
    return wrong("name", "is " + json_quote(shortened(name, 64)) + "; it must match [a-z][a-z0-9_-]{0,63}");
  }
  return name;
}

bool is_header_value(const JsonValue& value) {
  return value.IsString() && value.GetStringLength() <= 1024 && view(value).find_first_of("\n\t") == std::string_view::npos;
}

// A delivery that people may try the webhook with. It is read where it is wanted (own_sample() of sender.h).
Result<> check_sample(const JsonValue& sample) {
  if (!sample.IsObject() || !find_member(sample, "body"))
    return wrong("sample", "must be {\"headers\": {…}, \"body\": …}");
  if (to_json(sample).size() > kMaxSampleBytes)
    return wrong("sample", "is longer than " + std::to_string(kMaxSampleBytes) + " bytes");
  for (const auto& member : sample.GetObject())
    if (view(member.name) != "headers" && view(member.name) != "body")
      return wrong("sample", "has " + json_quote(view(member.name).substr(0, 64)) + "; know headers and body");
  const JsonValue* headers = find_member(sample, "headers");
  if (!headers) return {};
  if (!headers->IsObject() || headers->MemberCount() > 64) return wrong("sample.headers", "must be an object of at most 64 texts");
  for (const auto& header : headers->GetObject())
    if (!is_header_name(view(header.name)) || !is_header_value(header.value))
      return wrong("sample.headers", "must name HTTP headers, each with a line of at most 1024 bytes: " +
                                         json_quote(view(header.name).substr(0, 64)));
  return {};
}

Result<> read(const JsonValue& object, WebhookMetadata& metadata) {
  metadata.name = TRY(name_of(object));
  metadata.description = TRY(text(object, "description", 4096, false));
  metadata.version = TRY(text(object, "version", 64));
  metadata.endpoint = TRY(text(object, "endpoint", 256));
  metadata.secret_env_var = TRY(text(object, "secret_env_var", 128));
  metadata.enabled = TRY(flag(object, "enabled", true));
  metadata.event_types = TRY(texts(object, "event_types"));
  metadata.event_header = TRY(header_name(object, "event_header"));
  if (const JsonValue* id = find_member(object, "delivery_id")) {
    const auto members = [&] { return (find_member(*id, "required") ? 2u : 1u); };
    if (!id->IsObject() || id->MemberCount() != members()) {
      return wrong("delivery_id", "must be {\"header\": …} or {\"pointer\": …}");
    }
    metadata.delivery_id_header = TRY(header_name(*id, "header"));
    metadata.delivery_id_pointer = TRY(text(*id, "pointer", 256));
    metadata.delivery_id_required = TRY(flag(*id, "required", false));
    if (metadata.delivery_id_required && metadata.delivery_id_header.empty())
      return wrong("delivery_id", "has \"required\", which is for a header");
    if (metadata.delivery_id_header.empty() && !is_json_pointer(metadata.delivery_id_pointer)) {
      return wrong("delivery_id", "must be {\"header\": <name>} or {\"pointer\": <JSON pointer>}");
    }
  }
  if (find_member(object, "content_types")) {
    metadata.content_types = TRY(texts(object, "content_types"));
    if (metadata.content_types.empty()) return wrong("content_types", "must name at least one media type");
    for (std::string& type : metadata.content_types) {
      std::transform(type.begin(), type.end(), type.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
      if (type.find('/') == std::string::npos || type.find_first_of("; ,") != std::string::npos) {
        return wrong("content_types", "must hold media types such as application/json, without parameters");
      }
    }
  }
  metadata.max_body_bytes = static_cast<std::size_t>(
      TRY(number(object, "max_body_bytes", static_cast<std::int64_t>(metadata.max_body_bytes), 1, 64 << 20)));
  metadata.answers_unverified = TRY(flag(object, "answers_unverified", false));
  metadata.answers_get = TRY(flag(object, "answers_get", false));
  metadata.secret_fields = TRY(texts(object, "secret_fields"));
  if (const JsonValue* sample = find_member(object, "sample")) TRY(check_sample(*sample));
  return {};
}

Result<> read(const JsonValue& object, AgentMetadata& metadata) {
  metadata.name = TRY(name_of(object));
  metadata.display_name = TRY(text(object, "display_name", 128));
  metadata.description = TRY(text(object, "description", 4096, false));
  metadata.version = TRY(text(object, "version", 64));
  metadata.capabilities = TRY(texts(object, "capabilities"));
  metadata.enabled = TRY(flag(object, "enabled", true));
  metadata.max_retries = static_cast<int>(TRY(number(object, "max_retries", 3, 0, 100)));
  metadata.timeout = std::chrono::seconds(TRY(number(object, "timeout_seconds", 3600, 1, 7 * 86'400)));
  metadata.requires_approval = TRY(flag(object, "requires_approval", false));
  metadata.secrets = TRY(texts(object, "secrets"));
  return {};
}

// Everything that both kinds have in common.
template <typename Metadata>
std::variant<Metadata, Refusal> metadata_from_json(std::string_view json) {
  if (json.size() > kMaxMetadataBytes) {
    return refuse(refusal::kMetadataTooLarge, "The metadata has " + std::to_string(json.size()) +
                                                  " bytes, more than " + std::to_string(kMaxMetadataBytes));
  }
  if (!is_utf8(json)) return refuse(refusal::kMetadataNotUtf8, "The metadata holds bytes that are not UTF-8");
  auto document = parse_json(json, kLimits);
  if (!document)
    return refuse(refusal::kMetadataNotJson, "The metadata cannot be read: " + document.error().message);
  if (!document->IsObject()) return refuse(refusal::kMetadataNotJson, "The metadata is not a JSON object");
  if (holds_control_bytes(*document))
    return refuse(refusal::kMetadataControlBytes, "A text of the metadata holds control bytes");
  Metadata metadata;
  if (auto done = read(*document, metadata); !done)
    return refuse(refusal::kBadMetadata, done.error().message);
  if constexpr (std::is_same_v<Metadata, WebhookMetadata>) {
    if (const JsonValue* signature = find_member(*document, "signature")) {
      auto scheme = SignatureScheme::from_json(*signature);
      if (!scheme) return refuse(refusal::kBadSignatureScheme, scheme.error().message);
      metadata.signature = std::move(scheme).value();
    }
  }
  if (const JsonValue* schema = find_member(*document, "config_schema")) {
    if (auto read = ConfigSchema::from_json(*schema); !read) {
      return refuse(refusal::kBadConfigSchema, read.error().message);
    }
    metadata.config_schema = to_json(*schema);
  }
  return metadata;
}

}  // namespace

bool is_plugin_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

std::variant<WebhookMetadata, Refusal> webhook_metadata_from_json(std::string_view json) {
  return metadata_from_json<WebhookMetadata>(json);
}

std::variant<AgentMetadata, Refusal> agent_metadata_from_json(std::string_view json) {
  return metadata_from_json<AgentMetadata>(json);
}

std::variant<PluginOffer, Refusal> offer_from_metadata(PluginKind kind, std::uint32_t index,
                                                       std::string_view json) {
  PluginOffer offer;
  offer.kind = kind;
  offer.index = index;
  std::optional<Refusal> refused;
  auto take = [&](auto read) {
    if (auto* metadata = std::get_if<0>(&read)) {
      offer.name = metadata->name;
      offer.version = metadata->version;
    } else {
      refused = std::get<1>(std::move(read));
    }
  };
  if (kind == PluginKind::Webhook) {
    take(webhook_metadata_from_json(json));
  } else {
    take(agent_metadata_from_json(json));
  }
  if (refused) {
    refused->reason.insert(0, std::string(to_string(kind)) + " number " + std::to_string(index) + ": ");
    return *refused;
  }
  offer.metadata = to_json(parse_json(json, kLimits).value());
  return offer;
}

std::optional<ConfigFault> config_fault(const std::string& config_schema, std::string_view config) {
  auto fault = [&]() -> Result<std::optional<ConfigFault>> {
    JsonDocument document =
        TRY(parse_json(config_schema.empty() ? "{}" : std::string_view(config_schema), kLimits));
    ConfigSchema schema = TRY(ConfigSchema::from_json(document));
    return schema.fault(config);
  }();
  return fault ? std::move(*fault) : ConfigFault{"", fault.error().message};
}

Result<> check_config(const std::string& config_schema, std::string_view config) {
  if (auto fault = config_fault(config_schema, config))
    return Error{ErrorCode::InvalidInput, to_sentence(*fault)};
  return {};
}

}  // namespace davit::plugin

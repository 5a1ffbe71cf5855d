// What webhooks and agents say about themselves (plugin-sdk/include/davit/abi/webhook.h, agent.h), read and
// checked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/base/clock.h"
#include "host/base/result.h"
#include "host/model/plugin_info.h"
#include "host/plugin/config_schema.h"
#include "host/plugin/signature.h"

namespace davit::plugin {

inline constexpr std::size_t kMaxMetadataBytes = 256u << 10;

struct WebhookMetadata {
  std::string name, description, version, endpoint, secret_env_var;
  bool enabled = true;
  std::vector<std::string> event_types;
  std::string event_header;
  std::string delivery_id_header, delivery_id_pointer;  // one of them, or none
  bool delivery_id_required = false;                    // the sender never leaves its header out
  std::vector<std::string> content_types{"application/json"};
  std::size_t max_body_bytes = 8u << 20;
  std::optional<SignatureScheme> signature;
  bool answers_unverified = false;
  bool answers_get = false;
  std::vector<std::string> secret_fields;  // of the body
  std::string config_schema;               // JSON, or empty
};

struct AgentMetadata {
  std::string name, display_name, description, version;
  std::vector<std::string> capabilities;
  bool enabled = true;
  int max_retries = 3;
  Duration timeout{3'600'000};
  bool requires_approval = false;
  std::vector<std::string> secrets;  // names of those it asks for
  std::string config_schema;         // JSON, or empty
};

// Refusals: metadata_too_large, metadata_not_utf8, metadata_not_json, metadata_control_bytes; and
// bad_metadata, bad_signature_scheme, bad_config_schema, each naming the member.
std::variant<WebhookMetadata, Refusal> webhook_metadata_from_json(std::string_view json);
std::variant<AgentMetadata, Refusal> agent_metadata_from_json(std::string_view json);

// Checks the metadata of one kind and makes the offer it describes, its `metadata` compacted.
std::variant<PluginOffer, Refusal> offer_from_metadata(PluginKind kind, std::uint32_t index,
                                                       std::string_view json);

// [a-z][a-z0-9_-]{0,63}: names of webhooks and agents.
bool is_plugin_name(std::string_view name);

// The schema of `config_schema` (empty: any object) applied to a config. InvalidInput says where and what.
// config_fault() tells the two apart.
std::optional<ConfigFault> config_fault(const std::string& config_schema, std::string_view config);
Result<> check_config(const std::string& config_schema, std::string_view config);

}  // namespace davit::plugin

#include "host/plugin/agent_defaults.h"

#include <algorithm>

#include "host/base/json.h"

namespace davit::plugin {
namespace {

std::string_view view(const JsonValue& text) { return {text.GetString(), text.GetStringLength()}; }

std::string with_default_config(std::string own, const std::string& defaults,
                                const std::string& schema_json) {
  const auto given = parse_json(own), others = parse_json(defaults), schema = parse_json(schema_json);
  if (!given || !others || !schema || !given->IsObject() || !others->IsObject()) return own;
  const JsonValue* properties = find_member(*schema, "properties");
  if (!properties) return own;
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  for (const auto& member : given->GetObject())
    write_raw_member(writer, view(member.name), to_json(member.value));
  for (const auto& member : others->GetObject())
    if (find_member(*properties, view(member.name)) && !find_member(*given, view(member.name)))
      write_raw_member(writer, view(member.name), to_json(member.value));
  writer.EndObject();
  return std::string(text_of(buffer));
}

}  // namespace

bool has_property(const std::string& config_schema, std::string_view name) {
  const auto schema = parse_json(config_schema.empty() ? "{}" : std::string_view(config_schema));
  const JsonValue* properties = schema ? find_member(*schema, "properties") : nullptr;
  return properties && find_member(*properties, name);
}

AgentSettings with_defaults(AgentSettings own, const AgentDefaults& defaults, const AgentMetadata& metadata) {
  if (!own.takes_defaults) return own;
  for (const Secret& secret : defaults.granted) {
    const auto holds = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), secret.name) != names.end();
    };
    // One that was named for it alone and does not exist is not made up for by one for all.
    if (holds(metadata.secrets) && !holds(own.named_grants)) own.granted.push_back(secret);
  }
  own.environment.insert(defaults.environment.begin(), defaults.environment.end());
  own.config = with_default_config(std::move(own.config), defaults.config, metadata.config_schema);
  return own;
}

}  // namespace davit::plugin

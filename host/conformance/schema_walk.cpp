#include "host/conformance/schema_walk.h"

#include "host/plugin/metadata.h"

namespace davit::conformance {

const JsonValue* referred(const JsonValue& root, const JsonValue& schema) {
  const std::string target = string_member(schema, "$ref");
  constexpr std::string_view kDefinitions = "#/definitions/";
  if (!target.starts_with(kDefinitions)) return nullptr;
  const JsonValue* definitions = find_member(root, "definitions");
  return definitions ? find_member(*definitions, target.substr(kDefinitions.size())) : nullptr;
}

// Configs are objects, so the schema becomes that of a member, beside the definitions it may refer to.
bool accepts(const JsonValue& root, const JsonValue& schema, std::string_view value) {
  const std::string wrapped = R"({"properties":{"value":)" + to_json(schema) + R"(},"definitions":)" +
                              text_member(root, "definitions", "{}") + "}";
  return plugin::check_config(wrapped, R"({"value":)" + std::string(value) + "}").ok();
}

void walk_schema(const JsonValue& schema, const std::string& place, const SchemaVisitor& visit) {
  if (!schema.IsObject()) return;
  visit(schema, place);
  for (const char* map : {"properties", "patternProperties", "definitions"}) {
    const JsonValue* members = find_member(schema, map);
    if (!members || !members->IsObject()) continue;
    for (const auto& member : members->GetObject())
      walk_schema(member.value, place + "/" + map + "/" + member.name.GetString(), visit);
  }
  for (const char* list : {"allOf", "anyOf", "oneOf"}) {
    const JsonValue* schemas = find_member(schema, list);
    if (!schemas || !schemas->IsArray()) continue;
    for (const JsonValue& item : schemas->GetArray()) walk_schema(item, place + "/" + list, visit);
  }
  for (const char* single : {"items", "additionalProperties", "not"}) {
    if (const JsonValue* below = find_member(schema, single))
      walk_schema(*below, place + "/" + single, visit);
  }
}

}  // namespace davit::conformance

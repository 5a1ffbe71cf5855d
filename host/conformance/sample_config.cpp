// A config for plugins whose config_schema requires something.
#include <algorithm>

#include "host/base/json.h"
#include "host/conformance/inputs.h"
#include "host/conformance/schema_walk.h"
#include "host/plugin/metadata.h"

namespace davit::conformance {
namespace {

constexpr int kMaxDepth = 16;
constexpr std::string_view kWords[] = {
    "example",    "a",           "1",     "owner/name", "https://example.org/x",
    "2026-01-02", "10:30",       "A",     "#1",         "ada@example.org",
    "10s",        "example.org", "AB-12", "main"};

class Sampler {
 public:
  explicit Sampler(const JsonValue& root) : root_(root) {}

  std::string of(const JsonValue& schema, int depth = 0) const {
    if (depth > kMaxDepth || !schema.IsObject()) return "null";
    if (const JsonValue* target = referred(root_, schema)) return of(*target, depth + 1);
    if (const JsonValue* value = find_member(schema, "default")) return davit::to_json(*value);
    for (const char* list : {"enum", "examples"}) {
      const JsonValue* values = find_member(schema, list);
      if (values && values->IsArray() && !values->Empty()) return davit::to_json((*values)[0]);
    }
    for (const char* list : {"anyOf", "oneOf", "allOf"}) {
      const JsonValue* schemas = find_member(schema, list);
      if (schemas && schemas->IsArray() && !schemas->Empty()) return of((*schemas)[0], depth + 1);
    }
    const std::string type = type_of(schema);
    if (type == "object") return object(schema, depth);
    if (type == "array") return array(schema, depth);
    if (type == "string") return text(schema);
    if (type == "integer" || type == "number") return number(schema);
    if (type == "boolean") return "false";
    return "null";
  }

 private:
  static std::string type_of(const JsonValue& schema) {
    const JsonValue* type = find_member(schema, "type");
    if (type && type->IsArray() && !type->Empty() && (*type)[0].IsString()) return (*type)[0].GetString();
    if (type && type->IsString()) return type->GetString();
    return find_member(schema, "properties") ? "object" : "string";
  }

  std::string object(const JsonValue& schema, int depth) const {
    std::string text = "{";
    const JsonValue* properties = find_member(schema, "properties");
    for (const std::string& name : strings_member(schema, "required")) {
      const JsonValue* property = properties ? find_member(*properties, name) : nullptr;
      text += (text.size() > 1 ? "," : "") + json_quote(name) + ":" +
              (property ? of(*property, depth + 1) : "\"example\"");
    }
    return text + "}";
  }

  std::string array(const JsonValue& schema, int depth) const {
    std::string text = "[";
    const JsonValue* items = find_member(schema, "items");
    const std::int64_t least = std::min<std::int64_t>(int_member(schema, "minItems"), 100);
    for (std::int64_t i = 0; i < least; ++i)
      text += (i ? "," : "") + (items ? of(*items, depth + 1) : std::string("\"example\""));
    return text + "]";
  }

  std::string text(const JsonValue& schema) const {
    const auto least =
        static_cast<std::size_t>(std::clamp<std::int64_t>(int_member(schema, "minLength"), 0, 100'000));
    const auto most =
        static_cast<std::size_t>(std::max<std::int64_t>(int_member(schema, "maxLength", 100'000), 0));
    for (std::string_view word : kWords) {
      std::string candidate(word.substr(0, most));
      if (candidate.size() < least) candidate.append(least - candidate.size(), 'e');
      std::string quoted = json_quote(candidate);
      if (accepts(root_, schema, quoted)) return quoted;
    }
    return json_quote("example");
  }

  static std::string number(const JsonValue& schema) {
    const std::int64_t step = std::max<std::int64_t>(int_member(schema, "multipleOf", 1), 1);
    std::int64_t value = find_member(schema, "minimum")
                             ? static_cast<std::int64_t>(number_member(schema, "minimum"))
                             : std::min<std::int64_t>(1, int_member(schema, "maximum", 1));
    if (bool_member(schema, "exclusiveMinimum")) ++value;
    if (value % step != 0) value += step - value % step;
    return std::to_string(value);
  }

  const JsonValue& root_;
};

}  // namespace

Result<std::string> sample_config(std::string_view metadata) {
  const JsonDocument document = TRY(parse_json(metadata));
  const JsonValue* schema = find_member(document, "config_schema");
  if (!schema) return std::string("{}");
  const std::string schema_json = davit::to_json(*schema);
  if (plugin::check_config(schema_json, "{}")) return std::string("{}");
  std::string sample = Sampler(*schema).of(*schema);
  if (auto good = plugin::check_config(schema_json, sample); !good)
    return Error{ErrorCode::NotFound,
                 "No config could be made up that config_schema allows: " + good.error().message};
  return sample;
}

}  // namespace davit::conformance

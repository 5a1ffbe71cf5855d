#include "host/plugin/json_members.h"

#include <set>

#include "host/plugin/host_services.h"
#include "host/plugin/metadata.h"

namespace davit::plugin {
namespace {

// With each member once, the first of its name, which is the one that rules read. Most readers that agents
// are written with take the last.
void write_once(JsonWriter& writer, const JsonValue& value) {
  if (value.IsObject()) {
    std::set<std::string_view> seen;
    writer.StartObject();
    for (const auto& member : value.GetObject()) {
      if (!seen.insert(view(member.name)).second) continue;
      writer.Key(member.name.GetString(), member.name.GetStringLength());
      write_once(writer, member.value);
    }
    writer.EndObject();
  } else if (value.IsArray()) {
    writer.StartArray();
    for (const JsonValue& element : value.GetArray()) write_once(writer, element);
    writer.EndArray();
  } else {
    value.Accept(writer);
  }
}

Result<> check_key(const std::string& where, std::string_view text, std::size_t max) {
  if (text.size() > max) return wrong(where, "is longer than " + std::to_string(max) + " bytes");
  if (presentable(text, max) != text || text.find_first_of("\n\t") != std::string_view::npos)
    return wrong(where, "holds control bytes");
  return {};
}

}  // namespace

std::string_view view(const JsonValue& text) { return {text.GetString(), text.GetStringLength()}; }

Error wrong(const std::string& where, std::string_view what) {
  return Error{ErrorCode::InvalidInput, where + " " + std::string(what)};
}

Result<JsonDocument> object_from(std::string_view json, std::string_view what) {
  JsonDocument document = TRY(parse_json(json));
  if (!document.IsObject())
    return Error{ErrorCode::InvalidInput, std::string(what) + " must be a JSON object"};
  return document;
}

std::string Members::place(std::string_view name) const {
  return where_.empty() ? std::string(name) : where_ + "." + std::string(name);
}

const JsonValue* Members::find(std::string_view name) const {
  const JsonValue* value = find_member(object_, name);
  return value && value->IsNull() ? nullptr : value;
}

Result<std::string> Members::sentence(std::string_view name, std::size_t max) const {
  const JsonValue* value = find(name);
  if (!value) return std::string();
  if (!value->IsString()) return wrong(place(name), "must be a text");
  return presentable(view(*value), max);
}

Result<std::string> Members::key(std::string_view name, std::size_t max) const {
  const JsonValue* value = find(name);
  if (!value) return std::string();
  if (!value->IsString()) return wrong(place(name), "must be a text");
  TRY(check_key(place(name), view(*value), max));
  return std::string(view(*value));
}

Result<std::string> Members::plugin_name(std::string_view name) const {
  std::string text = TRY(key(name));
  if (!text.empty() && !is_plugin_name(text)) return wrong(place(name), "must match [a-z][a-z0-9_-]{0,63}");
  return text;
}

Result<bool> Members::flag(std::string_view name) const {
  const JsonValue* value = find(name);
  if (!value) return false;
  if (!value->IsBool()) return wrong(place(name), "must be true or false");
  return value->GetBool();
}

Result<std::int64_t> Members::number(std::string_view name, std::int64_t fallback, std::int64_t least,
                                     std::int64_t most) const {
  const JsonValue* value = find(name);
  if (!value) return fallback;
  if (!value->IsInt64() || value->GetInt64() < least || value->GetInt64() > most) {
    return wrong(place(name),
                 "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value->GetInt64();
}

Result<std::string> Members::json(std::string_view name, std::string_view fallback, std::size_t max) const {
  const JsonValue* value = find_member(object_, name);
  if (!value) return std::string(fallback);
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  write_once(writer, *value);
  std::string text(text_of(buffer));
  if (text.size() > max) return wrong(place(name), "is larger than " + std::to_string(max) + " bytes");
  return text;
}

Result<std::string> Members::json_object(std::string_view name) const {
  const JsonValue* value = find(name);
  if (!value) return std::string("{}");
  if (!value->IsObject()) return wrong(place(name), "must be an object");
  return json(name, "{}", kMaxPayload);
}

Result<const JsonValue*> Members::object(std::string_view name) const {
  const JsonValue* value = find(name);
  if (value && !value->IsObject()) return wrong(place(name), "must be an object");
  return value;
}

Result<std::vector<std::string>> Members::keys(std::string_view name, std::size_t most,
                                               std::size_t max_size) const {
  std::vector<std::string> keys;
  const JsonValue* value = find(name);
  if (!value) return keys;
  if (!value->IsArray()) return wrong(place(name), "must be a list of texts");
  if (value->Size() > most) return wrong(place(name), "has more than " + std::to_string(most) + " items");
  for (rapidjson::SizeType i = 0; i < value->Size(); ++i) {
    const std::string where = place(name) + "[" + std::to_string(i) + "]";
    const JsonValue& item = (*value)[i];
    if (!item.IsString() || item.GetStringLength() == 0)
      return wrong(where, "must be a text that is not empty");
    TRY(check_key(where, view(item), max_size));
    keys.emplace_back(view(item));
  }
  return keys;
}

Result<const JsonValue*> Members::list(std::string_view name) const {
  const JsonValue* value = find(name);
  if (!value) return value;
  if (!value->IsArray()) return wrong(place(name), "must be a list");
  if (value->Size() > kMaxItems)
    return wrong(place(name), "has more than " + std::to_string(kMaxItems) + " items");
  return value;
}

}  // namespace davit::plugin

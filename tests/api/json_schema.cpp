#include "tests/api/json_schema.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <regex>

namespace davit::testing {
namespace {

const std::set<std::string> kKnown{
    "$ref",    "description", "type",    "enum",    "const",     "properties", "required", "additionalProperties",
    "items",   "minItems",    "maxItems", "oneOf",   "anyOf",   "allOf",     "format",     "pattern",  "minimum",
    "maximum", "minLength",   "maxLength", "default", "examples"};

std::string type_of(const JsonValue& value) {
  if (value.IsNull()) return "null";
  if (value.IsBool()) return "boolean";
  if (value.IsString()) return "string";
  if (value.IsArray()) return "array";
  if (value.IsObject()) return "object";
  return value.IsInt64() || value.IsUint64() ? "integer" : "number";
}

bool has_type(const JsonValue& value, const std::string& wanted) {
  const std::string type = type_of(value);
  return type == wanted || (wanted == "number" && type == "integer");
}

std::string text_of_value(const JsonValue& value) {
  std::string text = to_json(value);
  return text.size() > 120 ? text.substr(0, 120) + "…" : text;
}

}  // namespace

bool has_format(const std::string& text, const std::string& format) {
  static const std::regex kDateTime(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))");
  static const std::regex kDate(R"(\d{4}-\d\d-\d\d)");
  static const std::regex kUuid("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
  if (format == "date-time") return std::regex_match(text, kDateTime);
  if (format == "date") return std::regex_match(text, kDate);
  if (format == "uuid") return std::regex_match(text, kUuid);
  return false;
}

const JsonValue& SchemaCheck::resolved(const JsonValue& schema) const {
  const JsonValue* at = &schema;
  while (const JsonValue* ref = find_member(*at, "$ref")) {
    std::string_view path(ref->GetString(), ref->GetStringLength());
    const JsonValue* found = path.substr(0, 2) == "#/" ? &document_ : nullptr;
    for (path.remove_prefix(std::min<std::size_t>(2, path.size())); found != nullptr && !path.empty();) {
      const std::size_t end = std::min(path.find('/'), path.size());
      found = find_member(*found, path.substr(0, end));
      path.remove_prefix(std::min(end + 1, path.size()));
    }
    if (found == nullptr) {
      std::fprintf(stderr, "nothing is at %s\n", ref->GetString());
      std::abort();
    }
    at = found;
  }
  return *at;
}

std::vector<std::string> SchemaCheck::mistakes(const JsonValue& schema, const JsonValue& value) {
  Run run;
  check(schema, value, "", Others::Refused, run);
  if (run.mistakes.empty()) seen_.merge(run.seen);
  return run.mistakes;
}

// All members that the schema names, in whatever part of it.
SchemaCheck::Names SchemaCheck::names_of(const JsonValue& reference) const {
  const JsonValue& schema = resolved(reference);
  Names all;
  if (const JsonValue* properties = find_member(schema, "properties")) {
    all.object = true;
    for (const auto& property : properties->GetObject()) all.names.insert(property.name.GetString());
  }
  if (const JsonValue* others = find_member(schema, "additionalProperties")) {
    all.object = true;
    all.open = !others->IsFalse();
  }
  if (const JsonValue* parts = find_member(schema, "allOf")) {
    for (const JsonValue& part : parts->GetArray()) {
      Names more = names_of(part);
      all.names.merge(more.names);
      all.open = all.open || more.open;
      all.object = all.object || more.object;
    }
  }
  return all;
}

void SchemaCheck::check(const JsonValue& reference, const JsonValue& value, const std::string& place, Others others,
                        Run& run) const {
  const JsonValue& schema = resolved(reference);
  const auto fail = [&](const std::string& words) { run.mistakes.push_back(place + ": " + words); };
  for (const auto& keyword : schema.GetObject())
    if (!kKnown.contains(keyword.name.GetString())) fail("unknown keyword " + std::string(keyword.name.GetString()));

  if (const JsonValue* type = find_member(schema, "type")) {
    bool fits = false;
    if (type->IsString()) {
      fits = has_type(value, type->GetString());
    } else {
      for (const JsonValue& each : type->GetArray()) fits = fits || has_type(value, each.GetString());
    }
    if (!fits) return fail(to_json(*type) + " is wanted, not " + text_of_value(value));
  }
  if (const JsonValue* all = find_member(schema, "enum")) {
    if (std::none_of(all->Begin(), all->End(), [&](const JsonValue& each) { return each == value; }))
      fail(text_of_value(value) + " is none of " + to_json(*all));
  }
  if (const JsonValue* only = find_member(schema, "const"); only != nullptr && *only != value)
    fail(text_of_value(value) + " is not " + to_json(*only));
  if (value.IsString()) {
    const std::string text(value.GetString(), value.GetStringLength());
    if (const std::string format = string_member(schema, "format"); !format.empty() && !has_format(text, format))
      fail(text_of_value(value) + " is no " + format);
    if (const std::string pattern = string_member(schema, "pattern");
        !pattern.empty() && !std::regex_search(text, std::regex(pattern)))
      fail(text_of_value(value) + " does not match " + pattern);
    if (static_cast<std::int64_t>(text.size()) < int_member(schema, "minLength")) fail("is too short");
    if (static_cast<std::int64_t>(text.size()) > int_member(schema, "maxLength", INT64_MAX)) fail("is too long");
  }
  if (value.IsNumber()) {
    if (const JsonValue* least = find_member(schema, "minimum"); least && value.GetDouble() < least->GetDouble())
      fail(text_of_value(value) + " is less than " + to_json(*least));
    if (const JsonValue* most = find_member(schema, "maximum"); most && value.GetDouble() > most->GetDouble())
      fail(text_of_value(value) + " is more than " + to_json(*most));
  }
  if (value.IsArray()) {
    if (static_cast<std::int64_t>(value.Size()) < int_member(schema, "minItems")) fail("has too few items");
    if (find_member(schema, "maxItems") != nullptr && static_cast<std::int64_t>(value.Size()) > int_member(schema, "maxItems"))
      fail("has too many items");
    if (const JsonValue* items = find_member(schema, "items")) {
      for (rapidjson::SizeType i = 0; i < value.Size(); ++i)
        check(*items, value[i], place + "/" + std::to_string(i), Others::Refused, run);
    }
  }
  if (value.IsObject()) {
    check_object(schema, value, place, run);
    const Names known = names_of(schema);
    if (others == Others::Refused && known.object && !known.open) {
      for (const auto& member : value.GetObject())
        if (!known.names.contains(member.name.GetString()))
          fail("has a member that is not described: " + std::string(member.name.GetString()));
    }
  }
  if (const JsonValue* parts = find_member(schema, "allOf"))
    for (const JsonValue& part : parts->GetArray()) check(part, value, place, Others::LeftToTheWhole, run);
  for (const char* choice : {"oneOf", "anyOf"})
    if (const JsonValue* parts = find_member(schema, choice)) check_one_of(*parts, value, place, run);
}

void SchemaCheck::check_object(const JsonValue& schema, const JsonValue& value, const std::string& place,
                               Run& run) const {
  if (const JsonValue* required = find_member(schema, "required")) {
    for (const JsonValue& name : required->GetArray())
      if (find_member(value, name.GetString()) == nullptr)
        run.mistakes.push_back(place + ": lacks " + name.GetString());
  }
  const JsonValue* properties = find_member(schema, "properties");
  const JsonValue* rest = find_member(schema, "additionalProperties");
  for (const auto& member : value.GetObject()) {
    const std::string name = member.name.GetString();
    const JsonValue* property = properties == nullptr ? nullptr : find_member(*properties, name);
    if (property == nullptr && rest != nullptr && rest->IsObject()) property = rest;
    if (property == nullptr) continue;
    if (!member.value.IsNull()) run.seen.insert(property);
    check(*property, member.value, place + "/" + name, Others::Refused, run);
  }
}

// What fits none is told by the part that comes nearest. The schemas of this API never leave it open which of several
// fits, so "one of" and "any of" are the same here: one has to fit.
void SchemaCheck::check_one_of(const JsonValue& parts, const JsonValue& value, const std::string& place,
                               Run& run) const {
  Run nearest;
  for (const JsonValue& part : parts.GetArray()) {
    Run tried;
    check(part, value, place, Others::Refused, tried);
    if (tried.mistakes.empty()) {
      run.seen.merge(tried.seen);
      return;
    }
    if (nearest.mistakes.empty() || tried.mistakes.size() < nearest.mistakes.size()) nearest = std::move(tried);
  }
  run.mistakes.insert(run.mistakes.end(), nearest.mistakes.begin(), nearest.mistakes.end());
}

}  // namespace davit::testing

// RapidJSON's validator ignores what it does not know and asserts on some malformed schemas. So a schema is
// first read here, keyword by keyword, into a copy that holds nothing but what the validator understands; the
// copy is what it gets.
#include "host/plugin/config_schema.h"

#include <algorithm>
#include <set>
#include <vector>

#include "host/base/json_schema.h"
#include "host/base/nearest_name.h"

namespace davit::plugin {
namespace {

constexpr int kMaxDepth = 32;
constexpr int kMaxSchemas = 5000;
constexpr std::size_t kMaxPatternBytes = 256;

std::string_view view(const JsonValue& text) { return {text.GetString(), text.GetStringLength()}; }

Error wrong(const std::string& where, const std::string& what) {
  return Error{ErrorCode::InvalidInput, "config_schema at " + json_quote(where) + " " + what};
}

// One step of a JSON pointer (RFC 6901).
std::string escaped(std::string_view name) {
  std::string text;
  for (char c : name) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

template <std::size_t N>
bool is_one_of(std::string_view word, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

constexpr std::string_view kNotes[] = {"title", "description", "default", "$schema",
                                       "id",    "$comment",    "examples"};
constexpr std::string_view kTypes[] = {"null", "boolean", "object", "array", "string", "number", "integer"};
constexpr std::string_view kCounts[] = {"minProperties", "maxProperties", "minItems",
                                        "maxItems",      "minLength",     "maxLength"};
constexpr std::string_view kFlags[] = {"uniqueItems", "exclusiveMinimum", "exclusiveMaximum"};
constexpr std::string_view kNumbers[] = {"minimum", "maximum", "multipleOf"};
constexpr std::string_view kSchemaLists[] = {"allOf", "anyOf", "oneOf"};
constexpr std::string_view kSchemaMaps[] = {"properties", "patternProperties", "definitions"};

// RapidJSON's regular expressions: it asserts on some malformed ones, takes ^ and $ for anchors of the whole
// wherever they stand, and copies repetitions out. So a pattern must first fit this grammar:
//
//   pattern    = ["^"] choice ["$"]             choice = sequence {"|" sequence}
//   sequence   = item {item}                    item   = atom [quantifier]
//   atom       = "(" choice ")" | "[" ["^"] class "]" | "." | "\" escape | any other character
//   quantifier = "?" | "*" | "+" | "{" n ["," [m]] "}"
//
// They also follow every way there is without a character, for ever where it is a circle: as in (a*)*, and
// twice as many with each copy of (a?){1,50}. So what may match nothing is neither repeated nor one of two
// such alternatives, which leaves one way from each place to the next.
class PatternReader {
 public:
  explicit PatternReader(std::string_view pattern) : rest_(pattern) {}

  bool good() {
    take('^');
    if (rest_.ends_with('$') && !rest_.ends_with("\\$")) rest_.remove_suffix(1);
    bool may_be_nothing = false;
    return choice(0, may_be_nothing) && rest_.empty();
  }

 private:
  static constexpr std::string_view kEscapes = "^$|()?*+.[]{}\\fnrtv";

  bool next_is(char c) const { return !rest_.empty() && rest_[0] == c; }
  bool take(char c) {
    if (!next_is(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Each of these says in `may_be_nothing` whether what it has read may match no character.
  bool choice(int depth, bool& may_be_nothing) {
    if (depth > 20) return false;
    int empty_ones = 0;
    do {
      bool all_may = true;
      do {
        bool one_may = false;
        if (!item(depth, one_may)) return false;
        all_may = all_may && one_may;
      } while (!rest_.empty() && !next_is('|') && !next_is(')'));
      empty_ones += all_may ? 1 : 0;
    } while (take('|'));
    may_be_nothing = empty_ones > 0;
    return empty_ones < 2;
  }

  bool item(int depth, bool& may_be_nothing) {
    bool atom_may = false, quantified = false, least_is_none = false;
    if (!atom(depth, atom_may) || !quantifier(quantified, least_is_none)) return false;
    may_be_nothing = atom_may || least_is_none;
    return !atom_may || !quantified;
  }

  bool atom(int depth, bool& may_be_nothing) {
    if (rest_.empty()) return false;
    if (take('(')) return choice(depth + 1, may_be_nothing) && take(')');
    if (take('[')) return character_class();
    if (take('\\')) return escape(kEscapes);
    if (std::string_view("?*+{}|)]^$").find(rest_[0]) != std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool escape(std::string_view known) {
    if (rest_.empty() || known.find(rest_[0]) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool character_class() {
    take('^');
    if (next_is(']')) return false;
    while (!take(']')) {
      if (rest_.empty()) return false;
      if (take('\\')) {
        if (!escape("^$|()?*+.[]{}\\fnrtvb")) return false;
      } else {
        rest_.remove_prefix(1);
      }
    }
    return true;
  }

  bool quantifier(bool& there, bool& least_is_none) {
    there = next_is('?') || next_is('*') || next_is('+') || next_is('{');
    least_is_none = next_is('?') || next_is('*');
    if (take('?') || take('*') || take('+') || !take('{')) return true;
    std::uint64_t least = 0, most = 0;
    if (!number(least)) return false;
    least_is_none = least == 0;
    most = least;
    if (take(',') && !next_is('}')) {
      most = 0;
      if (!number(most)) return false;
    }
    if (!take('}') || most < least || most == 0) return false;
    // {100} of {100} would be ten thousand states, and each character is looked at in all of them.
    product_ *= most;
    return product_ <= 1'000;
  }

  bool number(std::uint64_t& value) {
    std::size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (digits == 0 || digits > 4) return false;
    for (char c : rest_.substr(0, digits)) value = value * 10 + static_cast<std::uint64_t>(c - '0');
    rest_.remove_prefix(digits);
    return true;
  }

  std::string_view rest_;
  std::uint64_t product_ = 1;
};

class Reader {
 public:
  Reader(const JsonValue& root, JsonDocument::AllocatorType& allocator)
      : root_(root), allocator_(allocator) {}

  Result<JsonValue> read(const JsonValue& schema, const std::string& where, int depth) {
    if (!schema.IsObject()) return wrong(where, "must be an object");
    if (depth > kMaxDepth)
      return wrong(where, "is nested deeper than " + std::to_string(kMaxDepth) + " levels");
    if (++schemas_ > kMaxSchemas)
      return wrong(where, "is one schema too many (5000, references written out)");
    std::set<std::string_view> seen;
    for (const auto& member : schema.GetObject()) {
      if (!seen.insert(view(member.name)).second)
        return wrong(where, "has a member twice: " + json_quote(view(member.name)));
    }
    if (const JsonValue* reference = find_member(schema, "$ref"))
      return read_reference(schema, *reference, where, depth);
    JsonValue copy(rapidjson::kObjectType);
    for (const auto& member : schema.GetObject()) {
      std::string_view keyword = view(member.name);
      if (is_one_of(keyword, kNotes)) continue;
      // It says nothing, and the validator would clear a list that it has not made.
      if (keyword == "dependencies" && member.value.IsObject() && member.value.ObjectEmpty()) continue;
      JsonValue value =
          TRY(read_keyword(schema, keyword, member.value, where + "/" + escaped(keyword), depth));
      copy.AddMember(JsonValue(member.name, allocator_), value, allocator_);
    }
    return copy;
  }

 private:
  Result<JsonValue> read_reference(const JsonValue& schema, const JsonValue& reference,
                                   const std::string& where, int depth) {
    for (const auto& member : schema.GetObject()) {
      if (view(member.name) != "$ref" && !is_one_of(view(member.name), kNotes)) {
        return wrong(where, "has members beside $ref, which would be ignored");
      }
    }
    constexpr std::string_view kStart = "#/definitions/";
    if (!reference.IsString() || !view(reference).starts_with(kStart)) {
      return wrong(where + "/$ref", "must be \"#/definitions/<name>\"");
    }
    std::string name(view(reference).substr(kStart.size()));
    const JsonValue* definitions = find_member(root_, "definitions");
    const JsonValue* target = definitions ? find_member(*definitions, name) : nullptr;
    if (!target || name.find_first_of("/~%") != std::string::npos) {
      return wrong(where + "/$ref", "names no definition of this schema");
    }
    // Written out in place: the validator then meets no reference, and a circle shows as one.
    if (!open_.insert(name).second) return wrong(where + "/$ref", "refers to itself in a circle");
    Result<JsonValue> copy = read(*target, "/definitions/" + name, depth + 1);
    open_.erase(name);
    return copy;
  }

  Result<JsonValue> read_keyword(const JsonValue& schema, std::string_view keyword, const JsonValue& value,
                                 const std::string& where, int depth) {
    if (keyword == "type") return read_type(value, where);
    if (keyword == "enum") return read_enum(value, where);
    if (is_one_of(keyword, kCounts)) {
      if (!value.IsUint()) return wrong(where, "must be a whole number from 0");
      return JsonValue(value, allocator_);
    }
    if (is_one_of(keyword, kFlags)) {
      if (!value.IsBool()) return wrong(where, "must be true or false (draft 4)");
      if (keyword == "exclusiveMinimum" && !find_member(schema, "minimum"))
        return wrong(where, "needs a minimum beside it");
      if (keyword == "exclusiveMaximum" && !find_member(schema, "maximum"))
        return wrong(where, "needs a maximum beside it");
      return JsonValue(value, allocator_);
    }
    if (is_one_of(keyword, kNumbers)) {
      if (!value.IsNumber()) return wrong(where, "must be a number");
      if (keyword == "multipleOf" && value.GetDouble() <= 0) return wrong(where, "must be greater than 0");
      return JsonValue(value, allocator_);
    }
    if (keyword == "pattern") {
      if (!value.IsString()) return wrong(where, "must be a text");
      TRY(check_pattern(view(value), where));
      return JsonValue(value, allocator_);
    }
    if (is_one_of(keyword, kSchemaLists)) {
      if (!value.IsArray() || value.Empty()) return wrong(where, "must be a list of schemas, not empty");
      return read_list(value, where, depth);
    }
    if (is_one_of(keyword, kSchemaMaps)) {
      if (!value.IsObject()) return wrong(where, "must be an object of schemas");
      JsonValue copy(rapidjson::kObjectType);
      for (const auto& member : value.GetObject()) {
        if (keyword == "patternProperties") TRY(check_pattern(view(member.name), where));
        JsonValue schema_copy = TRY(read(member.value, where + "/" + escaped(view(member.name)), depth + 1));
        copy.AddMember(JsonValue(member.name, allocator_), schema_copy, allocator_);
      }
      return copy;
    }
    if (keyword == "not") return read(value, where, depth + 1);
    if (keyword == "items") {
      if (value.IsArray()) return read_list(value, where, depth);
      return read(value, where, depth + 1);
    }
    if (keyword == "additionalProperties" || keyword == "additionalItems") {
      if (value.IsBool()) return JsonValue(value, allocator_);
      return read(value, where, depth + 1);
    }
    if (keyword == "required") return read_names(value, where);
    if (keyword == "dependencies") {
      if (!value.IsObject()) return wrong(where, "must be an object");
      JsonValue copy(rapidjson::kObjectType);
      for (const auto& member : value.GetObject()) {
        // The validator looks at this object as if it were a schema, too, and asserts on a list under this
        // name.
        if (view(member.name) == "patternProperties") return wrong(where, "cannot be given for this name");
        std::string at = where + "/" + escaped(view(member.name));
        JsonValue item = member.value.IsArray() ? TRY(read_names(member.value, at))
                                                : TRY(read(member.value, at, depth + 1));
        copy.AddMember(JsonValue(member.name, allocator_), item, allocator_);
      }
      return copy;
    }
    return wrong(where, "is a keyword this host does not check; take it out");
  }

  Result<JsonValue> read_type(const JsonValue& value, const std::string& where) {
    auto known = [](const JsonValue& type) { return type.IsString() && is_one_of(view(type), kTypes); };
    bool good =
        known(value) || (value.IsArray() && !value.Empty() && std::all_of(value.Begin(), value.End(), known));
    if (!good)
      return wrong(where, "must be null, boolean, object, array, string, number, integer or a list of these");
    return JsonValue(value, allocator_);
  }

  Result<JsonValue> read_enum(const JsonValue& value, const std::string& where) {
    if (!value.IsArray() || value.Empty()) return wrong(where, "must be a list, not empty");
    for (const JsonValue& item : value.GetArray()) {
      if (item.IsObject() || item.IsArray())
        return wrong(where, "may hold texts, numbers, true, false and null only");
    }
    return JsonValue(value, allocator_);
  }

  Result<JsonValue> read_names(const JsonValue& value, const std::string& where) {
    if (!value.IsArray() || value.Empty() ||
        !std::all_of(value.Begin(), value.End(), [](const JsonValue& name) { return name.IsString(); })) {
      return wrong(where, "must be a list of names, not empty");
    }
    return JsonValue(value, allocator_);
  }

  Result<JsonValue> read_list(const JsonValue& value, const std::string& where, int depth) {
    JsonValue copy(rapidjson::kArrayType);
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
      JsonValue item = TRY(read(value[i], where + "/" + std::to_string(i), depth + 1));
      copy.PushBack(item, allocator_);
    }
    return copy;
  }

  Result<> check_pattern(std::string_view pattern, const std::string& where) {
    if (pattern.size() > kMaxPatternBytes) return wrong(where, "is longer than 256 bytes");
    if (pattern.find('\0') != std::string_view::npos) return wrong(where, "holds a NUL");
    if (!PatternReader(pattern).good() || !JsonSchemaRegex(std::string(pattern).c_str()).IsValid()) {
      return wrong(where,
                   "is no regular expression that the validator can run (nor may it repeat what can be "
                   "empty): " +
                       json_quote(pattern));
    }
    return {};
  }

  const JsonValue& root_;
  JsonDocument::AllocatorType& allocator_;
  std::set<std::string> open_;  // definitions being written out
  int schemas_ = 0;
};

template <typename Pointer>
std::string text_of_pointer(const Pointer& pointer) {
  JsonBuffer buffer;
  pointer.Stringify(buffer);
  return std::string(text_of(buffer));
}

// The names of an object's members, as its schema lists them.
std::vector<std::string> property_names(const JsonValue* schema) {
  std::vector<std::string> names;
  const JsonValue* properties = schema ? find_member(*schema, "properties") : nullptr;
  if (!properties || !properties->IsObject()) return names;
  for (const auto& member : properties->GetObject()) names.emplace_back(view(member.name));
  return names;
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + json_quote(name);
  return text;
}

std::string_view word_for_type(std::string_view type) {
  if (type == "boolean") return "true or false";
  if (type == "object") return "a mapping";
  if (type == "array") return "a list";
  if (type == "string") return "text";
  if (type == "number") return "a number";
  if (type == "integer") return "a whole number";
  return "null";
}

std::string_view word_for_value(const JsonValue& value) {
  if (value.IsBool()) return value.GetBool() ? "true" : "false";
  if (value.IsObject()) return "a mapping";
  if (value.IsArray()) return "a list";
  if (value.IsString()) return "text";
  if (value.IsNumber()) return "a number";
  return "empty";
}

std::string words_for_types(const JsonValue& types) {
  if (types.IsString()) return std::string(word_for_type(view(types)));
  std::string words;
  for (const JsonValue& type : types.GetArray()) {
    if (!type.IsString()) continue;
    words += (words.empty() ? "" : " or ") + std::string(word_for_type(view(type)));
  }
  return words;
}

std::string wrong_type(const JsonValue& wanted, const JsonValue* value) {
  std::string text = "has the wrong type";
  if (value) text += ": it is " + std::string(word_for_value(*value));
  text += "; expected " + words_for_types(wanted);
  const bool wants_text = wanted.IsString() && view(wanted) == "string";
  if (wants_text && value && (value->IsNumber() || value->IsBool())) text += ", in quotes";
  return text;
}

std::string missing(const JsonValue& schema, const JsonValue* value) {
  std::vector<std::string> names;
  for (const std::string& name : strings_member(schema, "required")) {
    if (!value || !find_member(*value, name)) names.push_back(name);
  }
  return "lacks the member" + std::string(names.size() == 1 ? " " : "s ") + quoted_list(names) + "; add " +
         (names.size() == 1 ? "it" : "them");
}

// The place is the member itself; `object_schema` is that of the object which holds it.
std::string unknown_member(const JsonValue* object_schema, std::string_view name) {
  const std::vector<std::string> known = property_names(object_schema);
  const std::string nearest = nearest_name(name, known);
  std::string text = "is not known to the plugin; ";
  if (!nearest.empty()) return text + "did you mean " + json_quote(nearest) + "?";
  if (!known.empty()) return text + "known here: " + quoted_list(known);
  return text + "remove it";
}

std::string explained(std::string_view keyword, const JsonValue* schema, const JsonValue* value,
                      std::string_view name) {
  if (keyword == "additionalProperties") return unknown_member(schema, name);
  const JsonValue* wanted = schema ? find_member(*schema, keyword) : nullptr;
  if (wanted && keyword == "type" && (wanted->IsString() || wanted->IsArray()))
    return wrong_type(*wanted, value);
  if (wanted && keyword == "required") return missing(*schema, value);
  std::string shown = wanted ? to_json(*wanted) : "";
  if (shown.size() > 200) shown.clear();
  if (keyword == "enum" && !shown.empty())
    return "is none of the values that the plugin takes; use one of " + shown.substr(1, shown.size() - 2);
  return "is not what the plugin's schema asks for; change it to fit (" + std::string(keyword) +
         (shown.empty() ? "" : ": " + shown) + ")";
}

}  // namespace

std::string to_sentence(const ConfigFault& fault) {
  return "config at " + json_quote(fault.pointer) + " " + fault.sentence;
}

struct ConfigSchema::Parts {
  JsonDocument source;  // the copy the schema was compiled from; kept to explain
  std::unique_ptr<JsonSchema> schema;
};

ConfigSchema::ConfigSchema(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
ConfigSchema::ConfigSchema(ConfigSchema&&) noexcept = default;
ConfigSchema& ConfigSchema::operator=(ConfigSchema&&) noexcept = default;
ConfigSchema::~ConfigSchema() = default;

Result<ConfigSchema> ConfigSchema::from_json(const JsonValue& schema) {
  auto parts = std::make_shared<Parts>();
  Reader reader(schema, parts->source.GetAllocator());
  JsonValue copy = TRY(reader.read(schema, "", 0));
  static_cast<JsonValue&>(parts->source) = std::move(copy);
  parts->schema = std::make_unique<JsonSchema>(parts->source);
  return ConfigSchema(std::move(parts));
}

std::optional<ConfigFault> ConfigSchema::fault(std::string_view config) const {
  auto parsed = parse_json(config, {.max_bytes = 1u << 20});
  if (!parsed) return ConfigFault{"", "cannot be read: " + parsed.error().message};
  const JsonDocument& document = *parsed;
  if (!document.IsObject()) return ConfigFault{"", "must be an object"};
  JsonSchemaValidator validator(*parts_->schema);
  if (document.Accept(validator)) return std::nullopt;
  std::string_view keyword =
      validator.GetInvalidSchemaKeyword() ? validator.GetInvalidSchemaKeyword() : "schema";
  auto place = validator.GetInvalidDocumentPointer();
  const JsonValue* schema = validator.GetInvalidSchemaPointer().Get(parts_->source);
  std::string_view name;
  if (place.GetTokenCount() > 0) {
    const auto& last = place.GetTokens()[place.GetTokenCount() - 1];
    name = {last.name, last.length};
  }
  return ConfigFault{text_of_pointer(place), explained(keyword, schema, place.Get(document), name)};
}

Result<> ConfigSchema::check(std::string_view config) const {
  if (auto found = fault(config)) return Error{ErrorCode::InvalidInput, to_sentence(*found)};
  return {};
}

}  // namespace davit::plugin

#include "host/http/body.h"

#include <algorithm>
#include <utility>

#include "host/base/text.h"

namespace davit::http {
namespace {

std::string_view text_in(const JsonValue& value) { return {value.GetString(), value.GetStringLength()}; }

constexpr std::size_t kMostErrors = 32;  // more of them help nobody
constexpr std::size_t kMostParameters =
    64;  // of a filter in a body; those in an address are bounded by its length

// A name may be anything, and as long as the body.
std::string name_of(const JsonValue& name) { return std::string(shortened(text_in(name), 64)); }

}  // namespace

Result<JsonDocument> body_object(const Request& request) {
  JsonDocument document = TRY(parse_json(request.body.empty() ? std::string_view("{}") : request.body));
  if (!document.IsObject()) return Error{ErrorCode::InvalidInput, "the body must be a JSON object"};
  return document;
}

void read_members(const JsonValue& object, std::string_view of, std::vector<FieldError>& errors,
                  const std::function<bool(const std::string& name, const JsonValue& value)>& read) {
  std::vector<std::string_view> seen;
  for (const auto& member : object.GetObject()) {
    if (errors.size() >= kMostErrors) return;
    const std::string name = name_of(member.name);
    if (std::find(seen.begin(), seen.end(), text_in(member.name)) != seen.end()) {
      errors.push_back({name, "is given more than once"});
    } else if (!read(name, member.value)) {
      errors.push_back({name, "is not a member of " + std::string(of)});
    }
    seen.push_back(text_in(member.name));
  }
}

bool is_plain(std::string_view text, Text kind) {
  unsigned char before = 0;
  return std::none_of(text.begin(), text.end(), [kind, &before](char c) {
    const auto byte = static_cast<unsigned char>(c);
    // U+0080 to U+009F, which terminals take for commands as well.
    const bool is_c1 = std::exchange(before, byte) == 0xc2 && byte < 0xa0;
    if (kind == Text::Lines && (c == '\n' || c == '\r' || c == '\t')) return false;
    return byte < 0x20 || c == 0x7f || is_c1;
  });
}

void read_text(const std::string& name, const JsonValue& value, std::size_t most, Text kind,
               std::string& into, std::vector<FieldError>& errors) {
  if (!value.IsString() || characters_in(text_in(value)) > most) {
    errors.push_back({name, "must be a text of at most " + std::to_string(most) + " characters"});
  } else if (!is_plain(text_in(value), kind)) {
    errors.push_back({name, kind == Text::OneLine
                                ? "must be one line without control characters"
                                : "must have no control characters but line breaks and tabs"});
  } else {
    into = text_in(value);
  }
}

std::optional<WallTime> read_time(const std::string& name, const JsonValue& value,
                                  std::vector<FieldError>& errors) {
  const auto time = value.IsString() ? parse_iso8601(text_in(value))
                                     : Result<WallTime>(Error{ErrorCode::InvalidInput, "must be a time"});
  if (time.ok()) return *time;
  errors.push_back({name, time.error().message});
  return std::nullopt;
}

void read_flag(const std::string& name, const JsonValue& value, bool& into, std::vector<FieldError>& errors) {
  if (value.IsBool()) {
    into = value.GetBool();
  } else {
    errors.push_back({name, "must be true or false"});
  }
}

std::vector<FieldError> mistakes_in_empty(const JsonValue& object) {
  std::vector<FieldError> errors;
  read_members(object, "this request, which has none", errors, [](const std::string&, const JsonValue&) { return false; });
  return errors;
}

Query query_from(const JsonValue& object, std::string_view prefix,
                 std::initializer_list<std::string_view> repeatable, std::vector<FieldError>& errors) {
  std::vector<std::pair<std::string, std::string>> parameters;
  for (const auto& member : object.GetObject()) {
    if (errors.size() >= kMostErrors) break;
    const std::string name = name_of(member.name);
    const JsonValue& value = member.value;
    if (parameters.size() + (value.IsArray() ? value.Size() : 1) > kMostParameters) {
      errors.push_back(
          {std::string(prefix) + name,
           "is one too many: no more than " + std::to_string(kMostParameters) + " values can be told apart"});
      break;
    }
    const bool several =
        std::find(repeatable.begin(), repeatable.end(), name) != repeatable.end() && value.IsArray();
    const auto is_text = [](const JsonValue& each) { return each.IsString() && each.GetStringLength() > 0; };
    if (is_text(value)) {
      parameters.emplace_back(name, text_in(value));
    } else if (several && !value.Empty() && std::all_of(value.Begin(), value.End(), is_text)) {
      for (const JsonValue& each : value.GetArray()) parameters.emplace_back(name, text_in(each));
    } else {
      errors.push_back({std::string(prefix) + name, "must be a text that is not empty"});
    }
  }
  return Query::of(std::move(parameters));
}

}  // namespace davit::http

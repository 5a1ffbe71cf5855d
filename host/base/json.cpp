#include "host/base/json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "host/base/json_scan.h"

namespace davit {
namespace {

constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                                 rapidjson::kParseNumbersAsStringsFlag;
// For text that is known to be JSON already, and to hold no exponents: the reader may convert its numbers.
constexpr unsigned kRereadFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag;

// Passes events on while it counts values and depth; saying no ends the parse, so nothing grows past a limit.
template <typename Next>
class LimitedHandler {
 public:
  LimitedHandler(Next& next, const JsonLimits& limits, bool check_strings)
      : next_(next), limits_(limits), check_strings_(check_strings) {}

  bool too_deep() const { return depth_ > limits_.max_depth; }
  bool too_many() const { return values_ > limits_.max_values; }
  bool lone_surrogate() const { return lone_surrogate_; }
  bool number_too_large() const { return number_too_large_; }

  bool Null() { return count() && next_.Null(); }
  bool Bool(bool value) { return count() && next_.Bool(value); }
  bool Int(int value) { return count() && next_.Int(value); }
  bool Uint(unsigned value) { return count() && next_.Uint(value); }
  bool Int64(std::int64_t value) { return count() && next_.Int64(value); }
  bool Uint64(std::uint64_t value) { return count() && next_.Uint64(value); }
  bool Double(double value) { return count() && next_.Double(value); }
  // Numbers come as text: the reader's own conversion makes 3e200 of "0e200" and infinity of "0e308".
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) { return count() && number({text, size}); }
  bool String(const char* text, rapidjson::SizeType size, bool copy) {
    return count() && good({text, size}) && next_.String(text, size, copy);
  }
  bool Key(const char* text, rapidjson::SizeType size, bool copy) {
    return count() && good({text, size}) && next_.Key(text, size, copy);
  }
  bool StartObject() { return count() && enter() && next_.StartObject(); }
  bool EndObject(rapidjson::SizeType members) { return --depth_, next_.EndObject(members); }
  bool StartArray() { return count() && enter() && next_.StartArray(); }
  bool EndArray(rapidjson::SizeType elements) { return --depth_, next_.EndArray(elements); }

 private:
  bool count() { return ++values_ <= limits_.max_values; }
  bool enter() { return ++depth_ <= limits_.max_depth; }
  bool number(std::string_view text) {
    const char* end = text.data() + text.size();
    auto read_whole = [&](auto& value) {
      const auto [stop, error] = std::from_chars(text.data(), end, value);
      return error == std::errc() && stop == end;
    };
    std::int64_t integer = 0;
    if (read_whole(integer)) return next_.Int64(integer);
    std::uint64_t natural = 0;
    if (read_whole(natural)) return next_.Uint64(natural);
    double real = 0;
    // Out of range is what is too large and what is too small; strtod gives infinity for the one, nearly 0
    // for the other.
    if (!read_whole(real)) real = std::strtod(std::string(text).c_str(), nullptr);
    number_too_large_ = !std::isfinite(real);
    return !number_too_large_ && next_.Double(real);
  }
  bool good(std::string_view text) {
    lone_surrogate_ = check_strings_ && !is_utf8(text);
    return !lone_surrogate_;
  }

  Next& next_;
  const JsonLimits& limits_;
  const bool check_strings_;
  bool lone_surrogate_ = false;
  bool number_too_large_ = false;
  int depth_ = 0;
  std::size_t values_ = 0;
};

using NothingHandler = rapidjson::BaseReaderHandler<>;

std::string_view without_bom(std::string_view text) {
  return text.substr(0, 3) == "\xEF\xBB\xBF" ? text.substr(3) : text;
}

template <typename Next>
Result<> run_reader(std::string_view text, const JsonLimits& limits, Next& next) {
  if (text.size() > limits.max_bytes) {
    return Error{ErrorCode::TooLarge, "JSON of " + std::to_string(text.size()) +
                                          " bytes is over the limit of " + std::to_string(limits.max_bytes)};
  }
  std::string_view body = without_bom(text);
  // The stream would pass over each of the three bytes of a mark, there or not, once more.
  if (!body.empty() && static_cast<unsigned char>(body.front()) >= 0x80) {
    return Error{ErrorCode::InvalidInput, "JSON is malformed at byte 0: Invalid value."};
  }
  rapidjson::MemoryStream memory(body.data(), body.size());
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(memory);
  rapidjson::Reader reader;
  // The reader lets a low surrogate pass that no high one precedes ("\\udc00"), and gives bytes that are no
  // UTF-8. Where the text has such an escape at all, each string is looked at again.
  const bool escapes_surrogates =
      body.find("\\ud") != std::string_view::npos || body.find("\\uD") != std::string_view::npos;
  LimitedHandler<Next> handler(next, limits, escapes_surrogates);
  rapidjson::ParseResult parsed = reader.Parse<kParseFlags>(stream, handler);
  if (parsed) {
    // A NUL ends RapidJSON's input; whatever lies behind it must not pass unseen.
    if (stream.Tell() < body.size()) {
      return Error{ErrorCode::InvalidInput, "JSON has a NUL byte at byte " + std::to_string(stream.Tell())};
    }
    return {};
  }
  if (handler.lone_surrogate()) {
    return Error{ErrorCode::InvalidInput,
                 "JSON has a lone surrogate in the text before byte " + std::to_string(parsed.Offset())};
  }
  if (handler.number_too_large()) {
    return Error{ErrorCode::InvalidInput,
                 "JSON has a number that is too large before byte " + std::to_string(parsed.Offset())};
  }
  if (handler.too_deep()) {
    return Error{ErrorCode::InvalidInput,
                 "JSON is nested deeper than " + std::to_string(limits.max_depth) + " levels"};
  }
  if (handler.too_many()) {
    return Error{ErrorCode::TooLarge,
                 "JSON holds more than " + std::to_string(limits.max_values) + " values"};
  }
  return Error{ErrorCode::InvalidInput, std::string("JSON is malformed at byte ") +
                                            std::to_string(parsed.Offset()) + ": " +
                                            rapidjson::GetParseError_En(parsed.Code())};
}

}  // namespace

Result<JsonDocument> parse_json(std::string_view text, JsonLimits limits) {
  JsonDocument document;
  if (surely_json(without_bom(text), limits)) {
    const std::string_view body = without_bom(text);
    rapidjson::MemoryStream stream(body.data(), body.size());
    document.ParseStream<kRereadFlags, rapidjson::UTF8<>>(stream);
    if (!document.HasParseError()) return document;
  }
  Result<> outcome;
  auto generate = [&](auto& handler) {
    outcome = run_reader(text, limits, handler);
    return outcome.ok();
  };
  document.Populate(generate);
  if (!outcome) return Error(std::move(outcome).error());
  return document;
}

Result<> check_json(std::string_view text, JsonLimits limits) {
  if (surely_json(without_bom(text), limits)) return {};
  NothingHandler nothing;
  return run_reader(text, limits, nothing);
}

std::string to_json(const JsonValue& value) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  value.Accept(writer);
  return std::string(text_of(buffer));
}

std::string json_quote(std::string_view text) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  write_string(writer, text);
  return std::string(text_of(buffer));
}

bool is_utf8(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t i = 0;
  while (i < text.size()) {
    // Nearly everything that comes in is ASCII: eight bytes at a time.
    std::uint64_t word = 0;
    while (i + 8 <= text.size()) {
      std::memcpy(&word, text.data() + i, 8);
      if ((word & 0x8080808080808080u) != 0) break;
      i += 8;
    }
    if (i == text.size()) break;
    unsigned char lead = byte(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    int extra = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || i + extra >= text.size()) return false;
    unsigned char second = byte(i + 1);
    if ((second & 0xC0) != 0x80) return false;
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
      return false;
    }
    for (int k = 2; k <= extra; ++k) {
      if ((byte(i + k) & 0xC0) != 0x80) return false;
    }
    i += extra + 1;
  }
  return true;
}

const JsonValue* find_member(const JsonValue& object, std::string_view name) {
  if (!object.IsObject()) return nullptr;
  auto found = object.FindMember(JsonValue(rapidjson::StringRef(name.data(), name.size())));
  return found == object.MemberEnd() ? nullptr : &found->value;
}

std::string string_member(const JsonValue& object, std::string_view name, std::string_view fallback) {
  const JsonValue* value = find_member(object, name);
  if (!value || !value->IsString()) return std::string(fallback);
  return std::string(value->GetString(), value->GetStringLength());
}

std::int64_t int_member(const JsonValue& object, std::string_view name, std::int64_t fallback) {
  const JsonValue* value = find_member(object, name);
  return value && value->IsInt64() ? value->GetInt64() : fallback;
}

double number_member(const JsonValue& object, std::string_view name, double fallback) {
  const JsonValue* value = find_member(object, name);
  return value && value->IsNumber() ? value->GetDouble() : fallback;
}

bool bool_member(const JsonValue& object, std::string_view name, bool fallback) {
  const JsonValue* value = find_member(object, name);
  return value && value->IsBool() ? value->GetBool() : fallback;
}

std::vector<std::string> strings_member(const JsonValue& object, std::string_view name) {
  std::vector<std::string> strings;
  const JsonValue* value = find_member(object, name);
  if (!value || !value->IsArray()) return strings;
  for (const JsonValue& item : value->GetArray()) {
    if (item.IsString()) strings.emplace_back(item.GetString(), item.GetStringLength());
  }
  return strings;
}

std::string text_member(const JsonValue& object, std::string_view name, std::string_view fallback) {
  const JsonValue* value = find_member(object, name);
  return value ? to_json(*value) : std::string(fallback);
}

void write_string(JsonWriter& writer, std::string_view text) {
  if (is_utf8(text)) {
    writer.String(text.data() ? text.data() : "", static_cast<rapidjson::SizeType>(text.size()));
    return;
  }
  // A file name or a program's output may be any bytes; what is shown must stay JSON. Each byte that is not
  // ASCII becomes the replacement character.
  std::string shown;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x80) {
      shown += c;
    } else {
      shown += "\xEF\xBF\xBD";
    }
  }
  writer.String(shown.data(), static_cast<rapidjson::SizeType>(shown.size()));
}
void write_member(JsonWriter& writer, std::string_view name, std::string_view text) {
  writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  write_string(writer, text);
}
void write_member(JsonWriter& writer, std::string_view name, const char* text) {
  write_member(writer, name, std::string_view(text));
}
void write_member(JsonWriter& writer, std::string_view name, const std::string& text) {
  write_member(writer, name, std::string_view(text));
}
void write_member(JsonWriter& writer, std::string_view name, std::int64_t number) {
  writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  writer.Int64(number);
}
void write_member(JsonWriter& writer, std::string_view name, int number) {
  write_member(writer, name, static_cast<std::int64_t>(number));
}
void write_member(JsonWriter& writer, std::string_view name, double number) {
  writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  if (std::isfinite(number)) {
    writer.Double(number);
  } else {
    writer.Null();
  }
}
void write_member(JsonWriter& writer, std::string_view name, bool value) {
  writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  writer.Bool(value);
}
void write_null_member(JsonWriter& writer, std::string_view name) {
  writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  writer.Null();
}
void write_raw_member(JsonWriter& writer, std::string_view name, std::string_view json) {
  writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  if (json.empty()) json = "null";
  writer.RawValue(json.data(), json.size(), rapidjson::kObjectType);
}

}  // namespace davit

// JSON by RapidJSON, with limits. The only place that includes the library (plugins have their own copy in
// the SDK).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// RapidJSON asserts where a caller reads a value as what it is not; here that is a defect of ours and ends
// the process.
#define RAPIDJSON_HAS_STDSTRING 1
// Not RAPIDJSON_SSE2: in this version its vector code takes the control bytes 0x1A to 0x1F for plain ones,
// and writes them unescaped.
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "host/base/result.h"

namespace davit {

using JsonValue = rapidjson::Value;

// A document with its memory. RapidJSON's own takes 64 KiB at a time, and each such block that is given back
// makes malloc tidy up all it has; 16 KiB hold what is usually read.
struct JsonMemory {
  std::unique_ptr<rapidjson::Document::AllocatorType> memory =
      std::make_unique<rapidjson::Document::AllocatorType>(16u << 10);
};
class JsonDocument : private JsonMemory, public rapidjson::Document {
 public:
  JsonDocument() : rapidjson::Document(memory.get()) {}
};

using JsonBuffer = rapidjson::StringBuffer;

// Writes compact UTF-8. Refuses NaN and infinity (write null instead).
using JsonWriter = rapidjson::Writer<JsonBuffer>;

struct JsonLimits {
  std::size_t max_bytes = 8u << 20;
  int max_depth = 64;                // nested arrays and objects
  std::size_t max_values = 200'000;  // strings, numbers, literals, arrays, objects and keys together
};

// Reads a whole document: UTF-8 checked, one value, nothing but white space after it, a leading BOM skipped.
// InvalidInput names the byte offset and what is wrong; TooLarge the limit that is passed. Never recurses.
Result<JsonDocument> parse_json(std::string_view text, JsonLimits limits = {});

// The same checks without building anything (SAX), for bytes that are only passed on.
Result<> check_json(std::string_view text, JsonLimits limits = {});

// Compact text of a value.
std::string to_json(const JsonValue& value);

// A JSON string literal with its quotes.
std::string json_quote(std::string_view text);

// Is it well-formed UTF-8 (no surrogates, no overlong forms)?
bool is_utf8(std::string_view text);

// Reading members without surprises: absent or of another type gives the fallback.
const JsonValue* find_member(const JsonValue& object,
                             std::string_view name);  // nullptr if absent or not an object
std::string string_member(const JsonValue& object, std::string_view name, std::string_view fallback = "");
std::int64_t int_member(const JsonValue& object, std::string_view name, std::int64_t fallback = 0);
double number_member(const JsonValue& object, std::string_view name, double fallback = 0);
bool bool_member(const JsonValue& object, std::string_view name, bool fallback = false);
std::vector<std::string> strings_member(const JsonValue& object, std::string_view name);
// The compact text of a member, or `fallback` if absent.
std::string text_member(const JsonValue& object, std::string_view name, std::string_view fallback = "null");

// Shorthands for writing.
void write_string(JsonWriter& writer, std::string_view text);
void write_member(JsonWriter& writer, std::string_view name, std::string_view text);
void write_member(JsonWriter& writer, std::string_view name, const char* text);
void write_member(JsonWriter& writer, std::string_view name, const std::string& text);
void write_member(JsonWriter& writer, std::string_view name, std::int64_t number);
void write_member(JsonWriter& writer, std::string_view name, int number);
void write_member(JsonWriter& writer, std::string_view name, double number);
void write_member(JsonWriter& writer, std::string_view name, bool value);
void write_null_member(JsonWriter& writer, std::string_view name);
// `json` is well-formed JSON text, put in as it is.
void write_raw_member(JsonWriter& writer, std::string_view name, std::string_view json);

// What has been written so far; valid until the buffer changes.
inline std::string_view text_of(const JsonBuffer& buffer) { return {buffer.GetString(), buffer.GetSize()}; }

}  // namespace davit

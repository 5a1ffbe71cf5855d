#include "host/http/members.h"

namespace davit::http {

void write_key(JsonWriter& writer, std::string_view name) {
  writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}

void write_time(JsonWriter& writer, std::string_view name, WallTime time) {
  write_member(writer, name, to_iso8601(time));
}

void write_time(JsonWriter& writer, std::string_view name, const std::optional<WallTime>& time) {
  time ? write_time(writer, name, *time) : write_null_member(writer, name);
}

void write_text_or_null(JsonWriter& writer, std::string_view name, std::string_view text) {
  text.empty() ? write_null_member(writer, name) : write_member(writer, name, text);
}

void write_strings(JsonWriter& writer, std::string_view name, const std::vector<std::string>& strings) {
  write_array(writer, name, strings, [&](const std::string& text) { write_string(writer, text); });
}

void write_dollars(JsonWriter& writer, std::string_view name, std::int64_t micro_usd) {
  write_member(writer, name, static_cast<double>(micro_usd) / 1e6);
}

}  // namespace davit::http

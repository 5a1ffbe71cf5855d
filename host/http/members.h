// What answers are made of: members of JSON objects that all routes write in the same way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/base/json.h"

namespace davit::http {

void write_key(JsonWriter& writer, std::string_view name);
void write_time(JsonWriter& writer, std::string_view name, WallTime time);
void write_time(JsonWriter& writer, std::string_view name,
                const std::optional<WallTime>& time);  // null for none
// Absent texts are null, so that a reader never has to tell "" from "none".
void write_text_or_null(JsonWriter& writer, std::string_view name, std::string_view text);
void write_strings(JsonWriter& writer, std::string_view name, const std::vector<std::string>& strings);
void write_dollars(JsonWriter& writer, std::string_view name, std::int64_t micro_usd);

// An object with the members that `write` writes.
template <typename Write>
void write_object(JsonWriter& writer, Write&& write) {
  writer.StartObject();
  write();
  writer.EndObject();
}
template <typename Write>
void write_object(JsonWriter& writer, std::string_view name, Write&& write) {
  write_key(writer, name);
  write_object(writer, write);
}

// An array: `write` is given each of `items`, and writes one value.
template <typename Items, typename Write>
void write_array(JsonWriter& writer, std::string_view name, const Items& items, Write&& write) {
  write_key(writer, name);
  writer.StartArray();
  for (const auto& item : items) write(item);
  writer.EndArray();
}

// An array of objects: `write` is given each of `items`, and writes the members.
template <typename Items, typename Write>
void write_objects(JsonWriter& writer, std::string_view name, const Items& items, Write&& write) {
  write_array(writer, name, items, [&](const auto& item) { write_object(writer, [&] { write(item); }); });
}

}  // namespace davit::http

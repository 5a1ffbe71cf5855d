#include "excerpt.h"

#include <algorithm>

namespace reading {

using davit::Failure;
using davit::Json;
using davit::JsonView;

std::string_view cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

std::string_view text_or_none(JsonView value, std::string_view what) {
  return value.is_null() ? std::string_view() : value.require_string(what);
}

JsonView object_or_none(JsonView value, std::string_view what) {
  return value.is_null() ? value : require_object(value, what);
}

JsonView list_or_none(JsonView value, std::string_view what) {
  if (!value.is_null() && !value.is_array())
    throw Failure::invalid_input(std::string(what) + " is not a list");
  return value;
}

JsonView require_object(JsonView value, std::string_view what) {
  if (!value.is_object()) throw Failure::invalid_input(std::string(what) + " is missing or not an object");
  return value;
}

std::string id_or_none(JsonView value, std::string_view what) {
  if (value.is_null()) return "";
  if (value.is_int()) return std::to_string(value.int_or(0));
  const std::string_view id = value.string_or("");
  const auto visible = [](char c) { return c > 0x20 && c < 0x7F; };
  if (id.empty() || id.size() > kMaxId || !std::all_of(id.begin(), id.end(), visible)) {
    throw Failure::invalid_input(std::string(what) + " is neither a number nor 1 to 128 visible characters");
  }
  return std::string(id);
}

std::string require_id(JsonView value, std::string_view what) {
  std::string id = id_or_none(value, what);
  if (id.empty()) throw Failure::invalid_input(std::string(what) + " is missing");
  return id;
}

std::string_view plain_url(JsonView value) {
  std::string_view url = value.string_or("");
  if (!url.starts_with("https://") && !url.starts_with("http://")) return {};
  url = url.substr(0, url.find_first_of("?#"));
  const auto bad = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; };
  return url.size() > kMaxUrl || std::any_of(url.begin(), url.end(), bad) ? std::string_view() : url;
}

std::string one_line(std::string_view text, std::size_t limit) {
  std::string line(cut(text, limit));
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  std::replace_if(line.begin(), line.end(), is_control, ' ');
  // U+0080 to U+009F are control characters as well.
  for (std::size_t at = line.find('\xC2'); at != std::string::npos; at = line.find('\xC2', at + 1))
    if (at + 1 < line.size() && static_cast<unsigned char>(line[at + 1]) < 0xA0) line.replace(at, 2, " ");
  return line;
}

void add_line(Json& to, std::string_view name, std::string_view text) {
  if (!text.empty()) to.set(name, one_line(text));
}

void add_text(Json& to, std::string_view name, std::string_view text) {
  const std::string_view kept = cut(text, kMaxText);
  to.set(name, kept);
  if (kept.size() != text.size()) to.set("cut", true);
}

}  // namespace reading

// A scan instead of a parser: what is kept shall be the sender's own bytes but for the secrets, and shall not
// depend on whether the rest is well-formed.
#include "host/ingest/secret_fields.h"

#include <algorithm>

#include "host/base/crypto.h"
#include "host/base/json.h"

namespace davit::ingest {
namespace {

constexpr std::size_t kDigits = 16;

std::string mark(std::string_view secret) {
  return "(removed " + sha256_hex(secret).substr(0, kDigits) + ")";
}

bool is_named(std::string_view name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Between its quotation marks; escapes mean what they stand for.
bool is_named_in_json(std::string_view name, const std::vector<std::string>& names) {
  if (name.find('\\') == std::string_view::npos) return is_named(name, names);
  const auto text = parse_json("\"" + std::string(name) + "\"");
  return text.ok() && text->IsString() && is_named({text->GetString(), text->GetStringLength()}, names);
}

// The end of the JSON text that begins behind a quotation mark: where its closing one is.
std::size_t end_of_text(std::string_view json, std::size_t at) {
  while (at < json.size() && json[at] != '"') at += json[at] == '\\' ? 2 : 1;
  return std::min(at, json.size());
}

std::size_t behind_blanks(std::string_view json, std::size_t at) {
  return std::min(json.find_first_not_of(" \t\r\n", at), json.size());
}

// Where the value that begins at `at` and is no text ends. A cut-off one ends with the body.
std::size_t end_of_value(std::string_view json, std::size_t at) {
  if (json[at] != '{' && json[at] != '[')
    return std::min(json.find_first_of(" \t\r\n,:\"]}", at), json.size());
  int depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') at = end_of_text(json, at + 1);
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at + 1;
    ++at;
  }
  return json.size();
}

std::string from_json(std::string_view json, const std::vector<std::string>& names) {
  std::string kept;
  std::size_t copied = 0;
  for (std::size_t at = 0; (at = json.find('"', at)) != std::string_view::npos;) {
    const std::size_t end = end_of_text(json, at + 1);
    const bool named = is_named_in_json(json.substr(at + 1, end - at - 1), names);
    at = std::min(end + 1, json.size());
    if (!named) continue;
    std::size_t value = behind_blanks(json, at);
    if (value >= json.size() || json[value] != ':') continue;  // a text, no name
    value = behind_blanks(json, value + 1);
    if (value >= json.size()) continue;
    if (json[value] == '"') {
      const std::size_t value_end = end_of_text(json, value + 1);
      kept.append(json.substr(copied, value + 1 - copied));
      kept += mark(json.substr(value + 1, value_end - value - 1));
      copied = value_end;
      at = std::min(value_end + 1, json.size());
    } else {
      const std::size_t value_end = end_of_value(json, value);
      const std::string_view plain = json.substr(value, value_end - value);
      if (plain.empty() || plain == "null") continue;
      kept.append(json.substr(copied, value - copied)).append("\"").append(mark(plain)).append("\"");
      copied = at = value_end;
    }
  }
  if (copied == 0) return std::string(json);
  return kept.append(json.substr(copied));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string decoded(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    plain += low >= 0 ? static_cast<char>(high * 16 + low) : text[i] == '+' ? ' ' : text[i];
    if (low >= 0) i += 2;
  }
  return plain;
}

std::string encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string coded;
  coded.reserve(text.size() * 2);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      coded += c;
    } else {
      coded += '%';
      coded += kHex[byte >> 4];
      coded += kHex[byte & 15];
    }
  }
  return coded;
}

std::string from_form(std::string_view form, const std::vector<std::string>& names) {
  std::string kept;
  while (!form.empty()) {
    const std::size_t end = std::min(form.find('&'), form.size());
    const std::string_view field = form.substr(0, end);
    const std::size_t equals = std::min(field.find('='), field.size());
    const std::string_view name = field.substr(0, equals);
    const std::string value = equals < field.size() ? decoded(field.substr(equals + 1)) : std::string();
    if (!value.empty() && is_named(decoded(name), names)) {
      kept.append(name).append("=").append(encoded(mark(value)));
    } else if (value.find('"') != std::string::npos) {
      // Coded anew only where something went, so that the rest stays the sender's bytes.
      std::string without = from_json(value, names);
      if (without == value) {
        kept += field;
      } else {
        kept.append(name).append("=").append(encoded(without));
      }
    } else {
      kept += field;
    }
    if (end < form.size()) kept += '&';
    form.remove_prefix(std::min(end + 1, form.size()));
  }
  return kept;
}

}  // namespace

std::string without_secrets(std::string_view body, std::string_view content_type,
                            const std::vector<std::string>& names) {
  if (names.empty()) return std::string(body);
  constexpr std::string_view kForm = "application/x-www-form-urlencoded";
  std::string type(content_type.substr(0, kForm.size()));
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return type == kForm ? from_form(body, names) : from_json(body, names);
}

}  // namespace davit::ingest

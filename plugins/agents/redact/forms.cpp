#include "redact/forms.h"

#include <algorithm>

#include "davit/json.hpp"
#include "davit/text.hpp"

namespace redact {
namespace {

constexpr std::size_t kShortestLine = 16;   // of a value of several lines
constexpr std::size_t kShortestBase64 = 8;  // characters: they hold six bytes

// Base64 turns three bytes into four characters, so the same bytes look different by where they stand. Of a
// secret with `before` bytes in front (0, 1 or 2) these are the characters that hold its bits and no others.
std::string base64_inside(std::string_view secret, std::size_t before, std::string_view last_two) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const std::string bytes = std::string(before, '\0') + std::string(secret);
  const std::size_t first = (before * 8 + 5) / 6, end = bytes.size() * 8 / 6;
  std::string text;
  for (std::size_t i = first; i < end; ++i) {
    unsigned value = 0;
    for (std::size_t bit = i * 6; bit < i * 6 + 6; ++bit)
      value = value << 1 | (static_cast<unsigned char>(bytes[bit / 8]) >> (7 - bit % 8) & 1u);
    text += value < kLetters.size() ? kLetters[value] : last_two[value - kLetters.size()];
  }
  return text;
}

std::string hexadecimal(std::string_view text, std::string_view digits) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    encoded += {digits[byte / 16], digits[byte % 16]};
  }
  return encoded;
}

// RFC 3986; `kept` stand for themselves beside letters and digits.
std::string percent_encoded(std::string_view text, std::string_view digits, std::string_view kept) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (plain || kept.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += {'%', digits[byte / 16], digits[byte % 16]};
    }
  }
  return encoded;
}

void add_forms(std::vector<std::string>& forms, std::string_view secret) {
  forms.emplace_back(secret);
  for (const std::string_view digits : {"0123456789ABCDEF", "0123456789abcdef"}) {
    forms.push_back(hexadecimal(secret, digits));
    forms.push_back(percent_encoded(secret, digits, "-._~"));
    forms.push_back(percent_encoded(secret, digits, "-._~!*'()"));  // what browsers leave
  }
  if (davit::is_utf8(secret)) {
    const std::string quoted = davit::Json(secret).dump();
    forms.push_back(quoted.substr(1, quoted.size() - 2));
  }
  for (std::size_t before = 0; before < 3; ++before) {
    for (const std::string_view last_two : {"+/", "-_"}) {
      std::string inside = base64_inside(secret, before, last_two);
      if (inside.size() >= kShortestBase64) forms.push_back(std::move(inside));
    }
  }
}

}  // namespace

std::vector<std::string> forms_of(std::string_view secret, std::size_t shortest) {
  std::vector<std::string> forms;
  if (secret.size() < shortest) return forms;
  add_forms(forms, secret);
  if (secret.find('\n') != std::string_view::npos) {
    for (std::string_view rest = secret; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      std::string_view line = rest.substr(0, end);
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (line.size() >= kShortestLine) add_forms(forms, line);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  std::sort(forms.begin(), forms.end());
  forms.erase(std::unique(forms.begin(), forms.end()), forms.end());
  return forms;
}

}  // namespace redact

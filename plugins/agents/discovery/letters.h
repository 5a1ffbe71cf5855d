// Letters as names in programs have them, whatever the locale.
#pragma once

#include <string>
#include <string_view>

namespace discovery {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_small(char c) { return c >= 'a' && c <= 'z'; }
inline bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
inline bool is_letter(char c) { return is_small(c) || is_capital(c); }
// Bytes of other alphabets are letters.
inline bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_' || (c & 0x80) != 0; }

// A to Z only.
inline std::string lower(std::string_view text) {
  std::string small(text);
  for (char& c : small)
    if (is_capital(c)) c = static_cast<char>(c - 'A' + 'a');
  return small;
}

}  // namespace discovery

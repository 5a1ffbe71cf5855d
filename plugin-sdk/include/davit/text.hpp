// Text on its way over the border.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "davit/abi/types.h"

namespace davit {
inline namespace sdk {

// Borrowed, like the davit_text itself.
inline std::string_view view_of(davit_text text) noexcept {
  return text.data ? std::string_view(text.data, static_cast<std::size_t>(text.size)) : std::string_view();
}

inline davit_text text_of(std::string_view text) noexcept { return {text.data(), text.size()}; }

// Length of the well-formed UTF-8 that `text` begins with (no surrogates, no overlong forms).
inline std::size_t utf8_prefix(std::string_view text) noexcept {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const std::size_t size = text.size();
  std::size_t at = 0;
  while (at < size) {
    // Nearly everything that comes in is ASCII: take it eight bytes at a time.
    while (at + 8 <= size) {
      std::uint64_t word;
      std::memcpy(&word, bytes + at, 8);
      if (word & 0x8080808080808080u) break;
      at += 8;
    }
    if (at == size) break;
    const unsigned char lead = bytes[at];
    if (lead < 0x80) {
      ++at;
      continue;
    }
    int more = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
      more = 1;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      more = 2;
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      more = 3;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    } else {
      return at;
    }
    if (size - at <= static_cast<std::size_t>(more)) return at;
    if (bytes[at + 1] < low || bytes[at + 1] > high) return at;
    for (int i = 2; i <= more; ++i) {
      if ((bytes[at + i] & 0xC0) != 0x80) return at;
    }
    at += 1 + more;
  }
  return size;
}

inline bool is_utf8(std::string_view text) noexcept { return utf8_prefix(text) == text.size(); }

// `text` with every byte that is not UTF-8 replaced by U+FFFD.
inline std::string to_utf8(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t good = utf8_prefix(text);
    clean.append(text.substr(0, good));
    text.remove_prefix(good);
    if (text.empty()) break;
    clean += "\xEF\xBF\xBD";
    text.remove_prefix(1);
  }
  return clean;
}

}  // namespace sdk
}  // namespace davit

// Pieces of text.
#pragma once

#include <cstddef>
#include <string_view>

namespace davit {

// The first bytes of a text, at most so many, ending at a character's border: what was UTF-8 stays it.
constexpr std::string_view shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

// How many characters a UTF-8 text has, as JSON Schema counts them: code points.
constexpr std::size_t characters_in(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

}  // namespace davit

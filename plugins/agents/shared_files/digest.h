// Names made of texts that must not be seen, or would not do as names.
#pragma once

#include <string>
#include <string_view>

#include "davit/sha256.hpp"

namespace shared {

// The SHA-256 of `text` in hex digits, 64 of them.
inline std::string digest_of(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string digits;
  for (const std::uint8_t byte : davit::sha256(text)) {
    digits += kHex[byte >> 4];
    digits += kHex[byte & 15];
  }
  return digits;
}

}  // namespace shared

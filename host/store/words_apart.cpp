#include "host/store/words_apart.h"

#include <algorithm>
#include <cstdint>

namespace davit::store {
namespace {

struct Block {
  std::uint32_t first, last;
};
// Kana, Han and its extensions, compatibility forms of both.
constexpr Block kBlocks[] = {{0x3040, 0x30ff}, {0x31f0, 0x31ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},
                             {0xf900, 0xfaff}, {0xff66, 0xff9d}, {0x1b000, 0x1b16f}, {0x20000, 0x3ffff}};

// No byte of a smaller character is as large as the first of these.
constexpr unsigned char kLeastLead = 0xe3;

bool stands_alone(std::uint32_t character) {
  return std::any_of(std::begin(kBlocks), std::end(kBlocks), [&](const Block& block) {
    return character >= block.first && character <= block.last;
  });
}

// Of how many bytes the character at the beginning is, and what it is. One byte, 0: no UTF-8, or below three bytes.
struct Character {
  std::size_t bytes = 1;
  std::uint32_t code = 0;
};
Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const std::size_t bytes = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 1;
  if (bytes == 1 || byte(0) > 0xf4 || text.size() < bytes) return {};
  std::uint32_t code = byte(0) & (bytes == 4 ? 0x07 : 0x0f);
  for (std::size_t at = 1; at < bytes; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return {};
    code = (code << 6) | (byte(at) & 0x3f);
  }
  return {bytes, code};
}

void part(sqlite3_context* context, int, sqlite3_value** values) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
  const std::string_view all(text == nullptr ? "" : text, static_cast<std::size_t>(sqlite3_value_bytes(values[0])));
  if (!has_words_to_part(all)) return sqlite3_result_value(context, values[0]);
  const std::string apart = words_apart(all);
  sqlite3_result_text64(context, apart.data(), apart.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

}  // namespace

bool has_words_to_part(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < kLeastLead) {
      ++at;
      continue;
    }
    const Character character = first_of(text.substr(at));
    if (stands_alone(character.code)) return true;
    at += character.bytes;
  }
  return false;
}

std::string words_apart(std::string_view text) {
  std::string apart;
  while (!text.empty()) {
    const Character character = first_of(text);
    const bool alone = stands_alone(character.code);
    if (alone) apart += ' ';
    apart += text.substr(0, character.bytes);
    if (alone) apart += ' ';
    text.remove_prefix(character.bytes);
  }
  return apart;
}

int register_words_apart(sqlite3* handle) {
  return sqlite3_create_function_v2(handle, "words_apart", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                    nullptr, part, nullptr, nullptr, nullptr);
}

}  // namespace davit::store

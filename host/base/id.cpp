#include "host/base/id.h"

#include <openssl/rand.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace davit {
namespace {

// 74 random bits per id are drawn in blocks: RAND_bytes takes a lock and costs about a microsecond.
struct RandomBlock {
  unsigned char bytes[1024];
  std::size_t used = sizeof bytes;
  std::uint64_t last_ms = 0;
  std::uint32_t sequence = 0;
};

const unsigned char* draw(RandomBlock& block, std::size_t count) {
  if (block.used + count > sizeof block.bytes) {
    if (RAND_bytes(block.bytes, sizeof block.bytes) != 1) {
      std::fputs("davit: the system gives no random bytes\n", stderr);
      std::abort();
    }
    block.used = 0;
  }
  const unsigned char* start = block.bytes + block.used;
  block.used += count;
  return start;
}

}  // namespace

std::string new_id() {
  thread_local RandomBlock block;
  auto now = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                            std::chrono::system_clock::now().time_since_epoch())
                                            .count());
  // rand_a (12 bits) is a counter within the millisecond, so that ids of one thread sort as they were made.
  if (now > block.last_ms) {
    block.last_ms = now;
    const unsigned char* seed = draw(block, 2);
    block.sequence = (static_cast<std::uint32_t>(seed[0] & 0x07u) << 8) | seed[1];
  } else if (++block.sequence > 0xfff) {
    ++block.last_ms;
    block.sequence = 0;
  }
  const unsigned char* random = draw(block, 8);
  unsigned char raw[16];
  for (int i = 0; i < 6; ++i) raw[i] = static_cast<unsigned char>(block.last_ms >> (40 - 8 * i));
  raw[6] = static_cast<unsigned char>(0x70 | (block.sequence >> 8));
  raw[7] = static_cast<unsigned char>(block.sequence);
  for (int i = 0; i < 8; ++i) raw[8 + i] = random[i];
  raw[8] = static_cast<unsigned char>((raw[8] & 0x3f) | 0x80);

  static constexpr char kHex[] = "0123456789abcdef";
  std::string text(36, '-');
  std::size_t out = 0;
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) ++out;
    text[out++] = kHex[raw[i] >> 4];
    text[out++] = kHex[raw[i] & 15];
  }
  return text;
}

bool is_id(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    char c = text[i];
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

}  // namespace davit

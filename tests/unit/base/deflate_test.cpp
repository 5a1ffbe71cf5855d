#include "host/base/deflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

namespace davit {
namespace {

std::string some_text(std::size_t size) {
  std::mt19937 random(7);
  std::string text;
  while (text.size() < size) text += "line " + std::to_string(random() % 1000) + " of what was said\n";
  text.resize(size);
  return text;
}

std::string noise(std::size_t size) {
  std::mt19937 random(11);
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(random());
  return bytes;
}

TEST(DeflateTest, WhatWasPackedComesBackAsItWas) {
  for (const std::string& bytes : {std::string(), std::string(1, '\0'), some_text(300'000), noise(100'000)}) {
    const Result<std::string> back = inflate(deflate(bytes), bytes.size());
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(*back, bytes);
  }
}

TEST(DeflateTest, TextGetsSmallerAndNoiseHardlyLarger) {
  EXPECT_LT(deflate(some_text(64 << 10)).size(), (64u << 10) / 3);
  EXPECT_LT(deflate(noise(64 << 10)).size(), (64u << 10) + 100);
}

TEST(DeflateTest, MoreThanTheCallerExpectsIsRefused) {
  const std::string packed = deflate(std::string(10u << 20, 'x'));
  ASSERT_LT(packed.size(), 100'000u);
  EXPECT_TRUE(inflate(packed, 10u << 20).ok());
  for (std::size_t most : {std::size_t{0}, std::size_t{1000}, std::size_t{(10u << 20) - 1}}) {
    const Result<std::string> bomb = inflate(packed, most);
    ASSERT_FALSE(bomb.ok());
    EXPECT_EQ(bomb.error().code, ErrorCode::TooLarge);
  }
}

TEST(DeflateTest, ACutStreamIsDamaged) {
  const std::string packed = deflate(some_text(5'000));
  for (std::size_t size = 0; size < packed.size(); ++size) {
    const Result<std::string> cut = inflate(packed.substr(0, size), 5'000);
    ASSERT_FALSE(cut.ok()) << size;
    EXPECT_EQ(cut.error().code, ErrorCode::InvalidInput);
  }
}

TEST(DeflateTest, AChangedByteIsNoticed) {
  const std::string text = some_text(2'000);
  const std::string packed = deflate(text);
  for (std::size_t at = 0; at < packed.size(); ++at) {
    std::string changed = packed;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    const Result<std::string> read = inflate(changed, 2'000);
    // A change of nothing but the compression level's note keeps the text.
    if (read.ok()) {
      EXPECT_EQ(*read, text) << at;
    }
  }
  std::string changed = packed;
  changed[packed.size() / 2] = static_cast<char>(changed[packed.size() / 2] ^ 0x10);
  EXPECT_FALSE(inflate(changed, 2'000).ok());
}

TEST(DeflateTest, WhatFollowsTheStreamIsDamage) {
  EXPECT_EQ(inflate(deflate("text") + "x", 100).error().code, ErrorCode::InvalidInput);
}

TEST(GzipTest, SaysItsFormatAndNoTime) {
  const std::string packed = gzip("text");
  ASSERT_GE(packed.size(), 18u);
  EXPECT_EQ(packed.substr(0, 4), std::string("\x1f\x8b\x08\x00", 4));  // RFC 1952: deflate, no name
  EXPECT_EQ(packed.substr(4, 4), std::string(4, '\0'));                // no time
  EXPECT_EQ(packed, gzip("text"));
  EXPECT_EQ(packed.substr(packed.size() - 4), std::string("\x04\0\0\0", 4));  // so many bytes
}

TEST(GzipTest, NothingAndMuchComeOutWhole) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{64u << 10}, std::size_t{3u << 20}}) {
    std::string text(size, 'a');
    for (std::size_t i = 0; i < size; i += 7) text[i] = static_cast<char>('a' + i % 23);
    const std::string packed = gzip(text);
    std::string whole(size + 1, '\0');
    z_stream stream{};
    ASSERT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(whole.data());
    stream.avail_out = static_cast<uInt>(whole.size());
    EXPECT_EQ(::inflate(&stream, Z_FINISH), Z_STREAM_END) << size;
    EXPECT_EQ(stream.total_out, size);
    whole.resize(size);
    EXPECT_EQ(whole, text);
    inflateEnd(&stream);
  }
}

}  // namespace
}  // namespace davit

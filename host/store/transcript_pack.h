// Lines of a transcript that take one row together: one JSON array a line, packed.
//
// Made by whoever has the lines, so that the writer only stores bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/base/result.h"

namespace davit::store {

struct TranscriptLine {
  std::string kind, text;
  WallTime at{};            // when it was said
  std::int64_t number = 0;  // of its execution, from 1; the store gives it
};

struct TranscriptPack {
  std::int64_t first_line = 1;  // number
  std::int64_t lines = 0;
  std::int64_t bytes = 0;  // before it was packed
  std::string packed;
};

// What a pack may unpack to.
inline constexpr std::int64_t kMaxPackBytes = 16 << 20;

TranscriptPack pack_lines(std::int64_t first_line, const std::vector<TranscriptLine>& lines);
// InvalidInput or TooLarge with a phrase if the bytes are not what they are said to be.
Result<std::vector<TranscriptLine>> unpack_lines(std::int64_t first_line, std::int64_t lines,
                                                 std::int64_t bytes, std::string_view packed);

}  // namespace davit::store

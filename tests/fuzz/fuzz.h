// What every fuzz target needs.
//
// A target is one function that takes any bytes. libFuzzer calls it with bytes it makes up (scripts/fuzz),
// replay.cpp with those of corpus/<name>/ (every test run). A target promises more than not to crash: what it
// promises is said with promise(), and an input that breaks it is a finding like any other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name for it
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace davit::fuzz {

// Ends the process with the sentence unless it holds.
inline void promise(bool holds, const char* sentence) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", sentence);
  std::abort();
}

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Takes what stands in front of the first `border` off `rest`, and the border with it; all of it if there is
// none.
inline std::string_view cut(std::string_view& rest, std::string_view border) {
  const std::size_t end = std::min(rest.find(border), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + border.size(), rest.size()));
  return part;
}

// Fit for a log: something is said, in one line without control characters.
inline bool is_one_line(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
}

}  // namespace davit::fuzz

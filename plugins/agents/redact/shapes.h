// Secrets that can be told by how they look.
#pragma once

#include <cstddef>
#include <string_view>

namespace redact {

struct Match {
  std::size_t size = 0;  // bytes; 0: nothing
  std::string_view what;
};

// The secret that begins at `at` and not before. `fresh`: what stands in front is no part of the text (it is
// the beginning, or was taken out). Looks at most some dozens of bytes beyond what it takes.
Match match_shape(std::string_view text, std::size_t at, bool fresh);

}  // namespace redact

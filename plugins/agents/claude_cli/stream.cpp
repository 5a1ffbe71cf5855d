#include "claude_cli/stream.h"

namespace claude {
namespace {
constexpr std::size_t kWorthKeeping = 256 * 1024;  // of a buffer for the next line
}

void Lines::keep(std::string_view piece) {
  if (dropping_) return;
  if (piece.size() <= most_line_ - line_.size()) {
    line_.append(piece);
  } else {
    dropping_ = true;
    forget();
  }
}

void Lines::forget() {
  line_.clear();
  if (line_.capacity() > kWorthKeeping) std::string().swap(line_);  // an assignment would keep the room
}

}  // namespace claude

#include "git_workspace/path_pattern.h"

namespace git {
namespace {

// One piece of a pattern: the character itself, or what stands for others.
struct Piece {
  enum class Kind { Character, One, Some, Any, Folders } kind;
  char character = 0;
};

std::vector<Piece> pieces_of(std::string_view pattern) {
  using Kind = Piece::Kind;
  std::vector<Piece> pieces;
  while (!pattern.empty()) {
    std::size_t size = 1;
    if (pattern.substr(0, 3) == "**/") {
      pieces.push_back({Kind::Folders});
      size = 3;
    } else if (pattern.substr(0, 2) == "**") {
      pieces.push_back({Kind::Any});
      size = 2;
    } else if (pattern.front() == '*') {
      pieces.push_back({Kind::Some});
    } else if (pattern.front() == '?') {
      pieces.push_back({Kind::One});
    } else {
      pieces.push_back({Kind::Character, pattern.front()});
    }
    pattern.remove_prefix(size);
  }
  return pieces;
}

bool same(char a, char b, Case letters) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return letters == Case::Counts ? a == b : small(a) == small(b);
}

}  // namespace

// From behind, so that the time is the product of both lengths whatever they hold: `rest[at]` says whether
// the pieces behind the present one match the path from `at` on.
bool path_matches(std::string_view pattern, std::string_view path, Case letters) {
  using Kind = Piece::Kind;
  if (pattern.find('/') == std::string_view::npos && pattern.find("**") == std::string_view::npos)
    path.remove_prefix(path.rfind('/') + 1);
  const std::vector<Piece> pieces = pieces_of(pattern);
  std::vector<char> rest(path.size() + 1, 0), here(path.size() + 1, 0);
  rest[path.size()] = 1;
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    bool behind_a_slash = false;  // does the rest match behind one of the slashes from here on?
    for (std::size_t at = path.size() + 1; at-- > 0;) {
      const bool more = at < path.size();
      const bool slash = more && path[at] == '/';
      if (slash && rest[at + 1]) behind_a_slash = true;
      switch (piece->kind) {
        case Kind::Character:
          here[at] = more && same(piece->character, path[at], letters) && rest[at + 1];
          break;
        case Kind::One:
          here[at] = more && !slash && rest[at + 1];
          break;
        case Kind::Some:
          here[at] = rest[at] || (more && !slash && here[at + 1]);
          break;
        case Kind::Any:
          here[at] = rest[at] || (more && here[at + 1]);
          break;
        case Kind::Folders:
          here[at] = rest[at] || behind_a_slash;
          break;
      }
    }
    rest.swap(here);
  }
  return rest[0] != 0;
}

}  // namespace git

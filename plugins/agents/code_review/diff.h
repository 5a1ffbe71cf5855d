// What a pull request changes, as a model is shown it, and where comments on it may stand.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "github_api/diff_lines.h"
#include "github_api/shapes.h"

namespace review {

// Paths are other people's text, of any bytes.
struct LeftOut {
  std::string path, why;
};

struct Diff {
  // Of each file a line with its name, and its hunks; each line with its number after the change in front:
  //
  //   === src/a.cpp (modified)
  //   @@ -1,2 +10,2 @@ int main() {
  //       10  int a;
  //          -int b;
  //       11 +int c;
  std::string text;
  std::size_t shown = 0;          // files
  std::vector<LeftOut> left_out;  // files, in their order
};

// GitHub's own limit of files that it lists: of more nobody knows.
inline constexpr std::size_t kMostListed = 3000;

// At most `most` bytes. Where that is too little, files that programs write (lock files, minified ones) are
// left out first, then the largest.
Diff diff_of(const std::vector<github::ChangedFile>& files, std::size_t most);

// Where GitHub takes comments.
class Places {
 public:
  explicit Places(const std::vector<github::ChangedFile>& files);

  // Are these lines of the file after the change in one hunk of its diff?
  bool hold(std::string_view path, int first, int last) const;

 private:
  std::map<std::string, github::DiffLines, std::less<>> files_;
};

}  // namespace review

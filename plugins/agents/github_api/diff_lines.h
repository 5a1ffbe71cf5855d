// Where in a diff GitHub takes comments: a review with one comment elsewhere is refused as a whole.
#pragma once

#include <string_view>
#include <vector>

namespace github {

// Of one file, from `patch` as GET /repos/.../pulls/N/files gives it. Hostile text: what is no hunk is none.
class DiffLines {
 public:
  explicit DiffLines(std::string_view patch);

  // May a comment stand at the lines `first` to `last` of the file as it is after the change? They must be
  // lines that the diff shows, in one hunk.
  bool hold(int first, int last) const;

 private:
  struct Hunk {
    int first = 0, count = 0;  // lines after the change: those added and those around them
  };
  std::vector<Hunk> hunks_;
};

}  // namespace github

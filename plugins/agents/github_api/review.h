// Reviews of pull requests, posted once for each commit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace github {

// Nobody's pull request is approved by a program.
enum class Verdict { Comment, RequestChanges };

struct Finding {
  std::string path;
  int line = 0;        // after the change; the last one
  int start_line = 0;  // 0: it is about one line
  std::string body;
  std::string in_body = {};  // what stands in the review's body instead; empty: path, line and `body`
};

struct NewReview {
  std::string marker;  // as of a comment, up to 64 of them
  std::string body;
  Verdict verdict = Verdict::Comment;
  std::vector<Finding> findings;
};

struct PostedReview {
  std::int64_t id = 0;
  std::string url;
  bool made = false;  // false: it was there already
  // What became of the findings of one that was made.
  int at_lines = 0, in_body = 0;
};

}  // namespace github

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
};

struct NewReview {
  std::string marker;  // as of a comment, up to 64 of them
  std::string body;
  Verdict verdict = Verdict::Comment;
  std::vector<Finding> findings;
};

struct PostedReview {
  std::int64_t id = 0;
  // What became of the findings; both 0 when the review was there already.
  int at_lines = 0, in_body = 0;
};

}  // namespace github

// GitHub's errors as sentences.
#pragma once

#include <string>
#include <string_view>

namespace github {

// What the body of an error says, in one line of at most 300 bytes:
//   Validation Failed: A pull request already exists for o:branch.
//   Validation Failed: PullRequest head is invalid
// Empty when it is not in GitHub's shape (a page of a proxy, say). Whoever shows it takes secrets out.
std::string sentence_of(std::string_view body);

// `text` without line breaks and control characters, and at most `most` bytes of it.
std::string one_line(std::string_view text, std::size_t most);

}  // namespace github

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

// The right that a refused request needs, as GitHub's settings of tokens and Apps name it ("Checks: read"):
// what the answer says of it (its header X-Accepted-GitHub-Permissions), else by `method` and `path`. Empty:
// not known.
std::string right_for(std::string_view accepted, std::string_view method, std::string_view path);

// Whether a refusal of status 403 with that sentence is for want of a right.
bool is_about_rights(std::string_view sentence);

// `text` without line breaks and control characters, and at most `most` bytes of it.
std::string one_line(std::string_view text, std::size_t most);

}  // namespace github

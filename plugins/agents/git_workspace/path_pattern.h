// Patterns of paths, as people write them in lists of what is allowed.
#pragma once

#include <string_view>
#include <vector>

namespace git {

enum class Case { Counts, Ignored };  // of the letters A to Z

// `*` is any of a part's characters, `?` one of them, `**` also slashes, `**/` no or some folders. A pattern
// without a slash is for the last part of a path, wherever it lies: "*.lock", "Jenkinsfile".
bool path_matches(std::string_view pattern, std::string_view path, Case letters);

}  // namespace git

// What an agent may change: the rules, and whether a change keeps them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "redact/redactor.h"

namespace git {

// What decides about programs that run elsewhere: of CI, of agents and editors, of git itself.
std::vector<std::string> paths_denied_by_default();
// What tells the programs of models what to do, by itself: their instructions, settings and servers.
std::vector<std::string> paths_that_lead_agents();

struct Gate {
  std::vector<std::string> allow{"**"};  // patterns of path_pattern.h; a changed file matches one,
  // and none of these, in letters of any case. A link is not allowed in the place of a folder on the way
  // either: ".github" of ".github/workflows/**".
  std::vector<std::string> deny = paths_denied_by_default();
  std::size_t most_bytes = std::size_t{1} << 20;  // of the diff
  std::size_t most_files = 50;
  bool binaries = false;     // files with a NUL byte
  bool executables = false;  // files that become programs
};

// As git's modes: 0 where there is no file.
inline constexpr int kNoFile = 0, kPlain = 0100644, kProgram = 0100755, kLink = 0120000, kSubmodule = 0160000;

struct File {
  std::string path;  // bytes as they are; the gate refuses what is not UTF-8
  int old_mode = kNoFile, new_mode = kNoFile;
  std::string old_id, new_id;  // of what it held and holds; zeros where there is no file
};

// What a file held and holds; of a link: where it leads. Nullopt: too much to be looked at.
struct Contents {
  std::optional<std::string> before = "", after = "";
};

struct Refusal {
  std::string path;      // UTF-8, without secrets; empty: the change as a whole
  std::string rule;      // "path", "size", "files", "binary", "mode", "symlink", "submodule", "repository",
                         // "name", "secret", "git"
  std::string sentence;  // what is wrong and what to do, without secrets
};

// All that is wrong, in the order of the paths. `contents` are those of `files`, one for each; `diff_bytes`
// is nullopt for a diff beyond gate.most_bytes; `repositories` are the folders that were repositories of
// their own.
std::vector<Refusal> judge(const Gate& gate, const std::vector<File>& files,
                           const std::vector<Contents>& contents, std::optional<std::size_t> diff_bytes,
                           const std::vector<std::string>& repositories, const redact::Redactor& secrets);

}  // namespace git

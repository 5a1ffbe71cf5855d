// A repository as it was when it was fetched last: its branches, without a tree.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "git_workspace/command.h"
#include "git_workspace/gate.h"
#include "git_workspace/remote.h"
#include "shared_files/files.h"

namespace git {

struct Commit {
  std::string id;
  std::vector<std::string> parents;  // ids
  std::string author_email;
  std::string message;
};

struct Hit {
  std::string path;
  int line = 0;
  std::string text;  // of the line, at most 200 bytes
};

// Where a word stands in a file for the first time.
struct WordHit {
  std::size_t word = 0;  // which one of those that were asked for
  std::string path;
  int line = 0;
};

struct WordHits {
  std::vector<WordHit> hits;  // one for each word and file
  bool all = true;            // false: there are more than was read
};

enum class Words {
  Whole,     // as they are, without a letter, digit or underscore beside them
  Anywhere,  // also inside other words, and letters A to Z in either case
};

struct Text {
  std::string text;
  bool cut = false;  // there is more
};

// What it shows stays as it is while the value, or a copy or a session made of it, lives: nobody removes or
// repacks the mirror meanwhile. Commits are named by their whole id. Confined to one thread. All functions
// throw davit::Failure: Permanent for a name or id that is none, Retryable and Cancelled as Git does.
class Mirror {
 public:
  const Remote& remote() const { return remote_; }
  const std::filesystem::path& folder() const { return folder_; }
  const Git& git() const { return git_; }
  const std::string& prefix() const { return prefix_; }  // of the branches that are davit's

  // "main"; empty where the repository has none (it is empty).
  const std::string& default_branch() const { return default_branch_; }
  // Whether only the last commit of the default branch and of davit's own branches is here, because all would
  // have been too large.
  bool is_shallow() const;
  // When it was brought up to date last.
  std::chrono::system_clock::time_point fetched_at() const { return fetched_at_; }

  // The commit a branch was at; nullopt where there is no such branch.
  std::optional<std::string> head(std::string_view branch) const;
  // That of a pull request, if Mirrors::fetch was asked for it.
  std::optional<std::string> pull_head(int number) const;
  // The commit a branch is at now, as the server says.
  std::optional<std::string> remote_head(std::string_view branch, const Token& token) const;

  bool has(std::string_view commit) const;
  // The last commit that both have; nullopt where there is none (as in a shallow mirror).
  std::optional<std::string> merge_base(std::string_view one, std::string_view other) const;
  // Those of `head` that `base` has not, the newest first.
  std::vector<Commit> commits(std::string_view base, std::string_view head, std::size_t most = 100) const;
  // What a file held in a commit; nullopt where it was not there, or is no file. Of a symbolic link: where it
  // leads. Permanent for one of more than `most` bytes.
  std::optional<std::string> read(std::string_view commit, std::string_view path,
                                  std::size_t most = std::size_t{1} << 20) const;
  // Those that two commits differ in, in the order of their paths; a renamed one is two.
  std::vector<File> files(std::string_view from, std::string_view to) const;
  // From one commit to another, without renames, cut after a line.
  Text diff(std::string_view from, std::string_view to, std::size_t most = std::size_t{1} << 20) const;

  // Lines of text files of the default branch that have the word as it is; at most ten of a file.
  std::vector<Hit> grep(std::string_view word, std::size_t most = 100) const;
  // The same for several words at once, which costs about as much as one: texts, never patterns, whoever
  // wrote them. Where two stand at the same place the longer one counts. Looked for are the first 100 words,
  // and of them those of 1 to 200 bytes in one line; of a file the first 50 lines that have any.
  WordHits search(const std::vector<std::string>& words, Words how) const;
  // All files of the default branch, in the order of their paths; not those whose names are no UTF-8.
  std::vector<std::string> files() const;
  // Files of the default branch whose path is this or ends with "/" and this.
  std::vector<std::string> files_ending(std::string_view path, std::size_t most = 100) const;

 private:
  friend class Mirrors;
  Mirror(Git git, Remote remote, std::filesystem::path folder, std::string prefix, shared::FileLock in_use,
         std::chrono::system_clock::time_point fetched_at);

  std::optional<std::string> commit_of(const std::string& ref) const;
  std::string doing(const std::string& what) const { return "cannot " + what + " " + remote_.key(); }

  Git git_;
  Remote remote_;
  std::filesystem::path folder_;
  std::string prefix_, default_branch_;
  std::shared_ptr<const shared::FileLock> in_use_;
  std::chrono::system_clock::time_point fetched_at_;
};

// Throws davit::Failure(Permanent) for what is no whole id of an object.
void check_object_id(std::string_view id);

}  // namespace git

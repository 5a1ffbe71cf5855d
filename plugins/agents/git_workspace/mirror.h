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
#include "git_workspace/lock.h"
#include "git_workspace/remote.h"

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
  // Files of the default branch whose path is this or ends with "/" and this.
  std::vector<std::string> files_ending(std::string_view path, std::size_t most = 100) const;

 private:
  friend class Mirrors;
  Mirror(Git git, Remote remote, std::filesystem::path folder, std::string prefix, Lock in_use);

  std::optional<std::string> commit_of(const std::string& ref) const;
  std::string doing(const std::string& what) const { return "cannot " + what + " " + remote_.key(); }

  Git git_;
  Remote remote_;
  std::filesystem::path folder_;
  std::string prefix_, default_branch_;
  std::shared_ptr<const Lock> in_use_;
};

// Throws davit::Failure(Permanent) for what is no whole id of an object.
void check_object_id(std::string_view id);

}  // namespace git

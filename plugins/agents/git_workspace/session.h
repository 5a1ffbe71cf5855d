// A work tree for one agent, and what may become of it: a change, a commit, a branch.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "git_workspace/gate.h"
#include "git_workspace/message.h"
#include "git_workspace/mirror.h"

namespace git {

// How the tree differs from the commit the session began with.
struct Change {
  std::string tree;         // git's id of all that is in the tree now
  std::vector<File> files;  // in the order of their paths
  // For people and for the hash: unified, without renames, binary files in git's own form; bytes as they are,
  // also of secrets that were there before. Cut at gate.most_bytes.
  std::string diff;
  std::string sha256;            // of the diff, in hexadecimal digits; empty if it is cut
  std::vector<Refusal> refused;  // what the gate says; empty: it may be committed

  bool is_empty() const { return files.empty(); }
};

struct Author {
  std::string name, email;
  std::chrono::system_clock::time_point when = std::chrono::system_clock::now();
};

// Two folders below the workspace: the tree, which is the agent's, and a git folder beside it, which the
// agent must not see. Whatever the agent put into the tree (repositories, configuration, hooks, filters,
// links), no program of it is started by these functions.
//
// Confined to one thread. Throws davit::Failure as Git does.
class Session {
 public:
  // A new tree with what a commit, or the head of a branch, holds. `workspace` is a folder of the caller.
  // Throws davit::Failure: NotFound for a commit or branch that is not in the mirror, Permanent for one whose
  // files are beyond the limits.
  static Session open(const Mirror& mirror, std::string_view commit_or_branch,
                      const std::filesystem::path& workspace);
  // Removes both folders.
  ~Session();
  Session(Session&& other) noexcept;
  Session& operator=(Session&&) = delete;

  const std::filesystem::path& tree() const { return tree_; }
  const std::string& base() const { return base_; }  // the commit it began with
  const std::string& head() const { return head_; }  // the last commit made here, else the base

  // A file of the tree, for the caller's own changes: never through a link. Throws Permanent for a path that
  // is not plain.
  void write(std::string_view path, std::string_view content);
  void remove(std::string_view path);

  // Each file of the base whose path matches one of the patterns (path_pattern.h, letters of any case)
  // becomes what it is in `commit`, and is removed where it is no file there: what a change brings along must
  // not have a say in how it is looked at. Throws Permanent for a file of more than a MiB.
  void take_from(std::string_view commit, const std::vector<std::string>& patterns);

  // Puts a repository with the base as its only commit into the tree, for the agent's own `git status` and
  // `git diff`; change() removes it, and it may be given again then. Throws Retryable where something is in
  // its place.
  void give_repository();

  // What is different now. Each ".git" in the tree is removed, unread; nothing may work in the tree
  // meanwhile. Files that .gitignore leaves out are no part of it.
  Change change(const Gate& gate);

  // Fills an empty folder, or a new one, with what a commit of the change would hold: for programs that try
  // it, and whose traces are no part of it. Throws Permanent for a change that change() did not let through.
  void copy_to(const Change& change, const std::filesystem::path& folder) const;

  // A commit of a change on top of head(), which it becomes; where there is nothing new, the head as it is.
  // Known secrets are taken out of the message; `trailer`, the last line of it, stays as it is. Throws
  // Permanent for a change that the gate refused, or that change() did not give, and for a trailer that holds
  // a secret or could not be read back.
  std::string commit(const Change& change, const Author& author, std::string_view message,
                     const std::optional<Trailer>& trailer = std::nullopt);

  enum class Pushed { Now, AlreadyThere };
  // Makes a branch of the server be head(). `expected`: the commit it is at, nullopt if it must not be there.
  // Throws Permanent for a branch that is not below the prefix, is the default one, has a secret in its name
  // or would lose commits, and where the server refuses; Retryable where it is not as expected: somebody else
  // pushed.
  Pushed push(std::string_view branch, const std::optional<std::string>& expected, const Token& token);

 private:
  Session(const Mirror& mirror, std::filesystem::path folder);

  void check_out(std::string_view commit_or_branch);
  std::filesystem::path index_of_base() const { return folder_ / "index"; }
  void add_all(std::vector<Refusal>& refused);
  std::vector<File> files_of(const std::string& tree) const;
  std::vector<Contents> contents_of(const std::vector<File>& files) const;
  std::string doing(const std::string& what) const { return "cannot " + what + " " + mirror_.remote().key(); }

  Mirror mirror_;
  std::filesystem::path folder_, git_dir_, tree_;  // folder_ has the others in it; empty: moved from
  std::string base_, head_;
  std::vector<std::string> files_;       // paths of the base, submodules excepted
  std::vector<std::string> submodules_;  // paths
  std::vector<std::string> passed_;      // trees that the gate let through
};

}  // namespace git

// A copy of each repository that agents work on, which all of them share: fetched again it costs what is new.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "git_workspace/command.h"
#include "git_workspace/mirror.h"
#include "git_workspace/remote.h"
#include "redact/redactor.h"

namespace git {

struct Settings {
  std::filesystem::path state_folder;            // absolute; mirrors lie in "mirrors" below it
  std::vector<std::string> hosts{"github.com"};  // of remotes
  std::string prefix = "davit/";  // of branches that are pushed: valid parts of a name, with "/" at the end
  Limits limits;
  redact::Redactor secrets;  // not in messages, and not in what is committed
};

// A mirror is the folder mirrors/<host>/<owner>/<name>.git. Two lock files beside it are shared by all
// processes: `<name>.fetch.lock` is held by the one who writes, `<name>.use.lock` by those who read, for as
// long as they do. A fetch only adds objects, so it goes on beside readers; what takes objects away
// (repacking, or removal of what has become too large or is damaged) happens only when nobody reads.
//
// Confined to one thread; several of them, here or in other processes, may work on the same folder.
class Mirrors {
 public:
  // Throws davit::Failure(Permanent) for settings that cannot be, and where git is missing.
  Mirrors(Settings settings, Cancel cancelled);

  // As remote_at() with the hosts of the settings.
  Remote remote_at(std::string_view url) const { return git::remote_at(url, settings_.hosts); }

  // Brings the mirror up to date, or makes it: all branches with their history; of a repository that would be
  // larger than limits.mirror_bytes the last commit of the default branch and of davit's own branches.
  // `pulls`: pull requests whose heads are wanted too (refs/pull/N/head). Throws davit::Failure: NotFound and
  // Unauthorized as the server says, Cancelled, Retryable for what may pass, Permanent for the rest. A mirror
  // that is damaged is made anew; where somebody reads it, or git came upon the damage only in the middle,
  // that is Retryable, and the next fetch makes it anew.
  Mirror fetch(const Remote& remote, const Token& token, const std::vector<int>& pulls = {});

  // The mirror as it is; nullopt where it was not fetched as a whole yet.
  std::optional<Mirror> kept(const Remote& remote) const;

  // Each mirror that is there, as it is, in the order of their names. What a callback throws ends the walk.
  void for_each(const std::function<void(const Mirror&)>& look) const;

 private:
  std::filesystem::path folder_of(const Remote& remote) const;
  std::optional<Mirror> open(const std::filesystem::path& folder) const;
  bool is_sound(const Remote& remote) const;
  void remove_if_unused(const Remote& remote) const;
  void make(const std::filesystem::path& folder) const;
  bool fetch_all(const Remote& remote, const Token& token, const std::vector<int>& pulls) const;
  void fetch_last(const Remote& remote, const Token& token, const std::vector<int>& pulls) const;
  bool fetch_refs(const Remote& remote, const Token& token, std::vector<std::string> arguments) const;
  void learn_default_branch(const Remote& remote, const Token& token) const;
  void repack_if_unused(const Remote& remote) const;

  Settings settings_;
  Git git_;
};

}  // namespace git

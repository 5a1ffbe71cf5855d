// What GitHub answers, as far as agents read it. Texts are other people's: hostile, of any length GitHub
// takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "davit/json.hpp"
#include "github_api/paths.h"

namespace github {

// Who is gone ("ghost") has the id 0 and no rights. Logins change and are given to others; ids do not.
struct Person {
  std::int64_t id = 0;
  std::string login;
  bool bot = false;
};

struct Repository {
  std::int64_t id = 0;
  Repo repo;  // as it is called today, also when it was asked for by an older name
  std::string default_branch;
  bool is_private = true;
  bool fork = false;
  bool archived = false;  // takes no pushes, issues and comments
};

struct Issue {
  int number = 0;
  std::string title, body, url;
  bool open = false;
  bool is_pull = false;  // each pull request is an issue, too
  Person author;
  std::vector<std::string> labels;
};

struct Branch {
  Repo repo;  // empty if it is gone
  std::string name, sha;
};

enum class PullState { Open, Closed, Merged };

struct Pull {
  int number = 0;
  std::string node_id;  // what GraphQL calls it
  std::string title, body, url;
  PullState state = PullState::Closed;
  bool draft = false;
  Person author;
  Branch head, base;
};

struct Comment {
  std::int64_t id = 0;
  std::string body, url;
  Person author;
};

// What a pull request changes in one file.
struct ChangedFile {
  std::string path;
  std::string before;                   // its path before, where it was renamed
  std::string status;                   // in GitHub's word: "added", "removed", "modified", "renamed"
  std::int64_t added = 0, removed = 0;  // lines
  std::string patch;                    // empty for what is binary or too large
};

struct CodeHit {
  Repo repo;
  std::string path;
};

// Each throws davit::Failure(Permanent), naming it, when what everything hangs on (an id, a number, a sha) is
// missing or of another type; all else reads as empty then, and what gives rights as none.
Person person_of(davit::JsonView json);
Repository repository_of(davit::JsonView json);
Issue issue_of(davit::JsonView json);
Pull pull_of(davit::JsonView json);
Comment comment_of(davit::JsonView json);
ChangedFile changed_file_of(davit::JsonView json);
CodeHit code_hit_of(davit::JsonView json);

// Names compare as on GitHub: without regard to case.
bool same(const Repo& a, const Repo& b);

}  // namespace github

// The git folder is made anew for each session and lies where the agent cannot write, so nothing that git
// obeys comes from the agent, with one exception: a repository below the tree. git starts itself in one that
// is recorded as a submodule, and then obeys the configuration it finds there. So no ".git" is left below the
// tree before git looks at it.
//
// What is judged, hashed and committed is the one tree object that git wrote of the files: whatever happens
// to the files later is not in it. It is read without a work tree, for the attributes of one could hide
// changes ("*.c -diff").
#include "git_workspace/session.h"

#include <stdlib.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "davit/sha256.hpp"
#include "davit/text.hpp"
#include "git_workspace/branch.h"
#include "git_workspace/folder.h"
#include "git_workspace/path_pattern.h"
#include "git_workspace/raw_diff.h"

namespace git {
namespace {

namespace fs = std::filesystem;
using child::Finished;
using child::Stopped;
using davit::Failure;

constexpr std::size_t kMostList = std::size_t{128} << 20;   // bytes of a list of files
constexpr std::size_t kMostLooked = std::size_t{64} << 20;  // bytes of contents that are looked through
constexpr std::size_t kMostGrumbles = 50;                   // refusals by git that are told

std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

int mode_of(std::string_view octal) {
  int mode = 0;
  std::from_chars(octal.data(), octal.data() + octal.size(), mode, 8);
  return mode;
}

bool has_content(int mode) { return mode != kNoFile && mode != kSubmodule; }

std::string seconds_since_1970(std::chrono::system_clock::time_point time) {
  return std::to_string(std::chrono::system_clock::to_time_t(time));
}

// git would leave these characters out, or take them for the end of the name.
std::string plain(std::string_view text, const char* what) {
  std::string result;
  for (const char c : davit::to_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f && c != '<' && c != '>') result += c;
  }
  const auto letter = [](unsigned char c) { return c > 0x7f || isalnum(c); };
  if (std::none_of(result.begin(), result.end(), letter))
    throw Failure::permanent(std::string("the author of commits has no ") + what);
  return result;
}

std::string hex(const davit::Digest& digest) {
  std::string text;
  for (const auto byte : digest) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += {kDigits[byte / 16], kDigits[byte % 16]};
  }
  return text;
}

fs::path new_folder(const fs::path& workspace) {
  std::string pattern = (fs::absolute(workspace) / "repository-XXXXXX").string();
  if (!mkdtemp(pattern.data()))
    throw Failure::retryable("cannot make a folder in " + workspace.string() + " for a work tree");
  return pattern;
}

}  // namespace

Session::Session(const Mirror& mirror, fs::path folder)
    : mirror_(mirror), folder_(std::move(folder)), git_dir_(folder_ / "git"), tree_(folder_ / "tree") {}

Session::Session(Session&& other) noexcept
    : mirror_(std::move(other.mirror_)),
      folder_(std::exchange(other.folder_, fs::path())),
      git_dir_(std::move(other.git_dir_)),
      tree_(std::move(other.tree_)),
      base_(std::move(other.base_)),
      head_(std::move(other.head_)),
      files_(std::move(other.files_)),
      submodules_(std::move(other.submodules_)),
      passed_(std::move(other.passed_)) {}

Session::~Session() {
  if (!folder_.empty()) remove_folder(folder_);
}

Session Session::open(const Mirror& mirror, std::string_view commit_or_branch, const fs::path& workspace) {
  Session session(mirror, new_folder(workspace));
  session.check_out(commit_or_branch);
  return session;
}

void Session::check_out(std::string_view commit_or_branch) {
  if (is_object_id(commit_or_branch)) {
    if (mirror_.has(commit_or_branch)) base_ = commit_or_branch;
  } else if (const auto head = mirror_.head(commit_or_branch)) {
    base_ = *head;
  }
  if (base_.empty()) {
    throw Failure::not_found("there is no " + davit::to_utf8(commit_or_branch.substr(0, 200)) + " in " +
                             mirror_.remote().key());
  }
  head_ = base_;

  const Git& git = mirror_.git();
  const Limits& limits = git.limits();
  const std::string list = git.output(
      mirror_.folder(), {.arguments = {"ls-tree", "-r", "-l", "-z", base_}, .most_output = kMostList},
      doing("list the files of"));
  std::uint64_t bytes = 0;
  std::size_t files = 0;
  for (std::string_view rest = list; !rest.empty();) {  // "<mode> <type> <id> <size>\t<path>"
    std::string_view entry = take_until(rest, '\0');
    std::string_view facts = take_until(entry, '\t');
    (mode_of(facts) == kSubmodule ? submodules_ : files_).emplace_back(entry);
    facts.remove_prefix(facts.rfind(' ') + 1);
    std::uint64_t size = 0;
    std::from_chars(facts.data(), facts.data() + facts.size(), size);
    bytes += size;
    ++files;
  }
  if (files > limits.files || bytes > limits.tree_bytes) {
    throw Failure::permanent(doing("work on") + ": its " + std::to_string(files) + " files of " +
                             std::to_string(bytes >> 20) + " MiB are more than the limits (" +
                             std::to_string(limits.files) + " files, " +
                             std::to_string(limits.tree_bytes >> 20) + " MiB)");
  }

  const std::string what = doing("work on");
  make_folder(tree_, what);
  make_folder(git_dir_, what);
  git.output(git_dir_, {.arguments = {"init", "--quiet", "--bare", "--template="}}, what);
  make_folder(git_dir_ / "objects/info", what);
  write_file(git_dir_ / "objects/info/alternates", (mirror_.folder() / "objects").string() + "\n", what);
  if (mirror_.is_shallow()) copy_file(mirror_.folder() / "shallow", git_dir_ / "shallow", what);
  git.output(git_dir_, {.arguments = {"read-tree", "-u", "--reset", base_}, .work_tree = tree_},
             doing("check out a commit of"));
  copy_file(git_dir_ / "index", index_of_base(), what);
}

// Made beside the tree and moved in: in the tree itself git is never run.
void Session::give_repository() {
  const Git& git = mirror_.git();
  const fs::path given = folder_ / "given";
  const std::string what = doing("give the agent a repository of");
  remove_folder(given);
  make_folder(given, what);
  git.output(given, {.arguments = {"init", "--quiet", "--bare", "--template="}}, what);
  git.output(
      given,
      {.arguments = {"-c", "protocol.file.allow=always", "fetch", "--quiet", "--depth=1", "--no-tags",
                     "--no-write-fetch-head", "--", mirror_.folder().string(), base_ + ":refs/heads/base"}},
      what);
  git.output(given, {.arguments = {"symbolic-ref", "HEAD", "refs/heads/base"}}, what);
  git.output(given, {.arguments = {"config", "core.bare", "false"}}, what);
  copy_file(index_of_base(), given / "index", what);
  std::error_code error;
  fs::rename(given, tree_ / ".git", error);
  if (error) throw Failure::retryable(what + ": " + error.message());
}

void Session::write(std::string_view path, std::string_view content) { write_below(tree_, path, content); }

void Session::remove(std::string_view path) { remove_below(tree_, path); }

void Session::take_from(std::string_view commit, const std::vector<std::string>& patterns) {
  for (const std::string& path : files_) {
    const bool wanted = std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
      return path_matches(pattern, path, Case::Ignored);
    });
    if (!wanted) continue;
    remove_below(tree_, path);
    if (const std::optional<std::string> content = mirror_.read(commit, path))
      write_below(tree_, path, *content);
  }
}

Change Session::change(const Gate& gate) {
  const Git& git = mirror_.git();
  const Swept swept = sweep(tree_, {git.limits().tree_bytes, git.limits().files});
  Change change;
  std::vector<Refusal> refused;
  // An empty folder stands for a submodule; cleaning up may have taken it away. git passes over what is in
  // it.
  for (const std::string& path : submodules_) {
    if (is_empty_folder_below(tree_, path)) continue;
    const std::string shown = git.secrets()(davit::to_utf8(path));
    refused.push_back({shown, "submodule", shown + " is a submodule, and files were put in its place"});
  }
  add_all(refused);
  change.tree =
      first_line(git.output(git_dir_, {.arguments = {"write-tree"}}, doing("look at the change of")));
  change.files = files_of(change.tree);

  Finished diff =
      git.run(git_dir_,
              {.arguments = {"diff-tree", "-p", "--binary", "--full-index", "--no-color", "--no-renames",
                             "--no-ext-diff", "--no-textconv", base_, change.tree},
               .most_output = gate.most_bytes},
              doing("look at the change of"));
  const bool is_whole = diff.stopped == Stopped::No;
  if (is_whole && diff.wait_status != 0) {
    throw Failure::permanent(doing("look at the change of") + ": " + complaint_in(diff.err));
  }
  change.diff = std::move(diff.out);
  if (is_whole) change.sha256 = hex(davit::sha256(change.diff));

  change.refused =
      judge(gate, change.files, contents_of(change.files),
            is_whole ? std::optional(change.diff.size()) : std::nullopt, swept.repositories, git.secrets());
  change.refused.insert(change.refused.end(), refused.begin(), refused.end());
  if (change.refused.empty()) passed_.push_back(change.tree);
  return change;
}

void Session::copy_to(const Change& change, const fs::path& folder) const {
  const std::string what = doing("copy a change of");
  if (std::find(passed_.begin(), passed_.end(), change.tree) == passed_.end())
    throw Failure::permanent(what + ": the change is not one that was looked at");
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_empty(folder))
    throw Failure::retryable(what + ": " + folder.string() + " is no empty folder");
  const fs::path index = folder_ / "copied";
  fs::remove(index);
  mirror_.git().output(git_dir_,
                       {.arguments = {"read-tree", "-u", "--reset", change.tree},
                        .work_tree = folder,
                        .environment = {"GIT_INDEX_FILE=" + index.string()}},
                       what);
}

// Into the index, with the conversions of line ends that .gitattributes ask for. What git does not take (a
// pipe, a name that is no name elsewhere) is refused.
void Session::add_all(std::vector<Refusal>& refused) {
  const Finished finished =
      mirror_.git().run(git_dir_, {.arguments = {"add", "--all", "--ignore-errors"}, .work_tree = tree_},
                        doing("look at the change of"));
  if (finished.succeeded()) return;
  std::size_t told = 0;
  for (std::string_view rest = finished.err; !rest.empty() && told < kMostGrumbles;) {
    const std::string_view line = take_until(rest, '\n');
    if (line.substr(0, 7) != "error: " && line.substr(0, 7) != "fatal: ") continue;
    refused.push_back({"", "git", "git does not take a file: " + complaint_in(line)});
    ++told;
  }
  if (told == 0) refused.push_back({"", "git", "git does not take the files, and does not say why"});
}

std::vector<File> Session::files_of(const std::string& tree) const {
  const std::string list = mirror_.git().output(
      git_dir_,
      {.arguments = {"diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", base_, tree},
       .most_output = kMostList},
      doing("look at the change of"));
  return files_in(list);
}

// One look for the sizes, one for what fits.
std::vector<Contents> Session::contents_of(const std::vector<File>& files) const {
  const Git& git = mirror_.git();
  std::vector<Contents> contents(files.size());
  struct Wanted {
    const std::string* id;
    std::optional<std::string>* into;
  };
  std::vector<Wanted> wanted;
  std::string ids;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto want = [&](int mode, const std::string& id, std::optional<std::string>& into) {
      if (!has_content(mode)) return;
      wanted.push_back({&id, &into});
      ids += id + "\n";
    };
    want(files[i].old_mode, files[i].old_id, contents[i].before);
    want(files[i].new_mode, files[i].new_id, contents[i].after);
  }
  const std::string sizes =
      git.output(git_dir_, {.arguments = {"cat-file", "--batch-check=%(objectsize)"}, .input = ids},
                 doing("look at the change of"));
  std::size_t room = kMostLooked;
  std::string fitting;
  std::string_view rest = sizes;
  std::erase_if(wanted, [&](const Wanted& one) {
    const std::string_view line = take_until(rest, '\n');
    std::size_t size = 0;
    const char* const end = line.data() + line.size();
    const bool is_number = std::from_chars(line.data(), end, size).ptr == end;  // else "<id> missing"
    if (!is_number || size > room) {
      one.into->reset();
      return true;
    }
    room -= size;
    fitting += *one.id + "\n";
    return false;
  });
  const std::string all = git.output(
      git_dir_,
      {.arguments = {"cat-file", "--batch=%(objectsize)"}, .input = fitting, .most_output = 2 * kMostLooked},
      doing("look at the change of"));
  rest = all;
  for (const Wanted& one : wanted) {
    const std::string_view line = take_until(rest, '\n');
    std::size_t size = 0;
    std::from_chars(line.data(), line.data() + line.size(), size);
    if (rest.size() < size + 1) throw Failure::retryable(doing("look at the change of") + ": git broke off");
    *one.into = rest.substr(0, size);
    rest.remove_prefix(size + 1);
  }
  return contents;
}

std::string Session::commit(const Change& change, const Author& author, std::string_view message,
                            const std::optional<Trailer>& trailer) {
  const Git& git = mirror_.git();
  const std::string what = doing("commit to");
  if (!change.refused.empty())
    throw Failure::permanent(what + ": the change was refused: " + change.refused.front().sentence);
  if (std::find(passed_.begin(), passed_.end(), change.tree) == passed_.end())
    throw Failure::permanent(what + ": the change is not one that was looked at");
  std::string words = git.secrets()(clean_message(message));
  if (words.empty()) throw Failure::permanent(what + ": it has no message");
  if (trailer) {
    // Whoever comes next knows the commit by it: it is not to be one secret with the words before it.
    if (!git.secrets().finds(trailer->value).empty())
      throw Failure::permanent(what + ": its line " + trailer->key + " holds a secret");
    words = with_trailer(words, trailer->key, trailer->value);
    if (git::trailer(words, trailer->key) != trailer->value)
      throw Failure::permanent(what + ": its line " + trailer->key + " cannot be read back");
  }

  const std::string tree_now =
      first_line(git.output(git_dir_, {.arguments = {"rev-parse", "--verify", head_ + "^{tree}"}}, what));
  if (tree_now == change.tree) return head_;
  const std::string name = plain(author.name, "name"), email = plain(author.email, "address");
  const std::string when = seconds_since_1970(author.when) + " +0000";
  head_ =
      first_line(git.output(git_dir_,
                            {.arguments = {"commit-tree", "-p", head_, "-F", "-", change.tree},
                             .input = words + "\n",
                             .environment = {"GIT_AUTHOR_NAME=" + name, "GIT_AUTHOR_EMAIL=" + email,
                                             "GIT_AUTHOR_DATE=" + when, "GIT_COMMITTER_NAME=" + name,
                                             "GIT_COMMITTER_EMAIL=" + email, "GIT_COMMITTER_DATE=" + when}},
                            what));
  return head_;
}

Session::Pushed Session::push(std::string_view branch, const std::optional<std::string>& expected,
                              const Token& token) {
  const Git& git = mirror_.git();
  const std::string what = doing("push to");
  const std::string& prefix = mirror_.prefix();
  if (!git.secrets().finds(branch).empty())
    throw Failure::permanent(what + ": the name of the branch holds a secret");
  if (!valid_branch(branch)) throw Failure::permanent(what + ": this is no name for a branch");
  if (branch.substr(0, prefix.size()) != prefix || branch == mirror_.default_branch()) {
    throw Failure::permanent(what + ": branch " + std::string(branch) + " is not davit's, only those below " +
                             prefix + " are");
  }
  if (expected) {
    check_object_id(*expected);
    const Finished ancestry =
        git.run(git_dir_, {.arguments = {"merge-base", "--is-ancestor", *expected, head_}}, what);
    if (!ancestry.succeeded()) {
      throw Failure::permanent(what + ": branch " + std::string(branch) + " would lose commit " + *expected +
                               ": begin the session with it");
    }
  }

  const std::string ref = "refs/heads/" + std::string(branch);
  const Finished finished = git.talk(
      git_dir_,
      {.arguments = {"push", "--porcelain", "--no-verify", "--no-follow-tags", "--signed=no",
                     "--recurse-submodules=no", "--force-with-lease=" + ref + ":" + expected.value_or(""),
                     "--", mirror_.remote().url, head_ + ":" + ref}},
      mirror_.remote(), token, git.limits().push, {}, what);
  for (std::string_view rest = finished.out; !rest.empty();) {  // "<flag>\t<from>:<to>\t<summary>"
    const std::string_view line = take_until(rest, '\n');
    if (line.size() < 2 || line[1] != '\t' || line.find(":" + ref + "\t") == std::string_view::npos) continue;
    if (line[0] == '=') return Pushed::AlreadyThere;
    if (line[0] != '!') continue;
    const std::string_view why = line.substr(line.rfind('\t') + 1);
    for (const std::string_view race :
         {"stale info", "fetch first", "non-fast-forward", "failed to update ref", "cannot lock ref"}) {
      if (why.find(race) != std::string_view::npos) {
        throw Failure::retryable(what + ": branch " + std::string(branch) +
                                 " is not where it was expected: somebody else pushed to it");
      }
    }
    throw Failure::permanent(what + ": the server refuses branch " + std::string(branch) + ": " +
                             complaint_in(why));
  }
  if (!finished.succeeded()) throw git.refusal(finished, what);
  return Pushed::Now;
}

}  // namespace git

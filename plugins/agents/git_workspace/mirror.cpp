#include "git_workspace/mirror.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <set>
#include <utility>

#include "davit/text.hpp"
#include "git_workspace/branch.h"
#include "git_workspace/raw_diff.h"

namespace git {
namespace {

namespace fs = std::filesystem;
using child::Finished;
using child::Stopped;
using davit::Failure;

constexpr std::size_t kLongestLine = 200;
constexpr std::size_t kMostList = std::size_t{128} << 20;  // bytes of a list of files
constexpr const char* kMostOfAFile = "10";

// Of a search for several words.
constexpr std::size_t kMostWords = 100, kLongestWord = 200;  // bytes
constexpr const char* kMostLines = "50";                     // of a file
constexpr std::string_view kBreaks("\0\n\r", 3);             // would part a word into several

// Up to `end`, which is taken away too; what is left if there is none.
std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

std::string_view without_line_end(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return text;
}

std::string shown(std::string_view line) {
  std::string text;
  for (const char c : davit::to_utf8(line.substr(0, kLongestLine * 2))) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  text.resize(davit::utf8_prefix(std::string_view(text).substr(0, kLongestLine)));
  return text;
}

// "ref: refs/heads/main" in the file HEAD of a bare repository.
std::string branch_of_head(const fs::path& folder) {
  std::string line;
  std::getline(std::ifstream(folder / "HEAD") >> std::ws, line);
  constexpr std::string_view kBranch = "ref: refs/heads/";
  return line.compare(0, kBranch.size(), kBranch) == 0 ? line.substr(kBranch.size()) : "";
}

}  // namespace

void check_object_id(std::string_view id) {
  if (!is_object_id(id)) throw Failure::permanent("a commit has to be named by its whole id");
}

Mirror::Mirror(Git git, Remote remote, fs::path folder, std::string prefix, shared::FileLock in_use,
               std::chrono::system_clock::time_point fetched_at)
    : git_(std::move(git)),
      remote_(std::move(remote)),
      folder_(std::move(folder)),
      prefix_(std::move(prefix)),
      in_use_(std::make_shared<const shared::FileLock>(std::move(in_use))),
      fetched_at_(fetched_at) {
  const std::string branch = branch_of_head(folder_);
  if (commit_of("refs/heads/" + branch)) default_branch_ = branch;
}

bool Mirror::is_shallow() const { return fs::exists(folder_ / "shallow"); }

std::optional<std::string> Mirror::commit_of(const std::string& ref) const {
  const Finished finished = git_.run(
      folder_, {.arguments = {"rev-parse", "--verify", "--quiet", "--end-of-options", ref + "^{commit}"}},
      doing("look for a commit of"));
  const std::string_view id = without_line_end(finished.out);
  if (!finished.succeeded() || !is_object_id(id)) return std::nullopt;
  return std::string(id);
}

std::optional<std::string> Mirror::head(std::string_view branch) const {
  if (!valid_branch(branch)) return std::nullopt;
  return commit_of("refs/heads/" + std::string(branch));
}

std::optional<std::string> Mirror::pull_head(int number) const {
  return commit_of("refs/pull/" + std::to_string(number) + "/head");
}

std::optional<std::string> Mirror::remote_head(std::string_view branch, const Token& token) const {
  if (!valid_branch(branch)) return std::nullopt;
  const std::string ref = "refs/heads/" + std::string(branch), what = doing("look for a branch of");
  const Finished finished = git_.talk(folder_, {.arguments = {"ls-remote", "--", remote_.url, ref}}, remote_,
                                      token, git_.limits().push, {}, what);
  if (!finished.succeeded()) throw git_.refusal(finished, what);
  for (std::string_view rest = finished.out; !rest.empty();) {
    std::string_view line = take_until(rest, '\n');
    const std::string_view id = take_until(line, '\t');
    if (line == ref && is_object_id(id)) return std::string(id);
  }
  return std::nullopt;
}

bool Mirror::has(std::string_view commit) const {
  return is_object_id(commit) && commit_of(std::string(commit)).has_value();
}

std::optional<std::string> Mirror::merge_base(std::string_view one, std::string_view other) const {
  check_object_id(one);
  check_object_id(other);
  const Finished finished =
      git_.run(folder_, {.arguments = {"merge-base", std::string(one), std::string(other)}},
               doing("compare commits of"));
  const std::string_view id = without_line_end(finished.out);
  if (!finished.succeeded() || !is_object_id(id)) return std::nullopt;
  return std::string(id);
}

std::vector<Commit> Mirror::commits(std::string_view base, std::string_view head, std::size_t most) const {
  check_object_id(base);
  check_object_id(head);
  const std::string out = git_.output(
      folder_,
      {.arguments = {"log", "-z", "--no-color", "--no-notes", "--max-count=" + std::to_string(most),
                     "--format=%H%n%P%n%ae%n%B", std::string(base) + ".." + std::string(head), "--"}},
      doing("list commits of"));
  std::vector<Commit> commits;
  for (std::string_view rest = out; !rest.empty();) {
    std::string_view record = take_until(rest, '\0');
    Commit commit;
    commit.id = take_until(record, '\n');
    for (std::string_view parents = take_until(record, '\n'); !parents.empty();)
      commit.parents.emplace_back(take_until(parents, ' '));
    commit.author_email = take_until(record, '\n');
    commit.message = without_line_end(record);
    commits.push_back(std::move(commit));
  }
  return commits;
}

std::optional<std::string> Mirror::read(std::string_view commit, std::string_view path,
                                        std::size_t most) const {
  check_object_id(commit);
  if (path.empty() || path.find('\n') != std::string_view::npos || path.find('\0') != std::string_view::npos)
    return std::nullopt;
  constexpr std::size_t kHeader = 100;  // "<id> blob <size>" and its line end
  const std::string what = doing("read a file of");
  Finished finished = git_.run(folder_,
                               {.arguments = {"cat-file", "--batch"},
                                .input = std::string(commit) + ":" + std::string(path) + "\n",
                                .most_output = most + kHeader},
                               what);
  std::string_view content = finished.out;
  std::string_view header = take_until(content, '\n');
  take_until(header, ' ');
  const bool is_file = take_until(header, ' ') == "blob";
  std::size_t size = 0;
  if (!is_file || std::from_chars(header.data(), header.data() + header.size(), size).ec != std::errc())
    return std::nullopt;
  if (size > most) {
    throw Failure::permanent(what + ": " + shown(path) + " has " + std::to_string(size >> 10) +
                             " KiB, more than is read");
  }
  if (content.size() < size) throw Failure::retryable(what + ": git broke off");
  return std::string(content.substr(0, size));
}

std::vector<File> Mirror::files(std::string_view from, std::string_view to) const {
  check_object_id(from);
  check_object_id(to);
  return files_in(git_.output(folder_,
                              {.arguments = {"diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev",
                                             std::string(from), std::string(to), "--"},
                               .most_output = kMostList},
                              doing("compare commits of")));
}

Text Mirror::diff(std::string_view from, std::string_view to, std::size_t most) const {
  check_object_id(from);
  check_object_id(to);
  Finished finished =
      git_.run(folder_,
               {.arguments = {"diff-tree", "-p", "--no-color", "--no-renames", "--no-ext-diff",
                              "--no-textconv", std::string(from), std::string(to), "--"},
                .most_output = most},
               doing("compare commits of"));
  if (finished.stopped == Stopped::TooMuch) {
    finished.out.resize(finished.out.rfind('\n') + 1);
    return {std::move(finished.out), true};
  }
  if (!finished.succeeded())
    throw Failure::permanent(doing("compare commits of") + ": " + complaint_in(finished.err));
  return {std::move(finished.out), false};
}

std::vector<Hit> Mirror::grep(std::string_view word, std::size_t most) const {
  std::vector<Hit> hits;
  // A line break would part it into several words.
  if (word.empty() || word.find('\n') != std::string_view::npos ||
      word.find('\0') != std::string_view::npos || default_branch_.empty())
    return hits;
  const Finished finished =
      git_.run(folder_,
               {.arguments = {"grep", "-z", "-n", "-I", "-F", "--full-name", "--no-color", "--no-textconv",
                              "--threads=1", "-m", kMostOfAFile, "-e", std::string(word), "HEAD", "--"},
                .most_output = std::size_t{8} << 20},
               doing("search"));
  for (std::string_view rest = finished.out; !rest.empty() && hits.size() < most;) {
    if (rest.find('\n') == std::string_view::npos) break;  // cut off
    std::string_view place = take_until(rest, '\0');
    const std::string_view number = take_until(rest, '\0');
    Hit hit;
    take_until(place, ':');  // "HEAD:"
    hit.path = place;
    hit.text = shown(take_until(rest, '\n'));
    if (std::from_chars(number.data(), number.data() + number.size(), hit.line).ec == std::errc() &&
        davit::is_utf8(hit.path))
      hits.push_back(std::move(hit));
  }
  return hits;
}

WordHits Mirror::search(const std::vector<std::string>& words, Words how) const {
  const auto spelled = [&](std::string_view word) {
    std::string text(word);
    if (how == Words::Anywhere)
      std::transform(text.begin(), text.end(), text.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
  };
  std::vector<std::string> arguments{
      "grep",          "-z",          "-n", "-o",      "-I", "-F", "--full-name", "--no-color",
      "--no-textconv", "--threads=1", "-m", kMostLines};
  arguments.emplace_back(how == Words::Whole ? "-w" : "-i");
  std::map<std::string, std::size_t> numbers;
  for (std::size_t i = 0; i < std::min(words.size(), kMostWords); ++i) {
    const std::string& word = words[i];
    if (word.empty() || word.size() > kLongestWord || word.find_first_of(kBreaks) != std::string::npos)
      continue;
    if (numbers.try_emplace(spelled(word), i).second) arguments.insert(arguments.end(), {"-e", word});
  }
  WordHits found;
  if (numbers.empty() || default_branch_.empty()) return found;
  arguments.insert(arguments.end(), {"HEAD", "--"});
  const Finished finished = git_.run(
      folder_, {.arguments = std::move(arguments), .most_output = std::size_t{16} << 20}, doing("search"));
  found.all = finished.stopped != Stopped::TooMuch;
  std::set<std::pair<std::size_t, std::string_view>> seen;
  for (std::string_view rest = finished.out; rest.find('\n') != std::string_view::npos;) {
    std::string_view path = take_until(rest, '\0');
    const std::string_view number = take_until(rest, '\0');
    const auto word = numbers.find(spelled(take_until(rest, '\n')));
    take_until(path, ':');  // "HEAD:"
    WordHit hit;
    const bool is_line =
        std::from_chars(number.data(), number.data() + number.size(), hit.line).ec == std::errc();
    if (word == numbers.end() || !is_line || !davit::is_utf8(path)) continue;
    if (!seen.emplace(word->second, path).second) continue;
    hit.word = word->second;
    hit.path = path;
    found.hits.push_back(std::move(hit));
  }
  return found;
}

std::vector<std::string> Mirror::files() const {
  std::vector<std::string> found;
  if (default_branch_.empty()) return found;
  const std::string list = git_.output(
      folder_, {.arguments = {"ls-tree", "-r", "-z", "--name-only", "HEAD"}, .most_output = kMostList},
      doing("list the files of"));
  for (std::string_view rest = list; !rest.empty();) {
    const std::string_view file = take_until(rest, '\0');
    if (davit::is_utf8(file)) found.emplace_back(file);
  }
  return found;
}

std::vector<std::string> Mirror::files_ending(std::string_view path, std::size_t most) const {
  std::vector<std::string> found;
  if (path.empty()) return found;
  for (std::string& file : files()) {
    if (found.size() >= most) break;
    if (!file.ends_with(path)) continue;
    const bool whole = file.size() == path.size() || file[file.size() - path.size() - 1] == '/';
    if (whole) found.push_back(std::move(file));
  }
  return found;
}

}  // namespace git

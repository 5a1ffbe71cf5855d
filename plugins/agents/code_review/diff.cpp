#include "code_review/diff.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>

#include "git_workspace/path_pattern.h"
#include "github_api/errors.h"

namespace review {
namespace {

constexpr std::size_t kMostOfPath = 1000;

// Written by programs, and read by nobody.
bool is_written_by_programs(std::string_view path) {
  constexpr std::string_view kPatterns[] = {
      "*.lock", "package-lock.json",  "npm-shrinkwrap.json", "pnpm-lock.yaml",
      "go.sum", "*.min.js",           "*.min.css",           "*.map",
      "*.snap", "**/node_modules/**", "**/vendor/**"};
  return std::any_of(std::begin(kPatterns), std::end(kPatterns), [&](std::string_view pattern) {
    return git::path_matches(pattern, path, git::Case::Ignored);
  });
}

// The first line after the change, of "@@ -1,4 +1,6 @@ void f()".
std::int64_t begin_of(std::string_view hunk) {
  const std::size_t plus = hunk.find(" +");
  if (plus == std::string_view::npos) return 0;
  std::int64_t begin = 0;
  std::from_chars(hunk.data() + plus + 2, hunk.data() + hunk.size(), begin);
  return begin;
}

// As one line, also where a reader of it would see several: none can look like the next one, or another file.
std::string as_line(std::string_view text) {
  std::string line;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\r' && at + 1 < text.size()) {
      line += "<U+000D>";
    } else if (text.substr(at, 3) == "\xE2\x80\xA8" || text.substr(at, 3) == "\xE2\x80\xA9") {
      line += text[at + 2] == '\xA8' ? "<U+2028>" : "<U+2029>";
      at += 2;
    } else {
      line += text[at];
    }
  }
  return line;
}

// With the number of each line after the change; lines that went have none.
std::string numbered(std::string_view patch) {
  std::string text;
  std::int64_t next = 0;
  while (!patch.empty()) {
    const std::size_t end = std::min(patch.find('\n'), patch.size());
    const std::string_view line = patch.substr(0, end);
    patch.remove_prefix(std::min(end + 1, patch.size()));
    if (line.starts_with("@@")) {
      next = begin_of(line);
      text.append(as_line(line)).append("\n");
      continue;
    }
    char number[32] = "       ";
    if (line.starts_with('+') || line.starts_with(' '))
      std::snprintf(number, sizeof number, "%6lld ", static_cast<long long>(next++));
    text.append(number).append(as_line(line)).append("\n");
  }
  return text;
}

std::string shown(const std::string& path) { return as_line(github::one_line(path, kMostOfPath)); }

std::string name_of(const github::ChangedFile& file) {
  std::string name =
      "=== " + shown(file.path) + " (" + github::one_line(file.status.empty() ? "changed" : file.status, 20);
  if (!file.before.empty()) name += " from " + shown(file.before);
  return name + ")\n";
}

// Nothing but its name changed.
bool is_moved(const github::ChangedFile& file) {
  return file.patch.empty() && file.status == "renamed" && file.added == 0 && file.removed == 0;
}

}  // namespace

Diff diff_of(const std::vector<github::ChangedFile>& files, std::size_t most) {
  struct Candidate {
    std::size_t index;
    bool dull;
    std::string text;
  };
  std::vector<Candidate> candidates;
  std::vector<std::string> why_not(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    const github::ChangedFile& file = files[i];
    if (file.patch.empty() && !is_moved(file)) {
      why_not[i] = "GitHub shows no diff of it: it is binary, empty, or too large";
      continue;
    }
    candidates.push_back({i, is_written_by_programs(file.path), name_of(file) + numbered(file.patch)});
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::pair(a.dull, a.text.size()) < std::pair(b.dull, b.text.size());
  });
  std::size_t room = most;
  std::erase_if(candidates, [&](const Candidate& one) {
    const bool fits = one.text.size() <= room;
    if (fits)
      room -= one.text.size();
    else
      why_not[one.index] =
          "its diff of " + std::to_string(one.text.size() / 1024 + 1) + " KiB is too much beside the others";
    return !fits;
  });
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.index < b.index; });

  Diff diff;
  for (const Candidate& one : candidates) diff.text += one.text;
  diff.shown = candidates.size();
  for (std::size_t i = 0; i < files.size(); ++i)
    if (!why_not[i].empty()) diff.left_out.push_back({files[i].path, why_not[i]});
  return diff;
}

Places::Places(const std::vector<github::ChangedFile>& files) {
  for (const github::ChangedFile& file : files) files_.emplace(file.path, github::DiffLines(file.patch));
}

bool Places::hold(std::string_view path, int first, int last) const {
  const auto file = files_.find(path);
  return file != files_.end() && file->second.hold(first, last);
}

}  // namespace review

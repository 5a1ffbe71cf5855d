#include "git_workspace/gate.h"

#include <algorithm>

#include "davit/text.hpp"
#include "git_workspace/path_pattern.h"

namespace git {
namespace {

bool matches_any(const std::vector<std::string>& patterns, const std::string& path, Case letters) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return path_matches(pattern, path, letters); });
}

bool is_plain_name(std::string_view path) {
  return davit::is_utf8(path) &&
         std::none_of(path.begin(), path.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// For people: what it says goes into messages and pages.
std::string shown(std::string_view path, const redact::Redactor& secrets) {
  std::string text;
  for (const char c : davit::to_utf8(path)) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return secrets(text);
}

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string small(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// "x" and "x/y" of the pattern "x/y/**": a link in the place of such a folder puts other files behind paths
// that are denied.
bool stands_before(const std::string& path, std::string_view pattern) {
  constexpr std::string_view kBelow = "/**", kAnywhere = "**/";
  const bool is_folder =
      pattern.size() > kBelow.size() && pattern.substr(pattern.size() - kBelow.size()) == kBelow;
  if (is_folder && path_matches(pattern.substr(0, pattern.size() - kBelow.size()), path, Case::Ignored))
    return true;
  return !begins_with(pattern, kAnywhere) && begins_with(small(pattern), small(path) + "/");
}

// Whether a link stays below the top wherever other links lead that stay there: it is relative, and goes up
// at its beginning only, no further than to the top. (Up behind a name could be up from where that name,
// itself a link, leads.)
bool stays_inside(std::string_view path, std::string_view target) {
  if (target.empty() || target.front() == '/' || target.find('\0') != std::string_view::npos) return false;
  auto depth = std::count(path.begin(), path.end(), '/');
  bool down = false;
  for (std::string_view rest = target; !rest.empty();) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.empty() || part == ".") continue;
    if (small(part) == ".git") return false;
    if (part != "..") {
      down = true;
    } else if (down || --depth < 0) {
      return false;
    }
  }
  return true;
}

class Judge {
 public:
  Judge(const Gate& gate, const redact::Redactor& secrets) : gate_(gate), secrets_(secrets) {}

  void look_at(const File& file, const Contents& contents) {
    path_ = shown(file.path, secrets_);
    look_at_path(file);
    if (file.old_mode == kSubmodule || file.new_mode == kSubmodule) {
      refuse("submodule", "is a submodule, which cannot be added, changed or removed");
      return;
    }
    if (file.new_mode == kNoFile) return;
    if (file.new_mode == kProgram && file.old_mode != kProgram && !gate_.executables)
      refuse("mode", "becomes executable: set its mode back to 644");
    if (!contents.before || !contents.after) {
      refuse("secret", "is too large to be looked through for secrets");
      return;
    }
    if (file.new_mode == kLink) {
      if (!stays_inside(file.path, *contents.after))
        refuse("symlink", "is a symbolic link that leads, or could lead, out of the repository");
    } else if (!gate_.binaries && contents.after->find('\0') != std::string::npos) {
      refuse("binary", "is a binary file");
    }
    look_for_secrets(contents);
  }

  void refuse_all(const std::string& rule, const std::string& sentence) {
    refused_.push_back({"", rule, sentence});
  }

  std::vector<Refusal> take() { return std::move(refused_); }

 private:
  void refuse(const std::string& rule, const std::string& sentence) {
    refused_.push_back({path_, rule, path_ + " " + sentence});
  }

  void look_at_path(const File& file) {
    if (!is_plain_name(file.path))
      refuse("name", "has a name that is not UTF-8, or holds control characters");
    if (!matches_any(gate_.allow, file.path, Case::Counts))
      refuse("path", "is outside of what may be changed here");
    const bool is_before = file.new_mode == kLink &&
                           std::any_of(gate_.deny.begin(), gate_.deny.end(), [&](const std::string& pattern) {
                             return stands_before(file.path, pattern);
                           });
    if (is_before || matches_any(gate_.deny, file.path, Case::Ignored))
      refuse("path", "may not be changed by an agent: a person has to do that");
    if (!secrets_.finds(file.path).empty()) refuse("secret", "has a secret in its name");
  }

  // One that was there before is not the agent's doing.
  void look_for_secrets(const Contents& contents) {
    const std::string &before = *contents.before, &after = *contents.after;
    for (const redact::Find& find : secrets_.finds(after)) {
      if (before.find(after.substr(find.at, find.size)) != std::string::npos) continue;
      const auto line = std::count(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(find.at), '\n');
      refuse("secret", "holds a secret (" + std::string(find.what) + ") in line " + std::to_string(line + 1) +
                           ": take it out");
      return;
    }
  }

  const Gate& gate_;
  const redact::Redactor& secrets_;
  std::string path_;
  std::vector<Refusal> refused_;
};

}  // namespace

std::vector<std::string> paths_denied_by_default() {
  std::vector<std::string> paths = {
      // CI, and what acts by itself
      ".github/workflows/**", ".github/actions/**", "action.yml", "action.yaml", ".gitlab-ci.yml",
      ".gitlab/**", ".circleci/**", ".buildkite/**", "Jenkinsfile", "azure-pipelines*.yml",
      "azure-pipelines*.yaml", ".travis.yml", ".drone.yml", "bitbucket-pipelines.yml", ".woodpecker/**",
      ".woodpecker.y*ml", ".gitea/workflows/**", ".forgejo/workflows/**", ".appveyor.yml", "appveyor.yml",
      ".semaphore/**", ".cirrus.yml", "buildspec.y*ml", "cloudbuild.y*ml", "cloudbuild.json", ".ci/**",
      "CODEOWNERS", ".github/dependabot.y*ml", ".github/settings.y*ml", "renovate.json*", ".renovaterc*",
      // editors
      "**/.vscode/**", "**/.idea/**", "**/.devcontainer/**", ".envrc",
      // git
      ".gitmodules", ".gitattributes", ".lfsconfig", "**/.husky/**", "**/.githooks/**",
      ".pre-commit-config.yaml", "lefthook.*", ".lefthook.*"};
  for (std::string& path : paths_that_lead_agents()) paths.push_back(std::move(path));
  return paths;
}

// Some stand in the place of the folder itself, for a link there leads to others.
std::vector<std::string> paths_that_lead_agents() {
  return {".claude",
          "**/.claude/**",
          ".claude.json",
          ".mcp.json",
          "CLAUDE.md",
          "CLAUDE.local.md",
          "AGENTS.md",
          "AGENT.md",
          "GEMINI.md",
          ".cursor",
          "**/.cursor/**",
          ".cursorrules",
          ".windsurfrules",
          ".github/copilot-instructions.md",
          ".github/instructions/**",
          ".github/prompts/**"};
}

std::vector<Refusal> judge(const Gate& gate, const std::vector<File>& files,
                           const std::vector<Contents>& contents, std::optional<std::size_t> diff_bytes,
                           const std::vector<std::string>& repositories, const redact::Redactor& secrets) {
  Judge judge(gate, secrets);
  if (files.size() > gate.most_files) {
    judge.refuse_all("files", "the change has " + std::to_string(files.size()) + " files, more than the " +
                                  std::to_string(gate.most_files) + " that are allowed");
  }
  if (!diff_bytes || *diff_bytes > gate.most_bytes) {
    judge.refuse_all("size", "the change has more than the " + std::to_string(gate.most_bytes) +
                                 " bytes that are allowed");
  }
  // One that git ignores, as those that build programs fetch, is nobody's concern.
  for (const std::string& folder : repositories) {
    const bool is_changed = !folder.empty() && std::any_of(files.begin(), files.end(), [&](const File& file) {
      return begins_with(file.path, folder + "/");
    });
    if (is_changed)
      judge.refuse_all("repository",
                       shown(folder, secrets) + " was a repository of its own: add no copies of others");
  }
  for (std::size_t i = 0; i < files.size(); ++i) judge.look_at(files[i], contents[i]);
  return judge.take();
}

}  // namespace git

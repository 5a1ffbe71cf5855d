#include "agent_config/settings.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "claude_cli/confined_session.h"
#include "davit/failure.hpp"
#include "git_workspace/branch.h"
#include "github_api/errors.h"

namespace agent_config {
namespace {

using davit::Failure;
using davit::JsonView;

[[noreturn]] void refuse(const std::string& key, const std::string& what) {
  throw Failure::invalid_input("config." + key + ": " + what);
}

// One of the blocks: an object with these keys and no others.
class Block {
 public:
  Block(JsonView config, std::string name, std::initializer_list<std::string_view> keys)
      : json_(config[name]), name_(std::move(name)) {
    if (!json_.is_null() && !json_.is_object()) refuse(name_, "must be an object");
    for (const auto& [key, value] : json_.members()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end())
        refuse(name_ + "." + github::one_line(key, 64), "is unknown");
    }
  }
  void read(const char* key, std::string& into) const {
    if (!json_.has(key)) return;
    const std::string text = github::one_line(json_[key].string_or(""), 4096);
    if (text.empty() || text != json_[key].string_or("")) refuse(path(key), "must be a text of one line");
    into = text;
  }
  template <class Number>
  void read(const char* key, std::int64_t least, Number& into) const {
    if (!json_.has(key)) return;
    if (json_[key].int_or(least - 1) < least)
      refuse(path(key), "must be a whole number of at least " + std::to_string(least));
    into = static_cast<Number>(json_[key].int_or(least));
  }
  std::string path(const char* key) const { return name_ + "." + key; }

 private:
  JsonView json_;
  std::string name_;
};

std::string host_of(const std::string& address) {
  const std::size_t begin = address.find("://");
  if (begin == std::string::npos) return "";
  const std::string rest = address.substr(begin + 3);
  return github::lower(rest.substr(0, rest.find('/')));
}

bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

// A program that no session can see would fail each of them.
void check_seen(const std::filesystem::path& program, const sandbox::Policy& policy) {
  const std::filesystem::path path = program.lexically_normal();
  for (const char* folder : {"/usr", "/bin", "/sbin"})
    if (is_below(path, folder)) return;
  for (const std::filesystem::path& folder : policy.read_only)
    if (is_below(path, folder)) return;
  refuse("claude.mcp_config", program.string() +
                                  " is not seen in the sandbox: name its folder in sandbox.read_only");
}

github::Settings github_from(JsonView config) {
  github::Settings github = github::Settings::from(config);
  // git's own check also covers who may be spoken with without encryption.
  try {
    git::remote_at(github.git_url + "/owner/name.git", {host_of(github.git_url)});
  } catch (const Failure& failure) {
    refuse("github.git_url", failure.what());
  }
  return github;
}

}  // namespace

Settings Settings::from(JsonView config) {
  Settings settings;
  settings.github = github_from(config["github"]);

  const Block git(config, "git", {"prefix", "mirror_bytes", "tree_bytes"});
  git.read("prefix", settings.branch_prefix);
  if (settings.branch_prefix.back() != '/' || !git::valid_branch(settings.branch_prefix + "x"))
    refuse(git.path("prefix"), "must be parts of a branch's name with / at the end, as davit/");
  git.read("mirror_bytes", 1 << 20, settings.git.mirror_bytes);
  git.read("tree_bytes", 1 << 20, settings.git.tree_bytes);

  settings.claude = claude::Settings::from(config["claude"]);
  if (!config["claude"].has("pass_environment"))
    settings.claude.pass_environment = {"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL",
                                        "CLAUDE_CODE_OAUTH_TOKEN"};
  settings.sandbox = claude::policy_from(config["sandbox"]);
  if (config["claude"].has("mcp_config")) {
    settings.mcp = claude::McpServers::from(config["claude"]["mcp_config"]);
    for (const std::filesystem::path& program : settings.mcp.programs) check_seen(program, settings.sandbox);
  }

  std::string folder;
  const Block skills(config, "skills", {"directory"});
  skills.read("directory", folder);
  settings.skills = folder;
  if (!folder.empty() && !settings.skills.is_absolute())
    refuse(skills.path("directory"), "must be an absolute path");

  settings.gate = gate::Settings::from(config["gate"]);
  settings.gate.server = host_of(settings.github.git_url);
  settings.notes = note::Settings::from(config["notes"]);
  if (config.has("finish_seconds")) {
    const std::int64_t seconds = config["finish_seconds"].int_or(0);
    if (seconds < 1 || seconds > 3600) refuse("finish_seconds", "must be a whole number from 1 to 3600");
    settings.finish = std::chrono::seconds(seconds);
  }
  return settings;
}

git::Settings Settings::git_settings(const std::filesystem::path& state_folder,
                                     const redact::Redactor& secrets) const {
  return {.state_folder = state_folder,
          .hosts = {host_of(github.git_url)},
          .prefix = branch_prefix,
          .limits = git,
          .secrets = secrets};
}

std::string Settings::address_of(const github::Repo& repo) const {
  return github.git_url + "/" + repo.owner + "/" + repo.name + ".git";
}

}  // namespace agent_config

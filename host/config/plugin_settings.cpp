#include "host/config/plugin_settings.h"

#include <algorithm>
#include <cctype>

#include "host/config/sounds_secret.h"

namespace davit::config {
namespace {

// "${DOCS_KEY}", and nothing beside it: what a plugin takes in its place from its grants.
bool names_a_grant(std::string_view text) {
  if (!text.starts_with("${") || !text.ends_with('}') || text.size() == 3) return false;
  const std::string_view name = text.substr(2, text.size() - 3);
  return std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

std::string pointer_step(std::string_view key) {
  std::string step;
  for (const char c : key) {
    if (c == '~')
      step += "~0";
    else if (c == '/')
      step += "~1";
    else
      step += c;
  }
  return step;
}

void keep_lines(const YamlNode& node, const std::string& pointer, std::map<std::string, int>& lines) {
  for (const auto& member : node.members) {
    const std::string below = pointer + "/" + pointer_step(member.key);
    lines[below] = member.line;
    keep_lines(member.value, below, lines);
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const std::string below = pointer + "/" + std::to_string(i);
    lines[below] = node.items[i].line;
    keep_lines(node.items[i], below, lines);
  }
}

void refuse_secrets(const YamlNode& node, const std::string& path, std::vector<Mistake>& mistakes) {
  for (const auto& member : node.members) {
    const std::string member_path = path + "." + member.key;
    if (sounds_secret(member.key) && member.value.kind == YamlNode::Kind::Scalar &&
        is_plain_string(member.value) && !member.value.text.empty() && !names_a_grant(member.value.text))
      mistakes.push_back(
          {member.line, member_path,
           "a secret does not belong in this file; put it in an environment variable or a file, and grant "
           "it by name with grants: {" +
               member.key + ": {env: VARIABLE}}"});
    refuse_secrets(member.value, member_path, mistakes);
  }
  for (std::size_t i = 0; i < node.items.size(); ++i)
    refuse_secrets(node.items[i], path + "[" + std::to_string(i) + "]", mistakes);
}

}  // namespace

void read_plugin_settings(const YamlNode::Member& entry, const std::string& path, std::string& json,
                          std::map<std::string, int>& lines, std::vector<Mistake>& mistakes) {
  lines[""] = entry.line;
  if (entry.value.kind == YamlNode::Kind::Null) return;
  if (entry.value.kind != YamlNode::Kind::Mapping) {
    mistakes.push_back({entry.value.line, path, "must be a mapping"});
    return;
  }
  refuse_secrets(entry.value, path, mistakes);
  keep_lines(entry.value, "", lines);
  json = to_json_text(entry.value);
}

}  // namespace davit::config

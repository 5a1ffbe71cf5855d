#include "host/config/key_reader.h"

#include <algorithm>

#include "host/config/key_checks.h"
#include "host/config/key_sections.h"
#include "host/config/text_rule.h"
#include "host/config/unknown_key.h"
#include "host/config/value_reader.h"

namespace davit::config {
namespace {

std::string& name_of(WebhookConfig& webhook) { return webhook.instance; }
std::string& name_of(AgentConfig& agent) { return agent.name; }
std::string& name_of(ScheduleConfig& schedule) { return schedule.name; }

class KeyReader {
 public:
  KeyReader(Config& config, std::vector<Mistake>& mistakes) : config_(config), mistakes_(mistakes) {}

  void read(const YamlNode& root) {
    if (root.kind != YamlNode::Kind::Mapping) {
      note(root.line, "", "must be a mapping of sections, beginning with for example `server:`");
      return;
    }
    note_unknown_sections(root);
    for_each_section(config_, [&](const char* name, std::span<const Field> fields, void* section) {
      if (const auto* member = find_member(root, name)) read_section(*member, name, fields, section);
    });
    if (const auto* member = find_member(root, "webhooks"))
      read_instances(*member, webhook_keys(), config_.webhooks, [&](auto& entry, auto& path, auto& webhook) {
        check_webhook(entry, path, webhook, mistakes_);
      });
    if (const auto* member = find_member(root, "agents"))
      read_instances(*member, agent_keys(), config_.agents, [&](auto& entry, auto& path, auto& agent) {
        check_agent(entry, path, agent, config_, mistakes_);
      });
    if (const auto* member = find_member(root, "agent_defaults"))
      check_agent_defaults(*member, config_, mistakes_);
    if (const auto* member = find_member(root, "schedules"))
      read_instances(*member, schedule_keys(), config_.schedules,
                     [&](auto& entry, auto& path, auto&) { check_schedule(entry, path, mistakes_); });
    check_all(root, config_, mistakes_);
    std::stable_sort(mistakes_.begin(), mistakes_.end(),
                     [](const Mistake& a, const Mistake& b) { return a.line < b.line; });
  }

 private:
  void note(int line, std::string path, std::string text) {
    mistakes_.push_back({line, std::move(path), std::move(text)});
  }

  void note_unknown_sections(const YamlNode& root) {
    std::vector<std::string> sections{"webhooks", "agents", "schedules"};
    for_each_section(config_,
                     [&](const char* name, std::span<const Field>, void*) { sections.emplace_back(name); });
    std::sort(sections.begin(), sections.end());
    for (const auto& member : root.members)
      if (std::find(sections.begin(), sections.end(), member.key) == sections.end())
        note(member.line, member.key, unknown_key_text("", member.key, sections));
  }

  // A key without a value, as in `webhooks:` with everything below it commented out, is an empty section.
  bool is_section(const YamlNode::Member& member, const std::string& path) {
    if (member.value.kind == YamlNode::Kind::Mapping || member.value.kind == YamlNode::Kind::Null)
      return true;
    note(member.value.line, path, "must be a mapping of keys to values; indent its keys below it");
    return false;
  }

  void read_section(const YamlNode::Member& member, const std::string& path, std::span<const Field> fields,
                    void* section) {
    if (!is_section(member, path)) return;
    std::vector<std::string> known;
    for (const Field& field : fields) known.emplace_back(field.name);
    for (const auto& entry : member.value.members) {
      const std::string entry_path = path + "." + entry.key;
      const auto field =
          std::find_if(fields.begin(), fields.end(), [&](const Field& one) { return one.name == entry.key; });
      if (field == fields.end())
        note(entry.line, entry_path, unknown_key_text(path, entry.key, known));
      else
        read_value(entry, entry_path, *field, section, mistakes_);
    }
  }

  template <typename Section, typename Check>
  void read_instances(const YamlNode::Member& member, Keys<Section> keys,
                      std::map<std::string, Section, std::less<>>& instances, Check&& check) {
    const std::string path = member.key;
    if (!is_section(member, path)) return;
    for (const auto& entry : member.value.members) {
      const std::string entry_path = path + "." + entry.key;
      if (!is_instance_name(entry.key)) {
        note(entry.line, entry_path, "a name has lower-case letters, digits, - and _ (at most 64)");
        continue;
      }
      Section section;
      name_of(section) = entry.key;
      section.line = entry.line;
      read_section(entry, entry_path, keys.fields, &section);
      check(entry, entry_path, section);
      instances.emplace(entry.key, std::move(section));
    }
  }

  Config& config_;
  std::vector<Mistake>& mistakes_;
};

}  // namespace

void read_keys(const YamlNode& root, Config& config, std::vector<Mistake>& mistakes) {
  KeyReader(config, mistakes).read(root);
}

}  // namespace davit::config

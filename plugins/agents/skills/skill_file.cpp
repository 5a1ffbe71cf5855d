#include "skills/skill_file.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "davit/json.hpp"
#include "davit/text.hpp"

namespace skills {
namespace {

using davit::Failure;

constexpr std::string_view kKeys = "name, description, tools, max_turns, model, fields and schema";
constexpr int kMostTurns = 1000;

struct Value {
  std::string text;
  int line = 0;
};

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t") == std::string_view::npos; }

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// What a person wrote, fit for a message.
std::string quoted(std::string_view text) { return davit::Json(text.substr(0, 60)).dump(); }

bool is_field(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

// Walks over the lines of a skill's file; every refusal names the one it is at.
class Reader {
 public:
  Reader(std::string_view text, const std::string& file) : rest_(text), file_(file) {}

  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line = rest_.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++line_;
    return true;
  }
  bool at_indented() const { return !rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t'); }
  int line() const { return line_; }
  [[noreturn]] void refuse(const std::string& why) const { refuse(line_, why); }
  [[noreturn]] void refuse(int line, const std::string& why) const {
    throw Failure::permanent("skill " + file_ + ":" + std::to_string(line) + ": " + why);
  }

 private:
  std::string_view rest_;
  const std::string& file_;
  int line_ = 0;
};

using Values = std::map<std::string, Value, std::less<>>;

Values read_front_matter(Reader& reader) {
  static constexpr std::string_view kKnown[] = {"name",  "description", "tools", "max_turns",
                                                "model", "fields",      "schema"};
  std::string_view line;
  if (!reader.next(line) || trimmed(line) != "---")
    reader.refuse(std::max(reader.line(), 1), "the first line must be ---, the begin of the front matter");
  Values values;
  while (reader.next(line)) {
    if (line == "---") return values;
    if (is_blank(line)) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || line.front() == ' ' || line.front() == '\t')
      reader.refuse(quoted(line) + " is not of the form key: value");
    const std::string key(line.substr(0, colon));
    if (std::find(std::begin(kKnown), std::end(kKnown), key) == std::end(kKnown))
      reader.refuse("unknown key " + quoted(key) + "; there are " + std::string(kKeys));
    Value value{std::string(trimmed(line.substr(colon + 1))), reader.line()};
    if (values.contains(key)) reader.refuse("key " + key + " is there twice");
    if (key == "schema") {
      while (reader.at_indented() && reader.next(line)) value.text.append("\n").append(line);
    }
    if (is_blank(value.text)) reader.refuse("key " + key + " has no value");
    values.emplace(key, std::move(value));
  }
  reader.refuse("the front matter has no end: a line of --- is missing");
}

Tools read_tools(const Reader& reader, const Value& value) {
  if (value.text == "none") return Tools::None;
  if (value.text == "read") return Tools::Read;
  if (value.text == "edit") return Tools::Edit;
  reader.refuse(value.line, "tools is " + quoted(value.text) + "; it can be none, read or edit");
}

int read_turns(const Reader& reader, const Value& value) {
  int turns = 0;
  const char* end = value.text.data() + value.text.size();
  const auto [stop, error] = std::from_chars(value.text.data(), end, turns);
  if (error != std::errc() || stop != end || turns < 1 || turns > kMostTurns)
    reader.refuse(value.line, "max_turns is " + quoted(value.text) + "; it must be a number from 1 to " +
                                  std::to_string(kMostTurns));
  return turns;
}

std::vector<std::string> read_fields(const Reader& reader, const Value& value) {
  const std::string_view text = value.text;
  if (text.size() < 2 || text.front() != '[' || text.back() != ']')
    reader.refuse(value.line, "fields must be a list: [issue, repository]");
  std::vector<std::string> fields;
  for (std::string_view rest = text.substr(1, text.size() - 2); !is_blank(rest);) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view field = trimmed(rest.substr(0, end));
    if (!is_field(field))
      reader.refuse(value.line, "field " + quoted(field) + " must be small letters, digits and underscores");
    if (std::find(fields.begin(), fields.end(), field) != fields.end())
      reader.refuse(value.line, "field " + quoted(field) + " is there twice");
    fields.emplace_back(field);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return fields;
}

std::string read_schema(const Reader& reader, const Value& value, const Skill* shipped) {
  std::optional<davit::Json> schema;
  try {
    schema = davit::Json::parse(value.text);
  } catch (const Failure& failure) {
    reader.refuse(value.line, std::string("schema is no JSON: ") + failure.what());
  }
  if (!((*schema)["type"] == "object")) reader.refuse(value.line, "schema must be of \"type\": \"object\"");
  if (shipped != nullptr && !shipped->schema.empty()) {
    const davit::Json theirs = davit::Json::parse(shipped->schema);
    for (const davit::JsonView name : theirs["required"]) {
      if (!(*schema)["required"].contains(name.string_or("")))
        reader.refuse(value.line,
                      "schema does not require " + quoted(name.string_or("")) +
                          ", which the agent reads; it may demand more than the shipped one, not less");
    }
  }
  return schema->dump();
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

void check_placeholders(const Reader& reader, std::string_view line, const Skill& skill, bool in_task) {
  for (std::size_t at = line.find("{{"); at != std::string_view::npos; at = line.find("{{", at + 2)) {
    const std::string_view name = field_name(line.substr(at + 2));
    if (name.empty()) reader.refuse("{{ must be followed by the name of a field and }}");
    if (!in_task) reader.refuse("{{" + std::string(name) + "}} can stand below # Task only");
    if (std::find(skill.fields.begin(), skill.fields.end(), name) == skill.fields.end())
      reader.refuse("there is no field {{" + std::string(name) + "}}; there are: " + joined(skill.fields));
  }
}

void read_body(Reader& reader, Skill& skill) {
  std::string* section = nullptr;
  std::string_view line;
  bool has_rules = false, has_task = false;
  while (reader.next(line)) {
    if (line == "# Rules" || line == "# Task") {
      bool& has = line == "# Rules" ? has_rules : has_task;
      if (has) reader.refuse("section " + std::string(line) + " is there twice");
      has = true;
      section = line == "# Rules" ? &skill.rules : &skill.task;
      continue;
    }
    if (section == nullptr) {
      if (is_blank(line)) continue;
      reader.refuse("text must stand below a line \"# Rules\" or \"# Task\"");
    }
    check_placeholders(reader, line, skill, section == &skill.task);
    section->append(line).append("\n");
  }
  for (std::string* text : {&skill.rules, &skill.task}) {
    const std::size_t begin = text->find_first_not_of("\n");
    *text = begin == std::string::npos ? "" : text->substr(begin, text->find_last_not_of("\n") - begin + 1);
  }
  if (is_blank(skill.task)) reader.refuse("there is nothing below a line \"# Task\"");
}

}  // namespace

std::string_view field_name(std::string_view rest) {
  const std::size_t end = rest.substr(0, 80).find("}}");
  if (end == std::string_view::npos) return {};
  const std::string_view name = rest.substr(0, end);
  return is_field(name) ? name : std::string_view();
}

Skill parse_skill(std::string_view text, const std::string& file, const Skill* shipped) {
  Reader reader(text, file);
  if (!davit::is_utf8(text)) {
    const auto good = text.substr(0, davit::utf8_prefix(text));
    reader.refuse(1 + static_cast<int>(std::count(good.begin(), good.end(), '\n')), "this line is not UTF-8");
  }
  const Values values = read_front_matter(reader);
  const int front_end = reader.line();
  const auto value = [&](std::string_view key) {
    const auto found = values.find(key);
    return found == values.end() ? nullptr : &found->second;
  };
  const auto need = [&](const char* key) -> const Value& {
    if (const Value* found = value(key)) return *found;
    reader.refuse(front_end, std::string("key ") + key + " is missing above this line");
  };

  Skill skill = shipped != nullptr ? *shipped : Skill{};
  skill.file = file;
  skill.model.clear();
  skill.rules.clear();
  skill.task.clear();
  const Value& name = need("name");
  const std::size_t slash = file.rfind('/');
  const std::string stem = slash == std::string::npos ? file : file.substr(slash + 1);
  if (name.text + ".md" != stem)
    reader.refuse(name.line, "name is " + quoted(name.text) + " in the file " + quoted(stem) +
                                 ": the file must be called name.md");
  skill.name = name.text;
  skill.description = need("description").text;
  if (const Value* model = value("model")) skill.model = model->text;
  if (shipped == nullptr || value("tools")) skill.tools = read_tools(reader, need("tools"));
  if (shipped == nullptr || value("max_turns")) skill.max_turns = read_turns(reader, need("max_turns"));
  if (const Value* schema = value("schema")) skill.schema = read_schema(reader, *schema, shipped);
  if (shipped == nullptr || value("fields")) {
    const Value& fields = need("fields");
    skill.fields = read_fields(reader, fields);
    for (const std::string& field : skill.fields) {
      if (shipped != nullptr &&
          std::find(shipped->fields.begin(), shipped->fields.end(), field) == shipped->fields.end())
        reader.refuse(fields.line,
                      "the agent gives no field " + field + "; it gives " + joined(shipped->fields));
    }
  }
  read_body(reader, skill);
  return skill;
}

}  // namespace skills

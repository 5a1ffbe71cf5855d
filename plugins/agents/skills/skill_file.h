// A skill: what a model is told for one kind of work, and what it has to answer. A Markdown file of this
// form:
//
//   ---
//   name: plan-changes              the file's name without .md
//   description: One line.
//   tools: read                     none, read or edit
//   max_turns: 40
//   model: NAME                     may be left out: the agent's own
//   fields: [issue, repository]     what the agent fills in
//   schema:                         JSON Schema of the answer, indented; may be left out: any text is an
//   answer
//     {"type": "object", …}
//   ---
//   # Rules
//   What always holds (goes to the system prompt).
//   # Task
//   The work, with {{issue}} where the agent's texts go.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace skills {

enum class Tools { None, Read, Edit };

struct Skill {
  std::string name, description;
  Tools tools = Tools::None;
  int max_turns = 0;
  std::string model;   // empty: the agent's own
  std::string schema;  // compact JSON, or empty
  std::vector<std::string> fields;
  std::string rules, task;
  std::string file;  // for messages
};

// Reads the text of `file`. `shipped`: the skill that it takes the place of; what the file leaves out of
// tools, max_turns, fields and schema is taken from there, it may use no other fields, and its schema must
// demand what the shipped one demands (the agent reads that). Throws davit::Failure(Permanent) with file,
// line and remedy.
Skill parse_skill(std::string_view text, const std::string& file, const Skill* shipped = nullptr);

// Letters, digits and underscores between "{{" and "}}"; of `rest`, which begins behind "{{". Empty: no
// field.
std::string_view field_name(std::string_view rest);

}  // namespace skills

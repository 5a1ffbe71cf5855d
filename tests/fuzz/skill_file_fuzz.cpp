// Files of skills, as a user may write them: read, and filled with a text.
#include <string>
#include <vector>

#include "davit/failure.hpp"
#include "skills/prompt.h"
#include "skills/skill_file.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::promise;
using skills::Skill;

void check_skill(const Skill& skill) {
  promise(skill.name == "plan", "a skill has the name of its file");
  promise(skill.max_turns >= 1 && skill.max_turns <= 1000, "turns are bounded");
  promise(!skill.task.empty(), "there is a task");
  std::vector<skills::Part> parts;
  for (const std::string& field : skill.fields) {
    skills::Part part;
    part.name = field;
    part.text = "{{" + field + "}}";
    part.trust = skills::Trust::Ours;
    parts.push_back(part);
  }
  const skills::Prompt prompt = skills::fill(skill, parts, {});
  promise(prompt.task == skill.task, "what is put in is not looked at again");
  promise(prompt.rules.starts_with(skill.rules), "rules are as they were written");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = davit::fuzz::as_text(data, size);
  try {
    const Skill skill = skills::parse_skill(text, "plan.md");
    check_skill(skill);
    const Skill again = skills::parse_skill(text, "plan.md", &skill);
    promise(again.task == skill.task && again.fields == skill.fields && again.schema == skill.schema,
            "a skill can take its own place");
  } catch (const davit::Failure& failure) {
    promise(failure.status() == davit::Status::Permanent, "what cannot be read stays so");
    promise(davit::fuzz::is_one_line(failure.what()), "a refusal is one line");
    promise(std::string_view(failure.what()).starts_with("skill plan.md:"), "a refusal names its place");
  }
  return 0;
}

// From a skill and the texts of one task to what a model is told.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "skills/clean.h"
#include "skills/skill_file.h"

namespace skills {

enum class Trust {
  Ours,     // made by an agent; goes in as it is
  Outside,  // anybody may have written it: cleaned, cut, and put between two marks
};

// What takes the place of {{name}}.
struct Part {
  std::string name, text;
  Trust trust = Trust::Outside;
  Form form = Form::Prose;
  std::string source = {},
              author = {};       // of an Outside text, for the model to know: "GitHub issue", "octocat"
  std::size_t most = 64 * 1024;  // bytes of an Outside text; the rest is left out, and that is said
};

struct Prompt {
  std::string rules;  // for the system prompt: those of the skill, and how to take what other people wrote
  std::string task;   // for the input: never an argument, it may be long
  std::vector<std::string> notes;  // "issue: 2 hidden characters were removed", for the transcript
};

// Takes secrets out of a text; may be empty. redact::Redactor is one.
using Redact = std::function<std::string(std::string_view)>;

// An Outside text cannot end its block: the marks hold 128 random bits that are made for this prompt, and the
// rules say that only a line with them counts. Each text is looked through for placeholders never, for
// secrets before it is cut. Throws davit::Failure: Internal when a field of the skill has no part, Retryable
// when the system has no random numbers.
Prompt fill(const Skill& skill, const std::vector<Part>& parts, const Redact& redact);

}  // namespace skills

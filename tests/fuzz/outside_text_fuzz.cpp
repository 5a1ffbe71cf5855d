// Other people's text on its way into a prompt: a line with a known secret, then any text.
#include <string>

#include "davit/text.hpp"
#include "redact/redactor.h"
#include "skills/prompt.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::promise;
using skills::Form;

void check_clean(std::string_view text, Form form) {
  const skills::Cleaned cleaned = skills::clean(text, form);
  promise(davit::is_utf8(cleaned.text), "what was cleaned is UTF-8");
  for (const char c : cleaned.text) {
    const auto byte = static_cast<unsigned char>(c);
    promise(byte >= 0x20 || c == '\n' || c == '\t', "no control character is left");
    promise(byte != 0x7F, "no delete character is left");
  }
  const skills::Cleaned again = skills::clean(cleaned.text, form);
  promise(again.hidden == 0 && again.controls == 0, "no hidden character is left");
  promise(again.comments == 0, "no comment is left");
  promise((cleaned.hidden + cleaned.controls + cleaned.comments + cleaned.attributes == 0) ==
              skills::what_was_cleaned(cleaned, form).empty(),
          "what was done is told");
}

void check_redacted(std::string_view text, const std::string& secret) {
  const redact::Redactor redactor({secret});
  std::size_t end = 0;
  for (const redact::Find& find : redactor.finds(text)) {
    promise(find.size > 0 && find.at >= end && find.at + find.size <= text.size(), "finds are in order");
    promise(!find.what.empty(), "a find has a name");
    end = find.at + find.size;
  }
  const redact::Redacted once = redactor.redact(text);
  promise(!davit::is_utf8(text) || !davit::is_utf8(secret) || davit::is_utf8(once.text), "UTF-8 stays UTF-8");
  // A secret that may be a part of "[GitHub token removed]" and its like cannot be kept out of it.
  const auto is_plain = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  if (secret.find_first_of("[] ") != std::string::npos) return;
  if (std::all_of(secret.begin(), secret.end(), is_plain) && !secret.empty()) return;
  promise((once.count == 0) == (once.text == text), "what is counted was taken out");
  promise(redactor.redact(once.text).count == 0, "nothing is left to find");
}

void check_prompt(std::string_view text) {
  skills::Skill skill;
  skill.name = "any";
  skill.task = "{{text}}";
  skills::Part part;
  part.name = "text";
  part.text = text;
  part.author = text;
  part.source = text;
  part.most = 1000;
  const skills::Prompt prompt = skills::fill(skill, {part}, {});
  if (text.empty()) return;
  const std::string_view end = std::string_view(prompt.task).substr(prompt.task.rfind('\n') + 1);
  promise(end.starts_with("<<<end ") && end.size() == 42, "a block ends with its mark");
  promise(prompt.task.find(end) + end.size() == prompt.task.size(), "a block has one end");
  promise(prompt.task.find(">>>\n") == prompt.task.find('\n') - 3, "a block begins in one line");
  promise(prompt.task.size() < 1000 + 1000, "a text is cut");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = davit::fuzz::as_text(data, size);
  const std::string secret(davit::fuzz::cut(text, "\n"));
  check_clean(text, Form::Prose);
  check_clean(text, Form::Verbatim);
  check_redacted(text, secret);
  check_prompt(text);
  return 0;
}

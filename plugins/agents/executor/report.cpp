#include "executor/report.h"

#include <algorithm>
#include <string_view>

#include "davit/text.hpp"
#include "executor/work_order.h"
#include "log_text/log_text.h"
#include "plan_page/plan_page.h"
#include "source_note/neutral.h"

namespace executor {
namespace {

constexpr std::size_t kMostListed = 200;
constexpr std::size_t kMostOfTail = 8 * 1024;
constexpr std::size_t kMostOfPlan = 24 * 1024;
constexpr std::size_t kMostOfSentences = 2000;

std::string_view verb_of(const git::File& file) {
  if (file.old_mode == git::kNoFile) return "added";
  return file.new_mode == git::kNoFile ? "removed" : "changed";
}

// Line by line: none of them begins a block.
void add_text(std::string& page, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    page += plan_page::in_page(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Indented, so that nothing in it can end the block.
void add_block(std::string& page, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    page += "    " + std::string(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string first_sentence(const Landed& landed) {
  switch (landed.tests.verdict) {
    case Verdict::Passed:
      return "The plan was carried out, and its tests pass.";
    case Verdict::Failed:
      return "The plan was carried out, **but its tests fail**: it is not ready.";
    case Verdict::Untested:
      break;
  }
  return "The plan was carried out. **It was not tested**: " + plan_page::in_page(landed.tests.why) + ".";
}

void add_tests(std::string& page, const Landed& landed, const std::vector<std::string>& command) {
  const TestReport& tests = landed.tests;
  if (tests.verdict == Verdict::Untested) return;
  page +=
      "\n## Tests\n\n" + plan_page::code(in_words(command)) +
      (tests.verdict == Verdict::Passed ? " passed.\n" : " failed: " + plan_page::in_page(tests.why) + ".\n");
  if (tests.verdict == Verdict::Passed || tests.log.empty()) return;
  page += "\nThe end of what it printed:\n\n";
  add_block(page, note::neutral(log_text::end_of(tests.log, kMostOfTail), note::Markup::Github, kMostOfTail));
}

void add_plan(std::string& page, const work::Plan& plan, const work::Request& request) {
  std::string text = plan_page::page_of(plan, request);
  if (text.size() > kMostOfPlan) {
    text.resize(text.rfind('\n', kMostOfPlan) + 1);
    text += "\nThe rest is in the first commit of this branch.\n";
  }
  page += "\n---\n\n" + text;
}

}  // namespace

std::string title_of(const std::string& title) {
  std::string_view rest = title;
  constexpr std::string_view kNoDraft = "[plan] ", kPlan = "Plan: ";
  if (rest.starts_with(kNoDraft)) rest.remove_prefix(kNoDraft.size());
  if (rest.starts_with(kPlan)) rest.remove_prefix(kPlan.size());
  return rest.empty() ? title : std::string(rest);
}

std::string page_of(const Landed& landed, const work::Plan& plan, const work::Request& request,
                    const std::vector<std::string>& command) {
  std::string page = first_sentence(landed) + "\n\nCommit " + landed.sha + ", SHA-256 of the plan " +
                     plan.sha256 + "\n\n## What was done\n\n";
  add_text(page, landed.message);
  page += "\n## Files\n\n";
  for (std::size_t i = 0; i < landed.files.size() && i < kMostListed; ++i) {
    const git::File& file = landed.files[i];
    const bool is_beyond =
        std::find(landed.beyond.begin(), landed.beyond.end(), file.path) != landed.beyond.end();
    page += "- " + std::string(verb_of(file)) + " " + plan_page::code(davit::to_utf8(file.path)) +
            (is_beyond ? ", **which the plan does not name**" : "") + "\n";
  }
  if (landed.files.size() > kMostListed)
    page += "- and " + std::to_string(landed.files.size() - kMostListed) + " more\n";
  add_tests(page, landed, command);
  add_plan(page, plan, request);
  return page;
}

std::string page_of(const std::vector<git::Refusal>& refused, const work::Plan& plan,
                    const work::Request& request) {
  std::string page =
      "**The plan was not carried out**: what a model made of it is not allowed here, and nothing of it was "
      "pushed.\n\n";
  for (std::size_t i = 0; i < refused.size() && i < kMostListed; ++i)
    page += "- " + plan_page::in_page(refused[i].sentence) + "\n";
  if (refused.size() > kMostListed)
    page += "- and " + std::to_string(refused.size() - kMostListed) + " more\n";
  page += "\nSHA-256 of the plan " + plan.sha256 + "\n";
  add_plan(page, plan, request);
  return page;
}

std::string sentences_of(const std::vector<git::Refusal>& refused) {
  std::string text;
  for (std::size_t i = 0; i < refused.size(); ++i) {
    if (text.size() > kMostOfSentences) return text + "; and " + std::to_string(refused.size() - i) + " more";
    text += (text.empty() ? "" : "; ") + refused[i].sentence;
  }
  return text;
}

}  // namespace executor

#include "plan_page/plan_page.h"

#include <algorithm>

#include "davit/failure.hpp"
#include "source_note/neutral.h"

namespace plan_page {
namespace {

using davit::Failure;
using davit::JsonView;

constexpr std::string_view kJoiner = "\xE2\x81\xA0";  // U+2060, without width
constexpr std::string_view kDocument = "\n```json\n";
constexpr std::string_view kEnd = "\n```\n";
constexpr std::size_t kMostOfBody = 50'000;

std::string list_of_codes(JsonView names) {
  std::string text;
  for (const JsonView name : names) text += (text.empty() ? "" : ", ") + code(name.string_or(""));
  return text;
}

void add_list(std::string& page, const char* heading, JsonView items, bool names = false) {
  if (items.empty()) return;
  page += std::string("\n## ") + heading + "\n\n";
  for (const JsonView item : items)
    page += "- " + (names ? code(item.string_or("")) : in_page(item.string_or(""))) + "\n";
}

// Backticks at `at`, as many as there are.
std::size_t ticks_at(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of('`', at), text.size()) - at;
}

// Where the code begun by the `count` backticks at `at` ends; npos: nowhere, so it is none.
std::size_t end_of_code(std::string_view text, std::size_t at, std::size_t count) {
  for (std::size_t next = text.find('`', at + count); next != std::string_view::npos;
       next = text.find('`', next)) {
    const std::size_t ticks = ticks_at(text, next);
    next += ticks;
    if (ticks == count) return next;
  }
  return std::string_view::npos;
}

// What a skill of the operator's own has beside the usual: who approves sees that, too.
void add_others(std::string& page, JsonView object, std::initializer_list<std::string_view> known,
                const char* indent) {
  for (const auto& [name, value] : object.members()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    page += indent + std::string("- ") + code(name) + ": " +
            in_page(value.is_string() ? std::string(value.string_or("")) : value.dump()) + "\n";
  }
}

// Only what cannot be anything but an address.
bool is_plain_address(std::string_view url) {
  return url.starts_with("https://") && url.size() < 1000 &&
         std::all_of(url.begin(), url.end(), [](unsigned char c) {
           return std::isalnum(c) || std::string_view("-._~:/?#=&%+,").find(c) != std::string_view::npos;
         });
}

}  // namespace

std::string code(std::string_view text) {
  std::string name = in_line(text);
  std::replace(name.begin(), name.end(), '`', '\'');
  return "`" + name + "`";
}

std::string fault_of(JsonView document) {
  if (!document.is_object()) return "it is no object";
  if (document["summary"].string_or("").empty()) return "it has no summary";
  if (document["steps"].empty()) return "it has no steps";
  for (const JsonView step : document["steps"])
    if (step["what"].string_or("").empty()) return "a step does not say what to do";
  if (document["files"].empty()) return "it names no file";
  return "";
}

std::string page_of(const work::Plan& plan, const work::Request& request) {
  const JsonView document = plan.document;
  std::string page = "# Plan: " + in_page(request.title, 200) + "\n\n";
  if (is_plain_address(request.url)) page += "Asked for at " + request.url + "\n\n";
  page += in_page(document["summary"].string_or("")) + "\n";
  if (const auto cause = document["root_cause"].string_or(""); !cause.empty())
    page += "\n**Cause:** " + in_page(cause) + "\n";
  page += "\n## Steps\n\n";
  int number = 0;
  for (const JsonView step : document["steps"]) {
    page += std::to_string(++number) + ". " + in_page(step["what"].string_or("")) + "\n";
    if (const auto why = step["why"].string_or(""); !why.empty()) page += "   - Why: " + in_page(why) + "\n";
    if (!step["files"].empty()) page += "   - Files: " + list_of_codes(step["files"]) + "\n";
    add_others(page, step, {"what", "why", "files"}, "   ");
  }
  add_list(page, "Files", document["files"], true);
  add_list(page, "Tests", document["tests"]);
  add_list(page, "Risks", document["risks"]);
  add_list(page, "Questions", document["questions"]);
  add_list(page, "Asked for beside the task, and left alone", document["warnings"]);
  if (const auto estimate = document["estimate"].string_or(""); !estimate.empty())
    page += "\nEstimate: " + in_page(estimate) + "\n";
  std::string others;
  add_others(others, document,
             {"status", "summary", "root_cause", "steps", "files", "tests", "risks", "questions", "warnings",
              "estimate"},
             "");
  if (!others.empty()) page += "\n## Beside that\n\n" + others;
  return page;
}

std::string file_of(const work::Plan& plan, const work::Request& request) {
  return page_of(plan, request) + "\n## The plan as it is carried out\n" + std::string(kDocument) +
         plan.document.dump() + std::string(kEnd);
}

// The document is one line, and no line of the page begins so.
std::optional<work::Plan> plan_in(std::string_view file) {
  const std::size_t at = file.rfind(kDocument);
  if (at == std::string_view::npos || !file.ends_with(kEnd)) return std::nullopt;
  const std::size_t begin = at + kDocument.size();
  if (file.size() < begin + kEnd.size()) return std::nullopt;
  try {
    work::Plan plan(davit::Json::parse(file.substr(begin, file.size() - kEnd.size() - begin)));
    return fault_of(plan.document).empty() ? std::optional(std::move(plan)) : std::nullopt;
  } catch (const Failure&) {
    return std::nullopt;
  }
}

std::string body_of(const work::Plan& plan, const work::Request& request, const std::string& path) {
  std::string page = page_of(plan, request);
  if (page.size() > kMostOfBody) {
    page.resize(page.rfind('\n', kMostOfBody) + 1);
    page += "\nThe rest is in the file.\n";
  }
  return "This is a plan, and nothing has been changed yet. It is carried out when a person approves "
         "it.\n\nFile " +
         code(path) + ", SHA-256 of the plan " + plan.sha256 + "\n\n---\n\n" + page;
}

std::string in_line(std::string_view text, std::size_t most) {
  std::string line;
  for (const char c : note::visible(text)) {
    const bool blank = c == '\n' || c == '\t' || c == ' ';
    if (!blank)
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  std::string out = note::neutral(line, note::Markup::Github, most);
  // What begins a line begins no block: a heading, a list, a fence.
  if (!out.empty() && std::string_view("#>-+*=`~|").find(out.front()) != std::string_view::npos)
    out.insert(0, kJoiner);
  return out;
}

std::string in_page(std::string_view text, std::size_t most) {
  const std::string line = in_line(text, most);
  std::string out;
  // A numbered list, beside those that in_line() knows.
  const std::size_t number = std::min(line.find_first_not_of("0123456789"), line.size());
  if (number > 0 && number < line.size() && (line[number] == '.' || line[number] == ')')) out = kJoiner;
  for (std::size_t at = 0; at < line.size();) {
    if (line[at] == '`') {
      const std::size_t count = ticks_at(line, at);
      const std::size_t end = end_of_code(line, at, count);
      // Backticks without others to go with could find some in the next line.
      for (std::size_t i = 0; end == std::string::npos && i < count; ++i) out += "\\`";
      if (end != std::string::npos) out.append(line, at, end - at);
      at = end == std::string::npos ? at + count : end;
      continue;
    }
    // Links and footnotes have targets and texts that nobody sees; formulas can have parts without colour;
    // what is struck out reads as if it were not there.
    if (std::string_view("\\[]$~").find(line[at]) != std::string_view::npos) out += '\\';
    out += line[at++];
  }
  return out;
}

std::string key_of(std::string_view entity, std::string_view title) {
  constexpr std::size_t kMost = 50;
  const std::size_t slash = entity.rfind('/');
  std::string key;
  for (const char c : slash == std::string_view::npos ? title : entity.substr(slash + 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte))
      key += static_cast<char>(std::tolower(byte));
    else if (!key.empty() && key.back() != '-')
      key += '-';
    if (key.size() >= kMost) break;
  }
  while (!key.empty() && key.back() == '-') key.pop_back();
  return key.empty() ? "plan" : key;
}

}  // namespace plan_page

#include "code_review/page.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

#include "github_api/errors.h"
#include "source_note/neutral.h"

namespace review {
namespace {

// By which a review of a commit is known again.
constexpr const char* kMarker = "code-review";
// Below GitHub's 65,536, so that nothing is cut in the middle.
constexpr std::size_t kMostBody = 60'000;
constexpr std::size_t kMostText = 16'000;  // of one text, in which each character may need another
constexpr std::size_t kMostLeftOut = 50;

std::string neutral(const std::string& text) { return note::neutral(text, note::Markup::Github, kMostText); }

// Each line as a quotation, so that a block that does not end ends with it.
std::string quoted(const std::string& text) {
  std::string quotation = "> ";
  for (const char c : neutral(text)) {
    quotation += c;
    if (c == '\n') quotation += "> ";
  }
  return quotation;
}

// As a code span; of a name with a backtick what is left without it.
std::string code(const std::string& path) {
  std::string name = github::one_line(note::visible(path), 200);
  std::replace(name.begin(), name.end(), '`', '\'');
  return "`" + name + "`";
}

std::string capital(std::string_view word) {
  std::string text(word);
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

std::string in_body(const Finding& finding) {
  std::string place = "**" + capital(name_of(finding.severity)) + "**";
  if (!finding.path.empty()) place += ", " + code(finding.path);
  if (finding.line > 0) place += ", line " + std::to_string(finding.line);
  return place + "\n\n" + quoted(finding.body);
}

// "3 findings: 1 high, 2 low"
std::string count_of(const Review& review) {
  if (!review.looked_at) return "nothing that could be looked at";
  const std::size_t all = review.findings.size();
  if (all == 0) return "no findings";
  std::string text = std::to_string(all) + (all == 1 ? " finding" : " findings"), between = ": ";
  for (const Severity severity : {Severity::High, Severity::Medium, Severity::Low}) {
    const auto count = std::count_if(review.findings.begin(), review.findings.end(),
                                     [&](const Finding& one) { return one.severity == severity; });
    if (count == 0) continue;
    text += between + std::to_string(count) + " " + std::string(name_of(severity));
    between = ", ";
  }
  return text;
}

std::string heading_of(const Review& review) {
  std::string text = "**Review of " + review.sha.substr(0, 12) + ": " + count_of(review) +
                     ".** By a model, which approves nothing: that is for a person.";
  if (!review.summary.empty()) text += "\n\n" + quoted(review.summary);
  if (!review.left_out.empty()) {
    text += "\n\nNot looked at:\n";
    for (std::size_t i = 0; i < std::min(review.left_out.size(), kMostLeftOut); ++i)
      text += "\n- " + code(review.left_out[i].path) + ": " + neutral(review.left_out[i].why);
    if (review.left_out.size() > kMostLeftOut)
      text += "\n- and " + std::to_string(review.left_out.size() - kMostLeftOut) + " more";
  }
  if (!review.warnings.empty()) {
    text += "\n\nAsked for beside the task by what was read, and left alone:";
    for (const std::string& warning : review.warnings) text += "\n\n" + quoted(warning);
  }
  return text;
}

}  // namespace

github::NewReview page_of(const Review& review, const Settings& settings) {
  const bool blocks = verdict_of(review, settings.block_at) == "blocking";
  github::NewReview page{.marker = kMarker,
                         .body = heading_of(review),
                         .verdict = blocks && settings.requests_changes ? github::Verdict::RequestChanges
                                                                        : github::Verdict::Comment};
  std::size_t without_room = 0;
  for (const Finding& finding : review.findings) {
    std::string text = in_body(finding);
    if (finding.at_lines && page.findings.size() < static_cast<std::size_t>(settings.most_comments)) {
      page.findings.push_back(
          {.path = finding.path,
           .line = finding.line,
           .start_line = finding.start_line,
           .body = "**" + capital(name_of(finding.severity)) + "**\n\n" + neutral(finding.body),
           .in_body = std::move(text)});
    } else if (page.body.size() + text.size() < kMostBody) {
      page.body += "\n\n" + text;
    } else {
      ++without_room;
    }
  }
  if (without_room > 0)
    page.body += "\n\nFor " + std::to_string(without_room) + " more there is no room here; they are in the " +
                 "task's findings.json.";
  return page;
}

}  // namespace review

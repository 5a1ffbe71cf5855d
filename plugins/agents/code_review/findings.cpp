#include "code_review/findings.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <tuple>

#include "davit/text.hpp"

namespace review {
namespace {

using davit::Json;
using davit::JsonView;

constexpr std::size_t kMostFindings = 100;
constexpr std::size_t kMostWarnings = 10;
constexpr std::size_t kMostOfWarning = 500;  // bytes
constexpr std::size_t kMostText = 4000;      // bytes of one finding
constexpr std::size_t kMostSummary = 4000;   // bytes
constexpr std::size_t kMostOfPath = 1000;    // bytes
constexpr std::size_t kMostOfFeedback = 48 * 1024;

std::string cut(std::string_view text, std::size_t most) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  text = text.substr(0, end == std::string_view::npos ? 0 : end + 1);
  if (text.size() <= most) return std::string(text);
  text = text.substr(0, most);
  return std::string(text.substr(0, davit::utf8_prefix(text))) + " (cut)";
}

// As the diff names files, where a model names them from its own folder.
std::string path_in(std::string_view path) {
  for (const std::string_view front : {"/work/", "./"})
    if (path.starts_with(front)) path.remove_prefix(front.size());
  return path.size() > kMostOfPath ? std::string() : std::string(path);
}

int line_in(JsonView number) {
  const std::int64_t line = number.int_or(0);
  return line > 0 && line <= std::numeric_limits<int>::max() ? static_cast<int>(line) : 0;
}

Finding read_finding(JsonView json, const Places& places) {
  Finding finding{.path = path_in(json["path"].string_or("")),
                  .line = line_in(json["line"]),
                  .start_line = line_in(json["start_line"]),
                  .severity = severity_of(json["severity"].string_or("")).value_or(Severity::Low),
                  .body = cut(json["body"].string_or(""), kMostText)};
  if (finding.start_line >= finding.line) finding.start_line = 0;
  if (finding.start_line > 0 && places.hold(finding.path, finding.start_line, finding.line)) {
    finding.at_lines = true;
  } else if (finding.line > 0 && places.hold(finding.path, finding.line, finding.line)) {
    finding.start_line = 0;
    finding.at_lines = true;
  }
  return finding;
}

}  // namespace

std::string_view name_of(Severity severity) {
  constexpr std::string_view kNames[] = {"low", "medium", "high"};
  return kNames[static_cast<std::size_t>(severity)];
}

std::optional<Severity> severity_of(std::string_view name) {
  for (const Severity severity : {Severity::Low, Severity::Medium, Severity::High})
    if (name == name_of(severity)) return severity;
  return std::nullopt;
}

Json Review::json() const {
  Json json = Json::object({{"sha", sha}, {"looked_at", looked_at}, {"summary", summary}});
  Json list = Json::array(), others = Json::array();
  for (const Finding& finding : findings) {
    Json one = Json::object({{"path", finding.path},
                             {"line", finding.line},
                             {"severity", name_of(finding.severity)},
                             {"body", finding.body},
                             {"at_lines", finding.at_lines}});
    if (finding.start_line > 0) one.set("start_line", finding.start_line);
    list.push_back(std::move(one));
  }
  for (const LeftOut& file : left_out)
    others.push_back(Json::object({{"path", file.path}, {"why", file.why}}));
  json.set("findings", std::move(list)).set("warnings", warnings).set("left_out", std::move(others));
  return json;
}

std::optional<Review> Review::from(JsonView json) {
  Review review{.sha = std::string(json["sha"].string_or("")),
                .looked_at = json["looked_at"].bool_or(false),
                .summary = std::string(json["summary"].string_or(""))};
  if (review.sha.empty() || !json["findings"].is_array()) return std::nullopt;
  for (const JsonView one : json["findings"]) {
    const std::optional<Severity> severity = severity_of(one["severity"].string_or(""));
    if (!severity) return std::nullopt;
    review.findings.push_back({.path = std::string(one["path"].string_or("")),
                               .line = line_in(one["line"]),
                               .start_line = line_in(one["start_line"]),
                               .severity = *severity,
                               .body = std::string(one["body"].string_or("")),
                               .at_lines = one["at_lines"].bool_or(false)});
  }
  for (const JsonView warning : json["warnings"]) review.warnings.emplace_back(warning.string_or(""));
  for (const JsonView file : json["left_out"])
    review.left_out.push_back(
        {std::string(file["path"].string_or("")), std::string(file["why"].string_or(""))});
  return review;
}

Review read_answer(JsonView answer, const std::string& sha, const Places& places) {
  Review review{.sha = sha, .summary = cut(answer["summary"].string_or(""), kMostSummary)};
  std::set<std::tuple<std::string, int, std::string>> seen;
  for (const JsonView json : answer["findings"]) {
    Finding finding = read_finding(json, places);
    if (finding.body.empty() || !seen.emplace(finding.path, finding.line, finding.body).second) continue;
    review.findings.push_back(std::move(finding));
  }
  std::stable_sort(review.findings.begin(), review.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  if (review.findings.size() > kMostFindings) review.findings.resize(kMostFindings);
  for (const JsonView warning : answer["warnings"]) {
    if (review.warnings.size() == kMostWarnings) break;
    if (std::string text = cut(warning.string_or(""), kMostOfWarning); !text.empty())
      review.warnings.push_back(std::move(text));
  }
  return review;
}

std::string_view verdict_of(const Review& review, std::optional<Severity> block_at) {
  if (!review.looked_at) return "none";
  if (review.findings.empty()) return "fine";
  // The worst is the first.
  return block_at && review.findings.front().severity >= *block_at ? "blocking" : "remarks";
}

std::string feedback_for(const Review& review, Severity block_at) {
  std::string text = "A review of commit " + review.sha + " found what has to be repaired:\n";
  for (const Finding& finding : review.findings) {
    if (finding.severity < block_at) break;
    std::string one = "\n- " + (finding.path.empty() ? std::string("the change") : finding.path);
    if (finding.line > 0) one += ":" + std::to_string(finding.line);
    one += " (" + std::string(name_of(finding.severity)) + "): " + finding.body + "\n";
    if (text.size() + one.size() > kMostOfFeedback) {
      text += "\nMore stands in the review.\n";
      break;
    }
    text += one;
  }
  return text;
}

}  // namespace review

// What a model found, as far as it can be used, and what follows from it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "code_review/diff.h"
#include "davit/json.hpp"

namespace review {

enum class Severity { Low, Medium, High };
std::string_view name_of(Severity severity);  // "high"
std::optional<Severity> severity_of(std::string_view name);

struct Finding {
  std::string path;    // as the model calls it; empty: of the whole
  int line = 0;        // after the change; 0: it named none that can be
  int start_line = 0;  // of several; 0: it is about one line
  Severity severity = Severity::Low;
  std::string body;
  bool at_lines = false;  // the diff shows its lines
};

struct Review {
  std::string sha;        // of the commit
  bool looked_at = true;  // false: there was nothing that a model can be shown
  std::string summary;
  std::vector<Finding> findings;      // the worst first
  std::vector<std::string> warnings;  // what texts asked for beside the task
  std::vector<LeftOut> left_out;      // what was not looked at

  davit::Json json() const;
  // Of json(); nullopt for what is none.
  static std::optional<Review> from(davit::JsonView json);
};

// Of an answer in the shape of the skill review-changes, whatever it holds: findings without a text are
// dropped, the same one twice counts once, of more than 100 the worst stay, texts are cut at 4,000 bytes.
// A finding of several lines that the diff does not show as one piece is about the last of them.
Review read_answer(davit::JsonView answer, const std::string& sha, const Places& places);

// "blocking": something is at least `block_at`; else "remarks", "fine" where nothing was found, and "none"
// where nothing was looked at.
std::string_view verdict_of(const Review& review, std::optional<Severity> block_at);

// For the executor: what blocks, in full. Text of a model that read other people's.
std::string feedback_for(const Review& review, Severity block_at);

}  // namespace review

#include "redact/redactor.h"

#include <algorithm>

#include "redact/forms.h"
#include "redact/shapes.h"

namespace redact {
namespace {

constexpr std::string_view kKnown = "configured secret";

}  // namespace

Redactor::Redactor(const std::vector<std::string>& known) {
  for (const std::string& secret : known) {
    for (std::string& form : forms_of(secret, kShortest)) needles_.push_back(std::move(form));
  }
  std::sort(needles_.begin(), needles_.end());
  needles_.erase(std::unique(needles_.begin(), needles_.end()), needles_.end());
}

// One walk from left to right. What is taken out ends words, so the text behind a find is looked at as if it
// began there: a second walk over the result finds nothing more.
std::vector<Find> Redactor::finds(std::string_view text) const {
  std::vector<Find> known;
  for (const std::string& needle : needles_) {
    for (std::size_t at = text.find(needle); at != std::string_view::npos;
         at = text.find(needle, at + needle.size())) {
      known.push_back({at, needle.size(), kKnown});
    }
  }
  std::sort(known.begin(), known.end(), [](const Find& a, const Find& b) { return a.at < b.at; });

  std::vector<Find> found;
  auto next = known.begin();
  std::size_t end = 0;  // of the last find
  for (std::size_t at = 0; at < text.size();) {
    Find find{at, 0, {}};
    if (const Match match = match_shape(text, at, at == end); match.size > 0) {
      find.size = match.size;
      find.what = match.what;
    }
    // A known secret that begins in it belongs to it, and may be longer.
    for (; next != known.end() && next->at < at + std::max<std::size_t>(find.size, 1); ++next) {
      find.size = std::max(find.size, next->at + next->size - at);
      if (find.what.empty()) find.what = kKnown;
    }
    if (find.size == 0) {
      ++at;
      continue;
    }
    found.push_back(find);
    at = end = find.at + find.size;
  }
  return found;
}

Redacted Redactor::redact(std::string_view text) const {
  Redacted redacted;
  std::size_t done = 0;
  for (const Find& find : finds(text)) {
    redacted.text.append(text.substr(done, find.at - done)).append("[").append(find.what).append(" removed]");
    done = find.at + find.size;
    ++redacted.count;
  }
  redacted.text.append(text.substr(done));
  return redacted;
}

}  // namespace redact

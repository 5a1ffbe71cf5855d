#include "host/plugin/redactor.h"

#include <algorithm>
#include <array>

#include "host/base/json.h"

namespace davit::plugin {
namespace {

constexpr std::size_t kShortestSecret = 6;
constexpr std::size_t kShortestLine = 16;      // of a value of several lines
constexpr std::size_t kShortestUnnamed = 12;   // of a variable whose name says nothing
constexpr std::size_t kShortestBeginning = 8;  // of a long value, where a text was cut within it
constexpr std::size_t kShortestBeginningOfShort = 5;

std::string as_in_json(std::string_view text) {
  std::string quoted = json_quote(text);
  return quoted.substr(1, quoted.size() - 2);
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string upper(std::string_view name) {
  std::string text(name);
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

bool sounds_secret(std::string_view upper_name) {
  static constexpr std::array<std::string_view, 6> kWords{"TOKEN", "KEY",        "SECRET",
                                                          "PASS",  "CREDENTIAL", "AUTH"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return upper_name.find(word) != std::string_view::npos; });
}

// ANTHROPIC_MODEL and its like: usage is booked by the model's name, which must stay legible.
bool names_a_model(std::string_view upper_name) {
  constexpr std::string_view kModel = "MODEL";
  return upper_name.size() >= kModel.size() && upper_name.substr(upper_name.size() - kModel.size()) == kModel;
}

// Where in `text`, not before `from`, a beginning of `value` stands that the text's end cuts off.
std::size_t cut_off_at(std::string_view text, std::size_t from, std::string_view value) {
  const std::size_t least =
      std::min(kShortestBeginning, std::max(kShortestBeginningOfShort, value.size() / 2));
  std::size_t at = text.size() < value.size() ? from : std::max(from, text.size() - value.size() + 1);
  for (; (at = text.find(value.front(), at)) != std::string_view::npos && text.size() - at >= least; ++at)
    if (value.substr(0, text.size() - at) == text.substr(at)) return at;
  return std::string_view::npos;
}

// Whoever is in it: a user, a password, a key behind the question mark.
bool is_plain_address(std::string_view value) {
  return value.find("://") != std::string_view::npos && value.find_first_of("@?#") == std::string_view::npos;
}

}  // namespace

std::vector<Secret> secrets_in(const std::map<std::string, std::string>& environment) {
  std::vector<Secret> secrets;
  for (const auto& [name, value] : environment) {
    const std::string known = upper(name);
    const bool plain = value.size() < kShortestUnnamed || value.front() == '/' || is_plain_address(value) ||
                       names_a_model(known);
    if (sounds_secret(known) || !plain) secrets.push_back({name, value});
  }
  return secrets;
}

Redactor::Redactor(const std::vector<Secret>& secrets) {
  for (const Secret& secret : secrets) {
    std::string replacement = "[secret " + as_in_json(secret.name) + "]";
    auto add = [&](std::string value, std::size_t shortest) {
      if (value.size() < shortest) return;
      std::string escaped = is_utf8(value) ? as_in_json(value) : value;
      if (escaped != value) patterns_.push_back({std::move(escaped), replacement});
      patterns_.push_back({std::move(value), replacement});
    };
    add(secret.value, kShortestSecret);
    std::vector<std::string> lines = lines_of(secret.value);
    if (lines.size() > 1)
      for (std::string& line : lines) add(std::move(line), kShortestLine);
  }
  std::stable_sort(patterns_.begin(), patterns_.end(),
                   [](const Pattern& a, const Pattern& b) { return a.value.size() > b.value.size(); });
}

// One pass, the earliest match first and of those the longest: what was put in is not looked at again.
void Redactor::redact(std::string& text) const {
  if (patterns_.empty()) return;
  std::string clean;
  std::size_t done = 0;
  std::vector<std::size_t> next(patterns_.size(), 0);
  for (;;) {
    std::size_t first = std::string::npos, which = 0;
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
      if (next[i] != std::string::npos && (next[i] < done || done == 0))
        next[i] = text.find(patterns_[i].value, done);
      if (next[i] < first) first = next[i], which = i;
    }
    if (first == std::string::npos) break;
    clean.append(text, done, first - done);
    clean += patterns_[which].replacement;
    done = first + patterns_[which].value.size();
  }
  std::size_t end = text.size();
  const std::string* of_the_cut = nullptr;
  for (const Pattern& pattern : patterns_) {
    const std::size_t at = cut_off_at(text, done, pattern.value);
    if (at < end) end = at, of_the_cut = &pattern.replacement;
  }
  if (done == 0 && !of_the_cut) return;
  clean.append(text, done, end - done);
  if (of_the_cut) clean += *of_the_cut;
  text = std::move(clean);
}

}  // namespace davit::plugin

#include "log_text/log_text.h"

#include <algorithm>
#include <cctype>

#include "davit/text.hpp"
#include "skills/clean.h"

namespace log_text {
namespace {

// "2026-11-26T09:30:00.1234567Z "; 0 when the line does not begin so.
std::size_t time_length(std::string_view line) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00.";
  if (line.size() <= kShape.size()) return 0;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = std::isdigit(static_cast<unsigned char>(line[i])) != 0;
    if (kShape[i] == '0' ? !digit : line[i] != kShape[i]) return 0;
  }
  std::size_t at = kShape.size();
  while (at < line.size() && std::isdigit(static_cast<unsigned char>(line[at])) != 0) ++at;
  if (at >= line.size() || line[at] != 'Z') return 0;
  return at + 1 < line.size() && line[at + 1] == ' ' ? at + 2 : at + 1;
}

std::string without_times(std::string_view log) {
  std::string text;
  while (!log.empty()) {
    const std::size_t end = std::min(log.find('\n'), log.size() - 1) + 1;
    std::string_view line = log.substr(0, end);
    log.remove_prefix(end);
    if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    text += line.substr(time_length(line));
  }
  return text;
}

}  // namespace

std::string end_of(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t from = text.size() - most;
  // What was cut is no line, if there is a whole one behind it.
  if (const std::size_t line = text.find('\n', from); line != std::string::npos && line + 1 < text.size())
    return text.substr(line + 1);
  while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) ++from;
  return text.substr(from);
}

std::string readable_log(std::string_view log, std::size_t most, const redact::Redactor& redactor) {
  const std::string clean = skills::clean(davit::to_utf8(without_times(log)), skills::Form::Verbatim).text;
  return end_of(redactor(clean), most);
}

}  // namespace log_text

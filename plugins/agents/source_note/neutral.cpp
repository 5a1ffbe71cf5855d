#include "source_note/neutral.h"

#include <algorithm>
#include <cctype>

#include "davit/text.hpp"

namespace note {
namespace {

constexpr std::string_view kJoiner = "\xE2\x81\xA0";  // U+2060, word joiner

// Zero-width and direction characters: U+200B to U+200F, U+202A to U+202E, U+2060 to U+206F, U+FEFF.
bool is_hidden(std::string_view three) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(three[i]); };
  if (three.size() < 3) return false;
  if (three.substr(0, 3) == "\xEF\xBB\xBF") return true;
  if (at(0) != 0xE2) return false;
  if (at(1) == 0x80) return (at(2) >= 0x8B && at(2) <= 0x8F) || (at(2) >= 0xAA && at(2) <= 0xAE);
  return at(1) == 0x81 && at(2) >= 0xA0 && at(2) <= 0xAF;
}

// Closes an issue, or makes of a block one that a click commits.
bool does_something(std::string_view word) {
  constexpr std::string_view kWords[] = {"close", "closes",  "closed",   "fix",      "fixes",
                                         "fixed", "resolve", "resolves", "resolved", "suggestion"};
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(std::begin(kWords), std::end(kWords), lower) != std::end(kWords);
}

// Markdown of GitHub and Sentry.
void add_markdown(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && std::isalpha(static_cast<unsigned char>(text[end]))) ++end;
    const std::string_view word = text.substr(at, end - at);
    if (word.empty()) {
      out += text[at];
      // An image is fetched from wherever it lies by everyone who looks.
      if (text[at] == '@' || text[at] == '<' || text.substr(at, 2) == "![") out += kJoiner;
      ++at;
      continue;
    }
    out += word[0];
    if (does_something(word)) out += kJoiner;
    out += word.substr(1);
    at = end;
  }
}

void add_jira(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '{' || c == '[' || c == '!') out += '\\';
    out += c;
    if (c == '@') out += kJoiner;
  }
}

void add_slack(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    if (c == '<') out += "&lt;";
    if (c == '>') out += "&gt;";
    if (c != '&' && c != '<' && c != '>') out += c;
    if (c == '@') out += kJoiner;
  }
}

}  // namespace

std::string visible(std::string_view text) {
  const std::string whole = davit::to_utf8(text);
  std::string seen;
  for (std::size_t at = 0; at < whole.size();) {
    const auto c = static_cast<unsigned char>(whole[at]);
    if (is_hidden(std::string_view(whole).substr(at, 3))) {
      at += 3;
      continue;
    }
    if (c >= ' ' ? c != 0x7F : c == '\n' || c == '\t') seen += whole[at];
    ++at;
  }
  return seen;
}

std::string neutral(std::string_view text, Markup markup, std::size_t most) {
  std::string seen = visible(text);
  const bool cut = seen.size() > most;
  if (cut) {
    seen.resize(most);
    seen.resize(davit::utf8_prefix(seen));
  }
  std::string out;
  switch (markup) {
    case Markup::Github:
    case Markup::Sentry:
      add_markdown(out, seen);
      break;
    case Markup::Jira:
      add_jira(out, seen);
      break;
    case Markup::Slack:
      add_slack(out, seen);
      break;
  }
  return cut ? out + " (cut)" : out;
}

}  // namespace note

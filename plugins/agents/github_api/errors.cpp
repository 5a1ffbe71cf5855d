#include "github_api/errors.h"

#include "davit/failure.hpp"
#include "davit/json.hpp"

namespace github {
namespace {

constexpr std::size_t kMost = 300;

// Source: docs.github.com/rest, "Troubleshooting the REST API": the codes of validation errors.
std::string meaning_of(std::string_view code) {
  if (code == "missing") return "does not exist";
  if (code == "missing_field") return "is missing";
  if (code == "invalid") return "is invalid";
  if (code == "already_exists") return "exists already";
  if (code == "unprocessable") return "cannot be processed";
  return std::string(code);
}

std::string describe(davit::JsonView error) {
  if (error.is_string()) return std::string(error.string_or(""));
  if (const std::string_view message = error["message"].string_or(""); !message.empty())
    return std::string(message);
  std::string text(error["resource"].string_or(""));
  for (const std::string& word :
       {std::string(error["field"].string_or("")), meaning_of(error["code"].string_or(""))}) {
    if (!word.empty()) text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

// "checks=read,statuses=read; contents=write" as "Checks: read and Statuses: read, or Contents: write".
std::string in_words(std::string_view accepted) {
  std::string words;
  bool begins = true;
  for (const char c : accepted) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter)
      words += begins && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    else if (c == '_')
      words += ' ';
    else if (c == '=')
      words += ": ";
    else if (c == ',' || c == ';')
      words += c == ',' ? " and " : ", or ";
    else if (c != ' ')
      return "";
    begins = c == ',' || c == ';' || (begins && c == ' ');
  }
  return words.size() <= kMost ? words : "";
}

// Source: docs.github.com/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens.
struct Right {
  std::string_view part, name;  // of the path
};
constexpr Right kRights[] = {
    {"/check-runs", "Checks"}, {"/check-suites", "Checks"},    {"/status", "Commit statuses"},
    {"/actions/", "Actions"},  {"/pulls", "Pull requests"},    {"/issues", "Issues"},
    {"/hooks/", "Webhooks"},   {"/contents/", "Contents"},     {"/git/", "Contents"},
    {"/branches", "Contents"}, {"/collaborators/", "Metadata"}};

}  // namespace

std::string right_for(std::string_view accepted, std::string_view method, std::string_view path) {
  if (std::string said = in_words(accepted); !said.empty()) return said;
  for (const Right& right : kRights) {
    if (path.find(right.part) == std::string_view::npos) continue;
    return std::string(right.name) + (method == "GET" ? ": read" : ": write");
  }
  return "";
}

bool is_about_rights(std::string_view sentence) {
  return sentence.empty() || sentence.starts_with("Resource not accessible") ||
         sentence.starts_with("Must have ") || sentence.starts_with("Forbidden");
}

std::string one_line(std::string_view text, std::size_t most) {
  std::string line;
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) < ' ' || c == 0x7F;
    line += blank ? ' ' : c;
  }
  if (line.size() <= most) return line;
  line.resize(most - 3);
  line.resize(davit::utf8_prefix(line));
  return line + "...";
}

std::string sentence_of(std::string_view body) {
  davit::Json json;
  try {
    json = davit::Json::parse(body);
  } catch (const davit::Failure&) {
    return "";
  }
  std::string sentence(json["message"].string_or(""));
  const davit::JsonView errors = json["errors"];
  if (errors.is_string()) sentence += ": " + std::string(errors.string_or(""));
  for (const davit::JsonView error : errors) {
    if (const std::string text = describe(error); !text.empty())
      sentence += (sentence.empty() ? "" : ": ") + text;
    if (sentence.size() > kMost) break;
  }
  return one_line(sentence, kMost);
}

}  // namespace github

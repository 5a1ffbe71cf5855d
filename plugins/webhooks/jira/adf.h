// The Atlassian Document Format, in which Jira's newer interfaces give descriptions and comments, as text:
// https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
#pragma once

#include <cstddef>
#include <string>

#include "davit/host.hpp"
#include "davit/json.hpp"

namespace jira {

inline constexpr int kMaxAdfDepth = 24;  // nested nodes; what lies deeper is left out

struct AdfText {
  std::string text;
  bool cut = false;  // something was left out, for its length or its depth
};

// Text in the manner of Markdown: paragraphs, headings, lists, tasks, quotes, code, tables, links as
// [text](address), mentions as @name. Of nodes it does not know, and of those that are malformed, it takes
// the text that is in them. Stops near `limit` bytes, on a whole character. Never throws for what a document
// holds.
AdfText text_of_adf(davit::JsonView document, std::size_t limit);

}  // namespace jira

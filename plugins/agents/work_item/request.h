// What somebody wants done, read from the payload of a task: whatever webhook it came by, or by hand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "davit/json.hpp"

namespace work {

// Something else that is known: "stack trace", "comment".
struct Detail {
  std::string name, text;
  std::string author;  // whose words these are; empty: a machine's
};

// All of it is other people's text, as long as its webhook lets it be: for a model it goes through
// skills::fill, for a page through what that page needs.
struct Request {
  std::string
      source;  // "github", "jira", "sentry", "slack", the name of an instance of standard, or "manual"
  std::string title = {}, text = {}, url = {};
  std::string author = {};  // login or name of who wrote `text`
  std::vector<Detail> details = {};
};

// From the payload of a task. By hand it is {"title", "text", "url", "author"} or {"request": text}; of a
// sender that is not known, `title` or `summary`, `text` or `description`, and the whole payload as a detail.
// `fallback_title` is the task's. A payload that asks for nothing gives a request without text and details,
// which is for the agent to refuse.
Request read_request(davit::JsonView payload, std::string_view fallback_title);

// Of title and text, 64 hex digits: another one tells that what was asked for has been changed.
std::string sha256_of(const Request& request);

// {source, title, text, url, author, details: [{name, text, author}]}; empty members are left out.
davit::Json to_json(const Request& request);
// Throws davit::Failure(Permanent), naming it, for a member of another type.
Request request_from(davit::JsonView json);

// 64 hex digits.
std::string hex_sha256(std::string_view text);

}  // namespace work

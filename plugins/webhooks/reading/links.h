// What a text mentions: Sentry issues, GitHub issues and pull requests, Jira issues.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "davit/answer.hpp"

namespace reading {

inline constexpr std::size_t kMaxLinks = 32;
// Of one text. They may stand inside of each other: without a limit a text full of "http://" would be read
// once for each.
inline constexpr std::size_t kMaxAddresses = 1'000;

struct LinkHosts {
  std::vector<std::string> github = {"github.com"};
  std::vector<std::string> sentry = {"sentry.io"};  // and their subdomains
  // A Jira beside those at atlassian.net, with its context path if it has one: "jira.example.com/jira".
  std::string jira = {};
};

// Appends what `text` (plain, Markdown, wiki markup) mentions and is not in `links` yet, up to kMaxLinks in
// all:
//   sentry_issue  an issue's address, key sentry:<organization>/<number>, or what stands behind a marker
//                 ("Sentry Issue: [KEY](url)", "Sentry Issue: [KEY|url]", bare), key KEY
//   pull_request, issue   by address: github:<owner>/<name>#<number>, jira:<site>/<KEY>
// One pass over the text and over each address, no recursion, nothing is fetched.
void find_links(std::string_view text, const LinkHosts& hosts, const std::vector<std::string>& markers,
                std::vector<davit::Link>& links);

// "TES-41": capital letter, then capital letters, digits and underscores, a dash, a number; at most 128
// bytes.
bool is_jira_key(std::string_view text);

}  // namespace reading

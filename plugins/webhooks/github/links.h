// What a text mentions: Sentry issues, GitHub issues and pull requests.
#pragma once

#include <string_view>
#include <vector>

#include "davit/answer.hpp"

namespace github {

inline constexpr std::size_t kMaxLinks = 32;

// Appends what `text` mentions and is not in `links` yet, up to kMaxLinks in all:
//   sentry_issue  after one of `markers`, as Sentry writes it ("Sentry Issue: [KEY](url)") or bare; any
//   address of an
//                 issue at sentry.io
//   issue, pull_request  by their addresses at `host` ("github.com"), key github:<owner>/<name>#<number>
// One pass over the text, no recursion, nothing is fetched.
void find_links(std::string_view text, std::string_view host, const std::vector<std::string>& markers,
                std::vector<davit::Link>& links);

}  // namespace github

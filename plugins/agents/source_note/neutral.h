// Other people's text, so that it does nothing where it is shown but be read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace note {

enum class Markup { Github, Jira, Sentry, Slack };

// Without what cannot be seen (control, zero-width and direction characters).
std::string visible(std::string_view text);

// At most `most` bytes of it, and what was added to them. Nobody is mentioned, no issue is closed by it, no
// comment hides in it, no image is fetched, no HTML and no markup of the sender's own works: a joiner without
// width stands in each such word.
std::string neutral(std::string_view text, Markup markup, std::size_t most);

}  // namespace note

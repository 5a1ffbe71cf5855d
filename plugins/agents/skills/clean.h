// Takes out of other people's text what a person who reads it does not see.
//
// This is noise reduction, not a defence: a model may still do what the visible text says. What a model can
// do is bounded elsewhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace skills {

enum class Form {
  Prose,     // Markdown as on GitHub: issues, comments
  Verbatim,  // program text, diffs, logs: hidden characters are shown as <U+202E>, markup is left as it is
};

struct Cleaned {
  std::string text;            // UTF-8; of control characters only newline and tab
  std::size_t hidden = 0;      // characters without a width of their own, of direction, tags
  std::size_t controls = 0;    // control characters and terminal sequences
  std::size_t comments = 0;    // HTML comments
  std::size_t attributes = 0;  // texts of images, tags and links that are not shown
};

// Time is proportional to the text.
Cleaned clean(std::string_view text, Form form);

// "2 hidden characters and 1 HTML comment were removed", or nothing.
std::string what_was_cleaned(const Cleaned& cleaned, Form form);

}  // namespace skills

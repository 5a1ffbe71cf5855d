// Finds and takes out secrets: those that are known, and those that can be told by how they look.
//
// For whatever an agent lets out (prompts, comments, commits, results) and whatever it takes in. It cannot
// find a secret that is neither known nor looks like one, or one that was taken apart on purpose: it keeps
// accidents from happening, it does not stop a program that wants to tell.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace redact {

struct Find {
  std::size_t at = 0, size = 0;  // bytes
  std::string_view what;         // "GitHub token"; lives for ever
};

struct Redacted {
  std::string text;
  std::size_t count = 0;  // secrets that were taken out
};

// Immutable after construction. Time is proportional to the text's length times the number of known secrets.
class Redactor {
 public:
  // Secrets of fewer than this many bytes are not looked for: they would match everywhere.
  static constexpr std::size_t kShortest = 6;

  // `known`: values to find as they are, inside base64 (wherever they stand in it, both alphabets, one line),
  // URL-encoded, in hexadecimal digits of either case, as a JSON string would spell them, and line by line
  // where a value has several lines.
  explicit Redactor(const std::vector<std::string>& known = {});

  // In their order, without overlaps.
  std::vector<Find> finds(std::string_view text) const;
  // "[GitHub token removed]" in place of each: nothing is left to find, and UTF-8 stays so.
  Redacted redact(std::string_view text) const;
  std::string operator()(std::string_view text) const { return redact(text).text; }

 private:
  std::vector<std::string> needles_;
};

}  // namespace redact

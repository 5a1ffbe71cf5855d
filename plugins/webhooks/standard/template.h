// JSON pointers (RFC 6901) in the configuration, and texts that hold some: "Invoice {/data/number}".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "davit/json.hpp"

namespace standard {

inline constexpr std::size_t kMaxValue = 1024;  // bytes of one value in a text; the rest of it is cut off

// `text` as it is. Throws davit::Failure(InvalidInput) naming `where` if it is no pointer.
std::string pointer_of(std::string_view text, const std::string& where);

class Template {
 public:
  // Throws likewise for braces that hold no pointer.
  static Template from(std::string_view text, const std::string& where);

  // With the values of `body` in place of the pointers: texts, numbers, true and false. "" if one of the
  // pointers leads to nothing, to an empty text, to a list or an object: half a text would pass for a whole
  // one, and things that have nothing to do with each other would share a key.
  std::string fill(davit::JsonView body) const;

 private:
  struct Piece {
    std::string text;  // as it is, or a pointer
    bool is_pointer;
  };
  std::vector<Piece> pieces_;
};

}  // namespace standard

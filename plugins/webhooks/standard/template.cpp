#include "template.h"

#include <algorithm>
#include <cmath>

#include "../reading/excerpt.h"
#include "davit/failure.hpp"

namespace standard {
namespace {

constexpr double kExactBelow = 9007199254740992.0;  // 2^53

}  // namespace

using davit::Failure;
using davit::JsonView;

std::string pointer_of(std::string_view text, const std::string& where) {
  const auto wrong = [&](const char* why) {
    return Failure::invalid_input(where + ": '" + std::string(text) + "' is no JSON pointer: " + why);
  };
  if (!text.empty() && text.front() != '/') throw wrong("it must begin with /, as in /data/id");
  for (std::size_t at = text.find('~'); at != std::string_view::npos; at = text.find('~', at + 1)) {
    if (at + 1 == text.size() || (text[at + 1] != '0' && text[at + 1] != '1'))
      throw wrong("~ must be followed by 0, which means ~, or by 1, which means /");
  }
  return std::string(text);
}

Template Template::from(std::string_view text, const std::string& where) {
  Template result;
  while (!text.empty()) {
    const std::size_t open = std::min(text.find_first_of("{}"), text.size());
    if (open != 0) result.pieces_.push_back({std::string(text.substr(0, open)), false});
    text.remove_prefix(open);
    if (text.empty()) break;
    const std::size_t close = text.find('}');
    if (text.front() == '}' || close == std::string_view::npos || text[1] != '/')
      throw Failure::invalid_input(where + ": braces must hold a JSON pointer, as in {/data/id}");
    result.pieces_.push_back({pointer_of(text.substr(1, close - 1), where), true});
    text.remove_prefix(close + 1);
  }
  return result;
}

std::string Template::fill(JsonView body) const {
  std::string text;
  for (const Piece& piece : pieces_) {
    if (!piece.is_pointer) {
      text += piece.text;
      continue;
    }
    const JsonView value = body.at_pointer(piece.text);
    if (value.is_string() && value != std::string_view()) {
      text += reading::cut(value.string_or(""), kMaxValue);
    } else if (value.is_number() || value.is_bool()) {
      const std::string number = value.dump();
      // Beyond 2^64 JSON's readers round a whole number, so that two ids would be one.
      if (number.find_first_of(".eE") != std::string::npos && std::abs(value.number_or(0)) >= kExactBelow)
        throw Failure::invalid_input(piece.text + " is a number of so many digits that it is not exact any more; the sender should send it as a text");
      text += number;
    } else {
      return "";
    }
  }
  return text;
}

}  // namespace standard

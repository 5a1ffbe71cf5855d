// What of a request can be looked for in code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "work_item/request.h"

namespace discovery {

// In the order in which the request has them, each once; limited in number and length, whatever the request
// is. All of them are other people's text: to be compared, never to be taken as a pattern or an option.
struct Clues {
  // Of stack traces and texts, with "/": "src/cart.cpp", "app/cart.py"; of a class or module without ending:
  // "com/acme/shop/Cart".
  std::vector<std::string> paths;
  // What a program says, without what changes each time ("coupon expired for order"), and lines of code.
  std::vector<std::string> messages;
  // Names as programs have them: "applyCoupon", "coupon_code", "MAX_RETRIES".
  std::vector<std::string> identifiers;
  // Words that people use, in small letters, those first that are used most; not those that any text has.
  std::vector<std::string> words;
  // All of title and text in small letters, as far as it can be a repository's name: "web-shop", "checkout".
  std::vector<std::string> names;
  // What the sender calls the thing it is about, in small letters: a project, labels.
  std::vector<std::string> given_names;
};

Clues clues_of(const work::Request& request, const std::vector<std::string>& given_names = {});

}  // namespace discovery

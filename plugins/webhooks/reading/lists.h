// Lists of texts in an instance's `config`, and how names are compared with them.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "davit/json.hpp"

namespace reading {

// Sets `text` or `texts` where the config says something; the config fits its schema already.
inline void read(davit::JsonView value, std::string& text) {
  if (value.is_string()) text = value.string_or("");
}

inline void read(davit::JsonView value, bool& flag) { flag = value.bool_or(flag); }

inline void read(davit::JsonView value, std::vector<std::string>& texts) {
  if (!value.is_array()) return;
  texts.clear();
  for (davit::JsonView item : value) texts.emplace_back(item.string_or(""));
}

inline bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// ASCII letters only; others stay as they are.
inline std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) c = lower(c);
  return lowered;
}

// ASCII letters differ in more than case.
inline bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

inline bool contains_name(const std::vector<std::string>& list, std::string_view name) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& entry) { return same_name(entry, name); });
}

}  // namespace reading

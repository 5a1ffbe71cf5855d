// How requests to the fake are read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

namespace davit::testing {

inline std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      plain += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

inline std::string path_of(const std::string& target) { return target.substr(0, target.find('?')); }

inline std::string query(const std::string& target, const std::string& name, const std::string& otherwise) {
  const std::size_t mark = target.find('?');
  if (mark == std::string::npos) return otherwise;
  const std::string all = "&" + target.substr(mark + 1) + "&";
  const std::size_t at = all.find("&" + name + "=");
  if (at == std::string::npos) return otherwise;
  const std::size_t begin = at + name.size() + 2;
  return unescaped(all.substr(begin, all.find('&', begin) - begin));
}

// The number behind `prefix`, if the path is that and nothing more but `suffix`; otherwise 0.
inline std::int64_t number_in(const std::string& path, const std::string& prefix,
                              const std::string& suffix = "") {
  if (!path.starts_with(prefix) || !path.ends_with(suffix) || path.size() <= prefix.size() + suffix.size())
    return 0;
  const std::string digits = path.substr(prefix.size(), path.size() - prefix.size() - suffix.size());
  const bool number = std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  return number ? std::stoll(digits) : 0;
}

}  // namespace davit::testing

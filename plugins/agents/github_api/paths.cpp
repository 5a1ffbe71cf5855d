#include "github_api/paths.h"

#include <algorithm>

#include "davit/failure.hpp"

namespace github {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

std::string escape(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      escaped += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    escaped += '%';
    escaped += kHex[byte >> 4];
    escaped += kHex[byte & 15];
  }
  return escaped;
}

std::string segment(std::string_view text) {
  if (text.empty() || text == "." || text == "..") {
    throw davit::Failure::invalid_input("\"" + std::string(text) +
                                        "\" is no name on GitHub: correct the repository or branch");
  }
  return escape(text);
}

std::string path_of(const Repo& repo) { return "/repos/" + segment(repo.owner) + "/" + segment(repo.name); }

}  // namespace github

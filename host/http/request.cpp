#include "host/http/request.h"

#include <algorithm>

namespace davit::http {
namespace {
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
}  // namespace

bool same_name(std::string_view left, std::string_view right) {
  return left.size() == right.size() && std::equal(left.begin(), left.end(), right.begin(),
                                                   [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view Request::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (same_name(header.name, name)) return header.value;
  }
  return {};
}

std::string Request::list(std::string_view name) const {
  std::string all;
  for (const Header& header : headers)
    if (same_name(header.name, name)) all.append(all.empty() ? "" : ", ").append(header.value);
  return all;
}

std::size_t Request::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(headers.begin(), headers.end(),
                                                [&](const Header& h) { return same_name(h.name, name); }));
}

}  // namespace davit::http

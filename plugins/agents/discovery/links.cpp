#include "discovery/links.h"

#include <algorithm>
#include <set>

#include "discovery/letters.h"
#include "work_item/work_item.h"

namespace discovery {
namespace {

bool is_part(char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.'; }

// What a name is not followed by, but a sentence is.
std::string_view without_end(std::string_view name) {
  while (!name.empty() && name.back() == '.') name.remove_suffix(1);
  if (name.ends_with(".git")) name.remove_suffix(4);
  return name;
}

// "acme/shop" of "acme/shop/issues/7" or "acme/shop.git)"; empty if it begins otherwise.
std::string_view repository_in(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  std::size_t end = slash + 1;
  while (end < text.size() && is_part(text[end])) ++end;
  if (slash == text.size()) return {};
  const std::string_view name = without_end(text.substr(0, end));
  return work::is_repository(name) ? name : std::string_view();
}

void add_addresses(std::string_view text, std::string_view host, std::set<std::string>& names) {
  if (host.empty()) return;
  for (std::size_t at = text.find(host); at != std::string_view::npos; at = text.find(host, at + 1)) {
    // Part of another host's name, or of its path.
    const bool whole = at == 0 || (!is_part(text[at - 1]) && text[at - 1] != '/') ||
                       (at >= 3 && text.substr(at - 3, 3) == "://");
    const std::string_view rest = text.substr(at + host.size());
    if (whole && !rest.empty() && (rest.front() == '/' || rest.front() == ':'))
      names.emplace(repository_in(rest.substr(1)));
  }
}

void add_plain(std::string_view text, std::set<std::string>& names) {
  constexpr std::string_view kBorders = " \t\r\n()[]{}<>\"'`|,;!?*=";
  while (!text.empty()) {
    const std::size_t size = std::min(text.find_first_of(kBorders), text.size());
    std::string_view token = text.substr(0, size);
    text.remove_prefix(std::min(size + 1, text.size()));
    const std::size_t hash = token.find('#');
    if (hash == std::string_view::npos)
      while (!token.empty() && (token.back() == ':' || token.back() == '.')) token.remove_suffix(1);
    const std::string_view name = token.substr(0, hash);
    if (work::is_repository(without_end(name))) names.emplace(without_end(name));
  }
}

}  // namespace

std::vector<std::string> linked(const work::Request& request, const std::vector<std::string>& known,
                                std::string_view address) {
  const std::size_t scheme = address.find("://");
  const std::string host = lower(scheme == std::string_view::npos ? address : address.substr(scheme + 3));
  std::set<std::string> names;
  const auto read = [&](std::string_view text) {
    const std::string small = lower(text);
    add_addresses(small, host, names);
    add_plain(small, names);
  };
  for (const std::string* text : {&request.title, &request.text, &request.url}) read(*text);
  for (const work::Detail& detail : request.details) read(detail.text);

  std::vector<std::string> found;
  for (const std::string& repository : known)
    if (names.contains(lower(repository))) found.push_back(repository);
  return found;
}

}  // namespace discovery

#include "links.h"

#include <algorithm>
#include <string>

namespace github {
namespace {

using davit::Link;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
}

std::string_view take_while(std::string_view text, bool (*good)(char)) {
  std::size_t size = 0;
  while (size < text.size() && good(text[size])) ++size;
  return text.substr(0, size);
}

// Up to what ends an address in prose, Markdown or HTML, and without query and fragment.
std::string_view address_at(std::string_view text) {
  constexpr std::size_t kLongest = 2048;
  text = text.substr(0, std::min({text.find_first_of(" \t\r\n\"'<>()[]{}|\\^`"), text.size(), kLongest}));
  text = text.substr(0, std::min(text.find_first_of("?#"), text.size()));
  while (!text.empty() &&
         (text.back() == '.' || text.back() == ',' || text.back() == ';' || text.back() == ':'))
    text.remove_suffix(1);
  return text;
}

void add(std::vector<Link>& links, Link link) {
  const auto same = [&](const Link& other) {
    return other.rel == link.rel && (other.key == link.key || (!link.url.empty() && other.url == link.url));
  };
  if (links.size() < kMaxLinks && std::none_of(links.begin(), links.end(), same))
    links.push_back(std::move(link));
}

// "Sentry Issue: [PROJECT-1A](https://…)", "Sentry Issue: PROJECT-1A", "Sentry Issue: https://…".
void add_sentry_issue(std::string_view behind, std::vector<Link>& links) {
  behind.remove_prefix(std::min(behind.find_first_not_of(" \t*"), behind.size()));
  Link link{.rel = "sentry_issue"};
  if (!behind.empty() && behind.front() == '[') {
    behind.remove_prefix(1);
    const std::string_view key = take_while(behind, is_word);
    const std::string_view rest = behind.substr(key.size());
    if (key.empty()) return;
    link.key = key;
    if (rest.substr(0, 2) == "](" && rest.substr(2, 4) == "http") link.url = address_at(rest.substr(2));
  } else if (behind.substr(0, 8) == "https://" || behind.substr(0, 7) == "http://") {
    return;  // the scan for addresses will come to it
  } else {
    link.key = take_while(behind, is_word);
    while (!link.key.empty() && link.key.back() == '.') link.key.pop_back();
    if (link.key.empty() || link.key.size() > 128) return;
  }
  add(links, std::move(link));
}

void add_address(std::string_view address, std::string_view host, std::vector<Link>& links) {
  std::string_view rest = address.substr(address.find("//") + 2);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view at = rest.substr(0, slash);
  rest.remove_prefix(slash);
  constexpr std::string_view kSentry = "sentry.io";
  const bool sentry =
      at == kSentry || (at.size() > kSentry.size() && at.substr(at.size() - 10) == ".sentry.io");
  if (sentry) {
    const std::size_t issues = rest.find("/issues/");
    if (issues == std::string_view::npos) return;
    const std::string_view key = take_while(rest.substr(issues + 8), is_word);
    if (!key.empty())
      add(links, {.rel = "sentry_issue", .key = std::string(key), .url = std::string(address)});
    return;
  }
  if (at != host || rest.empty()) return;
  // /owner/name/pull/12
  rest.remove_prefix(1);
  const std::string_view owner = take_while(rest, is_word);
  if (owner.empty() || owner.size() == rest.size() || rest[owner.size()] != '/') return;
  const std::string_view behind_owner = rest.substr(owner.size() + 1);
  const std::string_view name = take_while(behind_owner, is_word);
  std::string_view what = behind_owner.substr(name.size());
  const bool pull = what.substr(0, 6) == "/pull/";
  if (name.empty() || (!pull && what.substr(0, 8) != "/issues/")) return;
  const std::string_view number = take_while(what.substr(pull ? 6 : 8), is_digit);
  if (number.empty() || number.size() > 18) return;
  const std::string repository = std::string(owner) + "/" + std::string(name);
  add(links, {.rel = pull ? "pull_request" : "issue",
              .key = "github:" + repository + "#" + std::string(number),
              .url = "https://" + std::string(host) + "/" + repository + (pull ? "/pull/" : "/issues/") +
                     std::string(number)});
}

}  // namespace

void find_links(std::string_view text, std::string_view host, const std::vector<std::string>& markers,
                std::vector<Link>& links) {
  for (const std::string& marker : markers) {
    if (marker.find("Sentry") == std::string::npos) continue;
    for (std::size_t at = text.find(marker); at != std::string_view::npos && links.size() < kMaxLinks;
         at = text.find(marker, at + marker.size())) {
      add_sentry_issue(text.substr(at + marker.size()), links);
    }
  }
  for (std::size_t at = text.find("://"); at != std::string_view::npos && links.size() < kMaxLinks;
       at = text.find("://", at + 3)) {
    const std::size_t scheme = at >= 5 && text.substr(at - 5, 5) == "https"  ? 5
                               : at >= 4 && text.substr(at - 4, 4) == "http" ? 4
                                                                             : 0;
    if (scheme != 0) add_address(address_at(text.substr(at - scheme)), host, links);
  }
}

}  // namespace github

#include "links.h"

#include <algorithm>
#include <optional>

#include "excerpt.h"
#include "lists.h"

namespace reading {
namespace {

using davit::Link;

constexpr std::string_view kAtlassianCloud = ".atlassian.net";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
}

std::string_view take_while(std::string_view text, bool (*good)(char)) {
  constexpr std::size_t kLongest = 128;
  std::size_t size = 0;
  while (size < text.size() && size <= kLongest && good(text[size])) ++size;
  return size > kLongest ? std::string_view() : text.substr(0, size);
}

bool ends_with_name(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && same_name(text.substr(text.size() - end.size()), end);
}

// Up to what ends an address in prose, Markdown, HTML or wiki markup, and without query and fragment.
std::string_view address_at(std::string_view text) {
  const auto ends_it = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F ||
           std::string_view("\"'<>()[]{}|\\^`").find(c) != std::string_view::npos;
  };
  text = cut(text, kMaxUrl);
  text = text.substr(
      0, static_cast<std::size_t>(std::find_if(text.begin(), text.end(), ends_it) - text.begin()));
  text = text.substr(0, std::min(text.find_first_of("?#"), text.size()));
  while (!text.empty() && std::string_view(".,;:!").find(text.back()) != std::string_view::npos)
    text.remove_suffix(1);
  return text;
}

// An address, cut in two: "acme.sentry.io" and "/issues/12/".
struct Address {
  std::string_view whole, host, path;
};

std::optional<Address> split(std::string_view whole) {
  const std::size_t begin = whole.find("://");
  if (begin == std::string_view::npos) return std::nullopt;
  const std::string_view rest = whole.substr(begin + 3);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  return Address{whole, rest.substr(0, slash), rest.substr(slash)};
}

// https://acme.sentry.io/issues/12/, https://sentry.io/organizations/acme/issues/12/
std::optional<Link> sentry_issue(const Address& address, const LinkHosts& hosts) {
  constexpr std::string_view kIssues = "/issues/", kOrganizations = "/organizations/";
  const std::size_t issues = address.path.find(kIssues);
  if (issues == std::string_view::npos) return std::nullopt;
  const std::string_view issue = take_while(address.path.substr(issues + kIssues.size()), is_word);
  if (issue.empty()) return std::nullopt;
  for (const std::string& host : hosts.sentry) {
    std::string_view organization;
    if (!same_name(address.host, host)) {
      if (!ends_with_name(address.host, "." + host)) continue;
      organization = address.host.substr(0, address.host.size() - host.size() - 1);
    } else if (address.path.starts_with(kOrganizations)) {
      organization = take_while(address.path.substr(kOrganizations.size()), is_word);
    }
    const bool numbered = std::all_of(issue.begin(), issue.end(), is_digit);
    std::string key(issue);
    if (numbered && !organization.empty() && organization.size() <= 64)
      key = "sentry:" + std::string(organization) + "/" + key;
    return Link{.rel = "sentry_issue", .key = std::move(key), .url = std::string(address.whole)};
  }
  return std::nullopt;
}

// https://github.com/owner/name/pull/12
std::optional<Link> github_item(const Address& address, const LinkHosts& hosts) {
  const std::string_view host =
      same_name(address.host, "www.github.com") ? std::string_view("github.com") : address.host;
  if (!contains_name(hosts.github, host) || address.path.empty()) return std::nullopt;
  std::string_view rest = address.path.substr(1);
  const std::string_view owner = take_while(rest, is_word);
  if (owner.empty() || owner.size() == rest.size() || rest[owner.size()] != '/') return std::nullopt;
  rest.remove_prefix(owner.size() + 1);
  const std::string_view name = take_while(rest, is_word);
  rest.remove_prefix(name.size());
  const bool pull = rest.starts_with("/pull/");
  if (name.empty() || (!pull && !rest.starts_with("/issues/"))) return std::nullopt;
  const std::string_view number = take_while(rest.substr(pull ? 6 : 8), is_digit);
  if (number.empty() || number.size() > 18 || owner.size() + name.size() > 200) return std::nullopt;
  const std::string repository = std::string(owner) + "/" + std::string(name);
  return Link{.rel = pull ? "pull_request" : "issue",
              .key = "github:" + lower(repository) + "#" + std::string(number),
              .url = "https://" + std::string(host) + "/" + repository + (pull ? "/pull/" : "/issues/") +
                     std::string(number)};
}

// https://acme.atlassian.net/browse/TES-41
std::optional<Link> jira_issue(const Address& address, const LinkHosts& hosts) {
  constexpr std::string_view kBrowse = "/browse/";
  const std::size_t browse = address.path.find(kBrowse);
  if (browse == std::string_view::npos) return std::nullopt;
  const std::string_view key = take_while(address.path.substr(browse + kBrowse.size()), is_word);
  const std::string site = std::string(address.host) + std::string(address.path.substr(0, browse));
  const bool ours = !hosts.jira.empty() && same_name(site, hosts.jira);
  const bool cloud = browse == 0 && ends_with_name(address.host, kAtlassianCloud);
  if (!is_jira_key(key) || site.size() > 120 || (!ours && !cloud)) return std::nullopt;
  return Link{.rel = "issue",
              .key = "jira:" + site + "/" + std::string(key),
              .url = std::string(address.whole.substr(0, address.whole.find("://") + 3)) + site +
                     std::string(kBrowse) + std::string(key)};
}

void add(std::vector<Link>& links, Link link) {
  const auto same = [&](const Link& other) {
    return other.rel == link.rel && (other.key == link.key || (!link.url.empty() && other.url == link.url));
  };
  if (links.size() < kMaxLinks && std::none_of(links.begin(), links.end(), same))
    links.push_back(std::move(link));
}

// What stands behind "Sentry Issue:". An address that says all by itself is left to the scan for addresses.
void add_marked(std::string_view behind, const LinkHosts& hosts, std::vector<Link>& links) {
  behind.remove_prefix(std::min(behind.find_first_not_of(" \t*"), behind.size()));
  const bool bracketed = behind.starts_with('[');
  if (bracketed) behind.remove_prefix(1);
  if (behind.starts_with("https://") || behind.starts_with("http://")) return;
  const std::string_view word = take_while(behind, is_word);
  Link link{.rel = "sentry_issue", .key = std::string(word)};
  while (!link.key.empty() && link.key.back() == '.') link.key.pop_back();
  if (link.key.empty()) return;
  std::string_view rest = behind.substr(word.size());
  for (const std::string_view joint : {"](", "|"}) {
    if (!bracketed || !rest.starts_with(joint) || !rest.substr(joint.size()).starts_with("http")) continue;
    link.url = address_at(rest.substr(joint.size()));
    const std::optional<Address> address = split(link.url);
    if (address && sentry_issue(*address, hosts)) return;
  }
  add(links, std::move(link));
}

}  // namespace

bool is_jira_key(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos || dash == 0 || text.size() > 128) return false;
  const std::string_view project = text.substr(0, dash), number = text.substr(dash + 1);
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  return upper(project[0]) &&
         std::all_of(project.begin(), project.end(),
                     [&](char c) { return upper(c) || is_digit(c) || c == '_'; }) &&
         !number.empty() && std::all_of(number.begin(), number.end(), is_digit);
}

void find_links(std::string_view text, const LinkHosts& hosts, const std::vector<std::string>& markers,
                std::vector<Link>& links) {
  for (const std::string& marker : markers) {
    if (marker.find("Sentry") == std::string::npos) continue;
    for (std::size_t at = text.find(marker); at != std::string_view::npos && links.size() < kMaxLinks;
         at = text.find(marker, at + marker.size())) {
      add_marked(text.substr(at + marker.size()), hosts, links);
    }
  }
  std::size_t looked_at = 0;
  for (std::size_t at = text.find("://"); at != std::string_view::npos && links.size() < kMaxLinks;
       at = text.find("://", at + 3)) {
    if (++looked_at > kMaxAddresses) break;
    const std::size_t scheme = text.substr(0, at).ends_with("https")  ? 5
                               : text.substr(0, at).ends_with("http") ? 4
                                                                      : 0;
    if (scheme == 0) continue;
    const std::optional<Address> address = split(address_at(text.substr(at - scheme)));
    if (!address) continue;
    for (const auto& look : {sentry_issue, github_item, jira_issue}) {
      if (std::optional<Link> link = look(*address, hosts)) {
        add(links, std::move(*link));
        break;
      }
    }
  }
}

}  // namespace reading

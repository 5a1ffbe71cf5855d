#include "git_workspace/remote.h"

#include <algorithm>

#include "davit/failure.hpp"

namespace git {
namespace {

using davit::Failure;

constexpr std::size_t kLongest = 1000;     // bytes of an address
constexpr std::size_t kLongestName = 100;  // of a part of its path
constexpr std::size_t kMostGroups = 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string small(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// A name, an address in numbers, or one in brackets; then perhaps a port.
bool is_host(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.back() != ']') {
    const std::string_view port = host.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) return false;
    host = host.substr(0, colon);
  }
  if (host == "[::1]") return true;
  return !host.empty() && host.front() != '-' && host.front() != '.' &&
         std::all_of(host.begin(), host.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-'; });
}

bool is_this_machine(std::string_view host) {
  for (const std::string_view name : {"127.0.0.1", "localhost", "[::1]"}) {
    if (host.substr(0, name.size()) == name && (host.size() == name.size() || host[name.size()] == ':'))
      return true;
  }
  return false;
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name.front() != '-' && name.front() != '.' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_'; });
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

Remote remote_at(std::string_view url, const std::vector<std::string>& hosts) {
  // What stands in an address that is refused may be a password, so it is not repeated.
  const auto refuse = [](const std::string& why) {
    return Failure::permanent("the address of the repository is refused: " + why);
  };
  if (url.size() > kLongest) throw refuse("it is too long");

  Remote remote;
  std::string_view rest = url;
  if (take(rest, "https://")) {
    remote.scheme = "https";
  } else if (take(rest, "http://")) {
    remote.scheme = "http";
  } else {
    throw refuse("it does not begin with https://");
  }
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) throw refuse("it names no repository");
  if (!is_host(rest.substr(0, slash)))
    throw refuse("its host is not a plain name (user and password do not belong into it)");
  remote.host = small(rest.substr(0, slash));
  if (remote.scheme == "http" && !is_this_machine(remote.host))
    throw refuse("http is for this machine only, " + remote.host + " needs https");
  if (std::find(hosts.begin(), hosts.end(), remote.host) == hosts.end())
    throw refuse("host " + remote.host + " is not in the list of hosts: add it to git.hosts if it should be");

  std::string_view path = rest.substr(slash + 1);
  if (!path.empty() && path.back() == '/') path.remove_suffix(1);
  remote.url = remote.origin() + "/" + std::string(path);
  if (ends_with(path, ".git")) path.remove_suffix(4);
  const std::size_t last = path.rfind('/');
  if (last == std::string_view::npos) throw refuse("its path is not owner/name");
  remote.owner = path.substr(0, last);
  remote.name = path.substr(last + 1);
  std::size_t groups = 0;
  for (std::string_view parts = path;;) {
    const std::size_t end = std::min(parts.find('/'), parts.size());
    const std::string_view part = parts.substr(0, end);
    // Mirrors are folders with these ends, one below the other.
    if (!is_name(part) || ends_with(part, ".git") || ends_with(part, ".lock"))
      throw refuse("its path is not made of plain names");
    if (++groups > kMostGroups) throw refuse("its path is too deep");
    if (end == parts.size()) break;
    parts.remove_prefix(end + 1);
  }
  return remote;
}

}  // namespace git

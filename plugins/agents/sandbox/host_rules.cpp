#include "sandbox/host_rules.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "davit/failure.hpp"

namespace sandbox {
namespace {

constexpr std::uint16_t kHttps = 443;
constexpr std::size_t kLongestName = 253;  // of DNS

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > kLongestName || text.front() == '-' || text.front() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

bool is_ipv6(const std::string& text) {
  in6_addr address;
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

bool read_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

// For a message of one line.
std::string shown(std::string entry) {
  constexpr std::size_t kMost = 100;
  if (entry.size() > kMost) entry.resize(kMost);
  std::replace_if(
      entry.begin(), entry.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return entry;
}

}  // namespace

bool read_destination(std::string_view text, std::uint16_t usual_port, Destination& destination) {
  std::string_view host, port;
  const bool bracket = !text.empty() && text.front() == '[';
  if (bracket) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else {
    const std::size_t end = std::min(text.find(':'), text.size());
    host = text.substr(0, end);
    port = text.substr(end);
  }
  destination.port = usual_port;
  if (!port.empty() && !(port.front() == ':' && read_port(port.substr(1), destination.port))) return false;
  destination.host = host;
  std::transform(host.begin(), host.end(), destination.host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (destination.host.size() > 1 && destination.host.back() == '.') destination.host.pop_back();
  return destination.port != 0 && (bracket ? is_ipv6(destination.host) : is_name(destination.host));
}

HostRules::HostRules(const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    Rule rule;
    rule.below = entry.rfind("*.", 0) == 0;
    const std::string_view rest = std::string_view(entry).substr(rule.below ? 2 : 0);
    const bool good = read_destination(rest, kHttps, rule.destination);
    if (!good || (rule.below && rule.destination.host.find('.') == std::string::npos))
      throw davit::Failure::invalid_input("sandbox.network_hosts: '" + shown(entry) +
                                          "' must be a host (api.example.org) or all below one "
                                          "(*.example.org), with a port (:8443) or without");
    rules_.push_back(std::move(rule));
  }
}

bool HostRules::allow(const Destination& destination) const {
  return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
    if (rule.destination.port != destination.port) return false;
    if (!rule.below) return rule.destination.host == destination.host;
    const std::string end = "." + rule.destination.host;
    return destination.host.size() > end.size() && destination.host.ends_with(end);
  });
}

}  // namespace sandbox

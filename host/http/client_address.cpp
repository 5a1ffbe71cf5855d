#include "host/http/client_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <optional>

namespace davit::http {
namespace {

// More hops than any way has; what lies further left is not looked at.
constexpr std::size_t kMaxHops = 32;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The address in its one usual spelling; nullopt if it is none.
std::optional<std::string> canonical(const std::string& text) {
  char spelled[INET6_ADDRSTRLEN];
  in_addr four{};
  if (::inet_pton(AF_INET, text.c_str(), &four) == 1)
    return ::inet_ntop(AF_INET, &four, spelled, sizeof spelled);
  in6_addr six{};
  if (::inet_pton(AF_INET6, text.c_str(), &six) != 1) return std::nullopt;
  if (IN6_IS_ADDR_V4MAPPED(&six)) return ::inet_ntop(AF_INET, six.s6_addr + 12, spelled, sizeof spelled);
  return ::inet_ntop(AF_INET6, &six, spelled, sizeof spelled);
}

// "198.51.100.7", "198.51.100.7:4711", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711"; nullopt for all
// else.
std::optional<std::string> address_in(std::string_view node) {
  if (!node.empty() && node.front() == '[') {
    const std::size_t end = node.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    return canonical(std::string(node.substr(1, end - 1)));
  }
  const std::size_t colon = node.find(':');
  if (colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos)
    node = node.substr(0, colon);
  return canonical(std::string(node));
}

// What the last element of a list says, which is taken off the list. A comma inside quotes separates nothing.
std::string_view take_last(std::string_view& list) {
  bool quoted = false;
  std::size_t at = list.size();
  for (; at > 0; --at) {
    if (list[at - 1] == '"') quoted = !quoted;
    if (list[at - 1] == ',' && !quoted) break;
  }
  const std::string_view last = list.substr(at);
  list = list.substr(0, at == 0 ? 0 : at - 1);
  return trimmed(last);
}

// The value of `name` ("for=") in one element of Forwarded, without quotes; empty if there is none.
std::string_view value_of(std::string_view element, std::string_view name) {
  while (!element.empty()) {
    const std::size_t end = std::min(element.find(';'), element.size());
    const std::string_view pair = trimmed(element.substr(0, end));
    element.remove_prefix(std::min(end + 1, element.size()));
    if (pair.size() < name.size() || !same_name(pair.substr(0, name.size()), name)) continue;
    std::string_view value = pair.substr(name.size());
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

bool is_trusted(const std::string& address, const TrustedProxies& proxies) {
  return std::any_of(proxies.addresses.begin(), proxies.addresses.end(),
                     [&](const std::string& proxy) { return canonical(proxy).value_or(proxy) == address; });
}

}  // namespace

bool is_https(const Request& request, const TrustedProxies& proxies) {
  if (proxies.addresses.empty() ||
      !is_trusted(canonical(request.remote_address).value_or(request.remote_address), proxies)) {
    return false;
  }
  const bool is_forwarded = proxies.header == ForwardedHeader::Forwarded;
  const std::string_view name = is_forwarded ? "forwarded" : "x-forwarded-proto";
  for (auto header = request.headers.rbegin(); header != request.headers.rend(); ++header) {
    if (!same_name(header->name, name)) continue;
    std::string_view list = header->value;
    const std::string_view last = take_last(list);
    return same_name(is_forwarded ? value_of(last, "proto=") : last, "https");
  }
  return false;
}

std::string client_address(const Request& request, const TrustedProxies& proxies) {
  const auto trusted = [&](const std::string& address) { return is_trusted(address, proxies); };
  std::string client = request.remote_address;
  if (proxies.addresses.empty()) return client;
  client = canonical(client).value_or(client);
  const bool is_forwarded = proxies.header == ForwardedHeader::Forwarded;
  const std::string_view name = is_forwarded ? "forwarded" : "x-forwarded-for";
  std::size_t hops = 0;
  // A header given several times is one list.
  for (auto header = request.headers.rbegin(); header != request.headers.rend(); ++header) {
    if (!same_name(header->name, name)) continue;
    std::string_view list = header->value;
    while (!list.empty()) {
      if (!trusted(client) || ++hops > kMaxHops) return client;
      const std::string_view element = take_last(list);
      const auto before = address_in(is_forwarded ? value_of(element, "for=") : element);
      if (!before) return client;
      client = *before;
    }
  }
  return client;
}

}  // namespace davit::http

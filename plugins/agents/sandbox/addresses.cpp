// The ranges are those of the IANA registries of special-purpose addresses for IPv4 and IPv6 (RFC 6890 and
// what has been added since).
#include "sandbox/addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>

#include <array>
#include <cstring>
#include <memory>

namespace sandbox {
namespace {

enum class Kind { Public, Private, Never };

struct Range4 {
  std::uint32_t network;
  int bits;
  Kind kind;
};
constexpr std::uint32_t of(std::uint32_t a, std::uint32_t b, std::uint32_t c = 0, std::uint32_t d = 0) {
  return a << 24 | b << 16 | c << 8 | d;
}
constexpr Range4 kRanges4[] = {
    {of(0, 0), 8, Kind::Never},           // this network; 0.0.0.0 is this machine
    {of(10, 0), 8, Kind::Private},        //
    {of(100, 64), 10, Kind::Private},     // shared by a carrier's customers, and by some clouds' services
    {of(127, 0), 8, Kind::Private},       // this machine
    {of(169, 254), 16, Kind::Never},      // the link: neighbours, clouds' metadata
    {of(172, 16), 12, Kind::Private},     //
    {of(192, 0), 24, Kind::Never},        // protocol assignments
    {of(192, 0, 2), 24, Kind::Never},     // documentation
    {of(192, 88, 99), 24, Kind::Never},   // 6to4 relays
    {of(192, 168), 16, Kind::Private},    //
    {of(198, 18), 15, Kind::Never},       // benchmarks
    {of(198, 51, 100), 24, Kind::Never},  // documentation
    {of(203, 0, 113), 24, Kind::Never},   // documentation
    {of(224, 0), 4, Kind::Never},         // groups
    {of(240, 0), 4, Kind::Never},         // reserved; everybody
};

Kind kind_of(std::uint32_t address) {
  for (const Range4& range : kRanges4) {
    if (((address ^ range.network) >> (32 - range.bits)) == 0) return range.kind;
  }
  return Kind::Public;
}

using Bytes6 = std::array<std::uint8_t, 16>;

bool begins(const Bytes6& address, const Bytes6& prefix, int bits) {
  for (int bit = 0; bit < bits; ++bit) {
    const int mask = 0x80 >> (bit % 8);
    const auto byte = static_cast<std::size_t>(bit / 8);
    if (((address[byte] ^ prefix[byte]) & mask) != 0) return false;
  }
  return true;
}

std::uint32_t ipv4_at(const Bytes6& address, std::size_t at) {
  return of(address[at], address[at + 1], address[at + 2], address[at + 3]);
}

Kind kind_of(const Bytes6& address) {
  if (begins(address, {0, 0x64, 0xff, 0x9b}, 96)) return kind_of(ipv4_at(address, 12));  // NAT64
  if (begins(address, {0x20, 0x02}, 16)) return kind_of(ipv4_at(address, 2));            // 6to4
  const Bytes6 this_machine{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  if (address == this_machine || begins(address, {0xfc}, 7)) return Kind::Private;
  // Of the rest, what is given to networks; and of that, not what is for protocols and documentation.
  if (!begins(address, {0x20}, 3) || begins(address, {0x20, 0x01, 0x00}, 23) ||
      begins(address, {0x20, 0x01, 0x0d, 0xb8}, 32) || begins(address, {0x3f, 0xff, 0x00}, 20))
    return Kind::Never;
  return Kind::Public;
}

Kind kind_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    return kind_of(ntohl(v4.sin_addr.s_addr));
  }
  sockaddr_in6 v6;
  std::memcpy(&v6, address, sizeof v6);
  Bytes6 bytes;
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return kind_of(bytes);
}

std::string text_of(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET)
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
  else
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text, sizeof text);
  return text;
}

// Services here may listen on every address there is, trusting a firewall that does not stand before this
// machine itself.
bool is_of_this_machine(const Address& address) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return true;  // nobody can tell: no
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> all(first, &freeifaddrs);
  const std::string wanted = address.text();
  for (const ifaddrs* one = first; one; one = one->ifa_next) {
    if (one->ifa_addr && one->ifa_addr->sa_family == address.family() && text_of(one->ifa_addr) == wanted)
      return true;
  }
  return false;
}

}  // namespace

std::optional<Address> Address::from(std::string_view text, std::uint16_t port) {
  Address address;
  const std::string copy(text);
  if (copy.find('\0') != std::string::npos) return std::nullopt;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage_);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage_);
  if (inet_pton(AF_INET, copy.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return address;
  }
  if (inet_pton(AF_INET6, copy.c_str(), &v6->sin6_addr) != 1) return std::nullopt;
  if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
    in_addr mapped;
    std::memcpy(&mapped, v6->sin6_addr.s6_addr + 12, sizeof mapped);
    address.storage_ = {};
    v4->sin_addr = mapped;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return address;
  }
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  return address;
}

std::string Address::text() const { return text_of(raw()); }

std::string kept_out(const Address& address, bool allow_private) {
  switch (kind_of(address.raw())) {
    case Kind::Never:
      return "is an address that leads to no host of the internet";
    case Kind::Private:
      return allow_private ? "" : "is an address of this machine or of a private network";
    case Kind::Public:
      break;
  }
  if (!allow_private && is_of_this_machine(address)) return "is an address of this machine";
  return "";
}

}  // namespace sandbox

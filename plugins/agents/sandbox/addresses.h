// Where a connection may lead once its name has become an address.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sandbox {

// An IPv4 or IPv6 address with a port, as connect() takes it.
class Address {
 public:
  // Nothing for what is no address as a program would write it: 127.0.0.1, not 127.1. An IPv4 address in
  // IPv6's clothes (::ffff:127.0.0.1) is that IPv4 address.
  static std::optional<Address> from(std::string_view text, std::uint16_t port);

  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const {
    return storage_.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  }
  int family() const { return storage_.ss_family; }
  std::string text() const;  // without the port

 private:
  Address() = default;
  sockaddr_storage storage_{};
};

// Empty: it may be connected to. Else what it is, as in "is an address of a private network". Private ones,
// and all that this machine itself has, are only kept out where `allow_private` is not set; those of no
// single host, of neighbours on the link (where clouds tell machines their secrets) and of no network,
// always. Of an IPv6 address that stands for an IPv4 one, that one counts.
std::string kept_out(const Address& address, bool allow_private);

}  // namespace sandbox

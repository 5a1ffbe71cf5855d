// Where a repository lies, and whether davit may speak with that place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace git {

struct Remote {
  std::string url;     // "https://github.com/acme/shop.git"
  std::string scheme;  // "https", or "http" on this machine
  std::string host;    // "github.com", in small letters; with ":port" if it has one
  std::string owner;   // "acme"; "group/team" where groups lie in groups
  std::string name;    // "shop", without ".git"

  std::string origin() const { return scheme + "://" + host; }
  std::string key() const { return host + "/" + owner + "/" + name; }  // for people, and for its mirror
};

// Throws davit::Failure(Permanent), saying what is wrong, for all but an https address, or one of http on
// this machine, of a host in `hosts` ("github.com", "git.example.com:8443"), without user, query or fragment
// and with plain names as its path. An address comes from a payload: it must not become an option, a command
// or another host.
Remote remote_at(std::string_view url, const std::vector<std::string>& hosts);

}  // namespace git

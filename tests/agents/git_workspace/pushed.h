// What a git client asks a server to make of a branch, as GitHub learns of it.
#pragma once

#include <optional>
#include <string>

#include "tests/agents/http_client/loopback_server.h"

namespace davit::testing {

struct Pushed {
  std::string branch, sha;
};

// Of a request to git-receive-pack: "<4 digits><old> <new> refs/heads/<name>\0...".
inline std::optional<Pushed> pushed_in(const Asked& asked) {
  constexpr std::size_t kOld = 4, kNew = kOld + 41, kRef = kNew + 41;
  const std::string heads = "refs/heads/";
  if (asked.method != "POST" || !asked.target.ends_with("/git-receive-pack")) return std::nullopt;
  if (asked.body.size() < kRef || asked.body.compare(kRef, heads.size(), heads) != 0) return std::nullopt;
  const std::size_t name = kRef + heads.size();
  return Pushed{asked.body.substr(name, asked.body.find('\0', name) - name), asked.body.substr(kNew, 40)};
}

}  // namespace davit::testing

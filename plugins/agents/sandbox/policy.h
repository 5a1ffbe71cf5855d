// What a confined program may see and use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace sandbox {

// Allowed: to the hosts of the policy by name, through a proxy (egress.h); there is no other way out.
enum class Network { None, Allowed };

struct Policy {
  std::string command = "bwrap";  // bubblewrap: a name that is looked for in PATH, or a path
  bool required = true;           // false: where it cannot be had, programs run unconfined

  std::filesystem::path work;  // seen as /work; nothing of its parents
  bool work_is_writable = true;
  std::vector<std::filesystem::path>
      read_only;                             // seen by their own names, beside /usr and a few files of /etc
  std::map<std::string, std::string> files;  // name and content: seen in View::files, never on the disk

  Network network = Network::None;
  std::vector<std::string>
      hosts;  // "api.example.org", "*.example.org", with ":8443" for another port than 443
  // Also where a name leads to addresses of this machine (127.0.0.1, ::1) or of private networks. Those that
  // machines find their neighbours and their cloud by (169.254.0.0/16, fe80::/10) are never let through.
  bool allow_private = false;

  std::uint64_t data_bytes = 8ull << 30;       // memory of one process, without what it only reserves
  std::uint64_t file_bytes = 1ull << 30;       // of one file
  std::uint64_t temporary_bytes = 1ull << 30;  // of its home and of /tmp, each; both are memory
  std::uint64_t processes = 512;               // of the user, where that is not root
  std::uint64_t open_files = 4096;             // of one process
};

}  // namespace sandbox

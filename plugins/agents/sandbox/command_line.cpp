// Mounts are made in the order they are named, so what others lie in comes first. Whatever can be read-only
// is, in the end: the root, /dev, and /proc, in which root may write settings of the whole kernel by its
// number alone, without any capability.
#include "sandbox/command_line.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "davit/failure.hpp"
#include "sandbox/start_program.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using davit::Failure;

// Programs need these of /etc. No keys: /etc/ssl/private is not among them.
constexpr const char* kReadFromEtc[] = {
    "/etc/alternatives",  "/etc/ld.so.cache",      "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",  "/etc/localtime",        "/etc/ssl/certs",
    "/etc/ssl/cert.pem",  "/etc/ssl/openssl.cnf",  "/etc/pki/ca-trust/extracted",
    "/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/crypto-policies",
};

constexpr std::pair<const char*, std::string_view> kOwnEtc[] = {
    {"/etc/passwd", "agent:x:1000:1000::/home/agent:/bin/sh\n"},
    {"/etc/group", "agent:x:1000:\n"},
    {"/etc/hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"},
    {"/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"},
};

bool is_folder_name(const fs::path& path) {
  return path.is_absolute() && path == path.lexically_normal() && path != "/" &&
         path.native().find('\0') == std::string::npos;
}

bool holds(const fs::path& outer, const fs::path& inner) {
  const auto [end, other] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end == outer.end();
}

bool is_file_name(const std::string& name) {
  return !name.empty() && name.size() <= 100 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_' || c == '.';
         });
}

class Options {
 public:
  explicit Options(const Hand& hand) : hand_(hand) {}

  void add(std::initializer_list<std::string> words) { words_.insert(words_.end(), words); }
  void memory(const std::string& folder, std::uint64_t bytes, const char* mode) {
    add({"--size", std::to_string(bytes), "--perms", mode, "--tmpfs", folder});
  }
  void file(const std::string& path, std::string_view content, const char* mode) {
    add({"--perms", mode, "--ro-bind-data", std::to_string(hand_(content)), path});
  }
  // A folder of the system's, or the link that it is where /bin and the like have moved to /usr.
  void system_folder(const fs::path& folder) {
    std::error_code none;
    if (fs::is_symlink(folder, none))
      add({"--symlink", fs::read_symlink(folder, none).string(), folder.string()});
    else if (fs::is_directory(folder, none))
      add({"--ro-bind", folder.string(), folder.string()});
  }
  std::vector<std::string> words() && { return std::move(words_); }

 private:
  const Hand& hand_;
  std::vector<std::string> words_;
};

}  // namespace

void check(const Policy& policy) {
  if (!is_folder_name(policy.work))
    throw Failure::invalid_input("sandbox: the folder to work in must be an absolute path, not '" +
                                 policy.work.string() + "'");
  if (!fs::is_directory(policy.work))
    throw Failure::invalid_input("sandbox: the folder to work in, " + policy.work.string() +
                                 ", is no folder");
  for (const fs::path& path : policy.read_only) {
    if (!is_folder_name(path))
      throw Failure::invalid_input("sandbox.read_only: '" + path.string() +
                                   "' must be an absolute path without .. and not the whole system");
    if (holds(path, policy.work))
      throw Failure::invalid_input("sandbox.read_only: " + path.string() +
                                   " holds the folder to work in: name what is needed of it");
    if (holds(kWork, path))
      throw Failure::invalid_input("sandbox.read_only: " + path.string() + " lies below " + kWork +
                                   ", which is the tree to work in for a confined program: move it");
    if (!fs::exists(path))
      throw Failure::invalid_input("sandbox.read_only: " + path.string() + " does not exist: correct it");
  }
  for (const auto& [name, content] : policy.files) {
    if (!is_file_name(name)) throw Failure::invalid_input("sandbox: '" + name + "' cannot name a file");
  }
}

std::vector<std::string> options_for(const Policy& policy, const Hand& hand) {
  Options options(hand);
  options.add({"--unshare-user", "--unshare-all", "--disable-userns", "--die-with-parent", "--new-session",
               "--cap-drop", "ALL", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox"});
  options.add({"--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"});
  options.memory("/dev/shm", policy.temporary_bytes, "1777");
  options.add({"--remount-ro", "/dev"});
  options.memory(kTemporary, policy.temporary_bytes, "1777");
  options.memory(kHome, policy.temporary_bytes, "0700");
  options.add({"--ro-bind", "/usr", "/usr"});
  for (const char* folder : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"})
    options.system_folder(folder);
  for (const char* path : kReadFromEtc) options.add({"--ro-bind-try", path, path});
  for (const auto& [path, content] : kOwnEtc) options.file(path, content, "0444");
  for (const fs::path& path : policy.read_only) options.add({"--ro-bind", path.string(), path.string()});
  options.file(kStart, start_program(), "0555");
  for (const auto& [name, content] : policy.files)
    options.file(std::string(kFiles) + "/" + name, content, "0400");
  options.add({policy.work_is_writable ? "--bind" : "--ro-bind", policy.work.string(), kWork, "--chdir",
               kWork, "--remount-ro", "/"});
  return std::move(options).words();
}

std::vector<std::string> command_for(const Policy& policy, int socket,
                                     const std::vector<std::string>& arguments) {
  std::vector<std::string> command{kStart,
                                   std::to_string(socket),
                                   std::to_string(kProxyPort),
                                   std::to_string(policy.data_bytes),
                                   std::to_string(policy.file_bytes),
                                   std::to_string(policy.processes),
                                   std::to_string(policy.open_files)};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

}  // namespace sandbox

// Mounts that only a test and the programs it starts see.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "host/base/result.h"

namespace davit::faults {

// From here on mounts are seen by this thread, and what it starts, alone. False, with a failure that says
// what is needed, where that is not allowed.
inline bool enter_mount_namespace() {
  static const bool entered = [] {
    const unsigned user = ::geteuid();
    const unsigned group = ::getegid();
    if (::unshare(CLONE_NEWNS) != 0) {
      if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
      const auto map = [](const char* file, const std::string& text) {
        std::ofstream("/proc/self/" + std::string(file)) << text;
      };
      map("setgroups", "deny");
      map("uid_map", "0 " + std::to_string(user) + " 1");
      map("gid_map", "0 " + std::to_string(group) + " 1");
    }
    return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  }();
  EXPECT_TRUE(entered)
      << "no mount namespace of its own (" << errno_text(errno)
      << "); run as root, or allow unprivileged user namespaces, in a container CAP_SYS_ADMIN";
  return entered;
}

}  // namespace davit::faults

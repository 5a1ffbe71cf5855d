// A certificate that signs itself, as openssl makes it, for a server of this machine.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace davit::faults {

inline constexpr const char* kServerName = "davit.example.org";

// Writes fullchain.pem and privkey.pem into `folder`, which need not be there.
inline void make_certificate(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
      std::string(kServerName) + " -addext subjectAltName=DNS:" + kServerName + ",IP:127.0.0.1 -keyout '" +
      (folder / "privkey.pem").string() + "' -out '" + (folder / "fullchain.pem").string() + "' 2>/dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

}  // namespace davit::faults

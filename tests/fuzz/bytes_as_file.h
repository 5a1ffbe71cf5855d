// Bytes under a path, for readers that open files: in memory only.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "host/base/file.h"

namespace davit::fuzz {

class BytesAsFile {
 public:
  explicit BytesAsFile(std::string_view bytes) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    const ssize_t written = ::write(fd_.number(), bytes.data(), bytes.size());
    if (written != static_cast<ssize_t>(bytes.size())) std::abort();
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_.number()); }

 private:
  UniqueFd fd_;
};

}  // namespace davit::fuzz

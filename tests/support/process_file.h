// Files of /proc that belong to other processes.
#pragma once

#include <sys/types.h>
#include <fstream>
#include <sstream>
#include <string>

namespace davit::testing {

// What /proc/PID/NAME holds; what was read of it, perhaps nothing, if the process ends meanwhile. A stream's
// own iterators throw then.
inline std::string process_file(pid_t pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace davit::testing

// What this process takes of the machine, as the process_ metrics of Prometheus' client libraries tell it.
#pragma once

#include <cstdint>

namespace davit::metrics {

// What the system does not tell is 0.
struct ProcessUsage {
  double cpu_seconds = 0;  // user and system
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t most_descriptors = 0;
};

// Thread-safe. Without the children of the process.
ProcessUsage process_usage();

}  // namespace davit::metrics

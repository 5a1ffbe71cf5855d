#include "host/metrics/process_usage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace davit::metrics {
namespace {

double seconds(const timeval& time) { return double(time.tv_sec) + double(time.tv_usec) / 1e6; }

// The folder itself is one of them while it is read.
std::uint64_t open_descriptors() {
  std::error_code failed;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator next("/proc/self/fd", failed), end; !failed && next != end;
       next.increment(failed))
    ++count;
  return count > 0 ? count - 1 : 0;
}

}  // namespace

ProcessUsage process_usage() {
  ProcessUsage usage;
  rusage times{};
  if (::getrusage(RUSAGE_SELF, &times) == 0)
    usage.cpu_seconds = seconds(times.ru_utime) + seconds(times.ru_stime);
  std::uint64_t size = 0, resident = 0;  // pages
  if (std::ifstream pages("/proc/self/statm"); pages >> size >> resident) {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    usage.virtual_bytes = size * page;
    usage.resident_bytes = resident * page;
  }
  usage.open_descriptors = open_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.most_descriptors = limit.rlim_cur;
  return usage;
}

}  // namespace davit::metrics

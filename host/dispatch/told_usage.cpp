#include "host/dispatch/told_usage.h"

#include <system_error>

#include "host/isolation/usage_file.h"

namespace davit::dispatch {
namespace {

constexpr const char* kEnding = ".usage";

}  // namespace

std::filesystem::path usage_file(const std::filesystem::path& work_directory, const std::string& session_id) {
  return work_directory / (session_id + kEnding);
}

std::vector<store::ToldUsage> told_usage(const std::filesystem::path& work_directory) {
  std::vector<store::ToldUsage> told;
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(work_directory, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (entry->path().extension() != kEnding) continue;
    if (auto usage = isolation::read_usage_file(entry->path()))
      told.push_back({entry->path().stem().string(), std::move(*usage)});
  }
  return told;
}

}  // namespace davit::dispatch

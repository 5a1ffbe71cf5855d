// What one child is asked to do: one check on one library or on one webhook or agent of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/base/result.h"
#include "host/model/plugin_info.h"

namespace davit::conformance {

struct Job {
  std::string check;           // its name in the table of checks
  std::filesystem::path file;  // the copy that is looked at
  PluginKind kind = PluginKind::Webhook;
  std::uint32_t index = 0;
  std::string metadata = "{}";  // as the probe saw it
  std::string config = "{}";
  std::string testdata;  // folder, or empty
  std::uint64_t seed = 0;
  int fuzz_cases = 0;
  bool fuzz_all = false;  // the cases count, not the time they take
  int rounds_ms = 0;      // time for checks that repeat until they know enough
  int execution_ms = 0;   // time for one execution of an agent; then it is cancelled
  // Calls that hung in another check, as Reporter::doing() is told of them: with their input, or a hook for
  // all its inputs. The check ends before it makes one.
  std::vector<std::string> hung;
};

std::string encode(const Job& job);
Result<Job> decode_job(std::string_view json);

}  // namespace davit::conformance

// What runs on this machine, as /proc tells it: the oracle of tests about processes. On purpose not the
// host's own reader of /proc.
//
// The test is a child-subreaper. So whatever the host starts stays below the test for ever, however often it
// forks, calls setsid or loses its parent, and living_below(getpid()) forgets nobody.
#pragma once

#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace davit::faults {

inline void keep_descendants() { ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  char state = '?';
  long cpu_ticks = 0;
  std::string command;
};

// With pid 0 when there is none.
inline Process process(pid_t pid) {
  Process found;
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(stat, text)) return found;
  const auto open = text.find('('), close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return found;
  found.command = text.substr(open + 1, close - open - 1);
  std::istringstream rest(text.substr(close + 1));
  std::string skipped;
  long user = 0, system = 0;
  rest >> found.state >> found.parent;
  for (int field = 5; field < 14; ++field) rest >> skipped;
  rest >> user >> system;
  found.cpu_ticks = user + system;
  found.pid = pid;
  return found;
}

// Everything below `root` as one look shows it, the dead that nobody has waited for included. /proc is listed
// first and read then, so that a look misses who is born meanwhile.
inline std::vector<Process> seen_below(pid_t root) {
  std::vector<Process> all;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (Process one = process(std::atoi(name.c_str())); one.pid != 0) all.push_back(std::move(one));
  }
  std::set<pid_t> below{root};
  for (bool grown = true; grown;) {
    grown = false;
    for (const Process& one : all)
      if (below.count(one.parent) != 0 && below.insert(one.pid).second) grown = true;
  }
  std::vector<Process> seen;
  for (Process& one : all)
    if (one.pid != root && below.count(one.pid) != 0) seen.push_back(std::move(one));
  return seen;
}

// Everything below `root` that is not dead. That there is nothing is believed only once a further look has
// shown nobody new.
inline std::vector<Process> living_below(pid_t root) {
  std::set<pid_t> known;
  for (bool first = true;; first = false) {
    bool somebody_new = false;
    std::vector<Process> living;
    for (Process& one : seen_below(root)) {
      somebody_new = known.insert(one.pid).second || somebody_new;
      if (one.state != 'Z' && one.state != 'X') living.push_back(std::move(one));
    }
    if (!living.empty() || (!first && !somebody_new)) return living;
  }
}

inline std::string names_of(const std::vector<Process>& processes) {
  std::string text;
  for (const Process& one : processes) {
    text += " " + std::to_string(one.pid) + "(" + one.command + ", " + one.state + ", below " +
            std::to_string(one.parent) + ")";
  }
  return text.empty() ? " none" : text;
}

inline int open_descriptors(pid_t pid) {
  std::error_code failure;
  int count = 0;
  std::filesystem::directory_iterator entry("/proc/" + std::to_string(pid) + "/fd", failure), end;
  for (; !failure && entry != end; entry.increment(failure)) ++count;
  return count;
}

// The most memory it ever had resident, in KiB; 0 when there is no such process.
inline long peak_resident_kib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::atol(line.c_str() + 6);
  }
  return 0;
}

// Looks until `condition` holds; false if it does not within `limit`.
inline bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // between two looks at other processes
  }
  return true;
}

// For what a known-bad variant left, and for tests that failed.
inline void kill_all_below(pid_t root) {
  eventually(
      [root] {
        auto living = living_below(root);
        for (const Process& one : living) ::kill(one.pid, SIGKILL);
        return living.empty();
      },
      std::chrono::milliseconds(10'000));
}

}  // namespace davit::faults

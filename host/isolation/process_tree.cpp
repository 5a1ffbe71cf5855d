// The kill of a tree.
//
//   Descendants  The root is stopped, so that it neither forks nor reaps. Every process below it is killed,
//   over and over,
//                until a look at /proc finds none alive. A process with a fatal signal pending cannot fork,
//                so each round leaves only what was forked between two system calls of the round before.
//                Looking twice covers a child that was being made while the root was being stopped.
//   Root         The root is killed and waited for. Its dead children fall to us.
//   Orphans      Children of ours that nobody started on purpose are killed, with what is below them, and
//   reaped. This is
//                also all there is to do for a runner that died by itself.
//
// Pids are reused. A pid is only ever signalled through a pidfd that was opened before its start time was
// read again and found equal, so the descriptor is known to mean the process that was seen in the tree.
//
// Why the sweep cannot hit a child that is just being started: start() holds the lock of the registry from
// before the child exists until it is noted, and the sweep asks the registry after it saw the child. Why not
// one that just ended: it stays known until it was waited for, and the sweep makes sure, after asking, that
// the process was still there.
#include "host/isolation/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <string_view>
#include <thread>

namespace davit::isolation {
namespace {

// The fields behind "pid (name) " in /proc/<pid>/stat; the name may hold anything, so the last ')' counts.
std::optional<ProcessEntry> parse_stat(pid_t pid, std::string_view text) {
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_end + 4 > text.size()) return std::nullopt;
  ProcessEntry entry;
  entry.pid = pid;
  entry.state = text[name_end + 2];
  std::size_t at = name_end + 3;
  for (int field = 4; field <= 22; ++field) {
    at = text.find_first_not_of(' ', at);
    if (at == std::string_view::npos) return std::nullopt;
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (field == 4) std::from_chars(text.data() + at, text.data() + end, entry.parent);
    if (field == 22) std::from_chars(text.data() + at, text.data() + end, entry.start_time);
    at = end;
  }
  return entry;
}

std::optional<ProcessEntry> read_stat(int proc_fd, const char* pid_text, pid_t pid) {
  char path[32];
  std::snprintf(path, sizeof path, "%s/stat", pid_text);
  const int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  char buffer[1024];
  const ssize_t got = read(fd, buffer, sizeof buffer);
  close(fd);
  if (got <= 0) return std::nullopt;
  return parse_stat(pid, {buffer, static_cast<std::size_t>(got)});
}

// A pidfd that is certain to mean the process that was seen, or none.
UniqueFd open_same(const ProcessEntry& entry) {
  UniqueFd pidfd = open_process(entry.pid);
  if (!pidfd.open()) return pidfd;
  std::optional<ProcessEntry> now = process(entry.pid);
  if (!now || now->start_time != entry.start_time) pidfd.reset();
  return pidfd;
}

std::optional<std::filesystem::path> own_cgroup_folder() {
  std::string inside;
  std::ifstream own("/proc/self/cgroup");
  for (std::string line; std::getline(own, line);) {
    if (line.rfind("0::", 0) == 0) inside = line.substr(3);
  }
  if (inside.empty()) return std::nullopt;
  // "36 35 98:0 / /sys/fs/cgroup rw … - cgroup2 cgroup2 rw"
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::size_t at = 0;
    for (int field = 0; field < 4 && at != std::string::npos; ++field) at = line.find(' ', at) + 1;
    return std::filesystem::path(line.substr(at, line.find(' ', at) - at)) / inside.substr(1);
  }
  return std::nullopt;
}

bool write_text(const std::filesystem::path& path, std::string_view text) {
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd.open() && write(fd.number(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

constexpr Duration kLongestRetry{16};

}  // namespace

void become_subreaper() { prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

Result<pid_t> KnownChildren::start(const std::function<Result<pid_t>()>& start) {
  return pids_.with([&](std::set<pid_t>& pids) -> Result<pid_t> {
    pid_t pid = TRY(start());
    pids.insert(pid);
    return pid;
  });
}
void KnownChildren::forget(pid_t pid) {
  pids_.with([&](std::set<pid_t>& pids) { pids.erase(pid); });
}
bool KnownChildren::knows(pid_t pid) const {
  return pids_.with([&](const std::set<pid_t>& pids) { return pids.count(pid) != 0; });
}

std::vector<ProcessEntry> all_processes() {
  std::vector<ProcessEntry> processes;
  DIR* proc = opendir("/proc");
  if (!proc) return processes;
  while (dirent* entry = readdir(proc)) {
    pid_t pid = 0;
    const char* name_end = entry->d_name + std::strlen(entry->d_name);
    auto [end, error] = std::from_chars(entry->d_name, name_end, pid);
    if (error != std::errc() || end != name_end) continue;
    if (auto found = read_stat(dirfd(proc), entry->d_name, pid)) processes.push_back(*found);
  }
  closedir(proc);
  return processes;
}

std::optional<ProcessEntry> process(pid_t pid) {
  const std::string text = "/proc/" + std::to_string(pid);
  return read_stat(AT_FDCWD, text.c_str(), pid);
}

std::vector<ProcessEntry> descendants(pid_t root, const std::vector<ProcessEntry>& processes) {
  std::multimap<pid_t, const ProcessEntry*> by_parent;
  for (const ProcessEntry& entry : processes) by_parent.emplace(entry.parent, &entry);
  std::vector<ProcessEntry> found;
  std::vector<pid_t> open{root};
  // A list read entry by entry is no snapshot: reuse of a pid could close a circle, so every pid counts once.
  std::set<pid_t> seen{root};
  for (std::size_t i = 0; i < open.size(); ++i) {
    auto [from, to] = by_parent.equal_range(open[i]);
    for (auto it = from; it != to; ++it) {
      if (!seen.insert(it->second->pid).second) continue;
      found.push_back(*it->second);
      open.push_back(it->second->pid);
    }
  }
  return found;
}

UniqueFd open_process(pid_t pid) { return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

bool signal_process(int pidfd, int signal) {
  return syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0;
}

bool kill_process(const ProcessEntry& entry) {
  UniqueFd pidfd = open_same(entry);
  return pidfd.open() && signal_process(pidfd.number(), SIGKILL);
}

bool sweep_orphans(KnownChildren& known) {
  const std::vector<ProcessEntry> processes = all_processes();
  bool clean = true;
  for (const ProcessEntry& child : processes) {
    if (child.parent != getpid()) continue;
    UniqueFd pidfd = open_same(child);
    if (!pidfd.open() || known.knows(child.pid) || !signal_process(pidfd.number(), 0)) continue;
    clean = false;
    if (!child.dead()) {
      for (const ProcessEntry& below : descendants(child.pid, processes)) kill_process(below);
      signal_process(pidfd.number(), SIGKILL);
    }
    reap(pidfd.number());
  }
  return clean;
}

std::optional<int> reap(int pidfd) {
  siginfo_t info{};
  if (waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG) != 0)
    return -1;
  if (info.si_pid == 0) return std::nullopt;
  if (info.si_code == CLD_EXITED) return (info.si_status & 0xff) << 8;
  return (info.si_status & 0x7f) | (info.si_code == CLD_DUMPED ? 0x80 : 0);
}

std::string describe_end(int wait_status) {
  if (wait_status == -1) return "ended";
  if (WIFEXITED(wait_status)) return "exited with status " + std::to_string(WEXITSTATUS(wait_status));
  const int signal = WTERMSIG(wait_status);
  const char* name = sigabbrev_np(signal);
  return "killed by signal " + std::to_string(signal) + (name ? " (SIG" + std::string(name) + ")" : "");
}

std::unique_ptr<Cgroup> Cgroup::create(const std::string& name, pid_t member) {
  std::optional<std::filesystem::path> own = own_cgroup_folder();
  if (!own) return nullptr;
  std::unique_ptr<Cgroup> group(new Cgroup(*own / name));
  if (mkdir(group->path_.c_str(), 0755) != 0) {
    group->path_.clear();
    return nullptr;
  }
  // A kernel before 5.14 has no cgroup.kill; then it is of no use to us.
  if (access((group->path_ / "cgroup.kill").c_str(), W_OK) != 0 ||
      !write_text(group->path_ / "cgroup.procs", std::to_string(member))) {
    return nullptr;
  }
  return group;
}
Cgroup::~Cgroup() {
  if (!path_.empty()) rmdir(path_.c_str());
}
void Cgroup::kill() { write_text(path_ / "cgroup.kill", "1"); }

TreeKill::TreeKill(pid_t pid, int pidfd, KnownChildren& known, Cgroup* cgroup)
    : pid_(pid), pidfd_(pidfd), known_(known), cgroup_(cgroup) {}
TreeKill::TreeKill(KnownChildren& known) : known_(known), phase_(Phase::Orphans) {}

// True when two looks in a row found nobody alive.
bool TreeKill::kill_descendants() {
  if (auto root = process(pid_); !root || root->dead()) return true;
  signal_process(pidfd_, SIGSTOP);
  bool alive = false;
  for (const ProcessEntry& entry : descendants(pid_, all_processes())) {
    if (entry.dead()) continue;
    alive = true;
    kill_process(entry);
  }
  clean_looks_ = alive ? 0 : clean_looks_ + 1;
  return clean_looks_ >= 2;
}

bool TreeKill::step() {
  if (phase_ == Phase::Descendants) {
    if (cgroup_) cgroup_->kill();
    // Rounds without a pause first: what was just killed is usually gone by the next look.
    bool none = false;
    for (int round = 0; round < 3 && !none; ++round) none = kill_descendants();
    if (none) phase_ = Phase::Root;
  }
  if (phase_ == Phase::Root) {
    signal_process(pidfd_, SIGKILL);
    pollfd end{pidfd_, POLLIN, 0};
    poll(&end, 1, 1);  // a killed process is nearly always gone within a millisecond
    wait_status_ = reap(pidfd_);
    if (wait_status_) {
      known_.forget(pid_);
      phase_ = Phase::Orphans;
    }
  }
  if (phase_ == Phase::Orphans) {
    for (int round = 0; round < 3 && phase_ == Phase::Orphans; ++round) {
      if (sweep_orphans(known_)) phase_ = Phase::Done;
    }
  }
  if (phase_ == Phase::Done) return true;
  retry_after_ = std::min(retry_after_ * 2, kLongestRetry);
  return false;
}

bool kill_tree(TreeKill& tree, Duration limit) {
  const MonotonicTime end = std::chrono::steady_clock::now() + limit;
  while (!tree.step()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(tree.retry_after());
  }
  return true;
}

bool has_children() {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

struct OwnDescendants::Table {
  static constexpr std::size_t kMost = 65'536;
  struct Row {
    ProcessEntry entry;
    bool below = false;
  };
  // Pages that are never written cost nothing, so there is room for every process of a large machine.
  struct Free {
    void operator()(Row* rows_of_table) const { std::free(rows_of_table); }
  };
  std::unique_ptr<Row[], Free> rows{static_cast<Row*>(std::calloc(kMost, sizeof(Row)))};
  std::size_t count = 0;
  char names[32u << 10];

  void read();
  void mark(pid_t root);
};

// readdir allocates; the system call below it does not.
void OwnDescendants::Table::read() {
  count = 0;
  const int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (proc < 0) return;
  for (;;) {
    const long got = syscall(SYS_getdents64, proc, names, sizeof names);
    if (got <= 0) break;
    for (long at = 0; at < got && count < kMost;) {
      const auto* entry = reinterpret_cast<const dirent64*>(names + at);
      at += entry->d_reclen;
      const char* name_end = entry->d_name + std::strlen(entry->d_name);
      pid_t pid = 0;
      auto [end, error] = std::from_chars(entry->d_name, name_end, pid);
      if (error != std::errc() || end != name_end) continue;
      if (auto found = read_stat(proc, entry->d_name, pid)) rows[count++] = {*found, false};
    }
  }
  close(proc);
}

void OwnDescendants::Table::mark(pid_t root) {
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < count; ++i) {
      if (rows[i].below) continue;
      bool below = rows[i].entry.parent == root;
      for (std::size_t k = 0; !below && k < count; ++k) {
        below = rows[k].below && rows[k].entry.pid == rows[i].entry.parent;
      }
      if (below) rows[i].below = changed = true;
    }
  }
}

OwnDescendants::OwnDescendants() : table_(std::make_unique<Table>()) {}
OwnDescendants::~OwnDescendants() = default;

bool OwnDescendants::end(Duration limit) {
  const MonotonicTime until = std::chrono::steady_clock::now() + limit;
  Duration pause{0};
  while (has_children()) {
    table_->read();
    table_->mark(getpid());
    for (std::size_t i = 0; i < table_->count; ++i) {
      const Table::Row& row = table_->rows[i];
      if (row.below && !row.entry.dead()) kill_process(row.entry);
    }
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    if (std::chrono::steady_clock::now() >= until) return !has_children();
    if (pause > pause.zero()) std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2 + Duration{1}, kLongestRetry);
  }
  return true;
}

}  // namespace davit::isolation

// Ending everything a runner started.
//
// Group kills miss what called setsid, so trees are followed by parenthood. A runner is a child-subreaper:
// orphans among its descendants become its children, so that as long as it lives its whole tree hangs below
// it. When it dies by itself they become children of the host, which is a subreaper too and knows which
// children it started: any other child is such an orphan.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/base/clock.h"
#include "host/base/file.h"
#include "host/base/guarded.h"
#include "host/base/result.h"

namespace davit::isolation {

// Makes this process the one that orphaned descendants fall to. The host does it once at its start, the
// supervisor too.
void become_subreaper();

// The children this process started on purpose. Every process of the host is started through start(), else a
// sweep takes it for an orphan and kills it. One per process. Thread-safe.
class KnownChildren {
 public:
  // Starts a process and notes it in one step. `start` returns the pid or an error.
  Result<pid_t> start(const std::function<Result<pid_t>()>& start);
  // After the child was waited for.
  void forget(pid_t pid);
  bool knows(pid_t pid) const;

 private:
  Guarded<std::set<pid_t>> pids_;
};

struct ProcessEntry {
  pid_t pid = 0;
  pid_t parent = 0;
  char state = '?';              // as in /proc: R, S, D, T, Z, …
  std::uint64_t start_time = 0;  // in ticks since boot: with the pid it names a process for good
  bool dead() const { return state == 'Z' || state == 'X'; }
};

std::vector<ProcessEntry> all_processes();
std::optional<ProcessEntry> process(pid_t pid);
// Everything below `root`, without it, parents before children.
std::vector<ProcessEntry> descendants(pid_t root, const std::vector<ProcessEntry>& processes);

// Sends SIGKILL to exactly this process, never to another one that got its pid. False if it was gone.
bool kill_process(const ProcessEntry& entry);

// Kills and reaps children of this process that it does not know, with everything below them, as far as one
// look shows them. True when there was none left to kill or reap.
bool sweep_orphans(KnownChildren& known);

// A cgroup of one runner, version 2. Optional: it only makes the kill immediate.
class Cgroup {
 public:
  // Nullptr where the system does not let us.
  static std::unique_ptr<Cgroup> create(const std::string& name, pid_t member);
  ~Cgroup();  // removes it; it must be empty by then
  void kill();

 private:
  explicit Cgroup(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// The kill of one child of ours with its tree, in steps that do not block. Confined to one thread.
class TreeKill {
 public:
  // `pidfd` is borrowed. The process may be dead already, but not yet waited for, unless `status` tells its
  // end.
  TreeKill(pid_t pid, int pidfd, KnownChildren& known, Cgroup* cgroup);
  // For a child that was waited for already: only what it left behind.
  explicit TreeKill(KnownChildren& known);

  // Goes on as far as possible now. True when nothing is left; else call again after retry_after().
  bool step();
  Duration retry_after() const { return retry_after_; }
  // How the process ended, as waitpid tells it, once known.
  std::optional<int> wait_status() const { return wait_status_; }

 private:
  enum class Phase { Descendants, Root, Orphans, Done };
  bool kill_descendants();
  pid_t pid_ = 0;
  int pidfd_ = -1;
  KnownChildren& known_;
  Cgroup* cgroup_ = nullptr;
  Phase phase_ = Phase::Descendants;
  int clean_looks_ = 0;
  std::optional<int> wait_status_;
  Duration retry_after_{1};
};

// Blocks until the tree is gone or `limit` has passed. True if it is gone.
bool kill_tree(TreeKill& tree, Duration limit);

// In a runner: ends everything below this process. Allocates when it is made and not when it is used, so that
// it also works beside threads that were stopped inside the allocator. Confined to one thread.
class OwnDescendants {
 public:
  OwnDescendants();
  ~OwnDescendants();
  // Kills and reaps, at most for `limit`. True if nothing is left. Takes the end of every child from whoever
  // waits for it.
  bool end(Duration limit);

 private:
  struct Table;
  std::unique_ptr<Table> table_;
};
// Does this process have any child, dead or alive? One system call.
bool has_children();

// waitid on exactly this process, without blocking. Nullopt while it runs. -1 if somebody else waited for it.
std::optional<int> reap(int pidfd);
// "killed by signal 11 (SIGSEGV)", "exited with status 7".
std::string describe_end(int wait_status);

// pidfd_open; not open if there is no such process.
UniqueFd open_process(pid_t pid);
bool signal_process(int pidfd, int signal);

}  // namespace davit::isolation

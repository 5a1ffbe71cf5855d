#include "host/isolation/runner_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace davit::isolation {
namespace {

constexpr std::size_t kTailBytes = 8u << 10;
constexpr std::size_t kLineBytes = 2u << 10;
constexpr int kLinesPerSecond = 100;

Error system_error(std::string_view what, int number) {
  return {ErrorCode::Unavailable, "runner: " + std::string(what) + ": " + errno_text(number)};
}

// Above the child's fixed numbers, so that no dup2 of one descriptor closes the source of another.
Result<UniqueFd> above_fixed(UniqueFd fd) {
  UniqueFd moved(fcntl(fd.number(), F_DUPFD_CLOEXEC, 10));
  if (!moved.open()) return system_error("no descriptor", errno);
  return moved;
}

struct Pair {
  UniqueFd ours, theirs;
};

Result<Pair> socket_pair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    return system_error("no socket pair", errno);
  Pair pair{UniqueFd(fds[0]), UniqueFd(fds[1])};
  fcntl(pair.ours.number(), F_SETFL, O_NONBLOCK);
  pair.theirs = TRY(above_fixed(std::move(pair.theirs)));
  return pair;
}

Result<Pair> output_pipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return system_error("no pipe", errno);
  Pair pair{UniqueFd(fds[0]), UniqueFd(fds[1])};
  fcntl(pair.ours.number(), F_SETFL, O_NONBLOCK);
  pair.theirs = TRY(above_fixed(std::move(pair.theirs)));
  return pair;
}

std::vector<std::string> environment_of(const RunnerStart& start) {
  std::map<std::string, std::string> variables{
      {"PATH", "/usr/local/bin:/usr/bin:/bin"},
      {"LANG", "C.UTF-8"},
      {"HOME", start.working_directory.empty() ? "/nonexistent" : start.working_directory}};
  for (const char* kept : {"PATH", "LANG", "TZ"}) {
    if (const char* value = std::getenv(kept)) variables[kept] = value;
  }
  for (const auto& [name, value] : start.environment) variables[name] = value;
  std::vector<std::string> lines;
  for (const auto& [name, value] : variables) lines.push_back(name + "=" + value);
  return lines;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// posix_spawn's two structs with their ends.
struct SpawnSetup {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnSetup() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

}  // namespace

Result<RunnerProcess> start_runner(const RunnerStart& start, KnownChildren& known) {
  Pair calls = TRY(socket_pair());
  Pair control = TRY(socket_pair());
  Pair output = TRY(output_pipe());

  SpawnSetup setup;
  auto* actions = &setup.actions;
  posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(actions, output.theirs.number(), 1);
  posix_spawn_file_actions_adddup2(actions, output.theirs.number(), 2);
  posix_spawn_file_actions_adddup2(actions, calls.theirs.number(), kCallsFd);
  posix_spawn_file_actions_adddup2(actions, control.theirs.number(), kControlFd);
  posix_spawn_file_actions_addclosefrom_np(actions, kControlFd + 1);
  const std::string directory = start.working_directory.empty() ? "/" : start.working_directory;
  posix_spawn_file_actions_addchdir_np(actions, directory.c_str());

  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&setup.attributes, &all);
  posix_spawnattr_setsigmask(&setup.attributes, &none);
  posix_spawnattr_setflags(&setup.attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);

  const std::string program = start.command.empty() ? "/proc/self/exe" : start.command.front();
  std::vector<std::string> arguments = start.command;
  if (arguments.empty()) arguments.push_back("davit");
  for (const std::string& more : {std::string("__runner"), std::to_string(kCallsFd), start.name, start.tag}) {
    arguments.push_back(more);
  }
  std::vector<std::string> environment = environment_of(start);
  std::vector<char*> argv = pointers(arguments), envp = pointers(environment);

  RunnerProcess runner;
  runner.pid = TRY(known.start([&]() -> Result<pid_t> {
    pid_t pid = 0;
    int failed = posix_spawn(&pid, program.c_str(), actions, &setup.attributes, argv.data(), envp.data());
    if (failed != 0) return system_error("cannot start " + program + " in " + directory, failed);
    return pid;
  }));
  runner.pidfd = open_process(runner.pid);  // our child until we wait for it, so the pid is still its own
  if (!runner.pidfd.open()) {
    const int failed = errno;
    kill(runner.pid, SIGKILL);
    waitpid(runner.pid, nullptr, 0);
    known.forget(runner.pid);
    return system_error("no descriptor for the process", failed);
  }
  if (start.use_cgroup) {
    runner.cgroup = Cgroup::create("davit-runner-" + std::to_string(runner.pid), runner.pid);
  }
  runner.calls = std::move(calls.ours);
  runner.control = std::move(control.ours);
  runner.output = std::move(output.ours);
  return runner;
}

void OutputCapture::emit(std::string_view text, MonotonicTime now, const Line& line) {
  if (now - window_ >= std::chrono::seconds(1)) {
    window_ = now;
    lines_in_window_ = 0;
    if (left_out_ > 0) {
      line("(" + std::to_string(left_out_) + " lines left out)");
      left_out_ = 0;
    }
  }
  if (++lines_in_window_ > kLinesPerSecond) {
    ++left_out_;
    return;
  }
  line(text);
}

void OutputCapture::take(std::string_view bytes, MonotonicTime now, const Line& line) {
  tail_.append(bytes.size() > kTailBytes ? bytes.substr(bytes.size() - kTailBytes) : bytes);
  if (tail_.size() > 4 * kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const bool whole = end != std::string_view::npos;
    std::string_view piece = bytes.substr(0, end);
    bytes.remove_prefix(whole ? end + 1 : bytes.size());
    if (!skipping_) {
      const std::size_t room = kLineBytes - partial_.size();
      partial_.append(piece.substr(0, room));
      if (whole || piece.size() > room) {
        emit(partial_, now, line);
        partial_.clear();
        skipping_ = true;
      }
    }
    if (whole) skipping_ = false;
  }
}

void OutputCapture::finish(const Line& line) {
  if (!partial_.empty()) line(partial_);
  if (left_out_ > 0) line("(" + std::to_string(left_out_) + " lines left out)");
  partial_.clear();
  left_out_ = 0;
}

std::string_view OutputCapture::tail() const {
  std::string_view tail = tail_;
  return tail.size() > kTailBytes ? tail.substr(tail.size() - kTailBytes) : tail;
}

bool OutputCapture::read_from(int fd, std::size_t limit, MonotonicTime now, const Line& line) {
  char buffer[64u << 10];
  while (limit > 0) {
    ssize_t got = read(fd, buffer, std::min(sizeof buffer, limit));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    if (got == 0) return false;
    take({buffer, static_cast<std::size_t>(got)}, now, line);
    limit -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace davit::isolation

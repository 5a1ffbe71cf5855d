// The group may be signalled as long as its leader has not been waited for: until then its number belongs to
// nobody else. So the wait comes last, and ended() tells of the end without it.
#include "child_process/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "davit/failure.hpp"

namespace child {
namespace {

using davit::Failure;

constexpr int kFirstOwn = 3;  // after the standard three

std::string because(int error) { return std::string(": ") + std::strerror(error); }

[[noreturn]] void short_of(const std::string& what, int error) {
  throw Failure::retryable("cannot make " + what + because(error));
}

struct Pipe {
  Descriptor read, write;
};

Pipe make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) short_of("a pipe", errno);
  Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  fcntl(ends[0], F_SETFL, O_NONBLOCK);  // the program's end stays as programs expect it
  return pipe;
}

Descriptor make_input(std::string_view input) {
  Descriptor file(memfd_create("davit-input", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.open()) short_of("the input file", errno);
  while (!input.empty()) {
    const ssize_t written = write(file.number(), input.data(), input.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) short_of("the input file", errno);
    input.remove_prefix(static_cast<std::size_t>(written));
  }
  fcntl(file.number(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
  lseek(file.number(), 0, SEEK_SET);
  return file;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

// Above the program's own numbers, so that no dup2 of one descriptor closes the source of another.
std::vector<Descriptor> above_own_numbers(const std::vector<int>& descriptors) {
  const int first = kFirstOwn + static_cast<int>(descriptors.size());
  std::vector<Descriptor> copies;
  for (const int descriptor : descriptors) {
    copies.emplace_back(fcntl(descriptor, F_DUPFD_CLOEXEC, first));
    if (!copies.back().open()) short_of("a descriptor", errno);
  }
  return copies;
}

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
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
};

[[noreturn]] void cannot_run(const std::string& path, int error) {
  if (error == ENOENT) {
    throw Failure::permanent("program " + path +
                             " cannot be run: the interpreter its first line names is missing");
  }
  if (error == ENOEXEC) {
    throw Failure::permanent("program " + path + " cannot be run: it is neither a binary nor begins with #!");
  }
  if (error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE || error == ETXTBSY) {
    throw Failure::retryable("program " + path + " cannot be run now" + because(error));
  }
  throw Failure::permanent("program " + path + " cannot be run" + because(error));
}

bool is_program(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

void Descriptor::close() {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

std::string find_program(const std::string& name, std::string_view search_path, std::string_view setting) {
  if (name.find('/') != std::string::npos) {
    std::string path = std::filesystem::absolute(name).lexically_normal().string();
    if (is_program(path)) return path;
    throw Failure::permanent("program " + path +
                             (std::filesystem::exists(path)
                                  ? " is not an executable file: chmod +x it"
                                  : " does not exist: correct " + std::string(setting)));
  }
  for (std::string_view rest = search_path; !rest.empty();) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    std::string path = std::string(rest.substr(0, end)) + "/" + name;
    if (path.front() == '/' && is_program(path)) return path;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  throw Failure::permanent("program " + name + " is in no folder of PATH (" + std::string(search_path) +
                           "): name its path in " + std::string(setting));
}

bool read_piece(const Descriptor& pipe, const Take& take, std::size_t most) {
  char buffer[kPiece];
  const ssize_t size = ::read(pipe.number(), buffer, std::min(most, sizeof buffer));
  if (size > 0) take(std::string_view(buffer, static_cast<std::size_t>(size)));
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

void drain(const Descriptor& pipe, const Take& take) {
  const int capacity = fcntl(pipe.number(), F_GETPIPE_SZ);
  std::size_t left = capacity > 0 ? static_cast<std::size_t>(capacity) : kPiece;
  bool more = true;
  while (more && left > 0) {
    more = false;
    const auto count = [&](std::string_view piece) {
      more = true;
      left -= piece.size();
      take(piece);
    };
    read_piece(pipe, count, left);
  }
}

std::string describe_end(int wait_status) {
  if (WIFEXITED(wait_status)) return "exited with status " + std::to_string(WEXITSTATUS(wait_status));
  const int number = WTERMSIG(wait_status);
  const char* name = sigabbrev_np(number);
  return "was killed by signal " + std::to_string(number) + (name ? std::string(" (SIG") + name + ")" : "");
}

ChildProcess::ChildProcess(const Program& program, std::string_view input) {
  const Descriptor in = make_input(input);
  Pipe out = make_pipe(), err = make_pipe();
  const std::vector<Descriptor> copies = above_own_numbers(program.descriptors);

  SpawnSetup setup;
  posix_spawn_file_actions_adddup2(&setup.actions, in.number(), 0);
  posix_spawn_file_actions_adddup2(&setup.actions, out.write.number(), 1);
  posix_spawn_file_actions_adddup2(&setup.actions, err.write.number(), 2);
  int number = kFirstOwn;
  for (const Descriptor& copy : copies)
    posix_spawn_file_actions_adddup2(&setup.actions, copy.number(), number++);
  posix_spawn_file_actions_addclosefrom_np(&setup.actions, number);
  if (!program.working_directory.empty()) {
    if (!std::filesystem::is_directory(program.working_directory))
      throw Failure::permanent("working_directory " + program.working_directory + " is no folder");
    posix_spawn_file_actions_addchdir_np(&setup.actions, program.working_directory.c_str());
  }
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&setup.attributes, &all);
  posix_spawnattr_setsigmask(&setup.attributes, &none);
  posix_spawnattr_setpgroup(&setup.attributes, 0);
  posix_spawnattr_setflags(&setup.attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);

  const std::vector<char*> argv = pointers(program.arguments), envp = pointers(program.environment);
  if (const int error = posix_spawn(&pid_, program.path.c_str(), &setup.actions, &setup.attributes,
                                    argv.data(), envp.data())) {
    cannot_run(program.path, error);
  }
  ended_ = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!ended_.open()) {
    const int error = errno;
    finish();
    short_of("a process descriptor", error);
  }
  output_ = std::move(out.read);
  errors_ = std::move(err.read);
}

ChildProcess::~ChildProcess() {
  if (!waited_) finish();
}

void ChildProcess::signal(int number) {
  if (waited_) return;
  kill(-pid_, number);
  kill(pid_, number);  // it may have left its group
}

int ChildProcess::finish() {
  signal(SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  waited_ = true;
  return status;
}

}  // namespace child

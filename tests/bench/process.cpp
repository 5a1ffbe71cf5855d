#include "tests/bench/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "host/base/id.h"

namespace davit::bench {
namespace {

// The fields of /proc/PID/stat behind the name, which may hold anything: [0] is the state, [1] the parent.
std::vector<std::string> stat_of(pid_t pid) {
  const std::string text = text_of("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest(text.substr(end + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

double kib_line(const std::string& status, const std::string& name) {
  const std::size_t at = status.find(name);
  return at == std::string::npos ? 0 : std::strtod(status.c_str() + at + name.size(), nullptr);
}

}  // namespace

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();  // which ends, and does not throw, where a file of /proc loses its process
  return text.str();
}

void row(const char* name, const char* format, ...) {
  std::printf("  %-58s ", name);
  va_list values;
  va_start(values, format);
  std::vprintf(format, values);
  va_end(values);
  std::printf("\n");
}

void give_up(const std::string& why) {
  std::fprintf(stderr, "bench: %s\n", why.c_str());
  std::exit(1);
}

Folder::Folder() : path_(std::filesystem::path(DAVIT_BUILD_DIR) / ("bench-" + new_id())) {
  std::filesystem::create_directories(path_ / "plugins");
  for (const auto& folder : {path_, path_ / "plugins"})
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Program::Program(std::vector<std::string> words, const std::filesystem::path& log,
                 std::map<std::string, std::string> environment) {
  int ready[2];
  if (::pipe(ready) != 0) give_up("no pipe");
  ::fcntl(ready[0], F_SETFD, FD_CLOEXEC);
  for (std::string& word : words) {
    if (const std::size_t at = word.find("{ready}"); at != std::string::npos)
      word.replace(at, 7, std::to_string(ready[1]));
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  environment["PATH"] = "/usr/local/bin:/usr/bin:/bin";
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  const auto begun = std::chrono::steady_clock::now();
  const int failure = ::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(ready[1]);
  if (failure != 0) give_up(words[0] + " cannot be started");
  std::string line;
  for (char c; ::read(ready[0], &c, 1) == 1 && c != '\n';) line += c;
  ::close(ready[0]);
  seconds_to_ready_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  if (line.rfind("ready ", 0) != 0) give_up(words[0] + " did not get ready: " + text_of(log));
  port_ = std::atoi(line.c_str() + 6);
}

Program::~Program() { stop(); }

int Program::stop() {
  if (pid_ > 0) ::kill(pid_, SIGTERM);
  return wait();
}

int Program::wait() {
  if (pid_ <= 0) return 0;
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::map<std::string, std::string> SyncCounter::with(std::map<std::string, std::string> environment) const {
  environment["LD_PRELOAD"] = DAVIT_BUILD_DIR "/tests/bench/sync_counter.so";
  environment["DAVIT_BENCH_SYNCS"] = file_.string();
  return environment;
}

std::uint64_t SyncCounter::now() const {
  std::uint64_t count = 0;
  std::ifstream(file_, std::ios::binary).read(reinterpret_cast<char*>(&count), sizeof count);
  if (count == 0) give_up("no sync was counted: a host has made some before it says that it is ready");
  return count;
}

double metric(int port, const std::string& name) {
  const std::string command = "curl -s http://127.0.0.1:" + std::to_string(port) + "/metrics";
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string text;
  char bytes[4096];
  for (std::size_t count = 0; pipe && (count = std::fread(bytes, 1, sizeof bytes, pipe)) > 0;)
    text.append(bytes, count);
  if (pipe) ::pclose(pipe);
  const std::size_t at = text.find("\n" + name + " ");
  if (at == std::string::npos) give_up("/metrics has no " + name);
  return std::strtod(text.c_str() + at + name.size() + 2, nullptr);
}

std::vector<pid_t> process_tree(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    const std::vector<std::string> fields = stat_of(pid);
    if (fields.size() > 1) children.emplace(std::atoi(fields[1].c_str()), pid);
  }
  std::vector<pid_t> tree{root};
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const auto [begin, end] = children.equal_range(tree[i]);
    for (auto child = begin; child != end; ++child) tree.push_back(child->second);
  }
  return tree;
}

Cpu cpu_of(pid_t pid) {
  const std::vector<std::string> fields = stat_of(pid);
  if (fields.size() < 15) return {};
  const double tick = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto seconds = [&](std::size_t at) { return std::strtod(fields[at].c_str(), nullptr) / tick; };
  return {seconds(11) + seconds(12), seconds(13) + seconds(14)};
}

double cpu_of_tree(pid_t root) {
  double sum = 0;
  for (pid_t pid : process_tree(root)) {
    const Cpu cpu = cpu_of(pid);
    sum += cpu.own + cpu.waited_for;
  }
  return sum;
}

Memory memory_of(pid_t pid) {
  const std::string status = text_of("/proc/" + std::to_string(pid) + "/status");
  return {kib_line(status, "VmRSS:") / 1024, kib_line(status, "VmHWM:") / 1024};
}

std::map<std::string, std::uint64_t> wake_ups_of(pid_t pid) {
  std::map<std::string, std::uint64_t> wake_ups;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    const std::string status = text_of(thread.path() / "status");
    std::string name = text_of(thread.path() / "comm");
    if (!name.empty()) name.pop_back();
    wake_ups[name] += static_cast<std::uint64_t>(kib_line(status, "\nvoluntary_ctxt_switches:"));
  }
  return wake_ups;
}

}  // namespace davit::bench

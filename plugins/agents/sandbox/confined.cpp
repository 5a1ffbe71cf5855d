#include "sandbox/confined.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

#include "davit/failure.hpp"
#include "sandbox/call_filter.h"
#include "sandbox/command_line.h"
#include "sandbox/inner_tree.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using child::ChildProcess;
using child::Descriptor;
using davit::Failure;
using davit::Status;

constexpr const char* kPath = "/usr/local/bin:/usr/bin:/bin";
constexpr std::chrono::seconds kLongestCheck{20};
constexpr int kFirstOwn = 3;  // the number of the first descriptor that is handed on

[[noreturn]] void short_of(const char* what) {
  throw Failure::retryable(std::string("cannot make ") + what + ": " + std::strerror(errno));
}

Descriptor file_of(std::string_view bytes) {
  Descriptor file(memfd_create("davit-sandbox", MFD_CLOEXEC));
  if (!file.open()) short_of("a file in memory");
  while (!bytes.empty()) {
    const ssize_t written = write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) short_of("a file in memory");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  lseek(file.number(), 0, SEEK_SET);
  return file;
}

std::string search_path() {
  const char* path = std::getenv("PATH");
  return path && *path ? path : kPath;
}

std::string setting_of(const char* file) {
  std::ifstream stream(std::string("/proc/sys/") + file);
  std::string value;
  std::getline(stream, value);
  return value;
}

// What keeps bubblewrap from working, as far as it can be seen from here.
std::string remedy() {
  if (setting_of("kernel/unprivileged_userns_clone") == "0")
    return "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1";
  if (setting_of("user/max_user_namespaces") == "0")
    return "allow user namespaces: sysctl user.max_user_namespaces=10000";
  if (setting_of("kernel/apparmor_restrict_unprivileged_userns") == "1")
    return "give bwrap an AppArmor profile with userns, or sysctl "
           "kernel.apparmor_restrict_unprivileged_userns=0";
  return "bubblewrap 0.8 or newer and user namespaces are needed; a container's runtime must allow them";
}

std::string first_line(std::string_view text) {
  std::string line(text.substr(0, text.find('\n')));
  constexpr std::size_t kMost = 300;
  if (line.size() > kMost) line.resize(kMost);
  return line;
}

std::string cannot_be_made(const std::string& why, const std::string& what_to_do) {
  return "the sandbox cannot be made: " + why + "; " + what_to_do;
}

std::string without_bubblewrap(const Failure& not_found) {
  return cannot_be_made(not_found.what(), "or install bubblewrap (apt-get install bubblewrap)");
}

}  // namespace

std::string lack_of_bubblewrap(const std::string& command) {
  try {
    child::find_program(command, search_path(), "sandbox.command");
    return "";
  } catch (const Failure& failure) {
    return without_bubblewrap(failure);
  }
}

struct Confined::Start {
  std::vector<Descriptor> handed;
  Descriptor info;  // bubblewrap's word about it

  // The number by which the program knows it.
  int hand(Descriptor descriptor) {
    handed.push_back(std::move(descriptor));
    return kFirstOwn + static_cast<int>(handed.size()) - 1;
  }
  std::vector<int> numbers() const {
    std::vector<int> list;
    for (const Descriptor& descriptor : handed) list.push_back(descriptor.number());
    return list;
  }
};

Confined::Confined(Policy policy, Egress::Tell tell) : policy_(std::move(policy)) {
  sandbox::check(policy_);
  const HostRules hosts(policy_.hosts);
  try {
    bubblewrap_ = child::find_program(policy_.command, search_path(), "sandbox.command");
    check();
  } catch (const Failure& failure) {
    if (failure.status() != Status::Permanent) throw;
    const std::string why = bubblewrap_.empty() ? without_bubblewrap(failure) : failure.what();
    if (policy_.required) throw Failure::permanent(why);
    go_without(why);
    return;
  }
  view_ = {.work = kWork, .home = kHome, .temporary = kTemporary, .files = kFiles, .proxy = {}};
  if (policy_.network == Network::None) return;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) short_of("a pair of sockets");
  handover_ = Descriptor(ends[0]);
  egress_ = std::make_unique<Egress>(hosts, policy_.allow_private, Descriptor(ends[1]), std::move(tell));
  view_.proxy = "http://127.0.0.1:" + std::to_string(kProxyPort);
}

Confined::~Confined() {
  for (const Start& start : starts_) end_inner_tree(start.info);
  std::error_code none;
  if (!own_folder_.empty()) fs::remove_all(own_folder_, none);
}

void Confined::go_without(const std::string& why) {
  why_not_ = "programs run UNCONFINED (sandbox.required is false): " + why;
  std::string pattern = (fs::temp_directory_path() / "davit-unconfined-XXXXXX").string();
  if (!mkdtemp(pattern.data())) short_of("a folder for what runs unconfined");
  own_folder_ = pattern;
  view_ = {.work = policy_.work,
           .home = own_folder_ / "home",
           .temporary = own_folder_ / "tmp",
           .files = own_folder_ / "files",
           .proxy = {}};
  for (const fs::path& folder : {view_.home, view_.temporary, view_.files}) fs::create_directory(folder);
  for (const auto& [name, content] : policy_.files) {
    std::ofstream file(view_.files / name, std::ios::binary);
    if (!(file << content).flush()) short_of("a file for what runs unconfined");
  }
}

// The very sandbox, with nothing in it: whatever is missing, from a setting of the kernel to a folder, shows.
void Confined::check() {
  ChildProcess process(confined({}, {std::string("PATH=") + kPath}, -1), "");
  pollfd end{process.ended().number(), POLLIN, 0};
  const int patience = static_cast<int>(std::chrono::milliseconds(kLongestCheck).count());
  int ready = 0;
  while ((ready = poll(&end, 1, patience)) < 0 && errno == EINTR) {
  }
  const int status = process.finish();
  std::string errors;
  child::drain(process.errors(), [&](std::string_view piece) { errors += piece; });
  if (ready == 0)
    throw Failure::retryable("the sandbox was not made within 20 seconds: is the machine overloaded?");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  const std::string why =
      errors.empty() ? bubblewrap_ + " " + child::describe_end(status) : first_line(errors);
  throw Failure::permanent(cannot_be_made(why, remedy()));
}

std::vector<std::string> Confined::usual_environment() const {
  std::vector<std::string> environment{std::string("PATH=") + kPath, "LANG=C.UTF-8",
                                       "HOME=" + view_.home.string(), "TMPDIR=" + view_.temporary.string()};
  if (!view_.proxy.empty()) {
    environment.push_back("HTTPS_PROXY=" + view_.proxy);
    environment.push_back("https_proxy=" + view_.proxy);
  }
  return environment;
}

child::Program Confined::program(const std::vector<std::string>& arguments,
                                 std::vector<std::string> environment) {
  if (arguments.empty()) throw Failure::invalid_input("sandbox: no program is named");
  if (why_not_.empty()) return confined(arguments, std::move(environment), handover_.number());
  return {.path = child::find_program(arguments.front(), kPath, "the agent's config"),
          .arguments = arguments,
          .environment = std::move(environment),
          .working_directory = policy_.work.string(),
          .descriptors = {}};
}

child::Program Confined::confined(const std::vector<std::string>& arguments,
                                  std::vector<std::string> environment, int handover) {
  Start& start = starts_.emplace_back();
  std::string options;
  for (const std::string& word :
       options_for(policy_, [&](std::string_view bytes) { return start.hand(file_of(bytes)); }))
    options += word + '\0';
  const int filter = start.hand(file_of(call_filter())), words = start.hand(file_of(options));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) short_of("a pipe");
  start.info = Descriptor(ends[0]);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  const int info = start.hand(Descriptor(ends[1]));
  int socket = -1;
  if (handover >= 0) {
    Descriptor copy(fcntl(handover, F_DUPFD_CLOEXEC, 0));
    if (!copy.open()) short_of("a descriptor");
    socket = start.hand(std::move(copy));
  }

  child::Program program{.path = bubblewrap_,
                         .arguments = {"bwrap", "--info-fd", std::to_string(info), "--seccomp",
                                       std::to_string(filter), "--args", std::to_string(words), "--"},
                         .environment = std::move(environment),
                         .working_directory = "/",
                         .descriptors = start.numbers()};
  const std::vector<std::string> command = command_for(policy_, socket, arguments);
  program.arguments.insert(program.arguments.end(), command.begin(), command.end());
  return program;
}

}  // namespace sandbox

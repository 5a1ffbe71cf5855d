// Stands where a model's CLI would, and does what one under somebody else's orders might: tries each way out
// of its sandbox, in a form that does no harm where it succeeds, and prints
//
//   NAME blocked|succeeded DETAIL
//
// The file `facts` in its folder says what there is outside. With an argument it is a bomb (see main).
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

// Something happened that was not to be.
struct Success {
  std::string detail;
};
// What throws this was stopped.
struct Blocked {
  std::string detail;
};

[[noreturn]] void blocked(const std::string& detail) { throw Blocked{detail}; }

// The result of a call, if it is one.
long need(long result) {
  if (result < 0) blocked(std::strerror(errno));
  return result;
}

class Facts {
 public:
  Facts() {
    std::ifstream file("facts");
    for (std::string name, value; file >> name >> value;) values_[name] = value;
    if (values_.empty()) {
      std::cerr << "hostile_agent: no facts" << std::endl;
      std::exit(2);
    }
  }
  const std::string& operator[](const std::string& name) const { return values_.at(name); }
  int number(const std::string& name) const { return std::stoi(values_.at(name)); }

 private:
  std::map<std::string, std::string> values_;
};

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) blocked(path + ": " + std::strerror(errno));
  return {std::istreambuf_iterator<char>(file), {}};
}

Success read_canary(const std::string& path) {
  const std::string text = text_of(path);
  if (text.find("canary") == std::string::npos) blocked("nothing of interest in " + path);
  return {"read " + path};
}

Success write_file(const std::string& path) {
  const int file = static_cast<int>(need(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
  need(write(file, "planted", 7));
  close(file);
  return {"wrote " + path};
}

Success may_write(const std::string& path) {
  need(access(path.c_str(), W_OK));
  return {"may write " + path};
}

// In a process of its own, because it would change this one. Gives its errno as its status.
Success in_a_child(const std::function<long()>& act) {
  const pid_t child = static_cast<pid_t>(need(fork()));
  if (child == 0) _exit(act() < 0 ? (errno & 0xff) : 0);
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status)) blocked("ended by a signal");
  if (WEXITSTATUS(status) != 0) blocked(std::strerror(WEXITSTATUS(status)));
  return {"it did"};
}

sockaddr_in address_of(const char* host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

int connected(int type, const char* host, int port) {
  const int client = static_cast<int>(need(socket(AF_INET, type | SOCK_CLOEXEC, 0)));
  const sockaddr_in address = address_of(host, port);
  need(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  return client;
}

// A datagram socket that is connected sends nothing, but needs a way there.
Success find_way(const char* host, int port) {
  close(connected(SOCK_DGRAM, host, port));
  return {std::string("there is a way to ") + host};
}

Success find_way_6(const char* host) {
  const int client = static_cast<int>(need(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(53);
  inet_pton(AF_INET6, host, &address.sin6_addr);
  need(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  return {std::string("there is a way to ") + host};
}

Success connect_local(const std::string& name, bool abstract) {
  const int client = static_cast<int>(need(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + (abstract ? 1 : 0), name.data(), name.size());
  const std::size_t size = offsetof(sockaddr_un, sun_path) + name.size() + 1;
  need(connect(client, reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)));
  close(client);
  return {"connected to " + name};
}

Success make_socket(int family, int type, int protocol) {
  close(static_cast<int>(need(socket(family, type | SOCK_CLOEXEC, protocol))));
  return {"made a socket"};
}

// As the proxy is spoken to, wherever the environment says it is.
Success through_proxy(const std::string& request) {
  const char* proxy = std::getenv("HTTPS_PROXY");
  if (!proxy) blocked("no proxy");
  const std::string text = proxy;
  const int client = connected(SOCK_STREAM, "127.0.0.1", std::stoi(text.substr(text.rfind(':') + 1)));
  need(send(client, request.data(), request.size(), MSG_NOSIGNAL));
  char answer[256]{};
  need(recv(client, answer, sizeof answer - 1, 0));
  close(client);
  const std::string line = std::string(answer).substr(0, std::string(answer).find('\r'));
  if (line.find(" 200 ") == std::string::npos) blocked(line);
  return {line};
}
Success tunnel_to(const std::string& where) {
  return through_proxy("CONNECT " + where + " HTTP/1.1\r\n\r\n");
}

// In the environment or the arguments of any process that can be seen.
Success search_processes(const char* file) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos || std::stoi(name) == getpid()) continue;
    std::ifstream stream(entry.path() / file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (text.find("victim-canary") != std::string::npos) return {"found in process " + name};
  }
  blocked("no process has it");
}

Success list_descriptors(int process) {
  const std::string folder = "/proc/" + std::to_string(process) + "/fd";
  std::error_code failed;
  const auto first = fs::directory_iterator(folder, failed);
  if (failed) blocked(failed.message());
  return {"read " + first->path().string() + " -> " + fs::read_symlink(first->path()).string()};
}

// What the run before left; leaves something for the next one.
Success find_planted(const std::string& folder) {
  const std::string place = folder + "/.planted";
  const bool found = fs::exists(place);
  std::ofstream{place} << "canary";
  if (!found) blocked("nothing is left of the run before");
  return {"found " + place};
}

std::string nameserver() {
  std::ifstream file("/etc/resolv.conf");
  for (std::string word; file >> word;) {
    std::string address;
    if (word == "nameserver" && file >> address && address.find(':') == std::string::npos) return address;
  }
  blocked("no nameserver is known");
}

using Attempt = std::pair<const char*, std::function<Success()>>;

std::vector<Attempt> files(const Facts& facts) {
  const std::string root = facts["root"];
  return {
      {"read_secret", [=] { return read_canary(root + "/secret"); }},
      {"read_database", [=] { return read_canary(root + "/davit.db"); }},
      {"read_config", [=] { return read_canary(root + "/davit.yaml"); }},
      {"read_other_task", [=] { return read_canary(root + "/other/work/file"); }},
      {"read_plugin_store", [=] { return read_canary(root + "/store/plugin.so"); }},
      {"read_above", [=] { return read_canary("../secret"); }},
      {"read_through_first_process", [=] { return read_canary("/proc/1/root" + root + "/secret"); }},
      {"read_password_hashes",
       [=] {
         close(static_cast<int>(need(open("/etc/shadow", O_RDONLY | O_CLOEXEC))));
         return Success{"opened /etc/shadow"};
       }},
      {"write_plugin_store", [=] { return write_file(root + "/store/planted.so"); }},
      {"write_outside", [=] { return write_file(root + "/planted"); }},
      {"read_through_link",
       [=] {
         unlink("link");
         need(symlink((root + "/secret").c_str(), "link"));
         return read_canary("link");
       }},
      {"write_through_link",
       [=] {
         unlink("out");
         need(symlink((root + "/planted_by_link").c_str(), "out"));
         return write_file("out");
       }},
      {"link_hard",
       [=] {
         unlink("hard");
         need(link((root + "/secret").c_str(), "hard"));
         return read_canary("hard");
       }},
      {"write_system", [] { return may_write("/usr/bin"); }},
      {"write_crontab", [] { return may_write("/etc/cron.d"); }},
      {"write_unit", [] { return may_write("/etc/systemd/system"); }},
      {"change_kernel_setting",
       [] {
         close(static_cast<int>(need(open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC))));
         return Success{"opened core_pattern for writing"};
       }},
      {"escape_memory_killer",
       [] {
         close(static_cast<int>(need(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC))));
         return Success{"opened oom_score_adj for writing"};
       }},
      {"see_devices",
       [] {
         if (fs::is_empty("/sys/class")) blocked("nothing there");
         return Success{"listed /sys/class"};
       }},
      {"make_device",
       [] {
         unlink("device");
         need(mknod("device", S_IFCHR | 0600, makedev(1, 3)));
         unlink("device");
         return Success{"made a device"};
       }},
      {"find_planted_in_home", [] { return find_planted(std::getenv("HOME")); }},
      {"find_planted_in_temporary_folder", [] { return find_planted(std::getenv("TMPDIR")); }},
  };
}

std::vector<Attempt> processes(const Facts& facts) {
  const pid_t victim = facts.number("victim");
  return {
      {"see_other_processes", [] { return search_processes("cmdline"); }},
      {"read_others_environment", [] { return search_processes("environ"); }},
      {"read_others_descriptors", [=] { return list_descriptors(victim); }},
      {"inherit_descriptors",
       [] {
         for (int number = 3; number < 1024; ++number)
           if (fcntl(number, F_GETFD) >= 0) return Success{"has descriptor " + std::to_string(number)};
         blocked("none but the standard three");
       }},
      {"signal_other",
       [=] {
         need(kill(victim, 0));
         return Success{"may signal it"};
       }},
      {"trace_other",
       [=] {
         need(ptrace(PTRACE_SEIZE, victim, nullptr, nullptr));
         ptrace(PTRACE_DETACH, victim, nullptr, nullptr);
         return Success{"traced it"};
       }},
      {"read_others_memory",
       [=] {
         char here = 0;
         iovec local{&here, 1}, remote{&here, 1};
         if (process_vm_readv(victim, &local, 1, &remote, 1, 0) < 0 && errno != EFAULT)
           blocked(std::strerror(errno));
         return Success{"may read it"};
       }},
      {"limit_other",
       [=] {
         rlimit limit{};
         need(prlimit(victim, RLIMIT_CORE, nullptr, &limit));
         return Success{"may change its limits"};
       }},
      {"schedule_other",
       [=] {
         errno = 0;
         const int now = getpriority(PRIO_PROCESS, static_cast<id_t>(victim));
         if (errno != 0) blocked(std::strerror(errno));
         need(setpriority(PRIO_PROCESS, static_cast<id_t>(victim), now));
         return Success{"may change its priority"};
       }},
      {"take_others_descriptor",
       [=] {
         const int process = static_cast<int>(need(syscall(SYS_pidfd_open, victim, 0)));
         close(static_cast<int>(need(syscall(SYS_pidfd_getfd, process, 0, 0))));
         return Success{"took its descriptor 0"};
       }},
      {"raise_limits",
       [] {
         return in_a_child([]() -> long {
           rlimit limit{};
           getrlimit(RLIMIT_NOFILE, &limit);
           limit.rlim_cur = limit.rlim_max = limit.rlim_max + 1;
           return setrlimit(RLIMIT_NOFILE, &limit);
         });
       }},
      {"gain_privileges_by_programs",
       [] {
         if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0) blocked("set-user-ID programs give none");
         return Success{"set-user-ID programs give theirs"};
       }},
  };
}

std::vector<Attempt> network(const Facts& facts) {
  const int port = facts.number("port");
  const std::string here = ":" + facts["port"];
  return {
      {"connect_this_machine",
       [=] {
         close(connected(SOCK_STREAM, "127.0.0.1", port));
         return Success{"connected"};
       }},
      {"way_to_metadata", [] { return find_way("169.254.169.254", 80); }},
      {"way_to_private_network", [] { return find_way("10.0.0.1", 443); }},
      {"way_to_internet", [] { return find_way("1.1.1.1", 443); }},
      {"way_to_internet_6", [] { return find_way_6("2606:4700:4700::1111"); }},
      {"way_to_names", [] { return find_way(nameserver().c_str(), 53); }},
      {"connect_local_socket", [=] { return connect_local(facts["socket"], false); }},
      {"connect_abstract_socket", [=] { return connect_local(facts["abstract"], true); }},
      {"send_raw", [] { return make_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }},
      {"sniff", [] { return make_socket(AF_PACKET, SOCK_RAW, 0); }},
      {"reach_hypervisor", [] { return make_socket(AF_VSOCK, SOCK_STREAM, 0); }},
      {"kernel_crypto", [] { return make_socket(AF_ALG, SOCK_SEQPACKET, 0); }},
      {"kernel_audit", [] { return make_socket(AF_NETLINK, SOCK_RAW, 9); }},
      {"proxy_to_this_machine", [=] { return tunnel_to("127.0.0.1" + here); }},
      {"proxy_to_name_of_this_machine", [=] { return tunnel_to("localhost" + here); }},
      {"proxy_to_metadata", [] { return tunnel_to("169.254.169.254:80"); }},
      {"proxy_to_private_network", [] { return tunnel_to("10.0.0.1:443"); }},
      {"proxy_to_other_host", [] { return tunnel_to("canary.evil.example.org:443"); }},
      {"proxy_to_other_port", [] { return tunnel_to("localhost:1"); }},
      {"proxy_without_tunnel",
       [=] { return through_proxy("GET http://localhost" + here + "/ HTTP/1.1\r\n\r\n"); }},
      {"proxy_smuggle",
       [=] { return tunnel_to("localhost" + here + " HTTP/1.1\r\n\r\nCONNECT 127.0.0.1" + here); }},
  };
}

std::vector<Attempt> memory(const Facts& facts) {
  return {
      {"read_shared_memory", [=] { return read_canary("/dev/shm/" + facts["shared"]); }},
      {"attach_shared_memory",
       [=] {
         const int segment = static_cast<int>(need(shmget(facts.number("key"), 0, 0)));
         void* at = shmat(segment, nullptr, SHM_RDONLY);
         if (at == reinterpret_cast<void*>(-1)) blocked(std::strerror(errno));
         const bool found = std::strncmp(static_cast<const char*>(at), "canary", 6) == 0;
         shmdt(at);
         if (!found) blocked("it is another");
         return Success{"read it"};
       }},
  };
}

std::vector<Attempt> kernel(const Facts& facts) {
  return {
      {"new_user_namespace", [] { return in_a_child([]() -> long { return unshare(CLONE_NEWUSER); }); }},
      {"new_user_namespace_by_clone",
       [] {
         const long child = need(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, 0));
         if (child == 0) _exit(0);
         waitpid(static_cast<pid_t>(child), nullptr, 0);
         return Success{"started in one"};
       }},
      {"new_user_namespace_by_clone3",
       [] {
         struct {
           std::uint64_t flags, pidfd, child, parent, signal, stack, size, tls;
         } arguments{CLONE_NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0};
         const long child = need(syscall(SYS_clone3, &arguments, sizeof arguments));
         if (child == 0) _exit(0);
         waitpid(static_cast<pid_t>(child), nullptr, 0);
         return Success{"started in one"};
       }},
      {"join_namespace",
       [=] {
         return in_a_child([&]() -> long {
           const int space = open(("/proc/" + facts["victim"] + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC);
           return space < 0 ? -1 : setns(space, CLONE_NEWNET);
         });
       }},
      {"mount",
       [] {
         return in_a_child([]() -> long {
           // Where it succeeds it is for this child alone.
           if (unshare(CLONE_NEWNS) != 0 || ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
             return -1;
           return ::mount("none", "/tmp", "tmpfs", 0, nullptr);
         });
       }},
      {"mount_anew",
       [] {
         return in_a_child([]() -> long { return static_cast<long>(syscall(SYS_fsopen, "tmpfs", 0)); });
       }},
      {"change_root", [] { return in_a_child([]() -> long { return chroot("."); }); }},
      {"keys",
       [] {
         need(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0));
         return Success{"found the user's keys"};
       }},
      {"ring",
       [] {
         io_uring_params parameters{};
         close(static_cast<int>(need(syscall(SYS_io_uring_setup, 1, &parameters))));
         return Success{"made a ring"};
       }},
      {"perf",
       [] {
         perf_event_attr attributes{};
         attributes.type = PERF_TYPE_SOFTWARE;
         attributes.size = sizeof attributes;
         attributes.config = PERF_COUNT_SW_CPU_CLOCK;
         attributes.exclude_kernel = 1;
         close(static_cast<int>(need(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0))));
         return Success{"counts"};
       }},
      {"bpf",
       [] {
         union bpf_attr attributes {};
         if (syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attributes, sizeof attributes) < 0 && errno != ENOENT)
           blocked(std::strerror(errno));
         return Success{"may look at programs"};
       }},
      {"page_faults",
       [] {
         close(static_cast<int>(need(syscall(SYS_userfaultfd, O_CLOEXEC))));
         return Success{"handles them"};
       }},
      {"file_by_number",
       [] {
         struct {
           file_handle head;
           unsigned char space[128];
         } handle{};
         handle.head.handle_bytes = sizeof handle.space;
         int mount_id = 0;
         need(name_to_handle_at(AT_FDCWD, ".", &handle.head, &mount_id, 0));
         return Success{"has the number of a file"};
       }},
      {"kernel_log",
       [] {
         need(klogctl(10, nullptr, 0));
         return Success{"may read it"};
       }},
      {"type_into_terminal",
       [] {
         char newline = '\n';
         need(ioctl(0, TIOCSTI, &newline));
         return Success{"typed"};
       }},
      {"calls_of_another_machine",
       [] {
#if defined(__x86_64__)
         need(syscall(0x40000000 + 39));  // getpid() of x32
         return Success{"called"};
#else
         blocked("there is none here");
#endif
       }},
  };
}

int try_all() {
  const Facts facts;
  for (const auto& list : {files(facts), processes(facts), network(facts), memory(facts), kernel(facts)}) {
    for (const auto& [name, attempt] : list) {
      try {
        const Success success = attempt();
        std::cout << name << " succeeded " << success.detail << std::endl;
      } catch (const Blocked& stopped) {
        std::cout << name << " blocked " << stopped.detail << std::endl;
      } catch (const std::exception& failure) {
        std::cout << name << " blocked " << failure.what() << std::endl;
      }
    }
  }
  return 0;
}

// Holds a lock on a file of the tree, as all that it starts does.
void hold_lock() {
  const int lock = open("lock", O_RDWR | O_CREAT, 0600);
  if (lock < 0 || flock(lock, LOCK_EX) != 0) std::exit(3);
}

[[noreturn]] void stay(const std::string& ready) {
  std::cout << ready << std::endl;
  for (;;) pause();
}

// Children beget children, each a leader of its own, deaf to all that can be ignored. Bounded, because a bomb
// that nothing stops would be one.
int bomb_of_processes(int most) {
  for (const int number : {SIGTERM, SIGHUP, SIGINT}) signal(number, SIG_IGN);
  int made = 0;
  while (made < most) {
    const pid_t child = fork();
    if (child < 0) break;
    ++made;
    if (child > 0) continue;
    setsid();
    if (fork() > 0) _exit(0);
    for (;;) pause();
  }
  stay("made " + std::to_string(made));
}

int bomb_of_memory(std::size_t most_mebibytes) {
  std::size_t got = 0;
  constexpr std::size_t kPiece = 16;
  while (got < most_mebibytes && mmap(nullptr, kPiece << 20, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
    got += kPiece;
  stay("got " + std::to_string(got));
}

}  // namespace

// hostile_agent [processes MOST | memory MEBIBYTES]
int main(int count, char** arguments) {
  if (count == 1) return try_all();
  if (count != 3) return 2;
  hold_lock();
  const std::string kind = arguments[1];
  if (kind == "processes") return bomb_of_processes(std::atoi(arguments[2]));
  if (kind == "memory") return bomb_of_memory(static_cast<std::size_t>(std::atoi(arguments[2])));
  return 2;
}

// Real nginx with the snippet that we ship, in a folder of its own and on a free port. Never the system's
// service.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "host/base/file.h"
#include "tests/faults/certificate.h"
#include "tests/faults/processes.h"
#include "tests/faults/tls_client.h"
#include "tests/integration/raw_client.h"
#include "tests/support/temp_database.h"

extern char** environ;

namespace davit::faults {

// A port nobody listens on now.
inline int free_port() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd.number(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    ADD_FAILURE() << "no free port";
  }
  return ntohs(address.sin_port);
}

// Confined to one thread. Ends what it started.
class Nginx {
 public:
  static constexpr const char* kProgram = "/usr/sbin/nginx";
  using Changes = std::vector<std::pair<std::string, std::string>>;

  // Between the shipped snippet and the one that runs, three lines differ, the ports; and what `more`
  // replaces.
  explicit Nginx(int davit_port, Changes more = {})
      : tls_port_(free_port()), plain_port_(free_port()), tunnel_(certificate(), tls_port_) {
    auto shipped = read_file(shipped_file());
    EXPECT_TRUE(shipped.ok());
    std::string snippet = shipped.ok() ? *shipped : "";
    const std::string here = "listen 127.0.0.1:";
    more.insert(more.end(),
                {{"server 127.0.0.1:8080;", "server 127.0.0.1:" + std::to_string(davit_port) + ";"},
                 {"listen 443 ssl http2;", here + std::to_string(tls_port_) + " ssl http2;"},
                 {"listen 80;", here + std::to_string(plain_port_) + ";"}});
    for (const auto& [what, by] : more) replace_once(snippet, what, by);
    std::ofstream(folder_.path() / "davit.conf") << snippet;
    write_main_file(file("davit.conf"));
  }
  ~Nginx() { end(); }
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

  static std::filesystem::path shipped_file() {
    return std::filesystem::path(DAVIT_SOURCE_DIR) / "config/nginx/davit.conf";
  }
  // The shipped file as it is takes the place of the one with other ports.
  void take_shipped_file() { write_main_file(shipped_file().string()); }

  // What `nginx -t` says; empty when it accepts everything, warnings included.
  std::string complaint() {
    const pid_t pid = spawn({"-t", "-q"});
    int status = -1;
    if (pid > 0) ::waitpid(pid, &status, 0);
    std::string said = output();
    return status == 0 ? said : said + " (status " + std::to_string(status) + ")";
  }
  bool start() {
    pid_ = spawn({});
    return pid_ > 0 &&
           eventually([this] { return test::RawClient(tls_port_).connected(); }, std::chrono::seconds(20));
  }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);  // its workers end with it, which they would not after a SIGKILL
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  // Its worker, once there is just one; else 0.
  pid_t worker() const {
    const auto below = seen_below(pid_);
    return below.size() == 1 && below[0].state != 'Z' ? below[0].pid : 0;
  }
  std::size_t workers() const { return seen_below(pid_).size(); }
  // A worker that a reload has replaced ends what it has begun and takes nothing new.
  bool replaces_worker() const {
    for (const Process& one : seen_below(pid_)) {
      std::ifstream title("/proc/" + std::to_string(one.pid) + "/cmdline");
      std::string words;
      if (std::getline(title, words) && words.find("shutting down") != std::string::npos) return true;
    }
    return false;
  }
  // As `systemctl reload nginx`; true once another worker takes new connections and the old one has ended.
  bool reload() {
    const pid_t before = worker();
    ask_for_reload();
    return eventually(
        [&] {
          const pid_t now = worker();
          return now != 0 && now != before;
        },
        std::chrono::seconds(20));
  }
  void ask_for_reload() { ::kill(pid_, SIGHUP); }

  // Where clients get by TLS through a tunnel, so that they need to know nothing of it; HTTP/1.1.
  int port() const { return tunnel_.port(); }
  // Where TLS is spoken, and where there is nothing but the way to it.
  int tls_port() const { return tls_port_; }
  int plain_port() const { return plain_port_; }
  std::filesystem::path certificate() {
    const auto folder = folder_.path() / "davit";
    if (!std::filesystem::exists(folder)) make_certificate(folder);
    return folder / "fullchain.pem";
  }
  std::string output() const {
    std::string all;
    for (const char* name : {"error.log", "output"})
      if (auto text = read_file(folder_.path() / name)) all += *text;
    return all;
  }

 private:
  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
  void write_main_file(const std::string& snippet) {
    std::ofstream main(folder_.path() / "main.conf");
    if (::geteuid() == 0) main << "user root;\n";  // whose folder this is
    main << "daemon off; worker_processes 1; pid " << file("pid") << "; error_log " << file("error.log")
         << " warn;\nevents { worker_connections 512; }\nhttp {\naccess_log off;\nclient_body_temp_path "
         << file("body") << "; proxy_temp_path " << file("proxy") << "; fastcgi_temp_path " << file("fastcgi")
         << "; uwsgi_temp_path " << file("uwsgi") << "; scgi_temp_path " << file("scgi") << ";\ninclude "
         << snippet << ";\n}\n";
  }
  static void replace_once(std::string& text, const std::string& what, const std::string& by) {
    const auto at = text.find(what);
    ASSERT_NE(at, std::string::npos) << "config/nginx/davit.conf has no line \"" << what << "\" any more";
    text.replace(at, what.size(), by);
  }
  pid_t spawn(std::vector<std::string> more) {
    if (::access(kProgram, X_OK) != 0) {
      ADD_FAILURE() << kProgram << " is missing: run scripts/setup";
      return -1;
    }
    std::vector<std::string> words{kProgram,          "-p", folder_.path().string(), "-c",
                                   file("main.conf"), "-e", file("error.log")};
    for (std::string& word : more) words.push_back(std::move(word));
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, file("output").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t pid = -1;
    if (::posix_spawn(&pid, kProgram, &actions, nullptr, argv.data(), environ) != 0) pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
  }

  testing::TempFolder folder_;
  int tls_port_, plain_port_;
  TlsTunnel tunnel_;
  pid_t pid_ = -1;
};

}  // namespace davit::faults

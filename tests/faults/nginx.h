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
#include <vector>

#include "host/base/file.h"
#include "tests/faults/processes.h"
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

  // Between the shipped snippet and the one that runs, two lines differ: the ports.
  explicit Nginx(int davit_port) : port_(free_port()) {
    auto shipped = read_file(std::filesystem::path(DAVIT_SOURCE_DIR) / "config/nginx.conf");
    EXPECT_TRUE(shipped.ok());
    std::string snippet = shipped.ok() ? *shipped : "";
    replace_once(snippet, "server 127.0.0.1:8080;", "server 127.0.0.1:" + std::to_string(davit_port) + ";");
    replace_once(snippet, "listen 80;", "listen 127.0.0.1:" + std::to_string(port_) + ";");
    std::ofstream(folder_.path() / "davit.conf") << snippet;
    std::ofstream(folder_.path() / "main.conf")
        << "daemon off; master_process off;\n"
           "pid "
        << file("pid") << "; error_log " << file("error.log")
        << ";\nevents { worker_connections 512; }\nhttp {\n"
           "access_log off;\n"
           "client_body_temp_path "
        << file("body") << "; proxy_temp_path " << file("proxy") << "; fastcgi_temp_path " << file("fastcgi")
        << "; uwsgi_temp_path " << file("uwsgi") << "; scgi_temp_path " << file("scgi") << ";\ninclude "
        << file("davit.conf") << ";\n}\n";
  }
  ~Nginx() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

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
           eventually([this] { return test::RawClient(port_).connected(); }, std::chrono::seconds(20));
  }
  int port() const { return port_; }
  std::string output() const {
    std::string all;
    for (const char* name : {"error.log", "output"})
      if (auto text = read_file(folder_.path() / name)) all += *text;
    return all;
  }

 private:
  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
  static void replace_once(std::string& text, const std::string& what, const std::string& by) {
    const auto at = text.find(what);
    ASSERT_NE(at, std::string::npos) << "config/nginx.conf has no line \"" << what << "\" any more";
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
  int port_;
  pid_t pid_ = -1;
};

}  // namespace davit::faults

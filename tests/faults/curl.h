// curl as nginx's client: by TLS, under the certificate's name, and by HTTP/2 where it is asked for it.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "host/base/file.h"
#include "tests/faults/certificate.h"
#include "tests/faults/nginx.h"

extern char** environ;

namespace davit::faults {

// Words of a shell; so are `options`.
inline std::string curl_command(Nginx& nginx, const std::string& path, const std::string& options,
                                int max_seconds = 20) {
  const std::string port = std::to_string(nginx.tls_port()), name = kServerName;
  return "curl -sS --max-time " + std::to_string(max_seconds) + " --cacert '" + nginx.certificate().string() +
         "' --resolve " + name + ":" + port + ":127.0.0.1 " + options + " 'https://" + name + ":" + port +
         path + "' 2>/dev/null";
}

// What it prints, and "exit N" if it fails.
inline std::string curl(Nginx& nginx, const std::string& path, const std::string& options) {
  std::string said;
  FILE* pipe = ::popen(curl_command(nginx, path, options).c_str(), "r");
  char bytes[4096];
  for (std::size_t count = 0; pipe && (count = std::fread(bytes, 1, sizeof bytes, pipe)) > 0;)
    said.append(bytes, count);
  const int status = pipe ? ::pclose(pipe) : -1;
  return status == 0 ? said : said + "exit " + std::to_string(WEXITSTATUS(status));
}

// One that reads an answer without an end. Confined to one thread; ends what it started.
class CurlStream {
 public:
  CurlStream(Nginx& nginx, const std::string& path, const std::string& options) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    output_ = UniqueFd(ends[0]);
    const UniqueFd write_end(ends[1]);
    const std::string command = "exec " + curl_command(nginx, path, "-N " + options, 60);
    std::string words[] = {"sh", "-c", command};
    char* argv[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, write_end.number(), 1);
    if (::posix_spawn(&pid_, "/bin/sh", &actions, nullptr, argv, environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    EXPECT_GT(pid_, 0);
  }
  ~CurlStream() { leave(); }
  CurlStream(const CurlStream&) = delete;
  CurlStream& operator=(const CurlStream&) = delete;

  // Until `wanted` has come; false if the stream ends before, or it does not come in ten seconds.
  bool read_until(std::string_view wanted) {
    while (read_.find(wanted) == std::string::npos)
      if (!read_more()) return false;
    return true;
  }
  // Whether the other side has ended the stream; waits for that as long as read_until().
  bool at_end() {
    while (read_more()) {
    }
    return ended_;
  }
  // Everything that has come so far.
  const std::string& text() const { return read_; }
  // The id of the last event that has come whole.
  std::string last_id() const {
    const std::string whole = read_.substr(0, read_.rfind("\n\n") + 1);
    const std::size_t at = whole.rfind("id: ");
    return at == std::string::npos ? "" : whole.substr(at + 4, whole.find('\n', at) - at - 4);
  }
  // Without a word to the other side, as when a machine's lid is closed.
  void leave() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  bool read_more() {
    pollfd waiting{output_.number(), POLLIN, 0};
    if (::poll(&waiting, 1, 10'000) <= 0) return false;
    char bytes[4096];
    const auto count = ::read(output_.number(), bytes, sizeof bytes);
    ended_ = count <= 0;
    if (!ended_) read_.append(bytes, static_cast<std::size_t>(count));
    return !ended_;
  }

  UniqueFd output_;
  pid_t pid_ = -1;
  std::string read_;
  bool ended_ = false;
};

}  // namespace davit::faults

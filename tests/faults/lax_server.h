// The known-bad server as a process.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

extern char** environ;

namespace davit::faults {

// Confined to one thread. Ends what it started.
class LaxServer {
 public:
  // `run_under`: words before the program, e.g. prlimit and its arguments.
  explicit LaxServer(int threads, std::vector<std::string> words = {}) {
    words.push_back(DAVIT_BUILD_DIR "/tests/faults/servers/lax_server");
    words.push_back(std::to_string(threads));
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    if (::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    in_ = in[1];
    std::string line;
    for (char c; ::read(out[0], &c, 1) == 1 && c != '\n';) line += c;
    ::close(out[0]);
    port_ = std::atoi(line.c_str());
    EXPECT_GT(port_, 0) << argv[0] << " did not start";
  }
  ~LaxServer() {
    if (in_ >= 0) ::close(in_);
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  LaxServer(const LaxServer&) = delete;
  LaxServer& operator=(const LaxServer&) = delete;

  int port() const { return port_; }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int in_ = -1;
  int port_ = 0;
};

}  // namespace davit::faults

// Programs run under strace: to record what they ask of the disk, or to make their system calls fail.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "host/base/file.h"
#include "host/base/result.h"

extern char** environ;

namespace davit::faults {

// LeakSanitizer stops the world by ptrace itself, which strace has taken.
inline std::string asan_options_under_strace() {
  const char* options = std::getenv("ASAN_OPTIONS");
  return std::string(options ? options : "") + (options ? ":" : "") + "detect_leaks=0";
}

// Runs a program to its end. Standard output and error go to `output`. Its exit status, or minus the signal.
inline int run_to_end(std::vector<std::string> words, const std::filesystem::path& output) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::string options = "ASAN_OPTIONS=" + asan_options_under_strace();
  std::vector<char*> envp{options.data()};
  for (char** variable = environ; *variable; ++variable)
    if (std::string_view(*variable).rfind("ASAN_OPTIONS=", 0) != 0) envp.push_back(*variable);
  envp.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = -1;
  const int failure = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) {
    ADD_FAILURE() << argv[0] << " cannot be started: " << errno_text(failure);
    return 127;
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// False, with a failure that says what is needed, where strace cannot trace.
inline bool can_trace(const std::filesystem::path& folder) {
  const int status = run_to_end({"strace", "-f", "-o", "/dev/null", "/bin/true"}, folder / "can-trace");
  if (status == 0) return true;
  const auto said = read_file(folder / "can-trace");
  ADD_FAILURE() << "strace cannot trace here; install strace, and in a container allow ptrace (SYS_PTRACE): "
                << (said.ok() ? *said : "");
  return false;
}

}  // namespace davit::faults

// git, started in one way only: with a configuration, an environment and an end that nobody else has a say
// in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "child_process/run_to_end.h"
#include "davit/failure.hpp"
#include "git_workspace/remote.h"
#include "redact/redactor.h"

namespace git {

using child::Cancel;
using Token = std::function<std::string()>;  // asked before each command that connects, and kept by nobody

// Why no command can be started; empty: there is a git.
std::string lack_of_git();

struct Limits {
  std::chrono::milliseconds fetch = std::chrono::minutes(10);
  std::chrono::milliseconds push = std::chrono::minutes(3);
  std::chrono::milliseconds local = std::chrono::minutes(5);  // a command that connects to nobody
  std::chrono::seconds silence{30};                           // of a server, until it is given up
  std::uint64_t mirror_bytes = std::uint64_t{4} << 30;
  std::uint64_t tree_bytes = std::uint64_t{2} << 30;
  std::size_t files = 200'000;  // in a tree
};

struct Call {
  std::vector<std::string> arguments;         // behind git's own options: the command and its arguments
  std::string input = {};                     // its standard input
  std::filesystem::path work_tree = {};       // empty: it works on objects, and reads no attributes of a tree
  std::vector<std::string> environment = {};  // beside the fixed one
  std::size_t most_output = std::size_t{64} << 20;
};

// Copies are as good as the original. Confined to one thread.
class Git {
 public:
  // `secrets` are taken out of what git says. Throws davit::Failure(Permanent) where git is not installed.
  Git(Limits limits, Cancel cancelled, redact::Redactor secrets);

  // The same, for the copy of a repository: `told` is called when a command comes upon damage in it, and the
  // command fails as Retryable.
  Git telling_damage(std::function<void()> told) const;

  const Limits& limits() const { return limits_; }
  const redact::Redactor& secrets() const { return secrets_; }
  const Cancel& cancelled() const { return cancelled_; }

  // Its output. Throws davit::Failure: Cancelled, Retryable when its time is over and where a disk is full or
  // fails, else Permanent with its own last words. `doing` begins the sentence: "cannot read commit 1234".
  std::string output(const std::filesystem::path& git_dir, const Call& call, const std::string& doing) const;
  // As output(), where an exit status other than 0 or much output (Stopped::TooMuch) is an answer too.
  child::Finished run(const std::filesystem::path& git_dir, const Call& call, const std::string& doing) const;

  // A command that connects to `remote`, and to nobody else; `watch` may end it (Stopped::Cancelled) beside
  // whoever cancels all. The token is in no argument, file or message: git asks for it, by the environment,
  // when this server demands it. Throws as output() does for what is cancelled, takes too long or has no
  // disk.
  child::Finished talk(const std::filesystem::path& git_dir, const Call& call, const Remote& remote,
                       const Token& token, std::chrono::milliseconds wall, const Cancel& watch,
                       const std::string& doing) const;

  // What it means that talk() came back with an exit status: NotFound, Unauthorized, Permanent, or Retryable
  // where another try may help.
  davit::Failure refusal(const child::Finished& finished, const std::string& doing) const;

 private:
  child::Finished start(const std::filesystem::path& git_dir, const Call& call,
                        const std::vector<std::string>& more_options,
                        const std::vector<std::string>& more_environment, std::chrono::milliseconds wall,
                        const Cancel& cancelled, const std::string& doing) const;

  void check_damage(const child::Finished& finished, const std::string& doing) const;

  Limits limits_;
  Cancel cancelled_;
  redact::Redactor secrets_;
  std::function<void()> tell_damage_;
  std::string program_;
};

// Whether git complains of what a repository consists of, and not of what it was asked to do.
bool looks_damaged(const child::Finished& finished);

// git's last line of complaint ("fatal: ..." without "fatal: "), in one line of at most 300 bytes.
std::string complaint_in(std::string_view errors);

// 40 or 64 small hexadecimal digits.
bool is_object_id(std::string_view text);

}  // namespace git

// Programs under measurement: started on a folder of their own, looked at through /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace davit::bench {

// A new folder below the build, so that it lies on a real disk; gone with this object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A program that says "ready PORT" on the descriptor named by `{ready}` in its words. Ends the whole bench
// with a sentence if it does not start.
class Program {
 public:
  Program(std::vector<std::string> words, const std::filesystem::path& log,
          std::map<std::string, std::string> environment = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  int port() const { return port_; }
  double seconds_to_ready() const { return seconds_to_ready_; }
  // Waits for the end, stop() after a SIGTERM. Its exit status, or minus the signal.
  int stop();
  int wait();

 private:
  pid_t pid_ = -1;
  int port_ = 0;
  double seconds_to_ready_ = 0;
};

// Counts the syncs of a program and its children that keep its environment.
class SyncCounter {
 public:
  explicit SyncCounter(const Folder& folder) : file_(folder.path() / "syncs") {}
  // Adds what the program must be started with.
  std::map<std::string, std::string> with(std::map<std::string, std::string> environment) const;
  // The fsyncs and fdatasyncs since its start.
  std::uint64_t now() const;

 private:
  std::filesystem::path file_;
};

// A figure of a host's /metrics, which its configuration must show to everybody.
double metric(int port, const std::string& name);

// The process and all below it.
std::vector<pid_t> process_tree(pid_t root);

// Seconds of user and system time of one process, and of the children it has waited for.
struct Cpu {
  double own = 0;
  double waited_for = 0;
};
Cpu cpu_of(pid_t pid);
// Of the whole tree, those that have ended included.
double cpu_of_tree(pid_t root);

struct Memory {
  double now_mib = 0;
  double peak_mib = 0;
};
Memory memory_of(pid_t pid);

// Voluntary context switches so far, by the name of the thread.
std::map<std::string, std::uint64_t> wake_ups_of(pid_t pid);

std::string text_of(const std::filesystem::path& file);

// One line of the table.
void row(const char* name, const char* format, ...) __attribute__((format(printf, 2, 3)));

// Ends the program with a sentence on standard error.
[[noreturn]] void give_up(const std::string& why);

}  // namespace davit::bench

// One program in a process group of its own, with its input in a file and its outputs in pipes.
//
// Input is a sealed memory file, not a pipe: a program that reads none of a megabyte, or dies over it, blocks
// nobody and raises no SIGPIPE, and there is nothing to write piece by piece.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace child {

// A file descriptor that is closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;
  int number() const { return number_; }
  bool open() const { return number_ >= 0; }
  void close();

 private:
  int number_;
};

struct Program {
  std::string path;                      // absolute
  std::vector<std::string> arguments;    // with the name at 0
  std::vector<std::string> environment;  // "NAME=value": all there is
  std::string working_directory;         // empty: the caller's
  std::vector<int> descriptors;          // the caller's, who keeps them: 3, 4, ... of the program
};

// Where argv[0] leads: a name without slash is looked for in `search_path`, a relative path is taken from the
// current folder. Throws davit::Failure(Permanent), naming the path, for what is missing or not executable.
// `setting` is named as the place to correct.
std::string find_program(const std::string& name, std::string_view search_path, std::string_view setting);

// One read of at most `most` bytes from a pipe that does not block; `take` gets them, if there are any. False
// at the end of the pipe.
using Take = std::function<void(std::string_view)>;
inline constexpr std::size_t kPiece = 64 * 1024;
bool read_piece(const Descriptor& pipe, const Take& take, std::size_t most = kPiece);
// What a program wrote before its end is in the pipe; more than that holds is from somebody else.
void drain(const Descriptor& pipe, const Take& take);

// "exited with status 3", "was killed by signal 9 (SIGKILL)".
std::string describe_end(int wait_status);

// Confined to one thread.
class ChildProcess {
 public:
  // No shell, default signals, no descriptor but 0, 1, 2 and those named. Throws davit::Failure: Permanent
  // when the program cannot be run, Retryable when the system is short of something.
  ChildProcess(const Program& program, std::string_view input);
  // Kills the group and waits, if nobody did.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  const Descriptor& output() const { return output_; }  // not blocking
  const Descriptor& errors() const { return errors_; }  // not blocking
  const Descriptor& ended() const { return ended_; }    // readable once the program itself has ended

  // To all of the group, also when its leader has ended.
  void signal(int number);
  // Kills what is left of the group and takes the program's end: call when ended() is readable, or after
  // SIGKILL.
  int finish();

 private:
  pid_t pid_ = -1;
  bool waited_ = false;
  Descriptor output_, errors_, ended_;
};

}  // namespace child

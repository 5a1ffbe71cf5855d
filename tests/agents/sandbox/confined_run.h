// A program in a sandbox, run to its end.
#pragma once

#include <poll.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "child_process/child_process.h"
#include "sandbox/confined.h"

namespace davit::testing {

struct Finished {
  int wait_status = -1;
  std::string output, errors;
};

// At most a minute.
inline Finished finish(child::ChildProcess& process, bool wait_for_end = true) {
  Finished finished;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  bool output_open = true, errors_open = true, ended = false;
  while (wait_for_end && !ended && std::chrono::steady_clock::now() < end) {
    pollfd watched[] = {{process.ended().number(), POLLIN, 0},
                        {output_open ? process.output().number() : -1, POLLIN, 0},
                        {errors_open ? process.errors().number() : -1, POLLIN, 0}};
    poll(watched, 3, 250);
    if (watched[1].revents != 0)
      output_open =
          child::read_piece(process.output(), [&](std::string_view piece) { finished.output += piece; });
    if (watched[2].revents != 0)
      errors_open =
          child::read_piece(process.errors(), [&](std::string_view piece) { finished.errors += piece; });
    ended = watched[0].revents != 0;
  }
  finished.wait_status = process.finish();
  child::drain(process.output(), [&](std::string_view piece) { finished.output += piece; });
  child::drain(process.errors(), [&](std::string_view piece) { finished.errors += piece; });
  return finished;
}

inline Finished run(sandbox::Confined& confined, const std::vector<std::string>& arguments,
                    std::vector<std::string> more_environment = {}, std::string_view input = "") {
  std::vector<std::string> environment = confined.usual_environment();
  environment.insert(environment.end(), more_environment.begin(), more_environment.end());
  child::ChildProcess process(confined.program(arguments, std::move(environment)), input);
  return finish(process);
}

inline Finished shell(sandbox::Confined& confined, const std::string& script) {
  return run(confined, {"sh", "-c", script});
}

}  // namespace davit::testing

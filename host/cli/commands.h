// The command line: what `davit` is asked for, and who does it.
//
// Reading goes through the API of the running host, or from the database while none runs. What changes
// something goes through the host (the one writer), or with --offline into the database under its lock.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "host/base/clock.h"
#include "host/config/secrets.h"

namespace davit {
struct ServeOptions;
}

namespace davit::cli {

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

// What a command sees of the world.
struct Surroundings {
  std::ostream& out;
  std::ostream& error;
  std::istream& in;
  config::Environment environment;
  const Clock& clock;
  int columns = 100;  // of tables
  std::function<int(const ServeOptions&)> serve;
};

// Parses, does, and gives the exit code: 0 done, 1 not done, 2 wrong usage; `serve` and what opens the
// database have more (README.md). Results go to `out`; whatever keeps it from them is one line on `error`
// that says what to do.
int run(int argc, const char* const* argv, const Surroundings& surroundings);

}  // namespace davit::cli

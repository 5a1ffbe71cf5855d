// One session of the CLI as a process: started, heard, ended, judged.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "child_process/child_process.h"
#include "claude_cli/command_line.h"
#include "claude_cli/outcome.h"
#include "claude_cli/settings.h"
#include "davit/agent.hpp"

namespace claude {

struct Start {
  // What to start, confined or not, with arguments_for() and environment_for(). May throw Failure(Permanent)
  // where the program is missing.
  std::function<child::Program()> program;
  // For all that is told of the session before its Outcome, and for the sentence in it.
  std::function<std::string(std::string_view)> redact;
  // The model has said something: called once, as soon as that is heard. May be empty.
  std::function<void()> answered = {};
};

// Blocks until the program and what is left of its process group are gone; reports through `run` what is said
// (a line a block), what is used (totals, as they grow) and which tool works. Returns soon after
// run.is_cancelled(), and when session.wall or the run's own time is over. What the program does is an
// Outcome, never an exception; throws Failure(InvalidInput) for a session that check() refuses.
//
// It is ended with SIGTERM, and killed a second later. A process that left the group is not found: only a
// sandbox ends it.
Outcome run_session(const Settings& settings, const Session& session, const Start& start,
                    const davit::Run& run);

}  // namespace claude

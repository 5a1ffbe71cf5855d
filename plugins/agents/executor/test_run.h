// The test command, on a change that was made by somebody who may mean ill.
#pragma once

#include <filesystem>
#include <string>

#include "davit/agent.hpp"
#include "executor/record.h"
#include "executor/settings.h"
#include "redact/redactor.h"

namespace executor {

struct TestReport {
  Verdict verdict = Verdict::Untested;
  std::string why;  // what failed, or why there was no test; a sentence
  std::string log;  // the end of what the commands printed: other people's text, without known secrets
};

inline constexpr std::size_t kMostLog = 64 * 1024;  // bytes

// Runs the commands in `tree`, a checkout of its own, in a sandbox without network and with no environment
// but the usual; returns when nothing of them is left. Where there is no sandbox nothing is run.
//
// Throws davit::Failure: Cancelled, Deadline when the execution's time (less finish_seconds) is over before
// the commands are done, Retryable where the system is short of something.
TestReport run_tests(const Settings& settings, const davit::AgentContext& context, const davit::Run& run,
                     const std::filesystem::path& tree, const redact::Redactor& redactor);

// Why these commands cannot be run in a sandbox, as far as it can be seen without a tree; empty: they may.
std::string fault_of_commands(const Settings& settings);

}  // namespace executor

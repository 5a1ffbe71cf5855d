// How a session ended, and what the host should make of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "claude_cli/messages.h"
#include "davit/agent.hpp"

namespace claude {

enum class End {
  Ok,            // `structured` or `text` is the answer
  GaveUp,        // it answered that it cannot, or refused
  MaxTurns,      // more turns than allowed
  Budget,        // more money than allowed
  Schema,        // no answer in the shape that was asked for
  Auth,          // no key, or not that one, or nothing left on its account
  RateLimited,   // no more at present
  Overloaded,    // the other side has trouble
  Hung,          // silent for too long
  OutputLimit,   // printed without end
  Killed,        // by a signal that was not ours
  Crashed,       // any other failure
  NotInstalled,  // no CLI, or one that is too old
  Cancelled,     // as asked
  Deadline,      // no time left
};

// "max-turns": for logs and metrics.
std::string_view name_of(End end);

// Lines that told nothing, for a person who wonders.
struct SkippedLines {
  std::uint64_t chatter = 0, unreadable = 0, too_long = 0;
};

struct Outcome {
  End end = End::Crashed;
  std::string why;         // a sentence in one line, for all but Ok; may quote the CLI: redact it
  davit::Json structured;  // of a session with a schema
  std::string text;
  davit::Usage usage;  // of every end, also of a session that was killed
  bool cost_is_estimate = true;
  int turns = 0;
  std::string version;  // of the CLI; empty if it did not say
  std::optional<davit::Time> until;  // of RateLimited, Auth and Overloaded: not before, if anybody knows
  std::vector<std::string> denied_tools;  // that it wanted and did not get
  SkippedLines skipped;
};

// Why we ended the program, if we did. What is past its result is ended with AfterResult, whatever clock
// strikes: its result stands.
enum class Stop { None, Cancelled, Deadline, Silent, NeverStarted, AfterResult, Unusable };

// How the program went away.
struct Exit {
  int wait_status = 0;  // as of waitpid()
  Stop stop = Stop::None;
  std::string last_error_line;  // of its standard error
};

// What was asked for, as far as the end is judged by it.
struct Asked {
  std::vector<std::string> tools;    // each must be there
  std::vector<std::string> servers;  // MCP servers: each must be there
  bool schema = false;
  int max_turns = 120;
  std::string min_version = "2.1.0";
};

// All that an end is judged by.
struct Evidence {
  const Asked& asked;
  const Exit& exit;
  const Init* init = nullptr;      // null: it said nothing
  const Result* result = nullptr;  // the first one; null: none came
  RateLimit rate_limit;            // the last one
  int retry_status = 0;            // HTTP, of what it was trying again at its end
  bool over_limit = false;         // it printed more than is read
};

// Why a session that began so is of no use: an old CLI, a tool or a server missing.
struct Fault {
  End end;
  std::string why;
};
std::optional<Fault> fault_of(const Init& init, const Asked& asked);

// The end and its sentence; nothing else of the Outcome is set but `until`. One table: the first row that
// fits.
Outcome judged(const Evidence& evidence);

// The end of a session that could not begin: `why` says what is missing.
Outcome not_installed(const std::string& why);

// Whether the end says of the account that no session of it would do better.
bool is_of_account(End end);

// What the host should do: nothing for Ok, else the failure with its class. What is of the account is waited
// for until its time, at least five seconds and at most a day; without a time, a minute.
std::optional<davit::Failure> failure_of(const Outcome& outcome, davit::Time now);

}  // namespace claude

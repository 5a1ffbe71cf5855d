// What holds tasks back: budgets, lines, pauses, approvals.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/clock.h"

namespace davit::store {

// What may be spent, in millionths of a US dollar; absent: no limit. A day is a UTC day.
struct BudgetLimits {
  std::optional<std::int64_t> task;       // a chain of tasks in all
  std::optional<std::int64_t> agent_day;  // each agent
  std::optional<std::int64_t> actor_day;  // each person, or each source where nobody caused it
  std::optional<std::int64_t> day;        // everything
  // Set aside for a session before it begins, and all that it may cost. 0: the agent costs nothing.
  std::int64_t session = 1'000'000;
  std::map<std::string, std::int64_t, std::less<>> session_of_agent;
};

// Which tasks of an agent run one after another: those about the same thing, about the same repository,
// project or channel (Entity::group; about the same thing where that is not known), or none.
enum class LineRule { Entity, Group, None };
using LineRules = std::map<std::string, LineRule, std::less<>>;  // by agent; those not in it: Entity

// How one budget stands today.
struct BudgetLine {
  std::string scope;  // "day", "agent" or "actor"
  std::string key;    // agent, or actor as "github:4711" or a source; empty for the day
  std::int64_t limit = 0, spent = 0;
  std::int64_t in_flight = 0;          // set aside for sessions that run, or what they have cost beyond that
  std::optional<WallTime> resumes_at;  // if it is spent
};

// Keeps an agent from getting tasks; what runs goes on. It outlives restarts.
struct Pause {
  std::string agent;  // empty: all, also those that are loaded later
  WallTime since{};
  std::optional<WallTime> until;  // absent: until somebody resumes it
  std::string reason;             // a sentence, may be empty
  std::string by;                 // who; kHeldByItself: the agent
};
inline constexpr std::string_view kHeldByItself = "the agent";

// What an approval takes, and what happens without one.
struct ApprovalRules {
  bool hash_required = true;             // who approves names the content hash
  std::optional<Duration> deadline;      // of a wait that begins from now on
  std::optional<Duration> remind_after;  // and again after as long
  bool park_at_deadline = false;         // otherwise it is rejected then
  std::string notify;  // agent that gets a task when a wait begins and with each reminder; empty: nobody
  // How often the work of an agent goes back to it when what follows from it is rejected with a comment.
  // Those that are not in it: never.
  std::map<std::string, int, std::less<>> reworks;
};

}  // namespace davit::store

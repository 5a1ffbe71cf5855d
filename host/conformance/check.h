// The table of checks: which function looks for which rules, and what the death of its child means.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/conformance/job.h"
#include "host/conformance/reporter.h"
#include "host/conformance/rules.h"
#include "host/plugin/plugin_module.h"

namespace davit::conformance {

// What a check works on, in its child.
struct Subject {
  const Job& job;
  Reporter& report;
  const plugin::PluginModule* module = nullptr;  // loaded, but for checks of the file
  // An agent that needs more than its time for one execution needs it for others too: the rest is cut short.
  bool slow_agent = false;
  MonotonicTime begun = std::chrono::steady_clock::now();

  // Not long before the deadline of the child: what is left of the input is not tried.
  bool is_late() const { return std::chrono::steady_clock::now() - begun > std::chrono::seconds(8); }
};

enum class Of { File, Webhook, Agent, Both };

struct Check {
  std::string_view name;
  Of of;                           // File: once, and nothing is loaded; else once per webhook or agent
  const Rule* death;               // a crash, an exit or a hang of the plugin in it
  std::vector<const Rule*> rules;  // what else it may find
  void (*run)(Subject&);
};

// In the order they are run.
std::span<const Check> all_checks();
// nullptr for an unknown name.
const Check* find_check(std::string_view name, PluginKind kind);

// What a child of check_end is doing when it ends by itself, which is all that it has to do.
inline constexpr std::string_view kEnd =
    "the end of the process, with destructors of static objects and libraries";

// One file per theme.
void check_file(Subject& subject);
void check_metadata(Subject& subject);
void check_webhook_input(Subject& subject);  // the check's name says which input
void check_agent_input(Subject& subject);
void check_concurrency(Subject& subject);
void check_own_signature(Subject& subject);
void check_cancellation(Subject& subject);
void check_bare_host(Subject& subject);
void check_older_host(Subject& subject);
void check_newer_host(Subject& subject);
void check_borrowed_text(Subject& subject);
void check_stale_handles(Subject& subject);
void check_instances(Subject& subject);
void check_memory(Subject& subject);
void check_process_state(Subject& subject);
[[noreturn]] void check_end(Subject& subject);
void check_fuzz(Subject& subject);

}  // namespace davit::conformance

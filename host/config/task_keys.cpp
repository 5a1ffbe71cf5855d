// The keys of tasks: those that recur, how they follow one another, who approves them, what they may cost.
#include "host/config/key_sections.h"

namespace davit::config {
namespace {

constexpr std::string_view kApprovalHashWords[] = {"required", "optional"};
constexpr std::string_view kAtDeadlineWords[] = {"reject", "park"};

}  // namespace

Keys<ScheduleConfig> schedule_keys() {
  using S = ScheduleConfig;
  static constexpr Field kFields[] = {
      {"enabled", at<&S::enabled>,
       "Off means that it makes nothing, and nothing afterwards for the time it was off."},
      {"agent", at<&S::agent>, "Agent that its tasks are for. Required.", 0, 0, TextRule::PluginName},
      {"cron", at<&S::cron>,
       "When, in UTC: minute, hour, day of the month, month, day of the week, as in crontab(5), or @hourly, "
       "@daily, @weekly, @monthly, @yearly. Required.",
       0, 0, TextRule::Cron},
      {"title", at<&S::title>, "One line for people.", 0, 0, TextRule::Any, Notation::WithUnit,
       "Schedule <name>"},
      {"task_type", at<&S::task_type>, "Kind of task, a word for filters and metrics."},
      {"payload", JsonObject{at<&S::payload>, at<&S::payload_lines>}, "What the agent gets."},
      {"entity", at<&S::entity>,
       "What the tasks are about; of one entity no more than one task runs at a time, and no more than one "
       "of this schedule waits.",
       0, 0, TextRule::Any, Notation::WithUnit, "schedule:<name>"},
      {"priority", at<&S::priority>, "Higher first.", -100, 100},
      {"catch_up", at<&S::catch_up>,
       "When davit was stopped at a time of the schedule: make one task for the newest such time at the "
       "start."},
  };
  return {kFields};
}

Keys<ChainConfig> chain_keys() {
  using S = ChainConfig;
  static constexpr Field kFields[] = {
      {"max_depth", at<&S::max_depth>, "Longest chain of agents that hand over to one another.", 1, 100},
      {"max_visits", at<&S::max_visits>, "How often one agent may stand in a chain; 1 refuses every loop.", 1,
       100},
      {"notify", at<&S::notify>,
       "Agent that gets a task when the work of a chain stops and is not done (failed, rejected, cancelled, "
       "not approved in time, put aside), to tell people of it.",
       0, 0, TextRule::PluginName, Notation::WithUnit, "nobody"},
  };
  return {kFields};
}

Keys<ApprovalsConfig> approvals_keys() {
  using S = ApprovalsConfig;
  static constexpr Field kFields[] = {
      {"hash", choice<&S::hash>(kApprovalHashWords),
       "required: who approves names the content hash of the task; optional: without it an approval counts "
       "where one task waits alone and did so before."},
      {"deadline", at<&S::deadline>,
       "A task that waits so long for its approval waits no longer; 0: for ever.", 0, 365 * 24 * kHour},
      {"remind_after", at<&S::remind_after>, "A reminder comes each time after so long; 0: none.", 0,
       365 * 24 * kHour},
      {"on_deadline", choice<&S::on_deadline>(kAtDeadlineWords),
       "reject: it is cancelled then; park: it waits for a retry by hand, which asks for approval again."},
      {"notify", at<&S::notify>,
       "Agent that gets a task when a wait begins and with each reminder, to tell people of it.", 0, 0,
       TextRule::PluginName, Notation::WithUnit, "nobody"},
  };
  return {kFields};
}

Keys<BudgetsConfig> budgets_keys() {
  using S = BudgetsConfig;
  constexpr double kMost = 1e9;
  static constexpr Field kFields[] = {
      {"session_usd", at<&S::session_usd>,
       "US dollars that are set aside before an execution begins, and all that it may cost; with a limit "
       "below. 0: agents cost nothing.",
       0, kMost, TextRule::Any, Notation::WithUnit, "1"},
      {"per_task_usd", at<&S::per_task_usd>,
       "US dollars a task and all that follows from it in its chain may cost; beyond it the task is parked.",
       0, kMost, TextRule::Any, Notation::WithUnit, "no limit"},
      {"per_agent_daily_usd", at<&S::per_agent_daily_usd>,
       "US dollars each agent may cost a day (UTC); beyond it its tasks wait for the next.", 0, kMost,
       TextRule::Any, Notation::WithUnit, "no limit"},
      {"per_actor_daily_usd", at<&S::per_actor_daily_usd>,
       "US dollars each person's events, or a source's that nobody caused, may cost a day.", 0, kMost,
       TextRule::Any, Notation::WithUnit, "no limit"},
      {"daily_usd", at<&S::daily_usd>, "US dollars everything may cost a day.", 0, kMost, TextRule::Any,
       Notation::WithUnit, "no limit"},
  };
  return {kFields};
}

}  // namespace davit::config

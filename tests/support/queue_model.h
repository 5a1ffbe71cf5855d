// What the queue should do, in the plainest words: a list of tasks and rules about them. It shares no code
// with the store, and writes the table of moves once more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/base/clock.h"
#include "host/model/task_state.h"

namespace davit::testing {

class QueueModel {
 public:
  using enum TaskState;

  struct Task {
    std::string id, agent, key, line;
    int priority = 0;
    TaskState state = Queued;
    WallTime run_at{};
    bool backs_off = false;  // run_at is a delay
    bool needs_approval = false, approved = false, cancel_asked = false, held = false;
    int approver = 0;                 // who approved it, by number
    std::set<int> refused;            // whose approvals do not count
    std::optional<std::size_t> root;  // of a chain that it follows in
    int attempt = 0, crashes = 0, losses = 0;
    std::optional<std::size_t> running;  // its attempt
    bool told = false;                   // its end, while nothing comes after it
  };
  struct Attempt {
    std::size_t task = 0;
    MonotonicTime until{};
    std::int64_t tokens = 0;
    bool lost = false;
  };

  std::vector<Task> tasks;
  std::vector<Attempt> attempts;
  std::set<std::string> held;

  // Before every write: what the time is, and what somebody did to the clock since the write before.
  void at(WallTime wall, MonotonicTime monotonic, Duration set_by) {
    const WallTime before = std::exchange(now_, wall);
    monotonic_ = monotonic;
    for (Task& task : tasks) {
      const bool was_due = set_by < Duration(0) && task.run_at > wall && task.run_at <= before;
      if (task.state == Queued && (task.backs_off || was_due)) task.run_at += set_by;
      if ((task.state == Parked || task.state == AwaitingApproval) && was_due) task.run_at += set_by;
    }
  }

  // The one that a new task of this agent and key takes the place of.
  std::optional<std::size_t> waits_under(const std::string& key, const std::string& agent,
                                         std::optional<std::size_t> besides = std::nullopt) const {
    if (key.empty()) return std::nullopt;
    for (std::size_t i = tasks.size(); i-- > 0;) {
      const Task& task = tasks[i];
      if (task.key == key && task.agent == agent && task.state == Queued && !task.needs_approval &&
          i != besides)
        return i;
    }
    return std::nullopt;
  }
  // Likewise of those that wait for approval, which must be about the same, too.
  std::optional<std::size_t> asks_under(const std::string& key, const std::string& agent,
                                        const std::string& line,
                                        std::optional<std::size_t> besides = std::nullopt) const {
    if (key.empty() || line.empty()) return std::nullopt;
    for (std::size_t i = tasks.size(); i-- > 0;) {
      const Task& task = tasks[i];
      if (task.key == key && task.agent == agent && task.line == line && task.state == AwaitingApproval &&
          i != besides)
        return i;
    }
    return std::nullopt;
  }
  // Was one with newer input of its key approved, in another chain?
  bool approved_since(std::size_t number) const {
    const Task& task = tasks[number];
    if (task.key.empty() || task.line.empty()) return false;
    for (std::size_t i = number + 1; i < tasks.size(); ++i) {
      const Task& newer = tasks[i];
      if (newer.key == task.key && newer.agent == task.agent && newer.line == task.line &&
          newer.needs_approval && newer.state != AwaitingApproval && newer.state != Cancelled &&
          newer.root.value_or(i) != task.root.value_or(number))
        return true;
    }
    return false;
  }
  // Does another one of its key wait for approval, in another chain?
  bool asks_apart(std::size_t number) const {
    const Task& task = tasks[number];
    if (task.key.empty() || task.line.empty()) return false;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const Task& other = tasks[i];
      if (i != number && other.key == task.key && other.agent == task.agent && other.line == task.line &&
          other.state == AwaitingApproval && other.root.value_or(i) != task.root.value_or(number))
        return true;
    }
    return false;
  }
  // Gives its number; its id is for the caller to fill in.
  std::size_t create(Task task) {
    if (task.needs_approval) {
      const auto same = asks_under(task.key, task.agent, task.line);
      if (same && !tasks[*same].root && !task.root) {
        tasks[*same].approved = false;
        tasks[*same].priority = std::max(tasks[*same].priority, task.priority);
        tasks[*same].run_at = std::min(tasks[*same].run_at, task.run_at);
        return *same;
      }
      if (same && tasks[*same].root != task.root) stop(tasks[*same], Cancelled, Tells::No);
    } else {
      const auto same = waits_under(task.key, task.agent);
      if (same && tasks[*same].root == task.root) {
        tasks[*same].priority = std::max(tasks[*same].priority, task.priority);
        tasks[*same].run_at = std::min(tasks[*same].run_at, task.run_at);
        return *same;
      }
      if (same) stop(tasks[*same], Cancelled, Tells::No);
    }
    task.state = task.needs_approval ? AwaitingApproval : Queued;
    tasks.push_back(std::move(task));
    if (tasks.back().state == Queued) queue(tasks.back(), std::nullopt);
    return tasks.size() - 1;
  }

  bool due(const Task& task) const { return task.state == Queued && task.run_at <= now_; }
  bool line_is_free(const std::string& line) const {
    return line.empty() || std::none_of(tasks.begin(), tasks.end(), [&](const Task& task) {
             return task.state == Running && task.line == line;
           });
  }
  // Does `first` go before `second`, both of one agent?
  bool goes_before(std::size_t first, std::size_t second) const {
    const Task& a = tasks[first];
    const Task& b = tasks[second];
    if (a.priority != b.priority) return a.priority > b.priority;
    if (a.run_at != b.run_at) return a.run_at < b.run_at;
    return first < second;
  }
  // What is wrong with the claim of this task; empty: nothing. Takes it.
  std::string claim(std::size_t number, Duration lease) {
    Task& task = tasks[number];
    if (!due(task)) return "it is not due";
    if (!line_is_free(task.line)) return "another one of its line runs";
    task.state = Running;
    task.backs_off = false;
    ++task.attempt;
    task.running = attempts.size();
    attempts.push_back({number, monotonic_ + lease});
    return {};
  }
  // What a claim that had room for more of this agent should have taken as well, or instead.
  std::string left_out(const std::set<std::size_t>& claimed, const std::string& agent, bool room) const {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      if (tasks[i].agent != agent || !due(tasks[i])) continue;
      if (room && line_is_free(tasks[i].line))
        return "task " + std::to_string(i) + " was due and is left out";
      for (std::size_t taken : claimed) {
        const bool comparable = tasks[i].line.empty() && tasks[taken].line.empty();
        if (tasks[taken].agent == agent && comparable && goes_before(i, taken))
          return "task " + std::to_string(i) + " goes before task " + std::to_string(taken);
      }
    }
    return {};
  }

  // Is this attempt the one that has its task?
  bool holds(std::size_t attempt) const { return tasks[attempts[attempt].task].running == attempt; }

  enum class End { Completed, Failed, Retry, Crash, Parked, Interrupted, ApprovalRefused };
  void finish(std::size_t attempt, End end, Duration retry_after) {
    Task& task = tasks[attempts[attempt].task];
    switch (end) {
      case End::Completed:
        return stop(task, Completed);
      case End::Failed:
        return stop(task, Failed);
      case End::Parked:
        return stop(task, Parked);
      case End::Retry:
        return go_back(task, retry_after);
      case End::Crash:
        ++task.crashes;
        --task.attempt;
        return go_back(task, retry_after);
      case End::Interrupted:
        --task.attempt;
        return go_back(task, retry_after);
      case End::ApprovalRefused:
        --task.attempt;
        task.approved = false;
        task.refused.insert(task.approver);
        return ask_again(task);
    }
  }
  // Those whose lease has run out, or all; gives how many.
  int lose(bool all) {
    int lost = 0;
    for (std::size_t i = tasks.size(); i-- > 0;) {  // of two with one key the older gives way
      Task& task = tasks[i];
      if (task.state != Running || (!all && attempts[*task.running].until > monotonic_)) continue;
      ++lost;
      attempts[*task.running].lost = true;
      --task.attempt;
      if (++task.losses >= 10 && !task.cancel_asked) {
        stop(task, Parked);
      } else {
        go_back(task, Duration(0));
      }
    }
    return lost;
  }

  // By hand; false: refused.
  bool cancel(Task& task) {
    if (task.state == Completed || task.state == Failed || task.state == Cancelled) return false;
    if (task.state == Running) {
      task.cancel_asked = true;
    } else {
      stop(task, Cancelled);
    }
    return true;
  }
  bool retry(Task& task) {
    const bool ended = task.state == Failed || task.state == Cancelled || task.state == Parked;
    if (!ended || (task.state == Parked && held.contains(task.agent))) return false;
    const auto number = static_cast<std::size_t>(&task - tasks.data());
    const bool waits = std::any_of(tasks.begin(), tasks.end(), [&](const Task& other) {
      return &other != &task && !task.key.empty() && other.key == task.key && other.agent == task.agent &&
             other.state == Queued;
    });
    if (waits || asks_under(task.key, task.agent, task.line, number)) return false;
    task.attempt = task.crashes = task.losses = 0;
    task.refused.clear();
    if (task.needs_approval && !task.approved) {
      stop(task, AwaitingApproval);
    } else {
      queue(task, now_);
    }
    return true;
  }
  bool approve(Task& task, int by) {
    if (task.state != AwaitingApproval || task.refused.contains(by)) return false;
    task.approved = true;
    task.approver = by;
    queue(task, std::max(task.run_at, now_));
    return true;
  }
  bool reject(Task& task) {
    if (task.state != AwaitingApproval) return false;
    stop(task, Cancelled);
    return true;
  }
  void hold(std::set<std::string> agents) {
    held = std::move(agents);
    for (Task& task : tasks) {
      if (task.state == Queued && held.contains(task.agent)) park(task);
      if (task.state == Parked && task.held && !held.contains(task.agent)) {
        task.state = Queued;
        task.held = false;
      }
    }
  }

 private:
  enum class Tells { No, OfABadEnd };
  void stop(Task& task, TaskState state, Tells tells = Tells::OfABadEnd) {
    task.state = state;
    task.told = tells == Tells::OfABadEnd && (state == Failed || state == Cancelled || state == Parked);
    task.running.reset();
    task.cancel_asked = task.backs_off = task.held = false;
  }
  void queue(Task& task, std::optional<WallTime> run_at) {
    stop(task, Queued);
    if (run_at) task.run_at = *run_at;
    if (held.contains(task.agent)) park(task);
  }
  void park(Task& task) {
    if (task.backs_off) task.run_at = now_;
    task.backs_off = false;
    task.held = true;
    task.state = Parked;
  }
  // To be tried again, unless somebody wants it to end or a newer one of its key has come.
  void go_back(Task& task, Duration retry_after) {
    const auto number = static_cast<std::size_t>(&task - tasks.data());
    if (task.cancel_asked) return stop(task, Cancelled);
    if (task.needs_approval ? approved_since(number) : waits_under(task.key, task.agent, number).has_value())
      return stop(task, Cancelled, Tells::No);
    stop(task, Queued);
    task.run_at = now_ + retry_after;
    task.backs_off = retry_after > Duration(0);
    if (held.contains(task.agent)) park(task);
  }

  // Unless somebody wants it to end, or one of its key has been approved since or waits.
  void ask_again(Task& task) {
    const auto number = static_cast<std::size_t>(&task - tasks.data());
    if (task.cancel_asked) return stop(task, Cancelled);
    if (approved_since(number) || asks_apart(number)) return stop(task, Cancelled, Tells::No);
    stop(task, AwaitingApproval);
  }

  WallTime now_{};
  MonotonicTime monotonic_{};
};

}  // namespace davit::testing

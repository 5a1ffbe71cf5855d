// What happened lately, numbered, in as much memory as was given: from here a client that was away for a
// while goes on where it was, and one that is slow gets the newest of each thing instead of all that happened
// to it.
//
// No I/O, no locks: whoever shares one guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/model/task_state.h"

namespace davit::http {

// What an event is about. Queue: how many tasks wait and run, or who is paused. Plugin: who serves. Budget: one is
// spent, or free again. Pruned: what was kept long enough was removed.
enum class Topic { Task, Execution, Delivery, Plugin, Queue, Budget, Pruned };
inline constexpr int kTopics = 7;
std::string_view to_string(Topic topic);
std::optional<Topic> topic_from(std::string_view word);

// A set of topics.
using Topics = unsigned;
constexpr Topics only(Topic topic) { return 1u << static_cast<unsigned>(topic); }
inline constexpr Topics kAllTopics = (1u << kTopics) - 1;

struct Event {
  std::uint64_t number = 0;  // from 1, without a gap
  Topic topic = Topic::Task;
  // Of the task or delivery; empty: none, or several deliveries that were refused. The key of a budget.
  std::string id;
  std::string agent;
  std::optional<TaskState> state;  // of a task, where it is known
  std::string session;             // of an execution
  std::string scope = {};          // of a budget; empty: of all, which begin anew with a day
  std::optional<WallTime> resumes_at = std::nullopt;  // of a budget that is spent
};

class EventRing {
 public:
  explicit EventRing(std::size_t capacity) : slots_(capacity) {}

  std::uint64_t newest() const { return newest_; }  // 0: nothing has happened yet
  // Is all that happened after that number here?
  bool reaches(std::uint64_t after) const { return after <= newest_ && newest_ - after <= slots_.size(); }

  // A slot's memory is used again: in the long run this allocates nothing. Valid until the next call; its
  // number is set, all else is to be set by the caller.
  Event& add();
  // Takes what `from` has and this has not; all of `from` if that does not join on.
  void follow(const EventRing& from);
  // 0 < number <= newest(), and among those that are here.
  const Event& at(std::uint64_t number) const { return slots_[(number - 1) % slots_.size()]; }

  // The newest of each thing that happened after `after` and is of one of the topics, oldest first, at most
  // `most` of them. `after` becomes the number up to which this tells all. The pointers are valid until the
  // next change. Only while reaches(after).
  std::vector<const Event*> news(std::uint64_t& after, Topics topics, std::size_t most) const;

 private:
  std::vector<Event> slots_;
  std::uint64_t newest_ = 0;
};

}  // namespace davit::http

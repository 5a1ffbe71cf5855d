// Makes the recurring tasks of the configuration.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/base/clock.h"
#include "host/base/cron.h"
#include "host/base/log.h"
#include "host/dispatch/post_box.h"
#include "host/isolation/loop.h"
#include "host/metrics/metrics.h"
#include "host/model/event.h"
#include "host/plugin/registry.h"
#include "host/store/store.h"

namespace davit::dispatch {

struct Schedule {
  std::string name;
  std::string text;  // of the cron, as it was configured
  Cron cron;
  NewTask task;  // max_retries and awaits_approval come from its agent
  bool catch_up = true;
};

// Each time of a schedule becomes one task, whatever ends the host: the store keeps which time is done with
// in the transaction that makes the task. Times that passed while no host ran, while the clock was set
// forward or while the agent was not loaded become one task for the newest of them, or none without catch_up.
// A clock that is set back makes nothing twice.
//
// Confined to the loop; asleep until the next time of a schedule, at most a minute, since the wall clock may
// be set.
class Scheduler {
 public:
  Scheduler(isolation::Loop& loop, std::shared_ptr<PostBox> box, store::Store& store,
            const plugin::Registry& registry, metrics::Metrics& metrics, Log& log, const Clock& clock);
  ~Scheduler();

  // Takes the place of those before. Those that were known go on where they were.
  void adopt(std::vector<Schedule> schedules);
  // Agents came or went.
  void plugins_changed();
  // Makes nothing more. To be called some time before its end: answers of the store reach it until the box is
  // closed.
  void stop();

 private:
  struct Entry {
    Schedule schedule;
    WallTime last_slot{};
    bool under_way = false;  // the store was asked
    bool agent_missed = false;
  };
  void ask_store();
  void on_adopted(const std::vector<store::ScheduleState>& states);
  void look();
  void fire(Entry& entry, WallTime slot, const plugin::Agent& agent);
  void skip(Entry& entry, WallTime slot);
  void done(const std::string& name, WallTime slot, bool settled);
  void wait();

  isolation::Loop& loop_;
  std::shared_ptr<PostBox> box_;
  store::Store& store_;
  const plugin::Registry& registry_;
  metrics::Metrics& metrics_;
  Log& log_;
  const Clock& clock_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::uint64_t adoption_ = 0;  // answers about earlier schedules are not heard
  bool adopted_ = false;        // last_slot of the entries is known
  isolation::Loop::TimerId timer_ = 0;
};

// The newest time of `cron` in (after, until].
std::optional<WallTime> newest_slot(const Cron& cron, WallTime after, WallTime until);

}  // namespace davit::dispatch

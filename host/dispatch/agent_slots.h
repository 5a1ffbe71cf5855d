// How many executions each agent may have, how many it has, and whether more of its tasks may wait.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/dispatch/serving_agent.h"
#include "host/plugin/registry.h"
#include "host/store/store.h"

namespace davit::dispatch {

// Confined to the dispatcher's loop.
//
// An agent is asked for only while it may have tasks: from a hint (something was queued, a slot of a full
// agent came free) until a claim came back with less than it could have taken. So an idle host claims
// nothing.
class AgentSlots {
 public:
  // From now on the serving agents of this snapshot get new tasks; what runs goes on.
  void adopt(const plugin::Snapshot& snapshot);
  // Does a serving agent still need runners of this kind?
  bool needs(const isolation::RunnerSpec& runner) const;

  // Any agent may have tasks.
  void expect_tasks();
  bool expects_tasks() const;

  // A claim for every agent that may have tasks and has free slots, and who will run them. Empty: nothing to
  // ask.
  struct Claim {
    store::ClaimRequest request;
    std::map<std::string, std::shared_ptr<const ServingAgent>, std::less<>> serving;
  };
  Claim next_claim(int most) const;
  // It was sent: until answered(), its slots are not free.
  void asked(const store::ClaimRequest& request);
  void answered(const store::ClaimRequest& request);
  // What became of it.
  void claimed(const store::ClaimRequest& request, const std::vector<ClaimedTask>& tasks);

  void take(std::string_view agent);
  void release(std::string_view agent);

 private:
  struct Slots {
    std::shared_ptr<const ServingAgent> serving;  // null: gets no new tasks
    int busy = 0;
    int asked = 0;  // by claims that are not answered yet
    bool may_have_tasks = true;
    int free() const { return serving ? serving->agent->settings.concurrency - busy - asked : 0; }
    bool needed() const { return serving || busy > 0 || asked > 0; }
  };
  std::map<std::string, Slots, std::less<>> slots_;  // by agent
};

}  // namespace davit::dispatch

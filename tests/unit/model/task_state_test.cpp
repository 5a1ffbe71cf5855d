#include "host/model/task_state.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace davit {
namespace {

using enum TaskState;

// Written out a second time, so that a change of the table is seen.
TEST(TaskStateTest, EveryPairOfStatesIsLegalOrNotAsTheTableSays) {
  const std::map<TaskState, std::set<TaskState>> table{
      {Queued, {Running, AwaitingApproval, Cancelled, Parked}},
      {Running, {Queued, AwaitingApproval, Completed, Failed, Cancelled, Parked}},
      {AwaitingApproval, {Queued, Cancelled, Parked}},
      {Completed, {}},
      {Failed, {Queued, AwaitingApproval}},
      {Cancelled, {Queued, AwaitingApproval}},
      {Parked, {Queued, AwaitingApproval, Cancelled}},
  };
  int pairs = 0;
  for (TaskState from : kTaskStates) {
    for (TaskState to : kTaskStates) {
      ++pairs;
      EXPECT_EQ(may_move(from, to), table.at(from).contains(to))
          << to_string(from) << " to " << to_string(to);
    }
  }
  EXPECT_EQ(pairs, 49);
}

TEST(TaskStateTest, FinalStatesAreLeftOnlyByARetry) {
  for (TaskState from : kTaskStates) {
    if (!is_final(from)) continue;
    for (TaskState to : kTaskStates) {
      // A retry by hand queues the task again, or asks for its approval again.
      const bool as_by_a_retry = from != Completed && (to == Queued || to == AwaitingApproval);
      EXPECT_EQ(may_move(from, to), as_by_a_retry) << to_string(from) << " to " << to_string(to);
    }
  }
}

TEST(TaskStateTest, EveryStateHasANameOfItsOwnThatIsReadBack) {
  std::set<std::string_view> names;
  for (TaskState state : kTaskStates) {
    names.insert(to_string(state));
    EXPECT_EQ(task_state_from(to_string(state)), state);
  }
  EXPECT_EQ(names.size(), kTaskStates.size());
  EXPECT_EQ(task_state_from("asleep"), std::nullopt);
}

}  // namespace
}  // namespace davit

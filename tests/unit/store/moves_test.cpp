// The moves of a task: each is in the table, or nothing happens.
#include "host/store/moves.h"

#include <array>

#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::HasSubstr;

class MovesTest : public StoreTest {
 protected:
  struct Made {
    std::string id;
    Fence fence;  // of the newest attempt, if there was one
  };
  Made in_state(TaskState state, const std::string& agent) {
    NewTask wanted = new_task(agent);
    wanted.awaits_approval = state == TaskState::AwaitingApproval;
    Made made{create(wanted), {}};
    if (state == TaskState::Queued || state == TaskState::AwaitingApproval) return made;
    made.fence = claim(1, {{agent, 1}}).at(0).fence;
    if (state == TaskState::Running) return made;
    EXPECT_EQ(finish(finish_of(made.fence, state)).value(), state);
    return made;
  }

  Result<> apply(const std::string& operation, const std::string& id, const Fence& fence,
                 const std::string& agent) {
    const auto plain = [](const Result<TaskState>& answer) -> Result<> {
      if (!answer.ok()) return answer.error();
      return {};
    };
    if (operation == "claim") claim(1, {{agent, 1}});
    if (operation == "finish") return plain(finish(finish_of(fence)));
    if (operation == "fail") return plain(finish(finish_of(fence, TaskState::Failed)));
    if (operation == "give back") return plain(finish(finish_of(fence, TaskState::Queued)));
    if (operation == "park") return plain(finish(finish_of(fence, TaskState::Parked)));
    if (operation == "cancel") return plain(cancel(id));
    if (operation == "retry") return plain(retry(id));
    if (operation == "approve") return plain(approve(id));
    if (operation == "reject") return plain(reject(id));
    if (operation == "hold") return wait([&](auto done) { store().hold_agents({agent}, done); });
    if (operation == "reap") {
      clock_.advance(kLease);
      reap();
    }
    if (operation == "restart") database_.close();
    return {};
  }

  // All that is stored about a task.
  std::string image(const std::string& id) {
    const TaskDetail detail = task(id);
    std::string text;
    for (const auto& part :
         {std::string(to_string(detail.task.state)), detail.task.error, detail.task.hold_reason,
          to_iso8601(detail.task.updated_at), to_iso8601(detail.task.run_at),
          std::to_string(detail.task.attempt), std::to_string(detail.task.crashes),
          std::to_string(detail.task.losses), std::to_string(detail.decisions.size()),
          std::to_string(detail.executions.size())})
      text += part + "|";
    for (const AgentExecution& execution : detail.executions)
      text += execution.outcome + "|" + execution.output;
    return text;
  }
};

TEST_F(MovesTest, AMoveThatIsNotInTheTableFailsTheWholeWrite) {
  const std::string id = create();
  ASSERT_TRUE(finish(finish_of(claim_one().fence)).ok());
  database_.close();
  {
    auto opened = Database::open(database_.path(), Database::Mode::Write, "");
    Database& database = *std::get<0>(opened);
    const ApprovalRules rules;
    Approvals approvals(database, rules);
    HeldAgents held;
    TaskIndex index(database);
    ChainSums chain_sums(database);
    Moves moves(database, approvals, held, index, chain_sums);
    Batch batch{clock_.wall(), clock_.monotonic(), {}};
    database.begin();
    moves.move(batch, moves.find(id).value(), {.to = TaskState::Queued});
    EXPECT_THAT(database.check().error().message, HasSubstr("completed cannot become queued"));
    database.rollback();
    EXPECT_TRUE(batch.changes.empty());
  }
  EXPECT_EQ(task(id).task.state, TaskState::Completed);
}

// What becomes of a task in each state by each operation: the state it has then, or nothing if that is
// refused with Conflict, which changes nothing.
struct Case {
  const char* operation;
  std::array<std::optional<TaskState>, 7> then;  // in the order of kTaskStates
};

TEST_F(MovesTest, NoOperationMakesAMoveThatIsNotInTheTable) {
  using enum TaskState;
  constexpr auto kNo = std::nullopt;
  const Case cases[] = {
      {"claim", {{Running, Running, AwaitingApproval, Completed, Failed, Cancelled, Parked}}},
      {"finish", {{kNo, Completed, kNo, kNo, kNo, kNo, kNo}}},
      {"fail", {{kNo, Failed, kNo, kNo, kNo, kNo, kNo}}},
      {"give back", {{kNo, Queued, kNo, kNo, kNo, kNo, kNo}}},
      {"park", {{kNo, Parked, kNo, kNo, kNo, kNo, kNo}}},
      {"cancel", {{Cancelled, Running, Cancelled, kNo, kNo, kNo, Cancelled}}},
      {"retry", {{kNo, kNo, kNo, kNo, Queued, Queued, Queued}}},
      {"approve", {{kNo, kNo, Queued, kNo, kNo, kNo, kNo}}},
      {"reject", {{kNo, kNo, Cancelled, kNo, kNo, kNo, kNo}}},
      {"hold", {{Parked, Running, AwaitingApproval, Completed, Failed, Cancelled, Parked}}},
      {"reap", {{Queued, Queued, AwaitingApproval, Completed, Failed, Cancelled, Parked}}},
      {"restart", {{Queued, Queued, AwaitingApproval, Completed, Failed, Cancelled, Parked}}},
  };
  int agents = 0;
  for (const Case& each : cases) {
    for (std::size_t i = 0; i < kTaskStates.size(); ++i) {
      SCOPED_TRACE(std::string(each.operation) + " of what is " + std::string(to_string(kTaskStates[i])));
      const std::string agent = "agent-" + std::to_string(++agents);
      const auto [id, fence] = in_state(kTaskStates[i], agent);
      ASSERT_EQ(task(id).task.state, kTaskStates[i]);
      const std::string before = image(id);
      const Result<> done = apply(each.operation, id, fence, agent);
      const TaskState now = task(id).task.state;
      EXPECT_EQ(done.ok(), each.then[i].has_value());
      EXPECT_EQ(now, each.then[i].value_or(kTaskStates[i]));
      EXPECT_TRUE(now == kTaskStates[i] || may_move(kTaskStates[i], now));
      if (!done.ok()) {
        EXPECT_EQ(done.error().code, ErrorCode::Conflict);
        EXPECT_EQ(image(id), before);
      }
    }
    expect_sound();
  }
}

}  // namespace
}  // namespace davit::store

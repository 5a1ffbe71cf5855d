// The moves of a task: each is in the table, or nothing happens.
#include "host/store/moves.h"

#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::HasSubstr;

class MovesTest : public StoreTest {};

TEST_F(MovesTest, AMoveThatIsNotInTheTableFailsTheWholeWrite) {
  const std::string id = create();
  ASSERT_TRUE(finish(finish_of(claim_one().fence)).ok());
  database_.close();
  {
    auto opened = Database::open(database_.path(), Database::Mode::Write, "");
    Database& database = *std::get<0>(opened);
    Approvals approvals(database);
    HeldAgents held;
    Moves moves(database, approvals, held);
    Batch batch{clock_.wall(), clock_.monotonic(), {}};
    database.begin();
    moves.move(batch, moves.find(id).value(), {.to = TaskState::Queued});
    EXPECT_THAT(database.check().error().message, HasSubstr("completed cannot become queued"));
    database.rollback();
    EXPECT_TRUE(batch.changes.empty());
  }
  EXPECT_EQ(task(id).task.state, TaskState::Completed);
}

}  // namespace
}  // namespace davit::store

// Executions over time, and that every view of them adds up to the same.
#include <random>

#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::IsEmpty;

constexpr Duration kHour{3'600'000};
constexpr CostGroup kGroups[] = {CostGroup::Agent, CostGroup::Day, CostGroup::TaskType, CostGroup::Model,
                                 CostGroup::Source};

class SeriesTest : public StoreTest {
 protected:
  // Executions of some hours to a few days, of several agents, outcomes and models.
  void work(unsigned seed, int executions) {
    std::mt19937 random(seed);
    for (int i = 0; i < executions; ++i) {
      clock_.advance(Duration(random() % (5 * 3'600'000)));
      NewTask task = new_task(random() % 2 == 0 ? "planner" : "executor");
      task.task_type = random() % 2 == 0 ? "fix" : "look";
      task.max_retries = 0;
      create(task);
      const ClaimedTask claimed = claim(1, {{task.agent, 1}}).at(0);
      clock_.advance(Duration(random() % 7'200'000));
      Finish end = finish_of(claimed.fence, random() % 3 == 0 ? TaskState::Failed : TaskState::Completed);
      end.result.usage.model = random() % 2 == 0 ? "big" : "small";
      end.result.usage.input_tokens = static_cast<std::int64_t>(random() % 1'000);
      end.result.usage.cost_micro_usd = static_cast<std::int64_t>(random() % 1'000'000);
      ASSERT_TRUE(finish(end).ok());
    }
  }
  static void add_to(ExecutionSums& sums, const ExecutionSums& more) {
    sums.executions += more.executions;
    sums.worked += more.worked;
    add(sums.usage, more.usage);
  }
  static std::string text_of(const ExecutionSums& sums) {
    return std::to_string(sums.executions) + " " + std::to_string(sums.worked.count()) + " " +
           std::to_string(sums.usage.cost_micro_usd) + " " + std::to_string(sums.usage.total_tokens());
  }
  std::string total_of_costs(CostGroup group, WallTime start, WallTime end, const std::string& agent) {
    ExecutionSums sums;
    const auto lines = store().costs({group, agent, start, end});
    for (const CostLine& line : lines.value()) add_to(sums, line.sums);
    return text_of(sums);
  }
  std::string total_of_series(Bucket bucket, WallTime start, WallTime end, const std::string& agent) {
    ExecutionSums sums;
    const auto points = store().series({bucket, agent, start, end});
    for (const SeriesPoint& point : points.value())
      add_to(sums, point.sums);
    return text_of(sums);
  }
};

TEST_F(SeriesTest, EveryGroupingAndEverySeriesAddsUpToTheSame) {
  const WallTime begin = clock_.wall();
  work(1, 60);
  for (const std::string agent : {"", "planner", "executor", "nobody"}) {
    for (int first = 0; first < 4; ++first) {
      // Whole days, as costs are.
      const WallTime start = WallTime(std::chrono::floor<std::chrono::days>(begin)) + first * 24 * kHour;
      const WallTime end = start + 72 * kHour;
      const std::string wanted = total_of_costs(CostGroup::Agent, start, end, agent);
      for (const CostGroup group : kGroups) EXPECT_EQ(total_of_costs(group, start, end, agent), wanted);
      EXPECT_EQ(total_of_series(Bucket::Day, start, end, agent), wanted);
      EXPECT_EQ(total_of_series(Bucket::Hour, start, end, agent), wanted);
    }
  }
  expect_sound();
}

TEST_F(SeriesTest, AnExecutionCountsWhereItBegan) {
  const WallTime day = WallTime(std::chrono::floor<std::chrono::days>(clock_.wall())) + 24 * kHour;
  clock_.advance(day - clock_.wall() - Duration(1));
  create();
  const ClaimedTask late = claim_one();
  clock_.advance(Duration(1));
  ASSERT_TRUE(finish(finish_of(late.fence)).ok());
  const auto points = store().series({Bucket::Hour, "", day - 24 * kHour, day + 24 * kHour}).value();
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].at, day - kHour);
  EXPECT_EQ(points[0].outcome, "completed");
  EXPECT_EQ(points[0].sums.executions, 1);
  EXPECT_EQ(store().series({Bucket::Day, "", day - 24 * kHour, day}).value().at(0).at, day - 24 * kHour);
  EXPECT_THAT(store().series({Bucket::Hour, "", day, day + 24 * kHour}).value(), IsEmpty());
  EXPECT_THAT(store().series({Bucket::Day, "", day, day}).value(), IsEmpty());
}

}  // namespace
}  // namespace davit::store

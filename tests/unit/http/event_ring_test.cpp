#include "host/http/event_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void add(EventRing& ring, Topic topic, std::string id, std::optional<TaskState> state = std::nullopt) {
  Event& event = ring.add();
  event = {event.number, topic, std::move(id), "worker", state, {}};
}

std::vector<std::string> ids(const std::vector<const Event*>& events) {
  std::vector<std::string> ids;
  for (const Event* event : events) ids.push_back(event->id);
  return ids;
}

TEST(EventRingTest, NumbersBeginWithOneAndHaveNoGap) {
  EventRing ring(3);
  EXPECT_EQ(ring.newest(), 0u);
  for (std::uint64_t number = 1; number <= 10; ++number) {
    add(ring, Topic::Task, "t");
    EXPECT_EQ(ring.newest(), number);
    EXPECT_EQ(ring.at(number).number, number);
  }
}

TEST(EventRingTest, ReachesBackAsFarAsItHasRoom) {
  EventRing ring(3);
  EXPECT_TRUE(ring.reaches(0));
  EXPECT_FALSE(ring.reaches(1)) << "that has not happened yet";
  for (int i = 0; i < 5; ++i) add(ring, Topic::Task, "t");
  EXPECT_TRUE(ring.reaches(5));
  EXPECT_TRUE(ring.reaches(2)) << "3, 4 and 5 are here";
  EXPECT_FALSE(ring.reaches(1)) << "2 is gone";
  EXPECT_FALSE(ring.reaches(6));
}

TEST(EventRingTest, OfEachThingOnlyTheNewestIsNews) {
  EventRing ring(16);
  add(ring, Topic::Task, "a", TaskState::Queued);
  add(ring, Topic::Task, "b", TaskState::Queued);
  add(ring, Topic::Task, "a", TaskState::Running);
  add(ring, Topic::Execution, "a");
  add(ring, Topic::Task, "c");
  std::uint64_t after = 0;
  const auto news = ring.news(after, kAllTopics, 100);
  EXPECT_THAT(ids(news), ElementsAre("b", "a", "a", "c"));
  EXPECT_EQ(news.at(1)->state, TaskState::Running);
  EXPECT_EQ(news.at(2)->topic, Topic::Execution) << "an execution is not its task";
  EXPECT_EQ(after, 5u);
}

TEST(EventRingTest, NewsAreOfTheTopicsThatAreWanted) {
  EventRing ring(16);
  add(ring, Topic::Task, "a");
  add(ring, Topic::Delivery, "d");
  add(ring, Topic::Plugin, "");
  std::uint64_t after = 0;
  EXPECT_THAT(ids(ring.news(after, only(Topic::Delivery), 100)), ElementsAre("d"));
  EXPECT_EQ(after, 3u) << "what is not wanted is not looked at again";
}

TEST(EventRingTest, NewsInPartsLeaveNothingOut) {
  EventRing ring(64);
  for (int i = 0; i < 10; ++i) add(ring, Topic::Task, std::to_string(i));
  add(ring, Topic::Task, "0", TaskState::Completed);
  std::uint64_t after = 0;
  std::vector<std::string> all;
  int parts = 0;
  while (after != ring.newest()) {
    for (const Event* event : ring.news(after, kAllTopics, 3)) all.push_back(event->id);
    ASSERT_LE(++parts, 4);
  }
  EXPECT_THAT(all, ElementsAre("1", "2", "3", "4", "5", "6", "7", "8", "9", "0"));
}

TEST(EventRingTest, ACopyFollowsTheRing) {
  EventRing ring(4), copy(4);
  add(ring, Topic::Task, "a");
  copy.follow(ring);
  EXPECT_EQ(copy.newest(), 1u);
  add(ring, Topic::Task, "b");
  copy.follow(ring);
  copy.follow(ring);
  std::uint64_t after = 0;
  EXPECT_THAT(ids(copy.news(after, kAllTopics, 100)), ElementsAre("a", "b"));
  for (int i = 0; i < 9; ++i) add(ring, Topic::Task, std::to_string(i));
  copy.follow(ring);
  after = copy.newest() - 4;
  EXPECT_THAT(ids(copy.news(after, kAllTopics, 100)), ElementsAre("5", "6", "7", "8"));
  EXPECT_FALSE(copy.reaches(2)) << "what it has missed is not taken for what it has";
}

TEST(EventRingTest, OfTwoBudgetsBothAreTold) {
  EventRing ring(8);
  for (const char* scope : {"agent", "actor", "agent"}) {
    Event& event = ring.add();
    event.topic = Topic::Budget;
    event.id = "slack";
    event.scope = scope;
  }
  std::uint64_t after = 0;
  std::vector<std::string> scopes;
  for (const Event* event : ring.news(after, kAllTopics, 100)) scopes.push_back(event->scope);
  EXPECT_THAT(scopes, ElementsAre("actor", "agent"));
}

TEST(EventRingTest, NothingNewIsNoNews) {
  EventRing ring(4);
  add(ring, Topic::Task, "a");
  std::uint64_t after = 1;
  EXPECT_THAT(ring.news(after, kAllTopics, 100), IsEmpty());
  EXPECT_EQ(after, 1u);
}

TEST(EventRingTest, TopicsAreKnownByTheirWords) {
  for (int i = 0; i < kTopics; ++i) {
    const Topic topic = static_cast<Topic>(i);
    EXPECT_EQ(topic_from(to_string(topic)), topic);
  }
  EXPECT_EQ(topic_from("log"), std::nullopt);
}

}  // namespace
}  // namespace davit::http

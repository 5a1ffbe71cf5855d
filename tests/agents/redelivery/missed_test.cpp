// Which events were missed, by GitHub's list.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "redelivery/missed.h"

namespace {

using github::HookDelivery;
using redelivery::Events;
using std::chrono::seconds;
using std::chrono::sys_seconds;
using testing::ElementsAre;
using testing::IsEmpty;

HookDelivery delivery(std::int64_t id, const std::string& guid, int status, bool again = false) {
  return {.id = id,
          .guid = guid,
          .at = sys_seconds(seconds(1000 + id)),
          .again = again,
          .good = status == 200,
          .status = status};
}

std::vector<std::int64_t> missed(const std::vector<HookDelivery>& newest_first) {
  Events events;
  for (const HookDelivery& one : newest_first) events.add(one);
  std::vector<std::int64_t> ids;
  for (const HookDelivery& one : events.missed()) ids.push_back(one.id);
  return ids;
}

TEST(MissedEventsTest, WhatFailedIsMissedTheOldestFirst) {
  EXPECT_THAT(missed({delivery(3, "c", 0), delivery(2, "b", 200), delivery(1, "a", 502)}), ElementsAre(1, 3));
}

TEST(MissedEventsTest, WhatSucceededLaterIsNot) {
  EXPECT_THAT(missed({delivery(2, "a", 200, true), delivery(1, "a", 502)}), IsEmpty());
}

TEST(MissedEventsTest, WhatSomebodyAskedForIsNotWhateverCameOfIt) {
  EXPECT_THAT(missed({delivery(2, "a", 502, true), delivery(1, "a", 502)}), IsEmpty());
  EXPECT_THAT(missed({delivery(2, "a", 502, true)}), IsEmpty()) << "its first attempt is too old to be seen";
}

TEST(MissedEventsTest, WhatFailedAgainIsCounted) {
  Events events;
  for (const HookDelivery& one : {delivery(4, "b", 200, true), delivery(3, "a", 500, true),
                                  delivery(2, "b", 500), delivery(1, "a", 500)})
    events.add(one);
  EXPECT_EQ(events.failed_again(), 1u);
  EXPECT_EQ(events.deliveries(), 4u);
}

}  // namespace

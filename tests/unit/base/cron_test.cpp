#include "host/base/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace davit {
namespace {

using ::testing::HasSubstr;

WallTime at(const char* text) {
  auto time = parse_iso8601(text);
  EXPECT_TRUE(time.ok()) << text;
  return time.ok() ? *time : WallTime{};
}

std::string next(const char* text, const char* after) {
  const auto cron = Cron::parse(text);
  if (!cron.ok()) return cron.error().message;
  const auto time = cron->next(at(after));
  return time ? to_iso8601(*time).substr(0, 16) : "never";
}

TEST(CronTest, TheNextTimeIsTheOneThatAPersonWouldName) {
  struct Row {
    const char *cron, *after, *expected;
  };
  const std::vector<Row> rows = {
      {"* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01"},
      {"* * * * *", "2026-01-01T00:00:59.999Z", "2026-01-01T00:01"},
      {"*/15 * * * *", "2026-01-01T00:14:59Z", "2026-01-01T00:15"},
      {"*/15 * * * *", "2026-01-01T00:45:00Z", "2026-01-01T01:00"},
      {"7 * * * *", "2026-12-31T23:08:00Z", "2027-01-01T00:07"},
      {"30 3 * * *", "2026-01-01T03:30:00Z", "2026-01-02T03:30"},
      {"30 3 * * *", "2026-01-01T03:29:59Z", "2026-01-01T03:30"},
      {"0,20,40 8-18/2 * * *", "2026-01-01T10:40:00Z", "2026-01-01T12:00"},
      {"0,20,40 8-18/2 * * *", "2026-01-01T18:40:00Z", "2026-01-02T08:00"},
      {"15 3 * * mon-fri", "2026-11-27T03:15:00Z", "2026-11-30T03:15"},  // from a Friday to the Monday
      {"0 9 * * FRI-Sun", "2026-11-28T09:00:00Z", "2026-11-29T09:00"},
      {"0 9 * * 7", "2026-11-26T00:00:00Z", "2026-11-29T09:00"},
      {"0 9 * * 0", "2026-11-26T00:00:00Z", "2026-11-29T09:00"},
      {"0 0 31 * *", "2026-03-31T00:00:00Z", "2026-05-31T00:00"},
      {"0 0 29 feb *", "2026-01-01T00:00:00Z", "2028-02-29T00:00"},
      {"0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00"},  // 2100 is no leap year
      {"0 0 30 2 *", "2026-01-01T00:00:00Z", "never"},
      {"0 0 1 jan,JUL *", "2026-01-01T00:00:00Z", "2026-07-01T00:00"},
      // Both days restricted: either will do.
      {"0 0 13 * fri", "2026-11-14T00:00:00Z", "2026-11-20T00:00"},
      {"0 0 13 * fri", "2026-12-11T00:00:00Z", "2026-12-13T00:00"},
      // One that begins with * narrows the other: Mondays with an odd date.
      {"0 0 */2 * mon", "2026-11-02T00:00:00Z", "2026-11-09T00:00"},
      {"\t5   4 * * * ", "2026-01-01T00:00:00Z", "2026-01-01T04:05"},
      {"@hourly", "2026-01-01T00:30:00Z", "2026-01-01T01:00"},
      {"@Daily", "2026-01-01T00:30:00Z", "2026-01-02T00:00"},
      {"@midnight", "2026-01-01T00:30:00Z", "2026-01-02T00:00"},
      {"@weekly", "2026-11-26T00:00:00Z", "2026-11-29T00:00"},
      {"@monthly", "2026-01-01T00:00:00Z", "2026-02-01T00:00"},
      {"@yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00"},
      {"@annually", "2026-06-01T00:00:00Z", "2027-01-01T00:00"},
      {"* * * * *", "1969-12-31T23:59:30Z", "1970-01-01T00:00"},
      {"0 0 1 1 *", "9999-06-01T00:00:00Z", "never"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(next(row.cron, row.after), row.expected) << row.cron << " after " << row.after;
  }
}

TEST(CronTest, AMistakeNamesItsField) {
  struct Row {
    const char *cron, *expected;
  };
  const std::vector<Row> rows = {
      {"60 * * * *", "minute \"60\" is none of 0 to 59"},
      {"-1 * * * *", "minute \"-1\" is none of 0 to 59"},
      {"* 24 * * *", "hour \"24\" is none of 0 to 23"},
      {"* * 0 * *", "day of the month \"0\" is none of 1 to 31"},
      {"* * * 13 *", "month \"13\" is none of 1 to 12 or jan to dec"},
      {"* * * * 8", "day of the week \"8\" is none of 0 to 7 or sun to sat"},
      {"* * * * monday", "day of the week \"monday\" is none of 0 to 7 or sun to sat"},
      {"1,,2 * * * *", "minute \"\" is none of 0 to 59"},
      {"1- * * * *", "minute \"1-\" is none of 0 to 59"},
      {"30-10 * * * *", "minute \"30-10\" runs backwards"},
      {"*/0 * * * *", "minute \"*/0\" has a step that is none of 1 to 59"},
      {"*/x * * * *", "minute \"*/x\" has a step"},
      {"5/10 * * * *", "minute \"5/10\" steps through one value; write 5-59/10"},
      {"99999999999 * * * *", "minute \"99999999999\" is none of 0 to 59"},
      {"* * * *", "has 4 fields; five are needed: minute, hour, day of the month, month, day of the week"},
      {"0 * * * * *", "has 6 fields; five are needed"},
      {"", "has 0 fields"},
      {"@reboot", "\"@reboot\" is unknown; there are @hourly, @daily"},
  };
  for (const Row& row : rows) {
    const auto cron = Cron::parse(row.cron);
    ASSERT_FALSE(cron.ok()) << row.cron;
    EXPECT_EQ(cron.error().code, ErrorCode::InvalidInput);
    EXPECT_THAT(cron.error().message, HasSubstr(row.expected)) << row.cron;
  }
}

TEST(CronTest, EachTimeIsFollowedByTheNextOne) {
  const auto cron = Cron::parse("*/7 */5 * * mon,wed");
  ASSERT_TRUE(cron.ok());
  // 9 minutes past the hour at steps of 7, 5 hours of the day, 2 days of the week, 52 weeks and a Wednesday
  // more.
  int count = 0;
  auto time = cron->next(at("2025-12-31T23:59:59Z"));
  const WallTime end = at("2026-12-31T00:00:00Z");
  while (time && *time < end) {
    ++count;
    const auto following = cron->next(*time);
    ASSERT_TRUE(following && *following > *time);
    time = following;
  }
  EXPECT_EQ(count, 9 * 5 * (2 * 52));
}

}  // namespace
}  // namespace davit

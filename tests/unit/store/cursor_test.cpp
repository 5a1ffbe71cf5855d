#include "host/store/cursor.h"

#include <gtest/gtest.h>

#include <limits>

namespace davit::store {
namespace {

constexpr List kLists[] = {List::Tasks,   List::TasksOldestFirst, List::Waiting,
                           List::Decided, List::Deliveries,       List::Audit};

TEST(CursorTest, LeadsWhereItsListEnded) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  for (const List list : kLists) {
    for (const Place place : {Place{}, Place{1, 0}, Place{1'700'000'000'000, 12}, Place{kMost, kMost}}) {
      const auto found = place_of(list, cursor_to(list, place));
      ASSERT_TRUE(found.ok());
      EXPECT_EQ(found->first, place.first);
      EXPECT_EQ(found->second, place.second);
    }
  }
  EXPECT_EQ(row_before(List::Tasks, "").value(), kMost);
  EXPECT_EQ(row_before(List::Tasks, cursor_to(List::Tasks, {7})).value(), 7);
}

TEST(CursorTest, OfAnotherListItIsRefused) {
  for (const List of : kLists)
    for (const List in : kLists) EXPECT_EQ(place_of(in, cursor_to(of, {1234, 5})).ok(), of == in);
}

TEST(CursorTest, CutOrChangedItIsRefused) {
  const std::string cursor = cursor_to(List::Tasks, {123'456});
  for (std::size_t size = 0; size < cursor.size(); ++size)
    EXPECT_FALSE(place_of(List::Tasks, cursor.substr(0, size)).ok()) << cursor.substr(0, size);
  for (std::size_t at = 0; at < cursor.size(); ++at) {
    std::string changed = cursor;
    changed[at] = changed[at] == '1' ? '2' : '1';
    EXPECT_FALSE(place_of(List::Tasks, changed).ok()) << changed;
  }
  for (const char* none : {"-", "--", "---", "t", "t-", "t--", "t1", "123456", "t-1-0-ffff",
                           "t99999999999999999999-0-0000", "t 1-0-0000", "T1-0-0000"})
    EXPECT_FALSE(place_of(List::Tasks, none).ok()) << none;
  for (const std::string& more : {cursor + "0", " " + cursor, cursor + " ", cursor + std::string(1, '\0')})
    EXPECT_FALSE(place_of(List::Tasks, more).ok()) << more;
}

}  // namespace
}  // namespace davit::store

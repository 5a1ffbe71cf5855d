#include "host/http/query.h"

#include <gtest/gtest.h>

namespace davit::http {
namespace {

Query parsed(std::string_view text) {
  auto query = Query::parse(text);
  EXPECT_TRUE(query.ok()) << text;
  return query.ok() ? std::move(*query) : Query();
}

TEST(QueryTest, DecodesNamesAndValues) {
  Query query = parsed("q=a+b%20c%2F&agent=x&empty=&flag");
  EXPECT_EQ(query.text("q"), "a b c/");
  EXPECT_EQ(query.text("agent"), "x");
  EXPECT_EQ(query.text("empty"), "");
  EXPECT_EQ(query.text("flag"), "");
  EXPECT_EQ(query.text("absent"), "");
}

TEST(QueryTest, DecodesAnEscapeAtTheVeryEnd) { EXPECT_EQ(parsed("q=%41").text("q"), "A"); }

TEST(QueryTest, RefusesBrokenEscapesAndBadUtf8) {
  for (const char* bad : {"%=1", "%ff=1", "Q=%ff", "=%"}) EXPECT_FALSE(Query::parse(bad).ok()) << bad;
}

TEST(QueryTest, ABrokenValueIsNamedWithAllElseThatIsWrong) {
  for (const char* bad : {"q=%", "q=%4", "q=%zz", "q=a%2", "q=%ff"}) {
    Query query = parsed(std::string("limit=0&") + bad);
    query.whole_number("limit", 50, 1, 500);
    ASSERT_EQ(query.errors().size(), 2u) << bad;
    EXPECT_EQ(query.errors()[0].field, "q") << bad;
    EXPECT_EQ(query.errors()[0].message.find("the value "), 0u) << query.errors()[0].message;
    EXPECT_EQ(query.errors()[1].field, "limit") << bad;
    EXPECT_EQ(query.text("q"), "") << bad;
  }
}

TEST(QueryTest, ReadsNumbersInsideTheirBounds) {
  Query query = parsed("limit=500");
  EXPECT_EQ(query.whole_number("limit", 50, 1, 500), 500);
  EXPECT_EQ(query.whole_number("absent", 50, 1, 500), 50);
  EXPECT_TRUE(query.errors().empty());
}

TEST(QueryTest, NamesTheNumberThatIsWrong) {
  for (const char* bad :
       {"limit=501", "limit=0", "limit=-1", "limit=5x", "limit=%205", "limit=99999999999999"}) {
    Query query = parsed(bad);
    EXPECT_EQ(query.whole_number("limit", 50, 1, 500), 50);
    ASSERT_EQ(query.errors().size(), 1u) << bad;
    EXPECT_EQ(query.errors()[0].field, "limit");
    EXPECT_EQ(query.errors()[0].message, "must be a whole number from 1 to 500");
  }
}

TEST(QueryTest, ATimeThatItsOffsetCarriesOutOfTheYearsIsWrong) {
  Query query = parsed("start_date=9999-12-31T23:59:00-00:01&end_date=0000-01-01T00:00:00%2B00:01");
  EXPECT_FALSE(query.time("start_date").has_value());
  EXPECT_FALSE(query.time("end_date").has_value());
  EXPECT_EQ(query.errors().size(), 2u);
  EXPECT_TRUE(parsed("start_date=9999-12-31T23:59:59.999Z").time("start_date").has_value());
}

TEST(QueryTest, APlusBeforeAZoneMayStandAsItIs) {
  for (const std::string zone : {"+01:00", "%2B01:00", "+0100", "%20" "01:00"}) {
    Query query = parsed("start_date=2026-01-31T12:00:00" + zone);
    const auto time = query.time("start_date");
    ASSERT_TRUE(time.has_value()) << zone;
    EXPECT_EQ(to_iso8601(*time), "2026-01-31T11:00:00.000Z") << zone;
  }
  // Without a T it stands between date and time.
  EXPECT_EQ(to_iso8601(parsed("start_date=2026-01-31+12:00:00Z").time("start_date").value()),
            "2026-01-31T12:00:00.000Z");
  for (const std::string wrong : {"2026-01-31T+12:00:00Z", "2026-01-31T12:00:00++01:00", "2026-01-31T12:00:00Z+", "+T", "T+"})
    EXPECT_FALSE(parsed("start_date=" + wrong).time("start_date").has_value()) << wrong;
}

TEST(QueryTest, ReadsTimesAndNamesTheOneThatIsWrong) {
  Query query = parsed("start_date=2026-01-02&end_date=yesterday");
  EXPECT_EQ(to_iso8601(query.time("start_date").value()), "2026-01-02T00:00:00.000Z");
  EXPECT_FALSE(query.time("end_date").has_value());
  ASSERT_EQ(query.errors().size(), 1u);
  EXPECT_EQ(query.errors()[0].field, "end_date");
}

TEST(QueryTest, RefusesParametersThatDoNotExist) {
  Query query = parsed("limit=5&limt=6");
  query.allow_only({"limit"});
  ASSERT_EQ(query.errors().size(), 1u);
  EXPECT_EQ(query.errors()[0].field, "limt");
}

TEST(QueryTest, RefusesAParameterThatIsGivenTwice) {
  Query query = parsed("limit=5&agent=a&limit=6&status=failed&status=parked");
  query.allow_only({"limit", "agent"}, {"status"});
  ASSERT_EQ(query.errors().size(), 1u);
  EXPECT_EQ(query.errors()[0].field, "limit");
  EXPECT_EQ(query.errors()[0].message, "is given more than once");
}

TEST(QueryTest, SeveralValuesComeApartOrWithCommas) {
  const Query query = parsed("status=failed,parked&agent=x&status=&status=,running,,");
  EXPECT_EQ(query.texts("status"), (std::vector<std::string>{"failed", "parked", "running"}));
  EXPECT_TRUE(query.texts("absent").empty());
}

}  // namespace
}  // namespace davit::http

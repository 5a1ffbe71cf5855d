// What every route answers to what nobody expects, and where its answers lead on to.
#include "host/http/answers.h"

#include <gmock/gmock.h>

#include "host/base/json.h"
#include "tests/support/route_parts.h"

namespace davit::http {
namespace {

using testing::header_of;
using testing::TestedRoutes;

class AnswersTest : public ::testing::Test {
 protected:
  Response ask(const std::string& method, const std::string& path, const std::string& query,
               const std::string& body) {
    return parts_.ask(
        {method, path, query, body, {{"Authorization", std::string("Bearer ") + TestedRoutes::kAdmin}}});
  }
  TestedRoutes parts_;
};

TEST_F(AnswersTest, AMemberThatIsTooLongToBeNamedIsCutBetweenCharacters) {
  const std::string name = std::string(63, 'a') + "\xc3\xa9";
  int refused = 0;
  for (const Route& route : parts_.routes()) {
    if (!route.pattern.starts_with("/api/") || route.operation == "streamEvents") continue;
    std::string path = route.pattern;
    for (std::size_t at; (at = path.find("{}")) != std::string::npos;) path.replace(at, 2, "x");
    const bool looks = route.method == "GET";
    const Response answer =
        ask(route.method, path, looks ? name + "=1" : "", looks ? "" : "{\"" + name + "\":1}");
    EXPECT_TRUE(check_json(answer.body).ok()) << route.method << " " << path << " " << answer.body;
    refused += answer.body.find("\"" + std::string(63, 'a') + "\"") != std::string::npos;
  }
  EXPECT_GT(refused, 20) << "and it is told";
}

TEST_F(AnswersTest, ATimeThatIsTooLongToBeShownIsCutBetweenCharacters) {
  const Response answer =
      ask("GET", "/api/dashboard/tasks", "start_date=" + std::string(63, 'a') + "%C3%A9", "");
  EXPECT_EQ(answer.status, 400);
  EXPECT_TRUE(check_json(answer.body).ok()) << answer.body;
}

TEST_F(AnswersTest, ALinkLeadsToTheNextPartWhateverTheQueryHolds) {
  for (const char* title : {"fix one", "fix two"}) {
    NewTask task;
    task.agent = "worker";
    task.title = title;
    ASSERT_TRUE(testing::wait<std::string>([&](auto done) {
                  parts_.store().create_task(task, "api", std::nullopt, done);
                }).ok());
  }
  const Response part = ask("GET", "/api/dashboard/tasks.csv", "limit=1&%63ursor=&&q=<fix>", "");
  const std::string link = header_of(part, "Link");
  ASSERT_THAT(link,
              ::testing::MatchesRegex("</api/dashboard/tasks\\.csv\\?limit=1&q=%3Cfix%3E&cursor=[^<>]+>; "
                                      "rel=\"next\""));
  const std::size_t query = link.find('?') + 1;
  const Response next =
      ask("GET", "/api/dashboard/tasks.csv", link.substr(query, link.find('>') - query), "");
  EXPECT_EQ(next.status, 200) << next.body;
  EXPECT_THAT(next.body, ::testing::HasSubstr("\"fix one\""));
  EXPECT_EQ(header_of(next, "Link"), "");
}

}  // namespace
}  // namespace davit::http

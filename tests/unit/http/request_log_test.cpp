// What the log is told of requests, by what comes of them.
#include <gmock/gmock.h>

#include <mutex>
#include <sstream>
#include <stdexcept>

#include "host/store/database.h"
#include "tests/support/route_parts.h"

namespace davit::http {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using testing::TestedRoutes;

class RequestLogTest : public ::testing::Test {
 protected:
  void start(LogLevel level) {
    parts_.emplace(Log::forwarding(level, [this](LogLevel of, std::string_view line) {
      const std::lock_guard lock(mutex_);
      lines_.push_back((of == LogLevel::Error ? "error " : of == LogLevel::Debug ? "debug " : "") + std::string(line));
    }));
    (void)told();
  }
  // Since it was asked last; only what is about a request, whose id is kept in `ids_` and is "request" in the lines.
  std::vector<std::string> told() {
    constexpr std::string_view kMember = " request=";
    constexpr std::size_t kIdSize = 36;
    const std::lock_guard lock(mutex_);
    std::vector<std::string> about;
    ids_.clear();
    for (std::string line : std::exchange(lines_, {})) {
      const std::size_t at = line.find(kMember);
      if (at == std::string::npos) continue;
      ids_.push_back(line.substr(at + kMember.size(), kIdSize));
      about.push_back(line.replace(at + kMember.size(), kIdSize, "request"));
    }
    return about;
  }
  Response ask(const std::string& method, const std::string& path, const std::string& body = "",
               const char* token = TestedRoutes::kAdmin) {
    return parts_->ask({method, path, "", body, {{"Authorization", std::string("Bearer ") + token}}});
  }
  void damage(const std::string& sql) {
    auto opened = store::Database::open(parts_->database().path(), store::Database::Mode::Write, {});
    auto& database = std::get<std::unique_ptr<store::Database>>(opened);
    database->execute(sql.c_str());
    ASSERT_FALSE(database->failed());
  }

  std::mutex mutex_;
  std::vector<std::string> lines_, ids_;
  std::optional<TestedRoutes> parts_;
};

TEST_F(RequestLogTest, WhatFailsHasOneLineWithTheReasonThatTheAnswerKeepsBack) {
  start(LogLevel::Info);
  damage("ALTER TABLE audit RENAME TO audit_x");
  const Response read = ask("GET", "/api/dashboard/audit");
  EXPECT_EQ(read.status, 500);
  EXPECT_THAT(read.body, Not(HasSubstr("no such table")));
  EXPECT_THAT(told(), ElementsAre(AllOf(HasSubstr("error A request failed request=request"),
                                        HasSubstr("route=\"GET /api/dashboard/audit\""), HasSubstr("status=500"),
                                        HasSubstr("no such table: audit"))));
  ASSERT_THAT(ids_, SizeIs(1));
  EXPECT_THAT(read.body, HasSubstr("\"request_id\":\"" + ids_.front() + "\""));
  EXPECT_EQ(ask("POST", "/api/queue/pause", "{}").status, 500);
  EXPECT_THAT(told(), ElementsAre(AllOf(HasSubstr("error A request failed request=request"),
                                        HasSubstr("route=\"POST /api/queue/pause\""), HasSubstr("no such table"))));
  const Result<> health = parts_->store().health();
  ASSERT_FALSE(health.ok());
  EXPECT_THAT(health.error().message, AllOf(HasSubstr("a write failed"), HasSubstr("no such table")));
  damage("ALTER TABLE audit_x RENAME TO audit");
  EXPECT_EQ(ask("POST", "/api/queue/pause", "{}").status, 200);
  parts_->clock().advance(Duration(60'000));
  EXPECT_TRUE(parts_->store().health().ok());
}

TEST_F(RequestLogTest, AWriteThatIsRefusedForWhatItBringsIsNoTroubleOfTheStores) {
  start(LogLevel::Info);
  EXPECT_EQ(ask("POST", "/api/tokens", R"({"name":"ada","role":"admin"})").status, 201);
  EXPECT_EQ(ask("POST", "/api/tokens", R"({"name":"ada","role":"admin"})").status, 409);
  EXPECT_TRUE(parts_->store().health().ok());
}

TEST_F(RequestLogTest, AFloodOfFailuresIsCounted) {
  start(LogLevel::Info);
  damage("ALTER TABLE audit RENAME TO audit_x");
  for (int i = 0; i < RequestLog::kFailuresAtOnce + 30; ++i) ask("GET", "/api/dashboard/audit");
  EXPECT_THAT(told(), AllOf(SizeIs(RequestLog::kFailuresAtOnce), Each(Not(HasSubstr("unlogged")))));
  parts_->clock().advance(RequestLog::kFailuresEach);
  ask("GET", "/api/dashboard/audit");
  EXPECT_THAT(told(), ElementsAre(HasSubstr("unlogged=30")));
}

TEST_F(RequestLogTest, WhoThrowsIsToldOfOnce) {
  start(LogLevel::Debug);
  for (const Thread thread : {Thread::Worker, Thread::Io}) {
    Route route{"GET", "/fails", Access::Reader, thread,
                [](Exchange) { throw std::runtime_error("nobody thought of it"); }, "fail"};
    const Router router = parts_->router({route});
    const TestedRoutes::Asked asked{
        "GET", "/fails", "", "", {{"Authorization", std::string("Bearer ") + TestedRoutes::kReader}}};
    if (thread == Thread::Io) {
      EXPECT_THROW((void)parts_->first_of(asked, router), std::runtime_error) << "the connection tells of it";
      EXPECT_THAT(told(), IsEmpty());
    } else {
      ASSERT_TRUE(parts_->first_of(asked, router));
      std::vector<std::string> lines;
      while (lines.empty()) lines = told();  // behind the answer
      EXPECT_THAT(lines, ElementsAre(HasSubstr("error A request failed request=request route=\"GET /fails\" "
                                               "status=500 reason=\"nobody thought of it\"")));
    }
  }
}

TEST_F(RequestLogTest, WhoGivesNoAnswerIsToldOf) {
  start(LogLevel::Info);
  const Router router = parts_->router({{"GET", "/drops", Access::Public, Thread::Io, [](Exchange) {}, "drop"}});
  ASSERT_TRUE(parts_->first_of({"GET", "/drops", "", "", {}}, router));
  EXPECT_THAT(told(), ElementsAre(AllOf(HasSubstr("error A request failed"), HasSubstr("without an answer"))));
}

TEST_F(RequestLogTest, EachRefusedRequestHasALineAtDebugAndNoneOtherwise) {
  struct Row {
    int status;
    const char *method, *path, *body, *token;
  };
  const Row rows[] = {
      {400, "POST", "/api/tasks", "{", TestedRoutes::kAdmin},
      {401, "GET", "/api/dashboard/tasks", "", "wrong-token-00000"},
      {403, "POST", "/api/queue/pause", "{}", TestedRoutes::kReader},
      {404, "GET", "/api/dashboard/tasks/0190aaaa-0000-7000-8000-000000000000", "", TestedRoutes::kAdmin},
      {404, "GET", "/api/nothing", "", TestedRoutes::kAdmin},
      {404, "POST", "/webhooks/nope", "{}", TestedRoutes::kAdmin},
      {405, "PUT", "/api/tasks", "{}", TestedRoutes::kAdmin},
      {409, "DELETE", "/api/session", "", TestedRoutes::kAdmin},
  };
  start(LogLevel::Debug);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.path);
    EXPECT_EQ(ask(row.method, row.path, row.body, row.token).status, row.status);
    EXPECT_THAT(told(),
                ElementsAre(AllOf(HasSubstr("debug A request was refused request=request"),
                                  HasSubstr(std::string("method=") + row.method),
                                  HasSubstr(std::string("path=") + row.path),
                                  HasSubstr("status=" + std::to_string(row.status)), Not(HasSubstr("reason=\"\"")),
                                  HasSubstr("reason="), Not(HasSubstr("wrong-token-00000")))));
  }
  parts_.reset();
  start(LogLevel::Info);
  for (const Row& row : rows) ask(row.method, row.path, row.body, row.token);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(RequestLogTest, EachAnswerIsCountedOnceByItsRouteAndStatus) {
  for (const LogLevel level : {LogLevel::Info, LogLevel::Debug}) {
    start(level);
    EXPECT_EQ(ask("GET", "/api/dashboard/overview").status, 200);
    EXPECT_EQ(ask("HEAD", "/api/dashboard/overview").status, 200);
    EXPECT_EQ(ask("GET", "/api/dashboard/tasks").status, 200);
    EXPECT_EQ(ask("GET", "/nothing").status, 404);
    EXPECT_EQ(ask("PUT", "/api/reload").status, 405);
    EXPECT_EQ(ask("GET", "/api/dashboard/tasks", "", "a-wrong-token-of-some-length").status, 401);
    EXPECT_EQ(ask("GET", "/api/dashboard/tasks/no-id").status, 404);
    EXPECT_EQ(ask("POST", "/api/tokens", R"({"name":"ada","role":"admin"})").status, 201);
    EXPECT_EQ(ask("POST", "/api/tokens", R"({"name":"ada","role":"admin"})").status, 409);
    damage("ALTER TABLE audit RENAME TO audit_x");
    EXPECT_EQ(ask("GET", "/api/dashboard/audit").status, 500);
    std::vector<std::string> counted;
    std::istringstream lines(parts_->metrics().exposition());
    for (std::string text; std::getline(lines, text);)
      if (text.starts_with("davit_http_requests_total{")) counted.push_back(text.substr(text.find('{')));
    EXPECT_THAT(counted, UnorderedElementsAre(
                             R"({route="/api/dashboard/overview",code="200"} 2)",
                             R"({route="/api/dashboard/tasks",code="200"} 1)", R"({route="unknown",code="404"} 1)",
                             R"({route="unknown",code="405"} 1)", R"({route="/api/dashboard/tasks",code="401"} 1)",
                             R"({route="/api/dashboard/tasks/{}",code="404"} 1)",
                             R"({route="/api/tokens",code="201"} 1)", R"({route="/api/tokens",code="409"} 1)",
                             R"({route="/api/dashboard/audit",code="500"} 1)"));
  }
}

TEST_F(RequestLogTest, WhatIsAskedForIsToldAtDebugAndWhatIsDoneAtInfo) {
  start(LogLevel::Debug);
  EXPECT_EQ(ask("GET", "/api/dashboard/tasks").status, 200);
  EXPECT_THAT(told(), ElementsAre(AllOf(HasSubstr("debug A request was answered request=request method=GET"),
                                        HasSubstr("route=\"GET /api/dashboard/tasks\""), HasSubstr("status=200"),
                                        HasSubstr("micros="), HasSubstr("actor=admin"))));
  EXPECT_EQ(ask("POST", "/api/tokens", R"({"name":"ada","role":"admin"})").status, 201);
  EXPECT_THAT(told(), ElementsAre("An act was done request=request operation=createToken object=ada actor=admin "
                                  "way=token status=201"));
  EXPECT_EQ(ask("POST", "/api/tokens/ada/revoke").status, 200);
  EXPECT_THAT(told(), ElementsAre(HasSubstr("operation=revokeToken object=ada actor=admin")));
  EXPECT_EQ(ask("POST", "/api/reload").status, 200);
  EXPECT_THAT(told(), ElementsAre(HasSubstr("operation=reload")));
  const Response in = parts_->ask({"POST", "/api/session", "", R"({"token":"the-reader-token-1"})",
                                   {{"Content-Type", "application/json"}}});
  EXPECT_EQ(in.status, 200);
  EXPECT_THAT(told(), AllOf(Contains("Somebody signed in request=request actor=reader address=198.51.100.7"),
                            Each(Not(HasSubstr("the-reader-token-1")))));
}

TEST_F(RequestLogTest, ThatAPartIsNotReadyIsAnAnswerAndNoFailure) {
  start(LogLevel::Info);
  const Router router = parts_->router(operations_routes(
      [] { return std::vector<PartHealth>{{"disk", "is full"}}; }, parts_->metrics(), Access::Public));
  const auto mail = parts_->first_of({"GET", "/readyz", "", "", {}}, router);
  ASSERT_TRUE(mail);
  EXPECT_EQ(std::get<Response>(mail->content).status, 503);
  EXPECT_THAT(told(), IsEmpty());
}

}  // namespace
}  // namespace davit::http

// What is answered for the files of the dashboard, and for paths that are none.
#include "host/http/dashboard_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "host/base/id.h"
#include "host/http/mailbox.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_database.h"

namespace davit::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr DashboardFile kFiles[] = {
    {"index.html", "text/html; charset=utf-8", "aaaa", "<!doctype html><title>x</title>", "packed page"},
    {"assets/index-1.js", "text/javascript; charset=utf-8", "bbbb", "let x = 1;", "packed script"},
    {"assets/icon-2.svg", "image/svg+xml", "cccc", "<svg/>", ""},
};

class DashboardFilesTest : public ::testing::Test {
 protected:
  // What the routes answer to a GET, or nothing where none of them takes the path.
  std::optional<Response> get(std::string_view path, std::vector<Header> headers = {},
                              std::span<const DashboardFile> files = kFiles) {
    auto mailbox = std::make_shared<Mailbox>();
    Workers workers(1, 4);
    metrics::Metrics metrics("test");
    auto log = Log::open({});
    RequestLog request_log(metrics, **log, clock_);
    Router router(dashboard_file_routes(files), *nobody_, audit_, workers, request_log, {});
    Request request;
    request.request_id = new_id();
    request.method = "GET";
    request.path = path;
    request.headers = std::move(headers);
    router.handle(std::move(request), Responder(mailbox, {}, "request", 0));
    std::vector<Mail> mail;
    mailbox->take_or_sleep(mail);
    if (mail.size() != 1) return std::nullopt;
    return std::get<Response>(std::move(mail.front().content));
  }
  static std::string header(const Response& response, std::string_view name) {
    for (const auto& [each, value] : response.headers)
      if (each == name) return value;
    return "";
  }
  const testing::FakeClock clock_;
  testing::TempDatabase database_{clock_};
  std::unique_ptr<Authentication> nobody_ = Authentication::load({}, {}, database_.store(), clock_).value();
  AuditLog audit_{database_.store(), clock_, {}};
};

TEST_F(DashboardFilesTest, EachPageOfTheDashboardGivesTheSameFileAskedForAnewEachTime) {
  for (const char* path : {"/", "/tasks", "/tasks/0b5c", "/approvals", "/agents", "/costs", "/plugins",
                           "/deliveries", "/deliveries/0b5c", "/audit"}) {
    const auto answer = get(path);
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 200) << path;
    EXPECT_EQ(answer->body, kFiles[0].plain) << path;
    EXPECT_EQ(answer->content_type, "text/html; charset=utf-8");
    EXPECT_EQ(header(*answer, "Cache-Control"), "no-cache");
  }
}

TEST_F(DashboardFilesTest, APageMayRunNothingButFilesOfThisHost) {
  const std::string policy = header(*get("/"), "Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("default-src 'self'"));
  EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
  EXPECT_THAT(policy, HasSubstr("object-src 'none'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
}

TEST_F(DashboardFilesTest, AFileWhoseNameIsItsContentIsKeptForEver) {
  const auto answer = get("/assets/index-1.js");
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(answer->body, "let x = 1;");
  EXPECT_EQ(header(*answer, "Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(header(*answer, "ETag"), "\"bbbb\"");
}

TEST_F(DashboardFilesTest, OnlyWhoTakesGzipGetsIt) {
  struct Row {
    const char* accepted;
    bool packed;
  };
  const Row rows[] = {
      {"gzip", true},
      {"gzip, deflate, br", true},
      {"br;q=1.0, GZIP;q=0.8", true},
      {"gzip;q=0", false},
      {"gzip;q=0.000, br", false},
      {"gzip ; q=0.001", true},
      {"identity", false},
      {"", false},
      {"*", false},
      {"x-gzip-not", false},
      {",,;;,", false},
      {"gzip;q=0, gzip", false},
  };
  for (const Row& row : rows) {
    const auto answer = get("/assets/index-1.js", {{"Accept-Encoding", row.accepted}});
    EXPECT_EQ(answer->body, row.packed ? "packed script" : "let x = 1;") << row.accepted;
    EXPECT_EQ(header(*answer, "Content-Encoding"), row.packed ? "gzip" : "") << row.accepted;
    EXPECT_EQ(header(*answer, "Vary"), "Accept-Encoding") << row.accepted;
  }
  const auto small = get("/assets/icon-2.svg", {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(small->body, "<svg/>");
  EXPECT_EQ(header(*small, "Content-Encoding"), "");
}

TEST_F(DashboardFilesTest, WhoHasTheFileIsToldSo) {
  for (const char* tags : {"\"bbbb\"", "W/\"bbbb\"", "\"x\", \"bbbb\"", "*"}) {
    const auto answer = get("/assets/index-1.js", {{"If-None-Match", tags}});
    EXPECT_EQ(answer->status, 304) << tags;
    EXPECT_EQ(answer->body, "") << tags;
    EXPECT_EQ(header(*answer, "ETag"), "\"bbbb\"") << tags;
  }
  for (const char* tags : {"\"bbb\"", "bbbb", "\"aaaa\"", ""})
    EXPECT_EQ(get("/assets/index-1.js", {{"If-None-Match", tags}})->status, 200) << tags;
}

TEST_F(DashboardFilesTest, ThePackedFileHasATagOfItsOwn) {
  const std::vector<Header> both{{"Accept-Encoding", "gzip"}, {"If-None-Match", "\"bbbb\""}};
  EXPECT_EQ(get("/assets/index-1.js", both)->status, 200);
  EXPECT_EQ(header(*get("/assets/index-1.js", both), "ETag"), "\"bbbb-gzip\"");
}

TEST_F(DashboardFilesTest, NoSpellingReachesAnythingElse) {
  for (const char* path :
       {"/assets/", "/assets/none.js", "/assets/../index.html", "/assets/..%2findex.html", "/assets/%2e%2e/x",
        "/assets//index-1.js", "/assets/index-1.js/", "/assets/index-1.js%00", "/assets/assets/index-1.js",
        "/index.html", "/tasks/", "/tasks/a/b", "/Tasks", "//", "/etc/passwd", "/../../etc/passwd",
        "/api/nothing"}) {
    const auto answer = get(path);
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 404) << path;
    EXPECT_EQ(answer->content_type, "application/problem+json") << path;
  }
}

TEST_F(DashboardFilesTest, WithoutADashboardTheFirstPageSaysHowToGetIt) {
  const auto answer = get("/", {}, {});
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->body, HasSubstr("built without its dashboard"));
  EXPECT_THAT(answer->body, HasSubstr("Node.js 20.19"));
  EXPECT_EQ(get("/tasks", {}, {})->status, 404);
}

}  // namespace
}  // namespace davit::http

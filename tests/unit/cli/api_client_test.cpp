#include "host/cli/api_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/http_responder.h"

namespace davit::cli {
namespace {

using davit::testing::CannedAnswer;
using davit::testing::HttpResponder;
using davit::testing::SeenRequest;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kToken = "davit_0123456789abcdef";

ApiClient client_for(const HttpResponder& responder, const std::string& token = kToken) {
  return *ApiClient::create(responder.url(), token);
}

// A port that nobody listens on: bound, and free again.
int free_port() {
  HttpResponder gone([](const SeenRequest&) { return CannedAnswer{}; });
  return gone.port();
}

TEST(ApiClientTest, SendsTheTokenAsABearer) {
  HttpResponder host([](const SeenRequest&) { return CannedAnswer{200, R"({"ok":true})"}; });
  const auto answer = client_for(host).get("/api/dashboard/tasks?limit=1");
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_TRUE(bool_member(*answer, "ok"));
  const SeenRequest seen = host.seen().at(0);
  EXPECT_EQ(seen.method, "GET");
  EXPECT_EQ(seen.target, "/api/dashboard/tasks?limit=1");
  EXPECT_EQ(seen.header("Authorization"), std::string("Bearer ") + kToken);
}

TEST(ApiClientTest, WithoutATokenSendsNoAuthorization) {
  HttpResponder host([](const SeenRequest&) { return CannedAnswer{}; });
  ASSERT_TRUE(client_for(host, "").get("/").ok());
  EXPECT_THAT(host.seen().at(0).head, Not(HasSubstr("Authorization")));
}

TEST(ApiClientTest, PostsJson) {
  HttpResponder host([](const SeenRequest&) { return CannedAnswer{201, R"({"task_id":"x"})"}; });
  ASSERT_TRUE(client_for(host).post("/api/tasks", R"({"agent":"a"})").ok());
  const SeenRequest seen = host.seen().at(0);
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.header("Content-Type"), "application/json");
  EXPECT_EQ(seen.body, R"({"agent":"a"})");
}

TEST(ApiClientTest, BodiesAreBytes) {
  HttpResponder host([](const SeenRequest&) { return CannedAnswer{}; });
  const std::string body("a\0b\xff\n", 5);
  ASSERT_TRUE(client_for(host).request("POST", "/webhooks/x", {{"X-Empty", ""}}, body).ok());
  EXPECT_EQ(host.seen().at(0).body, body);
  EXPECT_THAT(host.seen().at(0).head, HasSubstr("X-Empty:"));
}

TEST(ApiClientTest, NobodyThereIsUnavailableAndSaysHowToStart) {
  const auto client = ApiClient::create("http://127.0.0.1:" + std::to_string(free_port()), kToken);
  const auto answer = client->get("/");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("start it with `davit serve`"));
}

TEST(ApiClientTest, AProblemDocumentGivesItsSentence) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{
        409, R"({"title":"Conflict","status":409,"detail":"the task is completed and cannot be cancelled"})"};
  });
  const auto answer = client_for(host).post("/api/tasks/x/cancel", "{}");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::Conflict);
  EXPECT_EQ(answer.error().message, "the task is completed and cannot be cancelled");
}

TEST(ApiClientTest, FieldErrorsAreAllTold) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{400, R"({"detail":"a: b","errors":[{"field":"agent","detail":"is required"},
                                 {"field":"priority","detail":"must be a number"}]})"};
  });
  EXPECT_EQ(client_for(host).post("/api/tasks", "{}").error().message,
            "agent: is required; priority: must be a number");
}

TEST(ApiClientTest, AnOverloadedHostIsNotAnAbsentOne) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{503, R"({"detail":"too many writes wait"})"};
  });
  EXPECT_EQ(client_for(host).get("/").error().code, ErrorCode::Overloaded);
}

TEST(ApiClientTest, ARefusedTokenIsNeverRepeated) {
  HttpResponder host([](const SeenRequest& request) { return CannedAnswer{401, request.head}; });
  const auto answer = client_for(host).get("/");
  EXPECT_EQ(answer.error().code, ErrorCode::Unauthorized);
  EXPECT_THAT(answer.error().message, HasSubstr("DAVIT_ADMIN_TOKEN"));
  EXPECT_THAT(answer.error().message, Not(HasSubstr(kToken)));
}

TEST(ApiClientTest, SomethingElseOnThePortIsSaid) {
  HttpResponder page([](const SeenRequest&) { return CannedAnswer{200, "<html>hello</html>"}; });
  EXPECT_THAT(client_for(page).get("/").error().message, HasSubstr("does not answer as a davit does"));
  HttpResponder other([](const SeenRequest&) { return CannedAnswer{418, "teapot"}; });
  EXPECT_THAT(client_for(other).get("/").error().message, HasSubstr("is it a davit?"));
}

TEST(ApiClientTest, ATokenDoesNotCrossTheNetworkInTheClear) {
  EXPECT_THAT(ApiClient::create("http://davit.example:8080", kToken).error().message,
              HasSubstr("in the clear"));
  EXPECT_TRUE(ApiClient::create("https://davit.example", kToken).ok());
  EXPECT_TRUE(ApiClient::create("http://davit.example:8080", "").ok());
}

TEST(ApiClientTest, RefusesWhatIsNoUrl) {
  for (const char* url :
       {"", "127.0.0.1:x", "ftp://127.0.0.1", "file:///etc/passwd", "http://", "http://u:p@127.0.0.1"})
    EXPECT_FALSE(ApiClient::create(url, "").ok()) << url;
}

TEST(ApiClientTest, RefusesLineBreaksInHeadersAndTokens) {
  HttpResponder host([](const SeenRequest&) { return CannedAnswer{}; });
  EXPECT_FALSE(client_for(host).request("POST", "/", {{"X-A", "b\r\nX-C: d"}}, "").ok());
  EXPECT_FALSE(ApiClient::create(host.url(), "a\nb").ok());
}

TEST(ApiClientTest, EncodesQueries) {
  EXPECT_EQ(with_query("/t", {{"a", "x y"}, {"empty", ""}, {"b", "ü&="}}), "/t?a=x%20y&b=%C3%BC%26%3D");
  EXPECT_EQ(percent_encoded("../a?b"), "..%2Fa%3Fb");
}

}  // namespace
}  // namespace davit::cli

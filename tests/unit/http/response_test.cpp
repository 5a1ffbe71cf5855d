#include "host/http/response.h"

#include <gtest/gtest.h>

#include "host/base/json.h"
#include "host/http/error_response.h"

namespace davit::http {
namespace {

std::string head_of(const Response& response, Persistence persistence, std::optional<std::size_t> length) {
  std::string out;
  append_head(out, response, "id-1", "Tue, 03 Feb 2026 08:41:37 GMT", persistence, length);
  return out;
}

TEST(ResponseTest, SaysKeepAliveAndItsLength) {
  Response response;
  response.status = 202;
  EXPECT_EQ(head_of(response, Persistence::KeepAlive, 7),
            "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 7\r\n"
            "Connection: keep-alive\r\nDate: Tue, 03 Feb 2026 08:41:37 GMT\r\nX-Request-Id: id-1\r\nX-Content-Type-Options: nosniff\r\n"
            "Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n"
            "Cross-Origin-Opener-Policy: same-origin\r\nContent-Security-Policy: default-src 'none'; "
            "frame-ancestors 'none'; base-uri 'none'\r\nCache-Control: no-store\r\n\r\n");
}

TEST(ResponseTest, AnAnswerMayChooseItsPolicyAndHowLongItIsKeptButNoneOfTheRest) {
  Response response;
  response.headers = {{"content-security-policy", "default-src 'self'"},
                      {"cache-control", "no-cache"},
                      {"Referrer-Policy", "unsafe-url"},
                      {"Cross-Origin-Resource-Policy", "cross-origin"},
                      {"Cross-Origin-Opener-Policy", "unsafe-none"}};
  const auto head = head_of(response, Persistence::KeepAlive, 0);
  EXPECT_NE(head.find("content-security-policy: default-src 'self'"), std::string::npos);
  EXPECT_EQ(head.find("default-src 'none'"), std::string::npos);
  EXPECT_NE(head.find("cache-control: no-cache"), std::string::npos);
  for (const char* absent : {"no-store", "unsafe-url", "cross-origin", "unsafe-none"})
    EXPECT_EQ(head.find(absent), std::string::npos) << absent;
}

TEST(ResponseTest, TheDateIsThatOfTheSecond) {
  HttpDate date;
  EXPECT_EQ(date.at(WallTime{}), "Thu, 01 Jan 1970 00:00:00 GMT");
  // The example of RFC 9110, section 5.6.7.
  EXPECT_EQ(date.at(WallTime(Duration(784'111'777'999))), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(WallTime(Duration(784'111'777'000))), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(WallTime(Duration(1'709'251'199'000))), "Thu, 29 Feb 2024 23:59:59 GMT");
  EXPECT_EQ(date.at(WallTime(Duration(-1))), "Wed, 31 Dec 1969 23:59:59 GMT");
}

TEST(ResponseTest, NobodyElsesPageMayReadAnAnswer) {
  EXPECT_EQ(head_of({}, Persistence::KeepAlive, 0).find("Access-Control-"), std::string::npos);
}

TEST(ResponseTest, NoHeaderValueCanEndItsLine) {
  Response response;
  response.content_type = "text/plain\r\nX-Evil: 1";
  response.headers = {
      {"X-A", "a\r\nSet-Cookie: x"}, {"X B", "bad name"}, {"X-C\r\nX-D", "bad name"}, {"X-E", "ok\ttab"}};
  auto head = head_of(response, Persistence::Close, std::nullopt);
  EXPECT_EQ(head.find("\r\nX-Evil"), std::string::npos);
  EXPECT_EQ(head.find("\r\nSet-Cookie"), std::string::npos);
  EXPECT_EQ(head.find("bad name"), std::string::npos);
  EXPECT_NE(head.find("\r\nX-E: ok\ttab\r\n"), std::string::npos);
}

TEST(ResponseTest, FramingHeadersOfTheApplicationAreLeftOut) {
  Response response;
  response.headers = {{"content-length", "99"}, {"Transfer-Encoding", "chunked"}, {"connection", "close"}};
  auto head = head_of(response, Persistence::KeepAlive, 1);
  EXPECT_EQ(head.find("99"), std::string::npos);
  EXPECT_EQ(head.find("chunked"), std::string::npos);
  EXPECT_EQ(head.find("close"), std::string::npos);
}

TEST(ErrorResponseTest, IsAProblemDocumentThatCloses) {
  Response response = problem(413, "", "Too \"large\".", "id-2");
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_TRUE(response.close);
  auto document = parse_json(response.body);
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(string_member(*document, "type"), "about:blank");
  EXPECT_EQ(string_member(*document, "title"), "Content Too Large");
  EXPECT_EQ(int_member(*document, "status"), 413);
  EXPECT_EQ(string_member(*document, "detail"), "Too \"large\".");
  EXPECT_EQ(string_member(*document, "request_id"), "id-2");
}

}  // namespace
}  // namespace davit::http

#include "host/http/request_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace davit::http {
namespace {

using State = RequestParser::State;

const BodyLimit kLimit = [](std::string_view method, std::string_view path) -> std::size_t {
  return method == "POST" && path == "/small" ? 4 : 1000;
};

// What a reading came to, in words that compare.
struct Outcome {
  State state = State::Head;
  int status = 0;
  std::size_t request_size = 0;
  std::string shape;  // method|path|query|keep_alive|continue|name=value|…
  bool operator==(const Outcome&) const = default;
};

Outcome outcome_of(const RequestParser& parser, std::string_view bytes) {
  Outcome outcome{parser.state(), parser.refusal().status, 0, ""};
  if (parser.state() != State::Body && parser.state() != State::Complete) return outcome;
  outcome.request_size = parser.request_size();
  outcome.shape.append(parser.method().in(bytes)).append("|").append(parser.path().in(bytes));
  outcome.shape.append("|").append(parser.query().in(bytes));
  outcome.shape += parser.keep_alive() ? "|keep" : "|close";
  if (parser.expects_continue()) outcome.shape += "|continue";
  for (const auto& header : parser.headers()) {
    outcome.shape.append("|").append(header.name.in(bytes)).append("=").append(header.value.in(bytes));
  }
  return outcome;
}

Outcome read_whole(std::string_view bytes) {
  RequestParser parser;
  parser.read(bytes, kLimit);
  return outcome_of(parser, bytes);
}

Outcome read_in_steps(std::string_view bytes, const std::vector<std::size_t>& steps) {
  RequestParser parser;
  for (std::size_t step : steps) {
    // A copy each time, so that nothing can look behind the end or keep a view.
    std::string so_far(bytes.substr(0, step));
    auto state = parser.read(so_far, kLimit);
    if (state == State::Complete || state == State::Refused) break;
  }
  return outcome_of(parser, bytes);
}

// Every cut in two, and byte by byte, must come to the same.
void expect_same_however_cut(std::string_view bytes) {
  Outcome whole = read_whole(bytes);
  std::vector<std::size_t> each;
  for (std::size_t i = 1; i <= bytes.size(); ++i) {
    each.push_back(i);
    if (bytes.size() <= 2000) {
      ASSERT_EQ(read_in_steps(bytes, {i, bytes.size()}), whole) << "cut at " << i << " of: " << bytes;
    }
  }
  ASSERT_EQ(read_in_steps(bytes, each), whole) << bytes.substr(0, 2000);
}

std::string head(std::string_view extra, std::string_view line = "POST /hook HTTP/1.1") {
  return std::string(line) + "\r\nHost: h\r\n" + std::string(extra) + "\r\n";
}

struct Case {
  const char* name;
  std::string bytes;
  int status;
};

std::vector<Case> bad_requests() {
  using std::string;
  auto many_headers = [](int count) {
    string lines;
    for (int i = 0; i < count; ++i) lines += "X-" + std::to_string(i) + ": v\r\n";
    return lines;
  };
  return {
      {"length and coding", head("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") + "abc", 400},
      {"coding and length", head("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") + "abc", 400},
      {"chunked", head("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n", 411},
      {"obfuscated coding", head("Transfer-Encoding: xchunked\r\n"), 411},
      {"empty coding", head("Transfer-Encoding:\r\n"), 411},
      {"two differing lengths", head("Content-Length: 0\r\nContent-Length: 3\r\n") + "abc", 400},
      {"two equal lengths", head("Content-Length: 3\r\nContent-Length: 3\r\n") + "abc", 400},
      {"length +3", head("Content-Length: +3\r\n") + "abc", 400},
      {"length -1", head("Content-Length: -1\r\n"), 400},
      {"length 3abc", head("Content-Length: 3abc\r\n") + "abc", 400},
      {"length 3, 3", head("Content-Length: 3, 3\r\n") + "abc", 400},
      {"length 0x3", head("Content-Length: 0x3\r\n") + "abc", 400},
      {"length 3.0", head("Content-Length: 3.0\r\n") + "abc", 400},
      {"length 1 2", head("Content-Length: 1 2\r\n"), 400},
      {"empty length", head("Content-Length:\r\n") + "abc", 400},
      {"length of letters", head("Content-Length: abc\r\n"), 400},
      {"length above 64 bits", head("Content-Length: 18446744073709551617\r\n"), 400},
      {"length of 19 digits", head("Content-Length: 1000000000000000000\r\n"), 400},
      {"length of 18 digits", head("Content-Length: 999999999999999999\r\n"), 413},
      {"length over the limit", head("Content-Length: 1001\r\n"), 413},
      {"length over the limit of this path", head("Content-Length: 5\r\n", "POST /small?x HTTP/1.1"), 413},
      {"blank before the colon", head("Content-Length : 3\r\n") + "abc", 400},
      {"tab before the colon", head("Content-Length\t: 3\r\n") + "abc", 400},
      {"folded line", head("X: a\r\n b\r\n"), 400},
      {"folded line by tab", head("X: a\r\n\tContent-Length: 3\r\n") + "abc", 400},
      {"first header folded", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
      {"NUL in a value", head(string("X: a\0b\r\n", 8)), 400},
      {"NUL in a name", head(string("X\0: a\r\n", 7)), 400},
      {"CR in a value", head("X: a\rb\r\n"), 400},
      {"two CRs at the end", head("X: a\r\r\n"), 400},
      {"DEL in a value", head("X: a\x7f\r\n"), 400},
      {"control in a value", head("X: a\x01\r\n"), 400},
      {"line without a colon", head("Nonsense\r\n"), 400},
      {"empty name", head(": a\r\n"), 400},
      {"name with a bracket", head("X(y): a\r\n"), 400},
      {"name beyond ASCII", head("X\xc3\xa4: a\r\n"), 400},
      {"bare LF in the request line", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
      {"bare LF behind a header", "GET / HTTP/1.1\r\nHost: h\n\r\n", 400},
      {"bare LF as the last line", "GET / HTTP/1.1\r\nHost: h\r\n\n", 400},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"two equal Hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400},
      {"Host with a bad port", "GET / HTTP/1.1\r\nHost: h:8x\r\n\r\n", 400},
      {"Host with a long port", "GET / HTTP/1.1\r\nHost: h:808080\r\n\r\n", 400},
      {"Host with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"Host with a slash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"Host with an at sign", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
      {"Host with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
      {"leading empty line", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"leading blank", " GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"lower-case method", "get / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"unknown method", "FETCH / HTTP/1.1\r\nHost: h\r\n\r\n", 501},
      {"TRACE", "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 501},
      {"CONNECT", "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", 501},
      {"method with a colon", "GE:T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"no target", "GET  HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"two blanks", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"blank in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"tab instead of a blank", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"absolute target", "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"asterisk target", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"bytes beyond ASCII in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"NUL in the target", string("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 28), 400},
      {"HTTP/0.9", "GET /\r\n", 400},
      {"HTTP/1", "GET / HTTP/1\r\nHost: h\r\n\r\n", 400},
      {"cut-off version", "GET / H\r\nHost: h\r\n\r\n", 400},
      {"lower-case version", "GET / http/1.1\r\nHost: h\r\n\r\n", 400},
      {"HTTP/9.9", "GET / HTTP/9.9\r\nHost: h\r\n\r\n", 505},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"TLS greeting", string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), 400},
      {"unknown expectation", head("Expect: 200-ok\r\n"), 417},
      {"target over 8 KiB", "GET /" + string(8192, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
      {"20,000 slashes", "GET " + string(20'000, '/') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
      {"endless request line", string(9000, 'A'), 414},
      {"head over 16 KiB", head("X: " + string(16'384, 'a') + "\r\n"), 431},
      {"head over 16 KiB in many lines", "GET / HTTP/1.1\r\n" + string(17'000, 'X'), 431},
      {"101 headers", head(many_headers(100)), 431},
  };
}

std::vector<std::string> good_requests() {
  return {
      "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /a//b/../%2e?x=1&x=2?y HTTP/1.1\r\nhost: [::1]:8080\r\n\r\n",
      "GET /? HTTP/1.1\r\nHost:\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h:\r\nCookie: foo\r\nCache-Control: immutable\r\nDate: "
      "never\r\nAccept:\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
      "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nExpect: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, CLOSE\r\nUpgrade: h2c\r\n\r\n",
      "POST /hook HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
      "POST /hook HTTP/1.1\r\nHost: h\r\ncontent-length:\t 0003 \t\r\n\r\nabcPOST /next",
      "POST /hook HTTP/1.1\r\nHost: h\r\nX-Sig: a\r\nX-Sig: b\r\nContent-Length: 0\r\n\r\n",
      "POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-Continue\r\n\r\nabcd",
      "PUT /x HTTP/1.1\r\nHost: h\r\nX: caf\xe9\ttab\r\nEmpty:\r\n\r\n",
  };
}

TEST(RequestParserTest, RefusesEveryBadShapeWithItsStatus) {
  for (const Case& bad : bad_requests()) {
    Outcome outcome = read_whole(bad.bytes);
    EXPECT_EQ(outcome.state, State::Refused) << bad.name;
    EXPECT_EQ(outcome.status, bad.status) << bad.name;
  }
}

TEST(RequestParserTest, AcceptsEveryGoodShape) {
  for (const std::string& good : good_requests()) EXPECT_EQ(read_whole(good).state, State::Complete) << good;
}

TEST(RequestParserTest, ComesToTheSameHoweverTheBytesAreCut) {
  for (const Case& bad : bad_requests()) expect_same_however_cut(bad.bytes);
  for (const std::string& good : good_requests()) expect_same_however_cut(good);
}

TEST(RequestParserTest, KeepsDoubledHeadersAndTheirOrder) {
  EXPECT_EQ(read_whole("POST /hook?q=%31 HTTP/1.1\r\nHost: h\r\nX-Sig:  a \t\r\nx-sig:b\r\n\r\n").shape,
            "POST|/hook|q=%31|keep|Host=h|X-Sig=a|x-sig=b");
}

TEST(RequestParserTest, TakesTheBodyByItsLengthAndLeavesWhatFollows) {
  std::string request = head("Content-Length: 3\r\n");
  Outcome outcome = read_whole(request + "abcGET /");
  EXPECT_EQ(outcome.state, State::Complete);
  EXPECT_EQ(outcome.request_size, request.size() + 3);
  EXPECT_EQ(read_whole(request + "ab").state, State::Body);
}

TEST(RequestParserTest, KnowsWhoWantsToGoOn) {
  auto keeps = [](const std::string& bytes) {
    return read_whole(bytes).shape.find("|keep") != std::string::npos;
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive , close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(RequestParserTest, AcceptsWhatIsExactlyAtTheLimits) {
  EXPECT_EQ(read_whole("GET /" + std::string(8191, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n").state,
            State::Complete);
  std::string lines;
  for (int i = 0; i < 99; ++i) lines += "X: v\r\n";
  EXPECT_EQ(read_whole(head(lines, "GET / HTTP/1.1")).state, State::Complete);
  std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  std::string exact = start + std::string(RequestParser::kMaxHead - start.size() - 4, 'a') + "\r\n\r\n";
  ASSERT_EQ(exact.size(), RequestParser::kMaxHead);
  EXPECT_EQ(read_whole(exact).state, State::Complete);
  EXPECT_EQ(read_whole(start + "a" + exact.substr(start.size())).status, 431);
  EXPECT_EQ(read_whole(head("Content-Length: 1000\r\n") + std::string(1000, 'x')).state, State::Complete);
}

TEST(RequestParserTest, BeginsAfreshAfterReset) {
  RequestParser parser;
  parser.read(head("Content-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n") + "abc", kLimit);
  parser.reset();
  std::string next = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
  parser.read(next, kLimit);
  EXPECT_EQ(outcome_of(parser, next), read_whole(next));
}

}  // namespace
}  // namespace davit::http

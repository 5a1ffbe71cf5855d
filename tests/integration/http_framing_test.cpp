// What goes over the wire: framing, pipelining, errors, time-outs.
#include <gmock/gmock.h>

#include "host/base/id.h"
#include "host/base/json.h"
#include "tests/integration/http_fixture.h"

namespace davit::test {
namespace {

using ::testing::HasSubstr;

class HttpFramingTest : public HttpFixture {};

TEST_F(HttpFramingTest, AnswersSeveralRequestsOnOneConnection) {
  start();
  RawClient client(port());
  for (int i = 0; i < 3; ++i) {
    client.send(post("/echo", "body " + std::to_string(i)));
    auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "body " + std::to_string(i));
    EXPECT_EQ(answer.header("Connection"), "keep-alive");
    EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
    EXPECT_TRUE(is_id(answer.header("X-Request-Id")));
  }
  EXPECT_EQ(server_->stats().accepted, 1u);
  EXPECT_EQ(server_->stats().requests, 3u);
}

TEST_F(HttpFramingTest, AnswersWhenTheClientWishesToClose) {
  start();
  RawClient client(port());
  client.send("GET /echo?x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.read_answer().header("Connection"), "close");
  EXPECT_TRUE(client.at_end());
  RawClient old(port());
  old.send("GET /echo?x HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.read_answer().body, "x");
  EXPECT_TRUE(old.at_end());
}

TEST_F(HttpFramingTest, HeadHasTheLengthButNoBody) {
  start();
  RawClient client(port());
  client.send("HEAD /bytes?10 HTTP/1.1\r\nHost: h\r\n\r\n" + get("/echo?next"));
  auto answer = client.read_answer(false);
  EXPECT_EQ(answer.header("Content-Length"), "10");
  EXPECT_EQ(client.read_answer().body, "next");
}

TEST_F(HttpFramingTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  RawClient client(port());
  std::string requests;
  for (int i = 0; i < 300; ++i) requests += get((i % 7 == 0 ? "/later?" : "/echo?") + std::to_string(i));
  client.send(requests);
  for (int i = 0; i < 300; ++i) ASSERT_EQ(client.read_answer().body, std::to_string(i));
}

TEST_F(HttpFramingTest, APipeliningClientFillsItsOwnSocketAndNotOurMemory) {
  start();
  RawClient client(port());
  client.send(get("/hold?first"));
  ASSERT_TRUE(eventually([&] { return held() == 1; }));
  // Send until the kernel has taken all it takes; the server must not have read on.
  std::string flood = post("/echo", std::string(60'000, 'x'));
  std::size_t sent = 0;
  for (int idle = 0; idle < 50 && sent < (64u << 20);) {
    auto more = client.send_some(flood);
    sent += more;
    idle = more == 0 ? idle + 1 : 0;
    if (more == 0) std::this_thread::sleep_for(Duration(2));
  }
  EXPECT_LT(sent, 64u << 20);
  EXPECT_EQ(server_->stats().requests, 1u);
  release();
  EXPECT_EQ(client.read_answer().body, "first");
}

TEST_F(HttpFramingTest, AHalfClosedClientGetsAllItsAnswers) {
  start();
  RawClient client(port());
  client.send(get("/later?1") + get("/echo?2") + post("/later", "3"));
  client.end_sending();
  EXPECT_EQ(client.read_answer().body, "1");
  EXPECT_EQ(client.read_answer().body, "2");
  EXPECT_EQ(client.read_answer().body, "3");
  EXPECT_TRUE(client.at_end());
}

TEST_F(HttpFramingTest, RequestsMayComeByteByByte) {
  start();
  RawClient client(port());
  for (char c : post("/echo", "drop by drop")) client.send({&c, 1});
  EXPECT_EQ(client.read_answer().body, "drop by drop");
}

TEST_F(HttpFramingTest, LargeBodiesComeAndGoWhole) {
  http::Options options;
  options.default_body_limit = 8 << 20;
  start(options);
  std::string body(8 << 20, 'a');
  for (std::size_t i = 0; i < body.size(); i += 4099) body[i] = static_cast<char>('a' + i % 26);
  RawClient client(port());
  std::thread sender([&] { client.send(post("/echo", body)); });
  auto answer = client.read_answer();
  sender.join();
  EXPECT_TRUE(answer.body == body);
}

TEST_F(HttpFramingTest, TheBodyIsInvitedOnlyWhenItsHeadIsAccepted) {
  http::Options options;
  options.body_limit = [](std::string_view, std::string_view path) -> std::size_t {
    return path == "/echo" ? 100 : 3;
  };
  start(options);
  RawClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 100);
  client.send("body");
  EXPECT_EQ(client.read_answer().body, "body");
  client.send("POST /later HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 413);
  EXPECT_EQ(ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: magic\r\n\r\n").status, 417);
}

TEST_F(HttpFramingTest, ABodyOverTheLimitIsRefusedByItsHeadAndTheAnswerArrives) {
  start();
  RawClient client(port());
  std::thread sender([&] {
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\n\r\n" +
                std::string(9'000'000, 'x'));
  });
  EXPECT_EQ(client.read_answer().status, 413);
  sender.join();
  EXPECT_EQ(ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 20000000000\r\n\r\n").status, 413);
  EXPECT_TRUE(alive());
}

TEST_F(HttpFramingTest, BodiesOnTheirWayInAreBoundedAllTogether) {
  http::Options options;
  options.threads = 1;
  options.incoming_limit = 1 << 20;
  start(options);
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\nExpect: 100-continue\r\n\r\n";
  RawClient first(port()), second(port());
  for (RawClient* client : {&first, &second}) {
    client->send(head);
    EXPECT_EQ(client->read_answer().status, 100) << "there is room yet";
  }
  first.send(std::string(599'999, 'x'));
  // Taken in, once there is no room for this one.
  RawAnswer probe;
  for (int tries = 0; tries < 1'000 && probe.status != 503; ++tries) {
    probe = ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\nExpect: 100-continue\r\n\r\n");
  }
  EXPECT_EQ(probe.status, 503);
  second.send(std::string(600'000, 'x'));
  // Whose bytes came last when there was no room for more is refused, and the other one is not.
  const RawAnswer of_second = second.read_answer();
  first.send("x");
  const RawAnswer of_first = first.read_answer();
  EXPECT_EQ(std::max(of_first.status, of_second.status), 503);
  EXPECT_EQ(std::min(of_first.status, of_second.status), 200);
}

TEST_F(HttpFramingTest, WhatIsOnlyAnnouncedKeepsNobodyOut) {
  http::Options options;
  options.incoming_limit = 1 << 20;
  start(options);
  std::vector<std::unique_ptr<RawClient>> announcers;
  for (int i = 0; i < 20; ++i) {
    announcers.push_back(std::make_unique<RawClient>(port()));
    announcers.back()->send(
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(announcers.back()->read_answer().status, 100);
  }
  EXPECT_EQ(
      ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\n\r\n" + std::string(600'000, 'x'))
          .status,
      200);
}

TEST_F(HttpFramingTest, ABodyThatHasNoRoomIsRefusedByItsHeadAndASmallOneIsNot) {
  http::Options options;
  options.incoming_limit = 1 << 20;
  start(options);
  RawClient first(port());
  first.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\n\r\n" + std::string(599'999, 'x'));
  // Not invited, once the server has taken those in.
  RawAnswer refused;
  for (int tries = 0; tries < 1'000 && refused.status != 503; ++tries) {
    refused = ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\nExpect: 100-continue\r\n\r\n");
  }
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(refused.header("Connection"), "close");
  EXPECT_EQ(ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 16000\r\n\r\n" + std::string(16'000, 'x'))
                .status,
            200);
  first.send("x");
  EXPECT_EQ(first.read_answer().body.size(), 600'000u);
  EXPECT_EQ(
      ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\n\r\n" + std::string(600'000, 'x'))
          .status,
      200);
}

TEST_F(HttpFramingTest, ABodyThatWouldNeverHaveRoomIsTooLarge) {
  http::Options options;
  options.incoming_limit = 1 << 20;
  options.default_body_limit = 1 << 20;
  start(options);
  EXPECT_EQ(ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 800000\r\n\r\n").status, 413);
}

TEST_F(HttpFramingTest, ABodyBehindAnErrorIsNeverRunAsARequest) {
  start();
  std::string hidden = get("/forbidden");
  for (const std::string& bytes :
       {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n" + hidden,
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + hidden,
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 58\r\n\r\n" + hidden,
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length : 58\r\n\r\n" + hidden,
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0x3a\r\n\r\n" + hidden,
        "POST /throw?std HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n" + hidden,
        "GET / HTTP/1.1\r\n\r\n" + hidden}) {
    RawClient client(port());
    client.send(bytes);
    auto answer = client.read_answer();
    EXPECT_GE(answer.status, 400) << bytes;
    EXPECT_EQ(answer.header("Connection"), "close") << bytes;
    EXPECT_TRUE(client.at_end()) << bytes;
  }
  EXPECT_EQ(executed_, 0);
}

TEST_F(HttpFramingTest, AChunkCutBetweenCrAndLfDoesNotStopAWorker) {
  http::Options options;
  options.threads = 1;
  start(options);
  RawClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r");
  EXPECT_EQ(client.read_answer().status, 411);
  client.send("\n0\r\n\r\n");
  EXPECT_TRUE(alive());
}

TEST_F(HttpFramingTest, LongHeadsAndTargetsAreRefusedAndTheServerLives) {
  start();
  EXPECT_EQ(ask("GET " + std::string(20'000, '/') + " HTTP/1.1\r\nHost: h\r\n\r\n").status, 414);
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(1 << 20, 'a') + "\r\n\r\n").status, 431);
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 2000; ++i) many += "X: y\r\n";
  EXPECT_EQ(ask(many + "\r\n").status, 431);
  EXPECT_TRUE(alive());
}

TEST_F(HttpFramingTest, RefusalsAreProblemDocuments) {
  start();
  auto answer = ask("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
  auto document = parse_json(answer.body);
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(string_member(*document, "request_id"), answer.header("X-Request-Id"));
}

TEST_F(HttpFramingTest, ExceptionsOfAnyTypeBecomeA500WithoutTheirText) {
  start();
  for (const char* what : {"std", "int"}) {
    auto answer = ask(get(std::string("/throw?") + what));
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
    EXPECT_THAT(answer.body, Not(HasSubstr("secret")));
    EXPECT_TRUE(is_id(answer.header("X-Request-Id")));
  }
  EXPECT_EQ(ask(get("/drop")).status, 500);
  // One request, one answer, also if the handler throws behind it.
  RawClient client(port());
  client.send(get("/throw?after") + get("/echo?next"));
  EXPECT_EQ(client.read_answer().body, "answered");
  EXPECT_EQ(client.read_answer().body, "next");
}

class HttpTimeoutTest : public HttpFixture {
 protected:
  void start_impatient() {
    http::Options options;
    options.idle_timeout = Duration(150);
    options.head_timeout = Duration(100);
    options.body_timeout = Duration(100);
    options.write_timeout = Duration(150);
    options.linger_timeout = Duration(100);
    start(options);
  }
};

TEST_F(HttpTimeoutTest, AnUnfinishedHeadGets408EvenIfItTrickles) {
  start_impatient();
  RawClient client(port());
  client.send("GET / HTTP/1.1\r\n");
  std::atomic<bool> done{false};
  std::thread trickle([&] {
    while (!done && client.send("X: y\r\n")) std::this_thread::sleep_for(Duration(10));
  });
  EXPECT_EQ(client.read_answer().status, 408);
  done = true;
  trickle.join();
}

TEST_F(HttpTimeoutTest, AnUnfinishedBodyGets408) {
  start_impatient();
  EXPECT_EQ(ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc").status, 408);
}

TEST_F(HttpTimeoutTest, IdleConnectionsAreClosedWithoutAWord) {
  start_impatient();
  RawClient silent(port());
  RawClient used(port());
  used.send(get("/echo?x"));
  EXPECT_EQ(used.read_answer().body, "x");
  EXPECT_TRUE(silent.at_end());
  EXPECT_TRUE(used.at_end());
  EXPECT_TRUE(eventually([&] { return server_->stats().open_connections == 0; }));
}

TEST_F(HttpTimeoutTest, ARequestThatWaitsForItsAnswerHasAllTheTime) {
  start_impatient();
  RawClient client(port());
  client.send(get("/hold?patience"));
  ASSERT_TRUE(eventually([&] { return held() == 1; }));
  std::this_thread::sleep_for(Duration(400));  // longer than every limit
  release();
  EXPECT_EQ(client.read_answer().body, "patience");
}

TEST_F(HttpTimeoutTest, AReaderThatDoesNotReadIsDropped) {
  start_impatient();
  RawClient client(port(), RawClient::Window::Tiny);
  client.send(get("/bytes?20000000"));
  EXPECT_TRUE(eventually([&] { return server_->stats().slow_readers == 1; }));
  EXPECT_TRUE(eventually([&] { return server_->stats().open_connections == 0; }));
  EXPECT_EQ(server_->stats().requests_in_flight, 0);
}

TEST_F(HttpTimeoutTest, AReaderThatOnlySipsIsDroppedToo) {
  start_impatient();
  RawClient client(port(), RawClient::Window::Tiny);
  client.send(get("/bytes?20000000"));
  char sip[64];
  EXPECT_TRUE(eventually([&] {
    [[maybe_unused]] auto received = ::recv(client.fd(), sip, sizeof sip, MSG_DONTWAIT);
    return server_->stats().slow_readers == 1;
  }));
}

}  // namespace
}  // namespace davit::test

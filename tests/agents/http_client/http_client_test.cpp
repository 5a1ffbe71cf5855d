// The HTTP client against servers that misbehave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <tuple>

#include "davit/failure.hpp"
#include "http_client/http_client.h"
#include "tests/agents/http_client/loopback_server.h"
#include "tests/agents/http_client/tls_server.h"

namespace {

using davit::Failure;
using davit::Status;
using davit::testing::Asked;
using davit::testing::LoopbackServer;
using davit::testing::TlsServer;
using davit::testing::Wire;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A look-up of names that takes its time, in the place of the system's: libcurl finds this one first.
struct SlowNames {
  std::mutex mutex;
  std::condition_variable changed;
  bool asked = false, ended = false;
  bool call_is_over = false;
};
SlowNames& slow_names() {
  static SlowNames names;
  return names;
}

std::size_t entries_of(const char* folder) {
  const auto entries = std::filesystem::directory_iterator(folder);
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}
std::size_t threads() { return entries_of("/proc/self/task"); }
std::size_t descriptors() { return entries_of("/proc/self/fd"); }

// What a call fails with; nothing if it does not.
std::optional<Failure> failure_of(const http::Request& request, const http::Cancel& cancel = {}) {
  try {
    http::Client().send(request, cancel);
    return std::nullopt;
  } catch (const Failure& failure) {
    return failure;
  }
}

void expect_failure(const http::Request& request, Status status, const std::string& words) {
  const auto failure = failure_of(request);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->status(), status) << failure->what();
  EXPECT_THAT(failure->what(), HasSubstr(words));
  EXPECT_THAT(failure->what(), Not(HasSubstr("\n")));
}

TEST(HttpClientTest, SendsWhatItIsGivenAndGivesWhatIsAnswered) {
  LoopbackServer server([](const Asked&, Wire& wire) {
    wire.answer(422, "{\"no\":1}", "Link: <a>; rel=next\r\nlink: second\r\n");
  });
  http::Client client;
  const http::Response answer = client.send(
      {.method = "POST", .url = server.url("/a?b=c"), .headers = {{"Content-Type", "x/y"}}, .body = "hello"});
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.body, "{\"no\":1}");
  EXPECT_FALSE(answer.cut);
  EXPECT_EQ(answer.header("LINK"), "<a>; rel=next");
  const Asked asked = server.seen().at(0);
  EXPECT_EQ(asked.method, "POST");
  EXPECT_EQ(asked.target, "/a?b=c");
  EXPECT_EQ(asked.body, "hello");
  EXPECT_EQ(asked.header("Content-Type"), "x/y");
  EXPECT_EQ(asked.header("User-Agent"), "davit");
  EXPECT_EQ(asked.header("Expect"), "");
  EXPECT_EQ(asked.header("Accept-Encoding"), "");
}

TEST(HttpClientTest, KnowsEveryMethod) {
  LoopbackServer server(
      [](const Asked& asked, Wire& wire) { wire.answer(200, asked.method == "HEAD" ? "" : asked.method); });
  http::Client client;
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"})
    EXPECT_EQ(client.send({.method = method, .url = server.url()}).body, method);
  EXPECT_EQ(client.send({.method = "HEAD", .url = server.url()}).status, 200);
  const std::vector<Asked> seen = server.seen();
  EXPECT_EQ(seen.at(1).header("Content-Length"), "0");
  EXPECT_EQ(seen.at(4).header("Content-Length"), "");
}

TEST(HttpClientTest, KeepsAuthorizationOnItsHost) {
  LoopbackServer other([](const Asked&, Wire& wire) { wire.answer(200, "log"); });
  LoopbackServer server([&](const Asked&, Wire& wire) {
    wire.answer(302, "", "Location: " + other.url("/log?sig=secret") + "\r\n");
  });
  http::Request request{.url = server.url("/jobs/1/logs"),
                        .headers = {{"Authorization", "Bearer t0ken"},
                                    {"Cookie", "a=b"},
                                    {"X-Api-Key", "k"},
                                    {"Accept", "text/plain"}}};
  // Unless the caller allows it, it is not followed at all.
  expect_failure(
      request, Status::Permanent,
      "is redirected to http://127.0.0.1:" + std::to_string(other.port()) + ", where it is not followed");
  EXPECT_THAT(other.seen(), IsEmpty());

  request.elsewhere = http::Elsewhere::Bare;
  EXPECT_EQ(http::Client().send(request).body, "log");
  const Asked asked = other.seen().at(0);
  EXPECT_EQ(asked.header("Authorization"), "");
  EXPECT_EQ(asked.header("Cookie"), "");
  EXPECT_EQ(asked.header("X-Api-Key"), "");
  EXPECT_EQ(asked.header("Accept"), "text/plain");
  EXPECT_THAT(asked.head, Not(HasSubstr("t0ken")));
  EXPECT_EQ(server.seen().at(0).header("Authorization"), "Bearer t0ken");
}

TEST(HttpClientTest, StaysBareWhenItIsSentBackAgain) {
  std::string back;
  LoopbackServer other([&](const Asked&, Wire& wire) { wire.answer(302, "", "Location: " + back + "\r\n"); });
  LoopbackServer server([&](const Asked& asked, Wire& wire) {
    if (asked.target == "/back") return wire.answer(200, "ok");
    wire.answer(302, "", "Location: " + other.url() + "\r\n");
  });
  back = server.url("/back");
  EXPECT_EQ(http::Client()
                .send({.url = server.url(),
                       .headers = {{"Authorization", "Bearer t0ken"}},
                       .elsewhere = http::Elsewhere::Bare})
                .body,
            "ok");
  EXPECT_EQ(server.seen().at(1).header("Authorization"), "");
}

TEST(HttpClientTest, FollowsOnItsOwnHostWithAllItWasGiven) {
  LoopbackServer server([](const Asked& asked, Wire& wire) {
    if (asked.target == "/old") return wire.answer(301, "", "Location: /new\r\n");
    if (asked.target == "/moved") return wire.answer(307, "", "Location: /new\r\n");
    wire.answer(200, asked.method + asked.header("Authorization") + asked.body);
  });
  http::Client client;
  const std::vector<http::Header> key{{"Authorization", "k"}};
  EXPECT_EQ(client.send({.url = server.url("/old"), .headers = key}).body, "GETk");
  EXPECT_EQ(client.send({.method = "POST", .url = server.url("/moved"), .headers = key, .body = "b"}).body,
            "POSTkb");
  // What to make of a POST behind a 301 nobody knows: the caller sees it.
  EXPECT_EQ(client.send({.method = "POST", .url = server.url("/old"), .body = "b"}).status, 301);
}

TEST(HttpClientTest, EndsRedirectsThatGoInCircles) {
  LoopbackServer server([](const Asked&, Wire& wire) { wire.answer(302, "", "Location: /again\r\n"); });
  expect_failure({.url = server.url()}, Status::Permanent, "is redirected again and again");
  EXPECT_EQ(server.seen().size(), 6u);
}

TEST(HttpClientTest, RefusesAddressesThatAreNotToBeSpokenTo) {
  expect_failure({.url = "http://example.com/"}, Status::Permanent, "https only");
  expect_failure({.url = "http://127.0.0.1.example.com/"}, Status::Permanent, "https only");
  expect_failure({.url = "http://169.254.169.254/latest"}, Status::Permanent, "https only");
  expect_failure({.url = "file:///etc/passwd"}, Status::Permanent, "");
  expect_failure({.url = "https://user:s3cret@example.com/"}, Status::Permanent,
                 "holds a user or a password");
  expect_failure({.url = "https://example.com/a b"}, Status::Permanent, "cannot be read");
  expect_failure({.url = "https://example.com/\r\nX: y"}, Status::Permanent, "cannot be read");
  expect_failure({.url = ""}, Status::Permanent, "cannot be read");
  EXPECT_THAT(failure_of({.url = "https://user:s3cret@example.com/"})->what(), Not(HasSubstr("s3cret")));
}

TEST(HttpClientTest, RefusesARedirectToAnAddressThatIsNotToBeSpokenTo) {
  LoopbackServer server(
      [](const Asked&, Wire& wire) { wire.answer(302, "", "Location: http://169.254.169.254/latest\r\n"); });
  expect_failure({.url = server.url(), .elsewhere = http::Elsewhere::Bare}, Status::Permanent, "https only");
}

TEST(HttpClientTest, ALineBreakInAHeaderIsNotSent) {
  LoopbackServer server([](const Asked&, Wire& wire) { wire.answer(200, ""); });
  const http::Request request{.url = server.url(), .headers = {{"Authorization", "Bearer s3cret\r\nX: y"}}};
  expect_failure(request, Status::Permanent, "header Authorization holds a control character");
  EXPECT_THAT(failure_of(request)->what(), Not(HasSubstr("s3cret")));
  expect_failure({.url = server.url(), .headers = {{"X: y\r\nZ", "1"}}}, Status::Permanent, "name");
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpClientTest, TrustsNoCertificateThatNobodyVouchesFor) {
  TlsServer server;
  expect_failure({.url = server.url(), .headers = {{"Authorization", "Bearer t0ken"}}}, Status::Permanent,
                 "certificate");
  EXPECT_EQ(server.hellos(), 1);
  EXPECT_EQ(server.trusted(), 0);
}

TEST(HttpClientTest, AskingAgainMayHelpWhereAConnectionBroke) {
  LoopbackServer server([](const Asked& asked, Wire& wire) {
    if (asked.target == "/cut") wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":");
    if (asked.target == "/chunk") wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc");
    if (asked.target == "/head") wire.send("HTTP/1.1 200 OK\r\nConte");
    if (asked.target == "/noise") wire.send("\x16\x03\x01 no http at all\r\n\r\n");
    if (asked.target == "/reset") {
      wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
      return wire.reset();
    }
    wire.close();
  });
  for (const char* target : {"/cut", "/chunk", "/head", "/noise", "/reset", "/nothing"})
    expect_failure({.url = server.url(target)}, Status::Retryable, target);
}

TEST(HttpClientTest, AskingAgainMayHelpWhereNobodyListens) {
  std::string url;
  {
    LoopbackServer gone([](const Asked&, Wire&) {});
    url = gone.url();
  }
  expect_failure({.url = url}, Status::Retryable, "GET http://127.0.0.1:");
}

TEST(HttpClientTest, NoMessageHoldsAQuery) {
  LoopbackServer server([](const Asked&, Wire& wire) { wire.close(); });
  const auto failure = failure_of({.url = server.url("/log?sig=secret")});
  ASSERT_TRUE(failure);
  EXPECT_THAT(failure->what(), HasSubstr("/log failed"));
  EXPECT_THAT(failure->what(), Not(HasSubstr("secret")));
}

TEST(HttpClientTest, EndsSlowAndSilentAnswers) {
  LoopbackServer server([](const Asked& asked, Wire& wire) {
    if (asked.target == "/slow") {
      wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
      while (wire.stays_for(milliseconds(20)) && wire.send("x")) {
      }
    }
    wire.until_gone();
    wire.close();
  });
  for (const char* target : {"/slow", "/silent"})
    expect_failure({.url = server.url(target), .total = milliseconds(300)}, Status::Retryable, target);
}

TEST(HttpClientTest, CountsRedirectsIntoTheWholeTime) {
  LoopbackServer server([](const Asked&, Wire& wire) {
    wire.stays_for(milliseconds(120));
    wire.answer(302, "", "Location: /again\r\n");
  });
  expect_failure({.url = server.url(), .total = milliseconds(300)}, Status::Retryable, "failed");
  EXPECT_LE(server.seen().size(), 3u);
}

TEST(HttpClientTest, ReadsNoMoreOfAnEndlessAnswerThanIsWanted) {
  LoopbackServer server([](const Asked&, Wire& wire) {
    wire.send("HTTP/1.1 200 OK\r\n\r\n");
    const std::string block(4096, 'x');
    while (wire.send(block)) {
    }
    wire.close();
  });
  const http::Response answer = http::Client().send({.url = server.url(), .most = 100'000});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, std::string(100'000, 'x'));
  EXPECT_TRUE(answer.cut);
}

TEST(HttpClientTest, ABodyOfJustTheSizeIsWhole) {
  LoopbackServer server([](const Asked&, Wire& wire) { wire.answer(200, "12345"); });
  for (const http::Keep keep : {http::Keep::Beginning, http::Keep::End}) {
    const http::Response answer = http::Client().send({.url = server.url(), .most = 5, .keep = keep});
    EXPECT_EQ(answer.body, "12345");
    EXPECT_FALSE(answer.cut);
  }
}

TEST(HttpClientTest, KeepsTheEndOfALongLog) {
  std::string log;
  for (int line = 0; line < 50'000; ++line) log += "line " + std::to_string(line) + "\n";
  LoopbackServer server([&](const Asked&, Wire& wire) { wire.answer(200, log); });
  const http::Response answer =
      http::Client().send({.url = server.url(), .most = 1000, .keep = http::Keep::End});
  EXPECT_EQ(answer.body, log.substr(log.size() - 1000));
  EXPECT_TRUE(answer.cut);
}

TEST(HttpClientTest, HeadersHaveALimit) {
  LoopbackServer server([](const Asked&, Wire& wire) {
    std::string bytes = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 100; ++i) bytes += "X-" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n";
    wire.send(bytes + "Content-Length: 0\r\n\r\n");
    wire.until_gone();
    wire.close();
  });
  expect_failure({.url = server.url()}, Status::Permanent, "more than 64 KiB of headers");
}

TEST(HttpClientTest, TheHeadersOfAnEarlyAnswerAreNotThoseOfTheLast) {
  LoopbackServer server([](const Asked&, Wire& wire) {
    wire.send(
        "HTTP/1.1 103 Early Hints\r\nLink: <early>\r\n\r\nHTTP/1.1 200 OK\r\n"
        "Transfer-Encoding: chunked\r\nETag: \"1\"\r\n\r\n2\r\nok\r\n0\r\nX-Behind: 1\r\n\r\n");
  });
  const http::Response answer = http::Client().send({.url = server.url()});
  EXPECT_EQ(answer.body, "ok");
  EXPECT_EQ(answer.header("Link"), "");
  EXPECT_EQ(answer.header("ETag"), "\"1\"");
  EXPECT_EQ(answer.header("X-Behind"), "");
}

TEST(HttpClientTest, ReadsOnTheSameConnectionAndWritesOnOneOfItsOwn) {
  LoopbackServer server([](const Asked& asked, Wire& wire) {
    if (asked.method == "GET") return wire.answer(200, "ok");
    wire.close();  // after it was read: nobody knows whether it was done
  });
  http::Client client;
  client.send({.url = server.url()});
  client.send({.url = server.url()});
  EXPECT_EQ(server.connections(), 1);
  EXPECT_THROW(client.send({.method = "POST", .url = server.url()}), Failure);
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(server.seen().size(), 3u) << "the POST was sent twice";
}

TEST(HttpClientTest, CancelInterrupts) {
  std::atomic<bool> arrived{false};
  LoopbackServer server([&](const Asked&, Wire& wire) {
    arrived = true;
    wire.until_gone();
    wire.close();
  });
  int asked_since = 0;
  const auto failure = failure_of({.url = server.url("/x"), .total = seconds(600)}, [&] {
    if (arrived) ++asked_since;
    return asked_since == 3;
  });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->status(), Status::Cancelled);
  EXPECT_THAT(failure->what(), HasSubstr("/x was cancelled"));
  EXPECT_EQ(asked_since, 3);
}

TEST(HttpClientTest, CancelledBeforeItBeginsNothingIsSent) {
  LoopbackServer server([](const Asked&, Wire& wire) { wire.answer(200, ""); });
  const auto failure = failure_of({.url = server.url()}, [] { return true; });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->status(), Status::Cancelled);
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpClientTest, IsOfUseAfterACallThatFailed) {
  LoopbackServer server([](const Asked& asked, Wire& wire) {
    if (asked.target == "/bad") return wire.close();
    wire.answer(200, "good");
  });
  http::Client client;
  EXPECT_THROW(client.send({.url = server.url("/bad")}), Failure);
  int asked = 0;
  EXPECT_THROW(client.send({.url = server.url("/bad")}, [&] { return ++asked > 1; }), Failure);
  EXPECT_EQ(client.send({.url = server.url()}).body, "good");
}

TEST(HttpClientTest, LeavesNoDescriptor) {
  const auto hang_up = [](const Asked&, Wire& wire) { wire.close(); };
  {
    LoopbackServer server(hang_up);
    EXPECT_TRUE(failure_of({.url = server.url()}));  // what a library opens once is open from here on
  }
  LoopbackServer server(hang_up);
  const std::size_t before = descriptors();  // of a server without connections: none of its ends is counted
  {
    http::Client client;
    EXPECT_THROW(client.send({.url = server.url()}), Failure);
  }
  // The server closes its own end when it has seen the client's.
  while (descriptors() > before) std::this_thread::yield();
  EXPECT_EQ(descriptors(), before);
}

// libcurl looks up names on a thread of its own, which in a plugin that is unloaded would run on in the void.
TEST(HttpClientTest, LeavesNoThreadThatStillLooksUpAName) {
  SlowNames& names = slow_names();
  const std::size_t before = threads();
  const auto asked = [&] {
    std::lock_guard lock(names.mutex);
    return names.asked;
  };
  const http::Request patient{.url = "https://slow.invalid/"};
  const http::Request hasty{.url = "https://slow.invalid/", .total = milliseconds(50)};
  for (const auto& [request, cancel, status] : {std::tuple(patient, http::Cancel(asked), Status::Cancelled),
                                                std::tuple(hasty, http::Cancel(), Status::Retryable)}) {
    const auto failure = failure_of(request, cancel);
    {
      std::lock_guard lock(names.mutex);
      EXPECT_TRUE(names.asked);
      EXPECT_TRUE(names.ended) << "it went on without its thread";
      names.call_is_over = true;
    }
    names.changed.notify_all();
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->status(), status) << failure->what();
    while (threads() > before) std::this_thread::yield();  // one that was joined is counted a little longer
    EXPECT_EQ(threads(), before);
    names.asked = names.ended = names.call_is_over = false;
  }
}

}  // namespace

extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) {
  SlowNames& names = slow_names();
  std::unique_lock lock(names.mutex);
  names.asked = true;
  // Time enough for a call that does not wait for this thread to be over before it.
  names.changed.wait_for(lock, milliseconds(500), [&] { return names.call_is_over; });
  names.ended = true;
  return EAI_FAIL;
}

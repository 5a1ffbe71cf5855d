// The proxy that is the only way out, by itself and from inside a sandbox.
#include "sandbox/egress.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sandbox/confined.h"
#include "tests/agents/http_client/loopback_server.h"
#include "tests/agents/sandbox/confined_run.h"
#include "tests/agents/sandbox/temporary_folders.h"

namespace {

namespace fs = std::filesystem;
using child::Descriptor;
using davit::testing::Asked;
using davit::testing::Finished;
using davit::testing::LoopbackServer;
using davit::testing::shell;
using davit::testing::Wire;
using sandbox::Attempt;
using sandbox::Confined;
using sandbox::Egress;
using sandbox::HostRules;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::size_t threads() {
  const auto entries = fs::directory_iterator("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

// What was told, as "localhost:443 no: why".
class Told {
 public:
  Egress::Tell tell() {
    return [this](const Attempt& attempt) {
      std::lock_guard lock(mutex_);
      lines_.push_back(attempt.host + ":" + std::to_string(attempt.port) +
                       (attempt.allowed ? " yes: " : " no: ") + attempt.why);
    };
  }
  std::vector<std::string> lines() const {
    std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

// A program's side of the proxy, without a sandbox around it.
class EgressTest : public testing::Test {
 protected:
  EgressTest()
      : server_([](const Asked& asked, Wire& wire) { wire.answer(200, "you asked " + asked.target); }) {}

  void start(const std::vector<std::string>& hosts, bool allow_private) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    inner_ = Descriptor(ends[0]);
    egress_ = std::make_unique<Egress>(HostRules(hosts), allow_private, Descriptor(ends[1]), told_.tell());
    bring_a_listener();
  }

  // As a program that is started does; connection() then goes there.
  void bring_a_listener() {
    const Descriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    address_ = {};
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    ASSERT_EQ(bind(listener.number(), reinterpret_cast<sockaddr*>(&address_), size), 0);
    ASSERT_EQ(listen(listener.number(), 64), 0);
    ASSERT_EQ(getsockname(listener.number(), reinterpret_cast<sockaddr*>(&address_), &size), 0);
    hand_over(listener);
  }

  void hand_over(const Descriptor& socket) {
    char byte = 0;
    iovec piece{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = socket.number();
    std::memcpy(CMSG_DATA(head), &number, sizeof number);
    ASSERT_EQ(sendmsg(inner_.number(), &message, 0), 1);
  }

  Descriptor connection() const {
    Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(client.number(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_), 0);
    const timeval patience{20, 0};
    setsockopt(client.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return client;
  }
  static void say(const Descriptor& client, const std::string& bytes) {
    ASSERT_EQ(send(client.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // All that comes until `end` has come; without one, or the connection over, all.
  static std::string hear(const Descriptor& client, const std::string& end = {}) {
    std::string text;
    char buffer[4096];
    while (end.empty() || text.find(end) == std::string::npos) {
      const ssize_t size = recv(client.number(), buffer, sizeof buffer, 0);
      if (size < 0 && errno == EINTR) continue;  // a child of the proxy has ended
      if (size <= 0) break;
      text.append(buffer, static_cast<std::size_t>(size));
    }
    return text;
  }
  std::string asked(const std::string& request) const {
    const Descriptor client = connection();
    say(client, request);
    return hear(client);
  }
  std::string here(const std::string& host) const { return host + ":" + std::to_string(server_.port()); }
  std::string connect_to(const std::string& where) const {
    return "CONNECT " + where + " HTTP/1.1\r\nHost: " + where + "\r\n\r\n";
  }

  LoopbackServer server_;
  Told told_;
  Descriptor inner_;
  sockaddr_in address_{};
  std::unique_ptr<Egress> egress_;
};

TEST_F(EgressTest, LetsNamedHostsThrough) {
  start({here("localhost")}, true);
  const Descriptor client = connection();
  // What comes with the request is for the host already.
  say(client, connect_to(here("localhost")) + "GET /first HTTP/1.1\r\n\r\n");
  EXPECT_THAT(hear(client, "/first"), StartsWith("HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200"));
  say(client, "GET /second HTTP/1.1\r\n\r\n");
  EXPECT_THAT(hear(client, "/second"), HasSubstr("you asked /second"));
  shutdown(client.number(), SHUT_WR);
  EXPECT_EQ(hear(client), "");
  EXPECT_THAT(told_.lines(), ElementsAre(here("localhost") + " yes: 127.0.0.1"));
}

TEST_F(EgressTest, PassesMegabytesOnToAReaderThatIsSlow) {
  const std::string large(8'000'000, 'x');
  LoopbackServer sender(
      [&](const Asked&, Wire& wire) { wire.answer(200, large, "Connection: close\r\n"), wire.close(); });
  const std::string where = "127.0.0.1:" + std::to_string(sender.port());
  start({where}, true);
  const Descriptor client = connection();
  say(client, connect_to(where) + "GET / HTTP/1.1\r\n\r\n");
  EXPECT_GT(hear(client).size(), large.size());
}

TEST_F(EgressTest, RefusesAnyOtherHostAndTells) {
  start({here("localhost")}, true);
  EXPECT_THAT(asked(connect_to("evil.example.org:443")), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(asked(connect_to("localhost:1")), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(asked(connect_to(here("127.0.0.1"))), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(asked(connect_to("evil.example.org:443")), StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(server_.connections(), 0);
  const std::string why = " no: this host is not among those that are allowed";
  EXPECT_THAT(told_.lines(),
              ElementsAre("evil.example.org:443" + why, "localhost:1" + why, here("127.0.0.1") + why));
}

TEST_F(EgressTest, RefusesPrivateAddressesAfterResolution) {
  start({here("localhost"), here("127.0.0.1"), "169.254.169.254:80"}, false);
  EXPECT_THAT(asked(connect_to(here("localhost"))), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(asked(connect_to(here("127.0.0.1"))), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(asked(connect_to("169.254.169.254:80")), StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(server_.connections(), 0);
  ASSERT_EQ(told_.lines().size(), 3u);
  EXPECT_THAT(told_.lines()[0], HasSubstr("is an address of this machine"));
  EXPECT_THAT(told_.lines()[2], HasSubstr("169.254.169.254 is an address that leads to no host"));
}

TEST_F(EgressTest, ANameThatNobodyKnowsIsToldAsSuch) {
  const std::string name = std::string(70, 'x') + ".example.org";  // too long a label to ask anybody for
  start({name}, true);
  EXPECT_THAT(asked(connect_to(name + ":443")), StartsWith("HTTP/1.1 502 "));
  EXPECT_THAT(told_.lines(), ElementsAre(HasSubstr("nobody knows this name")));
}

TEST_F(EgressTest, AHostThatDoesNotAnswerIsToldAsSuch) {
  std::string closed;
  {
    const LoopbackServer gone([](const Asked&, Wire&) {});
    closed = "127.0.0.1:" + std::to_string(gone.port());
  }
  start({closed}, true);
  EXPECT_THAT(asked(connect_to(closed)), StartsWith("HTTP/1.1 502 "));
  EXPECT_THAT(told_.lines(), ElementsAre(closed + " no: it cannot be reached"));
}

TEST_F(EgressTest, WhatIsNoRequestIsRefused) {
  start({here("localhost")}, true);
  EXPECT_THAT(asked("GET http://" + here("localhost") + "/ HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(asked(connect_to("localhost")), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(server_.connections(), 0);
  EXPECT_THAT(told_.lines(), ElementsAre(":0 no: only https goes out (CONNECT)",
                                         ":0 no: the request names no host and port"));
}

TEST_F(EgressTest, NotAThousandAttemptsAreTold) {
  start({}, false);
  for (int i = 0; i < 300; ++i) asked(connect_to("h" + std::to_string(i) + ".example.org:443"));
  EXPECT_EQ(told_.lines().size(), 200u);
}

TEST_F(EgressTest, TheLastOfManyProgramsIsServed) {
  start({}, false);
  for (int program = 0; program < 40; ++program) {
    bring_a_listener();
    EXPECT_THAT(asked(connect_to("evil.example.org:443")), StartsWith("HTTP/1.1 403 ")) << program;
  }
}

TEST_F(EgressTest, WhatIsNoListeningSocketIsDropped) {
  start({here("localhost")}, true);
  hand_over(Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)));
  hand_over(Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  EXPECT_THAT(asked(connect_to("evil.example.org:443")), StartsWith("HTTP/1.1 403 "));
}

TEST_F(EgressTest, EndsItsThread) {
  const LoopbackServer silent([](const Asked&, Wire& wire) { wire.until_gone(); });
  const std::size_t before = threads();
  const std::string where = "127.0.0.1:" + std::to_string(silent.port());
  start({where}, true);
  const Descriptor talking = connection(), idle = connection();
  say(talking, connect_to(where) + "GET / HTTP/1.1\r\n\r\n");
  hear(talking, "\r\n\r\n");
  inner_.close();
  EXPECT_THAT(asked(connect_to("evil.example.org:443")), StartsWith("HTTP/1.1 403 "));
  EXPECT_GT(threads(), before);
  egress_.reset();
  EXPECT_EQ(hear(talking), "");
  EXPECT_EQ(hear(idle), "");
}

class SandboxNetworkTest : public testing::Test {
 protected:
  SandboxNetworkTest()
      : server_([](const Asked& asked, Wire& wire) { wire.answer(200, "you asked " + asked.target); }) {
    policy_.work = folders_.work();
  }
  std::string here(const std::string& host) const { return host + ":" + std::to_string(server_.port()); }
  // A request through the proxy as for https, but without the encryption.
  static std::string fetch(const std::string& url) {
    return "curl -sS --max-time 15 --proxytunnel --proxy \"$HTTPS_PROXY\" " + url;
  }

  davit::testing::TemporaryFolders folders_;
  LoopbackServer server_;
  sandbox::Policy policy_;
  Told told_;
};

TEST_F(SandboxNetworkTest, ProgramsReachAllowedHostsThroughTheProxy) {
  policy_.network = sandbox::Network::Allowed;
  policy_.hosts = {here("localhost")};
  policy_.allow_private = true;
  Confined confined(policy_, told_.tell());
  for (const char* path : {"/one", "/two"}) {  // each program brings a socket of its own
    const Finished finished = shell(confined, fetch("http://" + here("localhost") + path));
    EXPECT_EQ(finished.output, std::string("you asked ") + path) << finished.errors;
  }
  EXPECT_THAT(told_.lines(), ElementsAre(here("localhost") + " yes: 127.0.0.1"));
}

TEST_F(SandboxNetworkTest, ThereIsNoOtherWay) {
  policy_.network = sandbox::Network::Allowed;
  policy_.hosts = {"api.example.org"};
  Confined confined(policy_, told_.tell());
  EXPECT_NE(shell(confined, fetch("http://" + here("localhost") + "/")).wait_status, 0);
  EXPECT_NE(shell(confined, fetch("http://" + here("127.0.0.1") + "/")).wait_status, 0);
  for (const std::string& url : {"http://" + here("127.0.0.1"), std::string("http://1.1.1.1")}) {
    const Finished direct = shell(confined, "curl -sS --max-time 15 --noproxy '*' " + url);
    EXPECT_EQ(WEXITSTATUS(direct.wait_status), 7) << "7 is curl's word for what it cannot connect to";
  }
  EXPECT_NE(shell(confined, "getent hosts api.example.org").wait_status, 0);
  EXPECT_EQ(server_.connections(), 0);
  EXPECT_EQ(told_.lines().size(), 2u);
}

TEST_F(SandboxNetworkTest, NoNetworkMeansNoSocketOut) {
  Confined confined(policy_, told_.tell());
  EXPECT_EQ(confined.view().proxy, "");
  EXPECT_EQ(shell(confined, "echo \"[$HTTPS_PROXY]\"").output, "[]\n");
  for (const std::string& url :
       {std::string("http://127.0.0.1:3128"), "http://" + here("127.0.0.1"), std::string("http://1.1.1.1")})
    EXPECT_EQ(WEXITSTATUS(shell(confined, "curl -sS --max-time 15 " + url).wait_status), 7) << url;
  EXPECT_EQ(server_.connections(), 0);
  EXPECT_THAT(told_.lines(), IsEmpty());
}

}  // namespace

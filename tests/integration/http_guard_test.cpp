// The attacks that bare Pistache 0.0.5 does not survive, and the ends of connections and of the server.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <filesystem>

#include "host/base/file.h"
#include "tests/integration/http_fixture.h"

namespace davit::test {
namespace {

using ::testing::HasSubstr;

class HttpGuardTest : public HttpFixture {};

// Of this process. Not all descriptors: Pistache leaves two eventfds of each I/O thread behind.
std::ptrdiff_t open_sockets() {
  const std::filesystem::directory_iterator descriptors("/proc/self/fd");
  return std::count_if(begin(descriptors), end(descriptors), [](const auto& descriptor) {
    std::error_code gone;
    return std::filesystem::read_symlink(descriptor, gone).string().starts_with("socket:");
  });
}

// Clients leave between request and answer, so that their descriptor numbers go to clients that wait. Answers
// come from another thread, late. Every byte a client gets must be its own.
TEST_F(HttpGuardTest, NoAnswerEverReachesAnotherClient) {
  constexpr int kAborted = 20'000;
  start();
  std::atomic<int> aborted{0};
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::atomic<int> right{0};
  std::atomic<int> silent_checked{0};

  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      while (aborted < kAborted) {
        int number = aborted++;
        // Not so many at once that the connection limit answers instead.
        while (server_->stats().open_connections > 1000) std::this_thread::sleep_for(Duration(1));
        RawClient client(port());
        client.send(get("/later?aborted-" + std::to_string(number)));
        if (number % 2 == t) {
          client.leave_with_reset();
        } else {
          client.leave();
        }
      }
    });
  }
  // Many that ask and wait: each must get exactly its own answer.
  threads.emplace_back([&] {
    for (int number = 0; !done; ++number) {
      std::vector<std::unique_ptr<RawClient>> asking;
      for (int i = 0; i < 10; ++i) {
        asking.push_back(std::make_unique<RawClient>(port()));
        asking.back()->send(get("/later?mine-" + std::to_string(number) + "-" + std::to_string(i)));
      }
      for (int i = 0; i < 10; ++i) {
        auto mine = "mine-" + std::to_string(number) + "-" + std::to_string(i);
        auto answer = asking[static_cast<std::size_t>(i)]->read_answer();
        (answer.body == mine ? right : wrong)++;
        EXPECT_EQ(answer.body, mine) << answer.head;
        if (asking[static_cast<std::size_t>(i)]->peek_received() != 0) ++wrong;
      }
    }
  });
  // Connects and says nothing: must get nothing.
  threads.emplace_back([&] {
    while (!done) {
      std::vector<std::unique_ptr<RawClient>> silent;
      for (int i = 0; i < 20; ++i) silent.push_back(std::make_unique<RawClient>(port()));
      std::this_thread::sleep_for(Duration(8));
      for (auto& client : silent) {
        if (client->peek_received() != 0) ++wrong;
        EXPECT_EQ(client->unread(), "");
        ++silent_checked;
      }
    }
  });
  threads[0].join();
  threads[1].join();
  EXPECT_TRUE(eventually([&] { return server_->stats().requests_in_flight <= 1; }));
  done = true;
  threads[2].join();
  threads[3].join();

  EXPECT_EQ(server_->stats().refused_connections, 0u) << "the limit has answered instead";
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(aborted, kAborted);
  EXPECT_GT(right, 50);
  EXPECT_GT(silent_checked, 100);
  EXPECT_GT(server_->stats().late_answers, 0u) << "no client left early enough: the test has tested nothing";
  EXPECT_TRUE(alive());
}

TEST_F(HttpGuardTest, OthersAreServedWhileAReaderDoesNotRead) {
  http::Options options;
  options.threads = 1;
  start(options);
  std::vector<std::unique_ptr<RawClient>> stuck;
  for (int i = 0; i < 5; ++i) {
    stuck.push_back(std::make_unique<RawClient>(port(), RawClient::Window::Tiny));
    stuck.back()->send(get("/bytes?20000000"));
  }
  ASSERT_TRUE(eventually([&] { return server_->stats().requests_in_flight == 5; }));
  RawClient client(port());
  std::vector<std::chrono::nanoseconds> times;
  for (int i = 0; i < 1000; ++i) {
    auto before = std::chrono::steady_clock::now();
    client.send(get("/echo?" + std::to_string(i)));
    ASSERT_EQ(client.read_answer().body, std::to_string(i));
    times.push_back(std::chrono::steady_clock::now() - before);
  }
  EXPECT_TRUE(eventually([&] { return server_->stats().requests_in_flight == 5; }))
      << "the readers were not stuck";
  std::sort(times.begin(), times.end());
  EXPECT_LT(times[990], std::chrono::milliseconds(50));
  // A stuck reader that begins to read gets everything.
  EXPECT_EQ(stuck[0]->read_answer().body.size(), 20'000'000u);
}

TEST_F(HttpGuardTest, ConnectionsOverTheLimitGet503AndTheServerRecovers) {
  http::Options options;
  options.max_connections = 4;
  start(options);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->send(get("/echo?x"));
    ASSERT_EQ(clients.back()->read_answer().status, 200);
  }
  RawClient refused(port());
  auto answer = refused.read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("Retry-After"), "1");
  EXPECT_TRUE(refused.at_end());
  refused.leave();
  clients.clear();
  EXPECT_TRUE(eventually([&] { return server_->stats().open_connections == 0; }));
  EXPECT_TRUE(alive());
}

TEST_F(HttpGuardTest, ADescriptorLimitWithoutRoomForConnectionsIsAnError) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 12;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  auto server = http::Server::start(
      {}, [](http::Request, http::Responder) {}, *log_, clock_);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(server.error().message, HasSubstr("descriptor limit of 12 leaves no room"));
}

TEST_F(HttpGuardTest, FilesThatAreOpenAlreadyAreOfTheDescriptorsThatAreReserved) {
  std::vector<UniqueFd> open;
  const auto open_more = [&](int files, int others) {
    while (files-- > 0) open.emplace_back(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    while (others-- > 0) open.emplace_back(::eventfd(0, EFD_CLOEXEC));
  };
  // In a process of its own, which takes along what a server leaves open.
  const auto starts_with = [&](rlim_t descriptors) {
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit few{descriptors, descriptors};
      ::setrlimit(RLIMIT_NOFILE, &few);
      ::_exit(http::Server::start(
                  {}, [](http::Request, http::Responder) {}, *log_, clock_)
                      .ok()
                  ? 0
                  : 1);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    return status == 0;
  };
  open_more(7, 0);  // no fewer than any host has
  rlim_t enough = 12;
  while (enough < 1000 && !starts_with(enough)) ++enough;
  ASSERT_LT(enough, 1000u);
  open_more(4, 0);
  EXPECT_TRUE(starts_with(enough));
  open_more(0, 4);
  EXPECT_FALSE(starts_with(enough));
}

TEST_F(HttpGuardTest, DrainWaitsForRequestsInFlightAndTheirClientsGetTheirAnswers) {
  start();
  RawClient waiting(port());
  RawClient idle(port());
  idle.send(get("/echo?x"));
  EXPECT_EQ(idle.read_answer().body, "x");
  waiting.send(get("/hold?late"));
  ASSERT_TRUE(eventually([&] { return held() == 1; }));
  server_->stop_accepting();
  EXPECT_TRUE(idle.at_end());
  EXPECT_FALSE(server_->drain(Duration(20)));
  EXPECT_EQ(ask(get("/echo?x")).status, 503);
  release();
  EXPECT_TRUE(server_->drain(Duration(10'000)));
  auto answer = waiting.read_answer();
  EXPECT_EQ(answer.body, "late");
  EXPECT_EQ(answer.header("Connection"), "close");
  server_->stop();
}

TEST_F(HttpGuardTest, RespondersAndStreamsMayOutliveTheServer) {
  start();
  RawClient first(port());
  first.send(get("/hold?x"));
  RawClient second(port());
  second.send(get("/stream"));
  auto stream = wait_for_stream();
  ASSERT_TRUE(eventually([&] { return held() == 1; }));
  server_->stop();
  EXPECT_EQ(first.read_answer().status, 0);
  server_.reset();
  release();
  EXPECT_FALSE(stream.write("late"));
}

TEST_F(HttpGuardTest, StopWithTrafficFromAllSidesEndsAndLeavesNoConnection) {
  const auto before = open_sockets();
  for (int round = 0; round < 5; ++round) {
    start();
    std::atomic<bool> done{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        while (!done) {
          RawClient client(port());
          client.patience = Duration(100);
          client.send(get(t == 0 ? "/echo?x" : t == 1 ? "/later?x" : "/bytes?3000000"));
          if (t != 2) client.read_answer();
        }
      });
    }
    ASSERT_TRUE(eventually([&] { return server_->stats().requests > 50; }));
    server_->stop();
    done = true;
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(open_sockets(), before);
    EXPECT_EQ(server_->stats().open_connections, 0);
    EXPECT_EQ(server_->stats().requests_in_flight, 0);
  }
}

TEST_F(HttpGuardTest, AFloodOfConnectionsTakesFewDescriptorsWhileTheIoThreadsAreBusy) {
  start({.threads = 2});
  const auto before = open_sockets();
  stall_ = true;
  std::deque<RawClient> stalling;
  for (int i = 0; i < 2; ++i) {
    stalling.emplace_back(port()).send(get("/stall?x"));
    ASSERT_TRUE(eventually([&] { return stalled_ == i + 1; }));
  }
  for (int i = 0; i < 500; ++i) RawClient(port()).send(get("/echo?x"));
  // The others wait in the kernel; the two that stall have both ends here.
  EXPECT_LE(open_sockets() - before, 4 + 2 * 16);
  stall_ = false;
  for (RawClient& client : stalling) EXPECT_EQ(client.read_answer().body, "x");
  EXPECT_TRUE(alive());
}

TEST_F(HttpGuardTest, AnIoThreadThatHangsKeepsOnlyTheConnectionsItHasBeenGiven) {
  start({.threads = 2});
  stall_ = true;
  RawClient stalling(port());
  stalling.send(get("/stall?x"));
  ASSERT_TRUE(eventually([&] { return stalled_ == 1; }));
  std::deque<RawClient> clients;
  for (int i = 0; i < 100; ++i) clients.emplace_back(port()).send(get("/echo?x"));
  EXPECT_TRUE(eventually([&] { return server_->stats().requests >= 1 + 100 - 16; }));
  EXPECT_TRUE(clients.back().read_until("x")) << "the last ones go where there is room";
  stall_ = false;
  EXPECT_EQ(stalling.read_answer().body, "x");
  EXPECT_TRUE(eventually([&] { return server_->stats().requests == 1 + 100; }));
}

TEST_F(HttpGuardTest, WithoutADescriptorConnectionsWaitUntilThereIsOne) {
  start();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{std::min<rlim_t>(before.rlim_cur, 1024), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<UniqueFd> all;
  for (int fd; (fd = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0;) all.emplace_back(fd);
  ASSERT_EQ(errno, EMFILE);
  all.pop_back();
  RawClient client(port());  // with the last one
  ASSERT_TRUE(client.connected());
  client.send(get("/echo?x"));
  client.patience = Duration(200);
  EXPECT_EQ(client.read_answer().status, 0);
  EXPECT_EQ(server_->stats().accepted, 0u);
  all.clear();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  client.patience = Duration(10'000);
  EXPECT_EQ(client.read_answer().body, "x");
}

TEST_F(HttpGuardTest, AnAddressThatIsTakenOrNoneIsAnError) {
  start();
  http::Options options;
  options.port = port();
  auto taken = http::Server::start(
      options, [](http::Request, http::Responder) {}, *log_, clock_);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(taken.error().message, HasSubstr(std::to_string(port())));
  options.host = "not an address";
  EXPECT_EQ(http::Server::start(
                options, [](http::Request, http::Responder) {}, *log_, clock_)
                .error()
                .code,
            ErrorCode::InvalidInput);
}

class HttpStreamTest : public HttpFixture {};

TEST_F(HttpStreamTest, ChunksArriveAsTheyAreWrittenUntilTheEnd) {
  start();
  RawClient client(port());
  client.send(get("/stream"));
  auto stream = wait_for_stream();
  EXPECT_TRUE(stream.write("data: 1\n\n"));
  EXPECT_TRUE(client.read_until("data: 1\n\n"));
  EXPECT_TRUE(stream.write("data: 2\n\n"));
  EXPECT_TRUE(client.read_until("data: 2\n\n"));
  stream.write("data: 3\n\n");
  stream.close();
  auto answer = client.read_answer();
  EXPECT_EQ(answer.header("Content-Type"), "text/event-stream");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_EQ(answer.body, "data: 1\n\ndata: 2\n\ndata: 3\n\n");
  EXPECT_FALSE(stream.write("x"));
}

TEST_F(HttpStreamTest, TheWriterLearnsThatTheClientIsGone) {
  start();
  for (bool reset : {false, true}) {
    auto client = std::make_unique<RawClient>(port());
    client->send(get("/stream"));
    auto stream = wait_for_stream();
    EXPECT_TRUE(stream.write("data: 1\n\n"));
    EXPECT_TRUE(client->read_until("data: 1"));
    if (reset) {
      client->leave_with_reset();
    } else {
      client->leave();
    }
    EXPECT_TRUE(eventually([&] { return !stream.write("data: 2\n\n"); }));
  }
  EXPECT_TRUE(eventually([&] { return server_->stats().open_connections == 0; }));
}

TEST_F(HttpStreamTest, AClientThatLagsIsDroppedWithoutHarmToOthers) {
  http::Options options;
  options.threads = 1;
  start(options);
  RawClient slow(port(), RawClient::Window::Tiny);
  slow.send(get("/stream"));
  auto slow_stream = wait_for_stream();
  RawClient quick(port());
  quick.send(get("/stream"));
  auto quick_stream = wait_for_stream();
  std::string event = "data: " + std::string(1000, 'x') + "\n\n";
  int events = 0;
  bool slow_is_served = true;
  while (slow_is_served && events < 100'000) {
    slow_is_served = slow_stream.write(event);
    ASSERT_TRUE(quick_stream.write(event));
    ++events;
    if (events % 100 != 0) continue;
    // The quick one is never further behind than this.
    const std::string mark = "mark " + std::to_string(events) + "\n\n";
    ASSERT_TRUE(quick_stream.write(mark));
    ASSERT_TRUE(quick.read_until(mark));
  }
  EXPECT_FALSE(slow_is_served);
  EXPECT_LT(events, 2'000) << "it was allowed to lag by far more than 256 KiB";
  quick_stream.write("the end");
  quick_stream.close();
  EXPECT_TRUE(quick.read_until("the end"));
  EXPECT_TRUE(eventually([&] { return server_->stats().slow_readers == 1; }));
}

}  // namespace
}  // namespace davit::test

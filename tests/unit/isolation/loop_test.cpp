#include "host/isolation/loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <numeric>
#include <thread>

#include "host/base/file.h"

namespace davit::isolation {
namespace {

std::unique_ptr<Loop> new_loop() {
  auto loop = Loop::start("test-loop");
  EXPECT_TRUE(loop.ok());
  return std::move(loop).value();
}

TEST(LoopTest, PostedFunctionsRunInOrderOnTheLoopThread) {
  auto loop = new_loop();
  std::vector<int> order;
  for (int i = 0; i < 1000; ++i) {
    loop->post([&, i] {
      EXPECT_TRUE(loop->on_loop_thread());
      order.push_back(i);
    });
  }
  ASSERT_TRUE(loop->run([] {}));
  std::vector<int> expected(1000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
  EXPECT_FALSE(loop->on_loop_thread());
}

TEST(LoopTest, NoPostOfManyThreadsIsLost) {
  auto loop = new_loop();
  std::atomic<int> ran{0};
  constexpr int kThreads = 4, kPosts = 5000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kPosts; ++i) {
        if (i % 50 == 0) {  // also when the loop is surely asleep again
          std::promise<void> done;
          loop->post([&] { ++ran, done.set_value(); });
          done.get_future().wait();
        } else {
          loop->post([&] { ++ran; });
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  loop->run([] {});
  EXPECT_EQ(ran, kThreads * kPosts);
}

TEST(LoopTest, ABurstOfPostsToABusyLoopCostsAtMostOneWakeUp) {
  auto loop = new_loop();
  loop->run([] {});
  std::promise<void> started, go_on;
  loop->post([&] {
    started.set_value();
    go_on.get_future().wait();
  });
  started.get_future().wait();
  const std::uint64_t before = loop->wake_ups();
  for (int i = 0; i < 1000; ++i) loop->post([] {});
  go_on.set_value();
  loop->run([] {});
  EXPECT_LE(loop->wake_ups() - before, 1u);
}

TEST(LoopTest, TimersFireInTheOrderOfTheirTimesAndNeverEarly) {
  auto loop = new_loop();
  std::promise<void> done;
  std::vector<int> order;
  const auto start = std::chrono::steady_clock::now();
  loop->run([&] {
    loop->after(Duration{20}, [&] {
      EXPECT_GE(std::chrono::steady_clock::now() - start, Duration{20});
      order.push_back(20);
      done.set_value();
    });
    loop->after(Duration{5}, [&] { order.push_back(5); });
    loop->after(Duration{0}, [&] { order.push_back(0); });
    const Loop::TimerId cancelled = loop->after(Duration{1}, [&] { order.push_back(1); });
    loop->cancel(cancelled);
    loop->cancel(cancelled);
    loop->cancel(987'654);
  });
  done.get_future().wait();
  EXPECT_EQ(order, (std::vector<int>{0, 5, 20}));
}

TEST(LoopTest, AnIdleLoopWithAFarTimerDoesNotWake) {
  auto loop = new_loop();
  loop->run([&] { loop->after(std::chrono::hours(1), [] {}); });
  loop->run([] {});
  const std::uint64_t before = loop->wake_ups();
  std::this_thread::sleep_for(Duration{100});  // the subject is what happens in a span of time
  EXPECT_LE(loop->wake_ups() - before, 0u);
}

TEST(LoopTest, AHandlerMayUnwatchItselfAndAnotherDescriptorThatIsReady) {
  auto loop = new_loop();
  int first[2], second[2];
  ASSERT_EQ(pipe(first), 0);
  ASSERT_EQ(pipe(second), 0);
  int calls = 0;
  loop->run([&] {
    auto either = [&](std::uint32_t) {
      ++calls;
      loop->unwatch(first[0]);
      loop->unwatch(second[0]);
    };
    ASSERT_TRUE(loop->watch(first[0], EPOLLIN, either).ok());
    ASSERT_TRUE(loop->watch(second[0], EPOLLIN, either).ok());
    ASSERT_EQ(write(first[1], "x", 1), 1);
    ASSERT_EQ(write(second[1], "x", 1), 1);
  });
  for (int i = 0; i < 5; ++i) loop->run([] {});
  EXPECT_EQ(calls, 1);
  for (int fd : {first[0], first[1], second[0], second[1]}) close(fd);
}

TEST(LoopTest, WatchingADescriptorThatCannotBePolledIsAnError) {
  auto loop = new_loop();
  loop->run([&] { EXPECT_FALSE(loop->watch(-1, EPOLLIN, [](std::uint32_t) {}).ok()); });
}

TEST(LoopTest, StoppingDropsWhatWasNotRun) {
  auto token = std::make_shared<int>(1);
  {
    auto loop = new_loop();
    loop->run([&] { loop->after(std::chrono::hours(1), [token] { FAIL(); }); });
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(LoopTest, AfterAStopNothingRunsAndNobodyWaits) {
  auto loop = new_loop();
  loop->stop();
  EXPECT_FALSE(loop->run([] { FAIL(); }));
  auto token = std::make_shared<int>(1);
  loop->post([token] { FAIL(); });
  EXPECT_EQ(token.use_count(), 1);
  loop->stop();
}

}  // namespace
}  // namespace davit::isolation

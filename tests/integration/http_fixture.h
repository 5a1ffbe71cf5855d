// A real server with routes that misbehave on request.
//
//   /echo    the body, or the query if there is none       /later   the same, from another thread, some ms
//   later /bytes?n n bytes                                        /hold    answered when the test calls
//   release() /throw?x throws: std, int, after (it has answered)      /drop    drops its Responder /stream  a
//   stream that the test writes to
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "host/http/server.h"
#include "tests/integration/raw_client.h"

namespace davit::test {

// Runs jobs on its own thread when they are due, in order of arrival.
class LateThread {
 public:
  LateThread() : thread_([this] { run(); }) {}
  ~LateThread() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  void after(Duration delay, std::function<void()> job) {
    {
      std::lock_guard lock(mutex_);
      jobs_.push_back({std::chrono::steady_clock::now() + delay, std::move(job)});
    }
    changed_.notify_all();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stop_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      auto [due, job] = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      std::this_thread::sleep_until(due);
      job();
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<MonotonicTime, std::function<void()>>> jobs_;
  bool stop_ = false;
  std::thread thread_;
};

// Waits for something another thread brings about; false after ten seconds.
template <typename Condition>
bool eventually(Condition condition) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

class HttpFixture : public ::testing::Test {
 protected:
  void start(http::Options options = {}) {
    auto started = http::Server::start(
        std::move(options),
        [this](http::Request request, http::Responder responder) {
          route(std::move(request), std::move(responder));
        },
        *log_, clock_);
    ASSERT_TRUE(started.ok()) << started.error().message;
    server_ = std::move(started).value();
  }
  int port() const { return server_->port(); }
  RawAnswer ask(std::string_view bytes) {
    RawClient client(port());
    client.send(bytes);
    return client.read_answer();
  }
  // Does the server still answer a new client?
  bool alive() { return ask(get("/echo?alive")).body == "alive"; }

  std::size_t held() {
    std::lock_guard lock(mutex_);
    return held_.size();
  }
  void release() {
    std::vector<std::pair<http::Responder, std::string>> held;
    {
      std::lock_guard lock(mutex_);
      held.swap(held_);
    }
    for (auto& [responder, text] : held) responder.send(text_answer(text));
  }
  http::Stream wait_for_stream() {
    EXPECT_TRUE(eventually([&] {
      std::lock_guard lock(mutex_);
      return !streams_.empty();
    }));
    std::lock_guard lock(mutex_);
    auto stream = std::move(streams_.back());
    streams_.pop_back();
    return stream;
  }
  static http::Response text_answer(std::string text) {
    http::Response response;
    response.content_type = "text/plain";
    response.body = std::move(text);
    return response;
  }

  std::atomic<int> executed_{0};  // requests to /forbidden, which no test may bring about
  std::atomic<bool> stall_{false};  // requests to /stall keep their I/O thread until it is false
  std::atomic<int> stalled_{0};
  SystemClock clock_;
  std::unique_ptr<Log> log_ = Log::silent();
  std::mutex mutex_;
  std::vector<std::pair<http::Responder, std::string>> held_;
  std::vector<http::Stream> streams_;
  LateThread late_;
  std::unique_ptr<http::Server> server_;

 private:
  void route(http::Request request, http::Responder responder) {
    std::string text(request.body.empty() ? request.query : request.body);
    if (request.path == "/echo") return responder.send(text_answer(text));
    if (request.path == "/bytes") return responder.send(text_answer(std::string(std::stoul(text), 'x')));
    if (request.path == "/later") {
      auto shared = std::make_shared<http::Responder>(std::move(responder));
      return late_.after(Duration(2), [shared, text] { shared->send(text_answer(text)); });
    }
    if (request.path == "/hold") {
      std::lock_guard lock(mutex_);
      held_.emplace_back(std::move(responder), text);
      return;
    }
    if (request.path == "/stream") {
      http::Response head;
      head.content_type = "text/event-stream";
      auto stream = responder.start_stream(std::move(head));
      std::lock_guard lock(mutex_);
      streams_.push_back(std::move(stream));
      return;
    }
    if (request.path == "/stall") {
      ++stalled_;
      while (stall_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return responder.send(text_answer(text));
    }
    if (request.path == "/forbidden") ++executed_;
    if (request.path == "/throw") {
      if (text == "after") responder.send(text_answer("answered"));
      if (text == "int") throw 42;
      throw std::runtime_error("secret of the handler");
    }
  }
};

}  // namespace davit::test

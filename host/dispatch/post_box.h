// The way onto a loop for those who may outlive it: answers of the store, changes, signals.
#pragma once

#include <functional>
#include <utility>

#include "host/base/guarded.h"
#include "host/isolation/loop.h"

namespace davit::dispatch {

// Thread-safe. What is posted after close() is dropped.
class PostBox {
 public:
  explicit PostBox(isolation::Loop& loop) : loop_(&loop) {}

  void post(std::function<void()> function) {
    loop_.with([&](isolation::Loop* loop) {
      if (loop) loop->post(std::move(function));
    });
  }
  void close() {
    loop_.with([](isolation::Loop*& loop) { loop = nullptr; });
  }

 private:
  Guarded<isolation::Loop*> loop_;
};

}  // namespace davit::dispatch

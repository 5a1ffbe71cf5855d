// Whether a thread that works off what it is given still comes to it.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>

#include "host/base/clock.h"
#include "host/base/guarded.h"

namespace davit {

// Thread-safe. One question at most is under way, however many ask. The answer may come after this is gone.
class Pulse {
 public:
  // Has its argument called by the thread, when that comes to it; drops it if the thread ends before, which
  // is an answer, too.
  using Reach = std::function<void(std::function<void()> reached)>;
  Pulse(Reach reach, const Clock& clock) : reach_(std::move(reach)), clock_(clock) {}

  // Asks, unless a question is under way already.
  void ask();
  // Waits for the answer, until `patience` after the question was asked. For how long there has been none
  // then; zero if there is one.
  Duration unanswered_after(Duration patience) const;

 private:
  struct Question {
    bool under_way = false;
    MonotonicTime since{};
  };
  struct State {
    Guarded<Question> question;
    std::condition_variable answered;
  };

  const Reach reach_;
  const Clock& clock_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace davit

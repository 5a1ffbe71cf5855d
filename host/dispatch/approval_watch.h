// Sees to it that waits for approval are reminded of and end in time.
#pragma once

#include <memory>
#include <optional>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/dispatch/post_box.h"
#include "host/isolation/loop.h"
#include "host/store/store.h"

namespace davit::dispatch {

// Confined to its loop; the store's answers reach it through the post box. Asleep until the next reminder or
// deadline.
class ApprovalWatch {
 public:
  // Looks at once.
  ApprovalWatch(isolation::Loop& loop, std::shared_ptr<PostBox> box, store::Store& store, Log& log,
                const Clock& clock);
  ~ApprovalWatch();

  void look();  // a wait may have begun

 private:
  void on_answer(const Result<std::optional<WallTime>>& answer);
  void sleep();

  isolation::Loop& loop_;
  std::shared_ptr<PostBox> box_;
  store::Store& store_;
  Log& log_;
  const Clock& clock_;
  std::optional<WallTime> next_;
  isolation::Loop::TimerId timer_ = 0;
  bool asking_ = false;
  bool look_again_ = false;  // something came while it asked
};

}  // namespace davit::dispatch

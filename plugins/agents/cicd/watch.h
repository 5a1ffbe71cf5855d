// Waits for the checks of one commit.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "github_api/api.h"

namespace cicd {

struct Subject {
  github::Repo repo;
  std::string sha;  // whole
  int pull = 0;     // of the pull request whose head it is; 0: none is known
};

struct Bounds {
  std::chrono::milliseconds wait;    // from the beginning on
  std::chrono::milliseconds poll;    // the first pause; they get longer, up to a minute
  std::chrono::milliseconds settle;  // without news
};

struct Clock {
  std::function<std::chrono::milliseconds()> now;          // since some beginning
  std::function<void(std::chrono::milliseconds)> pass;     // may throw, to end the watch
  std::function<void(const std::string&)> tell = nullptr;  // what is waited for; may be empty
};

enum class End {
  Complete,    // no check waits any more, and there was no news for `settle`
  Superseded,  // the pull request has another head by now: these checks count for nothing
  Closed,      // or it was closed, or merged
  OutOfTime,
};

// One thread. A look that fails as Retryable is made up for by the next ones, a few times.
class Watch {
 public:
  // `api` outlives it.
  Watch(github::Api& api, Subject subject, Bounds bounds, Clock clock);

  End until_complete();
  const github::Checks& checks() const { return checks_; }  // as they were looked at last

  // A workflow run was started again: what is listed of it up to that attempt counts as waiting, for lists
  // lag behind.
  void started_again(std::int64_t run, int attempt) { started_again_[run] = attempt; }
  bool waits(const github::Check& check) const;

 private:
  End look();
  std::string picture() const;
  std::string what_waits() const;

  github::Api& api_;
  const Subject subject_;
  const Bounds bounds_;
  const Clock clock_;
  const std::chrono::milliseconds end_;
  std::map<std::int64_t, int> started_again_;
  github::Checks checks_;
};

}  // namespace cicd

// When GitHub may be asked: one pace for all who use an account, over processes and restarts.
//
// GitHub counts by account, not by process: who is refused waits, and so must everybody else, or the refusals
// get longer. So what one learns stands in a file that all read before they ask. Writes go one at a time and
// a second apart, as GitHub wants it ("Best practices for using the REST API").
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "shared_files/files.h"
#include "github_api/limits.h"
#include "http_client/http_client.h"

namespace github {

// GitHub counts these apart.
enum class Budget { Core, Search, CodeSearch, Graphql };
Budget budget_of(std::string_view path);  // below the API

enum class Move { Read, Write };

// What a caller may wait for, and by which clock.
struct Waiting {
  // In place, for all of a call; what takes longer is a Failure(RateLimited) with the time that is left.
  std::chrono::milliseconds most{60'000};
  // Until the caller's own deadline, which bounds it further; empty: it has none.
  std::function<std::chrono::milliseconds()> remaining = {};
  // Empty: the system's. `sleep` is asked for short naps only.
  std::function<std::chrono::system_clock::time_point()> now = {};
  std::function<void(std::chrono::milliseconds)> sleep = {};
};

// One thread; any number of objects and processes may share a folder. Throws davit::Failure: RateLimited,
// Cancelled, Retryable when the folder cannot be used.
class Pace {
 public:
  using Time = std::chrono::system_clock::time_point;

  // `account` tells accounts apart; it becomes part of a file's name.
  Pace(std::filesystem::path folder, std::string account, Waiting waiting, http::Cancel cancel);

  Time now() const { return waiting_.now(); }
  // When a call that begins now has waited enough.
  Time patience() const;

  // Waits until a request of `budget` may be sent. RateLimited when that is after `patience`; `what` is not
  // sent then, and the sentence says so.
  void await_read(Budget budget, Time patience, const std::string& what);
  // The same, and until nobody else of the account writes, and a second after the last write. The next one
  // waits until what is returned is destroyed.
  shared::FileLock await_write(Budget budget, Time patience, const std::string& what);

  // A request was refused for that limit: tells everybody, and the caller how long it is. It is longer each
  // time where GitHub does not say.
  std::chrono::milliseconds refused(Budget budget, Move move, const Limit& limit);
  // A request was answered. `used_up`: the last one of its budget for that long.
  void answered(Budget budget, Move move, std::optional<std::chrono::milliseconds> used_up);

  // Waits; Cancelled when asked to end.
  void nap(std::chrono::milliseconds time) const;

 private:
  // Of one account. All but `unsaid` in milliseconds since 1970.
  struct State {
    std::int64_t all = 0;                 // nothing may be sent before it
    std::array<std::int64_t, 4> of = {};  // nothing of that budget may be
    std::int64_t written = 0;             // when the last write began
    std::array<int, 2> unsaid = {};       // refusals in a row without a time, by Move
  };
  using States = std::map<std::string, State>;

  static States parse(std::string_view text);
  static std::string dump(const States& states);
  State read();
  template <class Change>
  void change(Change change);
  Time free_at(const State& state, Budget budget) const;

  std::filesystem::path folder_;
  std::string account_;
  Waiting waiting_;
  http::Cancel cancel_;
  std::array<int, 2> unsaid_seen_ = {};
};

}  // namespace github

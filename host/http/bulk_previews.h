// What somebody was shown before he acts on many tasks, and the keys under which he does.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/clock.h"
#include "host/base/guarded.h"
#include "host/base/result.h"
#include "host/store/store.h"

namespace davit::http {

// The tasks that were shown, as they were then.
struct BulkPreview {
  std::string actor;  // who saw it; nobody else may use it
  TaskActionKind action = TaskActionKind::Cancel;
  std::vector<store::Chosen> tasks;
};

// Kept in memory, for a short time: after a restart one looks again. Thread-safe.
class BulkPreviews {
 public:
  static constexpr Duration kLifetime{5 * 60'000};
  static constexpr std::size_t kMost = 64;  // the oldest goes

  explicit BulkPreviews(const Clock& clock) : clock_(clock) {}

  // Gives the token under which it is taken.
  std::string keep(BulkPreview preview);
  // Once. NotFound for a token that is none, of somebody else, used or too old.
  Result<BulkPreview> take(std::string_view token, std::string_view actor);

 private:
  struct Kept {
    std::string token_hash;  // of the token, which is kept nowhere
    MonotonicTime until;
    BulkPreview preview;
  };
  const Clock& clock_;
  Guarded<std::vector<Kept>> kept_;  // oldest first
};

// The value of an Idempotency-Key header, which is a String of RFC 8941
// (draft-ietf-httpapi-idempotency-key-header): printable ASCII in quotes, with a backslash before a quote or
// a backslash; 1 to 128 characters. InvalidInput for anything else.
Result<std::string> idempotency_key(std::string_view header);

// Keys of acts that are being done, so that one that is sent twice at a time is done by one of the two. Thread-safe.
class KeysInUse {
 public:
  static constexpr std::size_t kMost = 64;

  // Held as long as the act goes on.
  using Hold = std::shared_ptr<const void>;
  // Conflict: it is being done; Overloaded: too many are.
  Result<Hold> take(const std::string& actor, const std::string& key);

 private:
  using Keys = Guarded<std::set<std::pair<std::string, std::string>>>;
  const std::shared_ptr<Keys> keys_ = std::make_shared<Keys>();  // holds may outlive this
};

}  // namespace davit::http

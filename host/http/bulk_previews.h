// What somebody was shown before he acts on many tasks, and what came of it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/base/guarded.h"
#include "host/base/result.h"
#include "host/http/response.h"
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

// Answers by the key of who asked, so that a request that is sent again is answered again and not done again.
// Kept in memory for a day. Thread-safe.
class IdempotentAnswers {
 public:
  static constexpr Duration kLifetime{24 * 3'600'000};
  static constexpr std::size_t kMost = 256;  // the oldest that is answered goes

  explicit IdempotentAnswers(const Clock& clock) : clock_(clock) {}

  // Nothing: it is new, and the caller does it and calls finish(). A response: the one from then. Conflict:
  // it is being done; InvalidInput: the key was used for another body; Overloaded: too many are being done.
  Result<std::optional<Response>> begin(const std::string& actor, const std::string& key,
                                        const std::string& body_hash);
  void finish(const std::string& actor, const std::string& key, Response response);
  // It was not done: the key is free again.
  void forget(const std::string& actor, const std::string& key);

 private:
  struct Kept {
    std::string body_hash;
    MonotonicTime until;
    std::optional<Response> response;  // absent: it is being done
  };
  const Clock& clock_;
  Guarded<std::map<std::pair<std::string, std::string>, Kept>> kept_;
};

}  // namespace davit::http

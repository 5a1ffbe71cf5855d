// How a hook says that it could not do its work: throw a Failure. It crosses the border as a status, a
// sentence and, where one is given, the time to wait; any other exception becomes Status::Internal.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "davit/abi/types.h"

namespace davit {
inline namespace sdk {

// The closed set of the ABI; ABI.md says what the host does with each.
enum class Status : std::int32_t {
  Ok = DAVIT_OK,
  Ignored = DAVIT_IGNORED,
  InvalidInput = DAVIT_INVALID_INPUT,
  Unauthorized = DAVIT_UNAUTHORIZED,
  NotFound = DAVIT_NOT_FOUND,
  Retryable = DAVIT_RETRYABLE,
  RateLimited = DAVIT_RATE_LIMITED,
  Cancelled = DAVIT_CANCELLED,
  Deadline = DAVIT_DEADLINE,
  Permanent = DAVIT_PERMANENT,
  Internal = DAVIT_INTERNAL,
  NotImplemented = DAVIT_NOT_IMPLEMENTED,
};

class Failure : public std::runtime_error {
 public:
  // `message` is for a person: what is wrong, where, what to do.
  Failure(Status status, const std::string& message) : std::runtime_error(message), status_(status) {}
  Failure(Status status, const std::string& message, std::chrono::milliseconds retry_after)
      : std::runtime_error(message), status_(status), retry_after_(retry_after) {}

  Status status() const noexcept { return status_; }
  std::optional<std::chrono::milliseconds> retry_after() const noexcept { return retry_after_; }

  static Failure invalid_input(const std::string& message) { return {Status::InvalidInput, message}; }
  static Failure unauthorized(const std::string& message) { return {Status::Unauthorized, message}; }
  static Failure not_found(const std::string& message) { return {Status::NotFound, message}; }
  static Failure retryable(const std::string& message) { return {Status::Retryable, message}; }
  static Failure retryable(const std::string& message, std::chrono::milliseconds retry_after) {
    return {Status::Retryable, message, retry_after};
  }
  static Failure rate_limited(const std::string& message, std::chrono::milliseconds retry_after) {
    return {Status::RateLimited, message, retry_after};
  }
  static Failure cancelled(const std::string& message) { return {Status::Cancelled, message}; }
  static Failure permanent(const std::string& message) { return {Status::Permanent, message}; }
  static Failure internal(const std::string& message) { return {Status::Internal, message}; }

 private:
  Status status_;
  std::optional<std::chrono::milliseconds> retry_after_;
};

}  // namespace sdk
}  // namespace davit

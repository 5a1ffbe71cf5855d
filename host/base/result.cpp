#include "host/base/result.h"

#include <cstdio>
#include <cstdlib>

namespace davit {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidInput:
      return "invalid_input";
    case ErrorCode::Unauthorized:
      return "unauthorized";
    case ErrorCode::NotFound:
      return "not_found";
    case ErrorCode::Conflict:
      return "conflict";
    case ErrorCode::TooLarge:
      return "too_large";
    case ErrorCode::RateLimited:
      return "rate_limited";
    case ErrorCode::Overloaded:
      return "overloaded";
    case ErrorCode::Unavailable:
      return "unavailable";
    case ErrorCode::Cancelled:
      return "cancelled";
    case ErrorCode::Deadline:
      return "deadline";
    case ErrorCode::Permanent:
      return "permanent";
    case ErrorCode::NotImplemented:
      return "not_implemented";
    case ErrorCode::Internal:
      return "internal";
  }
  return "internal";
}

Error at(std::string_view where, Error error) {
  error.message.insert(0, std::string(where) + ": ");
  return error;
}

void end_of_reading_a_failure(const Error& error) {
  std::fprintf(stderr, "davit: value() of a failed Result: %s\n", error.message.c_str());
  std::abort();
}

}  // namespace davit

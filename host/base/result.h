// Failure as a return value.
//
// What can fail for outside reasons returns Result<T>; TRY passes the failure on. The code says what the
// caller can do next, the message is the sentence a person reads: what is wrong, where, and what to do.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace davit {

enum class ErrorCode {
  InvalidInput,    // the caller's data is wrong; repeating it unchanged cannot succeed
  Unauthorized,    // who asks is not known or not allowed
  NotFound,        // the thing named does not exist
  Conflict,        // the thing exists in a state that does not allow this
  TooLarge,        // over a stated limit
  RateLimited,     // too often; later is fine
  Overloaded,      // we are full at the moment; later is fine
  Unavailable,     // a part that is needed does not work (disk full, child gone)
  Cancelled,       // somebody asked for the end of it
  Deadline,        // time ran out
  Permanent,       // failed and would fail again
  NotImplemented,  // the other side does not offer this
  Internal,        // a defect of ours or of a plugin
};

// The stable snake_case name of a code, as shown in logs and problem answers.
std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;
};

// Puts "<where>: " before the sentence of an error that is passed on.
Error at(std::string_view where, Error error);

template <typename T = std::monostate>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)
  Result() requires std::is_same_v<T, std::monostate> : state_(std::in_place_index<0>) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return check(), *std::get_if<0>(&state_); }
  const T& value() const& { return check(), *std::get_if<0>(&state_); }
  T&& value() && { return check(), std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }

  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error&& error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  // Reading the value of a failure is a broken invariant of ours, never a consequence of input.
  void check() const {
    if (state_.index() == 0) return;
    std::fprintf(stderr, "davit: value() of a failed Result: %s\n", std::get_if<1>(&state_)->message.c_str());
    std::abort();
  }
  std::variant<T, Error> state_;
};

// TRY(expression): its value, or a return of its error from the enclosing function.
#define TRY(...)                                                                  \
  __extension__({                                                                 \
    auto try_result_ = (__VA_ARGS__);                                             \
    if (!try_result_.ok()) return ::davit::Error(std::move(try_result_).error()); \
    std::move(try_result_).value();                                               \
  })

}  // namespace davit

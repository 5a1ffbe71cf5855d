// Failure as a return value.
//
// What can fail for outside reasons returns Result<T>; TRY passes the failure on. The code says what the
// caller can do next, the message is the sentence a person reads: what is wrong, where, and what to do.
#pragma once

#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>  // std::monostate

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

// Reading the value of a failure is a broken invariant of ours, never a consequence of input: ends the
// process.
[[noreturn]] void end_of_reading_a_failure(const Error& error);

// A value or an error. A union and not a std::variant, of which each type of value would take the compiler
// ten times as long: there are hundreds of them.
template <typename T = std::monostate>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)), ok_(true) {}       // NOLINT(google-explicit-constructor)
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT(google-explicit-constructor)
  Result() requires std::is_same_v<T, std::monostate> : value_(), ok_(true) {}

  Result(const Result& other) requires std::is_copy_constructible_v<T> : ok_(other.ok_) {
    if (ok_)
      new (&value_) T(other.value_);
    else
      new (&error_) Error(other.error_);
  }
  Result(Result&& other) noexcept : ok_(other.ok_) { take(other); }
  Result& operator=(Result other) noexcept {
    drop();
    ok_ = other.ok_;
    take(other);
    return *this;
  }
  ~Result() { drop(); }

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }

  T& value() & { return check(), value_; }
  const T& value() const& { return check(), value_; }
  T&& value() && { return check(), std::move(value_); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }

  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  void check() const {
    if (!ok_) end_of_reading_a_failure(error_);
  }
  // Of one that is as ok as this; nothing is held yet.
  void take(Result& other) {
    if (ok_)
      new (&value_) T(std::move(other.value_));
    else
      new (&error_) Error(std::move(other.error_));
  }
  void drop() {
    if (ok_)
      value_.~T();
    else
      error_.~Error();
  }

  // Which of the two it is says ok_.
  union {
    T value_;
    Error error_;
  };
  bool ok_;
};

// TRY(expression): its value, or a return of its error from the enclosing function.
#define TRY(...)                                                                  \
  __extension__({                                                                 \
    auto try_result_ = (__VA_ARGS__);                                             \
    if (!try_result_.ok()) return ::davit::Error(std::move(try_result_).error()); \
    std::move(try_result_).value();                                               \
  })

}  // namespace davit

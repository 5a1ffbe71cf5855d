// What stands between the ABI's C functions and an author's C++: nothing that is thrown gets past, answers go
// into the host's sink. Authors need none of this.
#pragma once

#include <cxxabi.h>

#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <type_traits>

#include "davit/abi/types.h"
#include "davit/abi/version.h"
#include "davit/failure.hpp"
#include "davit/text.hpp"

namespace davit {
inline namespace sdk {
namespace detail {

inline void set_error(const davit_call* call, std::string_view message) noexcept {
  if (!call || !DAVIT_HAS(call, davit_call, set_error) || !call->set_error) return;
  if (is_utf8(message)) return call->set_error(call, text_of(message));
  try {
    call->set_error(call, text_of(to_utf8(message)));
  } catch (const std::bad_alloc&) {
    call->set_error(call, text_of("out of memory"));
  }
}

inline davit_status fail(const davit_call* call, const Failure& failure) noexcept {
  set_error(call, failure.what());
  const auto wait = failure.retry_after();
  if (wait && call && DAVIT_HAS(call, davit_call, set_retry_after) && call->set_retry_after) {
    call->set_retry_after(call, wait->count() > 0 ? static_cast<std::uint64_t>(wait->count()) : 0);
  }
  // Neither Ok nor Ignored is a failure, and a number outside the set means nothing.
  const auto status = static_cast<davit_status>(failure.status());
  return status >= DAVIT_INVALID_INPUT && status <= DAVIT_NOT_IMPLEMENTED ? status : DAVIT_INTERNAL;
}

// Runs `body`, which returns a davit_status, and turns whatever it throws into one. The one thing let through
// is the C library's forced unwinding of a cancelled thread: who swallows that is aborted.
// There is no object behind that exception's reference, which a sanitizer would call an error of ours.
template <class Body>
[[gnu::no_sanitize("null")]] davit_status guarded(const davit_call* call, Body&& body) {
  try {
    return body();
  } catch (const Failure& failure) {
    return fail(call, failure);
  } catch (const std::bad_alloc&) {
    set_error(call, "out of memory");
    return DAVIT_RETRYABLE;
  } catch (const std::exception& error) {
    set_error(call, error.what());
    return DAVIT_INTERNAL;
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    set_error(call, "the plugin threw something that is not a std::exception");
    return DAVIT_INTERNAL;
  }
}

// The same for what can report nothing.
template <class Body>
void guarded_quietly(Body&& body) {
  guarded(nullptr, [&] { return body(), DAVIT_OK; });
}

inline void write(const davit_sink* sink, std::string_view text) {
  if (text.empty()) return;
  const davit_status status = sink->write(sink, text_of(text));
  if (status != DAVIT_OK)
    throw Failure(static_cast<Status>(status), "the host refused the answer: is it over 8 MiB?");
}

// Fills `*room` with as much of `full` as there is room for: an older host knows a shorter struct.
template <class Struct>
void fill(Struct* room, Struct full, std::size_t least) {
  const std::size_t size = room->struct_size < sizeof(Struct) ? room->struct_size : sizeof(Struct);
  if (size < least) throw Failure::internal("the host's struct is smaller than ABI 1.0 has it");
  full.struct_size = static_cast<std::uint32_t>(size);
  std::memcpy(room, &full, size);
}

}  // namespace detail
}  // namespace sdk
}  // namespace davit

// For those who may wait for a write.
#pragma once

#include <functional>
#include <future>
#include <type_traits>
#include <utility>
#include <variant>

#include "host/store/store.h"

namespace davit::store {

// Hands a write to the store and waits until it is committed. Not for I/O threads, nor for the store's own.
template <typename T = std::monostate>
Result<T> committed(const std::type_identity_t<std::function<void(Done<T>)>>& write) {
  std::promise<Result<T>> answer;
  write([&answer](Result<T> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

}  // namespace davit::store

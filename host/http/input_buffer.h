// Bytes that came and belong to no finished request yet.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace davit::http {

// Confined to the thread of its connection. Empty, it owns no memory: an idle connection costs none.
class InputBuffer {
 public:
  std::string_view bytes() const { return {memory_.get() + begin_, size_}; }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  void append(std::string_view more) {
    if (begin_ + size_ + more.size() > capacity_) grow(size_ + more.size());
    std::memcpy(memory_.get() + begin_ + size_, more.data(), more.size());
    size_ += more.size();
  }

  // Gives the first `count` bytes away (count <= size()). Without a copy if nothing follows them.
  std::unique_ptr<char[]> take(std::size_t count) {
    if (count == size_ && begin_ == 0) {
      size_ = capacity_ = 0;
      return std::move(memory_);
    }
    auto taken = std::make_unique_for_overwrite<char[]>(count);
    std::memcpy(taken.get(), memory_.get() + begin_, count);
    begin_ += count;
    size_ -= count;
    if (size_ == 0) clear();
    return taken;
  }

  void clear() {
    memory_.reset();
    begin_ = size_ = capacity_ = 0;
  }

 private:
  void grow(std::size_t needed) {
    std::size_t capacity = capacity_ == 0 ? needed : std::max(needed, size_ * 2);
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ != 0) std::memcpy(larger.get(), memory_.get() + begin_, size_);
    memory_ = std::move(larger);
    capacity_ = capacity;
    begin_ = 0;
  }

  std::unique_ptr<char[]> memory_;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace davit::http

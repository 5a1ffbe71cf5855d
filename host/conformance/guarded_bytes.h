// Bytes that end where readable memory ends: whoever reads past them crashes, whatever lies behind.
#pragma once

#include <cstddef>
#include <string_view>

namespace davit::conformance {

// Confined to one thread. Aborts where the system gives no memory.
class GuardedBytes {
 public:
  explicit GuardedBytes(std::string_view bytes);
  ~GuardedBytes();  // and whoever reads them later crashes too, until the addresses are reused
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  char* data() const { return data_; }
  std::string_view view() const { return {data_, size_}; }

 private:
  void* pages_;
  std::size_t mapped_;
  char* data_;
  std::size_t size_;
};

}  // namespace davit::conformance

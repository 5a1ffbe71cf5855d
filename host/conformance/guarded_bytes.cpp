#include "host/conformance/guarded_bytes.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace davit::conformance {

GuardedBytes::GuardedBytes(std::string_view bytes) : size_(bytes.size()) {
  const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t readable = (size_ + page - 1) / page * page;
  mapped_ = readable + page;
  pages_ = ::mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages_ == MAP_FAILED) std::abort();
  if (readable > 0 && ::mprotect(pages_, readable, PROT_READ | PROT_WRITE) != 0) std::abort();
  data_ = static_cast<char*>(pages_) + readable - size_;
  if (size_ > 0) std::memcpy(data_, bytes.data(), size_);
}

// The addresses stay taken, so that nothing else comes to lie there.
GuardedBytes::~GuardedBytes() {
  ::madvise(pages_, mapped_, MADV_DONTNEED);
  ::mprotect(pages_, mapped_, PROT_NONE);
}

}  // namespace davit::conformance

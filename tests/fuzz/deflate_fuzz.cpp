// Packed rows of a database that may be damaged: up to the first zero byte how much may come out, then the
// packed bytes.
#include "host/base/deflate.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using davit::fuzz::promise;
  std::string_view rest = davit::fuzz::as_text(data, size);
  const std::size_t most = davit::fuzz::cut(rest, std::string_view("\0", 1)).size() * 1'000;
  const auto whole = davit::inflate(rest, most);
  if (!whole.ok()) {
    promise(davit::fuzz::is_one_line(whole.error().message), "a refusal has a reason");
    return 0;
  }
  promise(whole->size() <= most, "no more comes out than was allowed");
  const auto again = davit::inflate(davit::deflate(*whole), whole->size());
  promise(again.ok() && *again == *whole, "what is packed comes back as it was");
  return 0;
}

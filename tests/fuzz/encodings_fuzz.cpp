// Hexadecimal, base64 and ids, as they come in headers and paths.
#include <string>

#include "host/base/crypto.h"
#include "host/base/id.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using davit::fuzz::promise;
  const std::string_view text = davit::fuzz::as_text(data, size);
  const auto from_hex = davit::from_hex(davit::to_hex(text));
  promise(from_hex.ok() && *from_hex == text, "hexadecimal reads back");
  const auto from_base64 = davit::from_base64(davit::to_base64(text));
  promise(from_base64.ok() && *from_base64 == text, "base64 reads back");
  // A text that can be read is the only one for its bytes, so two signatures that look different are
  // different.
  if (const auto bytes = davit::from_base64(text)) {
    promise(davit::to_base64(*bytes) == text, "base64 has one form");
  }
  if (const auto bytes = davit::from_hex(text))
    promise(bytes->size() * 2 == size, "hexadecimal is two digits a byte");
  if (davit::is_id(text)) promise(size == 36 && text[8] == '-', "an id has its form");
  promise(davit::constant_time_equal(text, std::string(text)), "equal texts are equal");
  if (size > 0) {
    std::string other(text);
    other[size / 2] = static_cast<char>(other[size / 2] ^ 1);
    promise(!davit::constant_time_equal(text, other), "one bit makes a difference");
  }
  return 0;
}

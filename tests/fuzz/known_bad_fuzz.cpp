// A target that breaks its promise, to show that findings are noticed: by libFuzzer, which has to find the
// input from what the corpus holds (scripts/fuzz known_bad ends with 1), and by the replay (known_bad.sh).
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = davit::fuzz::as_text(data, size);
  davit::fuzz::promise(!text.starts_with("bad!"), "no input is bad");
  return 0;
}

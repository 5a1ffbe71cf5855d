// The bytes of a runner's socket. The frames depend on the bytes alone, not on how they arrived, and encoding
// a frame gives its bytes again.
#include <string>

#include "host/isolation/frames.h"
#include "tests/fuzz/fuzz.h"

namespace {

namespace isolation = davit::isolation;
using davit::fuzz::promise;

// All frames of `bytes` and what comes after them, when they arrive in pieces of `step`.
std::string told_of_all(std::string_view bytes, std::size_t first, std::size_t step) {
  isolation::FrameReader reader;
  std::string told;
  for (std::size_t piece = first; !bytes.empty(); piece = step) {
    reader.append(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (;;) {
      const auto frame = reader.next();
      if (!frame.ok()) return told + "broken: " + frame.error().message;
      if (!*frame) break;
      const isolation::Frame& got = **frame;
      char header[isolation::kFrameHeaderBytes];
      promise(isolation::encode_header(header, got.kind, got.json.size(), got.blob.size()).ok(),
              "a frame that was read can be sent");
      told.append(header, sizeof header).append(got.json).append(got.blob);
    }
  }
  return told;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = davit::fuzz::as_text(data, size);
  const std::string whole = told_of_all(bytes, size, size);
  const std::size_t good = std::min(whole.find("broken: "), whole.size());
  promise(bytes.substr(0, good) == whole.substr(0, good), "frames encode to their bytes");
  promise(told_of_all(bytes, 1, 1) == whole, "byte by byte it is the same");
  for (std::size_t at = 1; at < size; at += 1 + size / 64) {
    promise(told_of_all(bytes, at, size) == whole, "cut in two it is the same");
  }
  const auto frame = isolation::decode_frame(bytes);
  promise(frame.ok() || davit::fuzz::is_one_line(frame.error().message), "a refusal is one line");
  return 0;
}

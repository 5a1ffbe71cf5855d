#include "host/base/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <vector>

namespace davit {
namespace {

// The fastest: what is stored this way was written to be read by few, and a loop waits for it.
constexpr int kLevel = 1;
constexpr std::size_t kStep = 64u << 10;

Bytef* bytes_of(std::string_view text) {
  // zlib does not write to its input.
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

// Frees what zlib holds when it goes.
struct Inflater {
  Inflater() { ready = inflateInit(&stream) == Z_OK; }
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  z_stream stream{};
  bool ready = false;
};

}  // namespace

std::string deflate(std::string_view bytes) {
  uLongf size = compressBound(bytes.size());
  std::string packed(size, '\0');
  // Fails for want of memory only, as the string before it would have.
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size, bytes_of(bytes), bytes.size(), kLevel) !=
      Z_OK)
    std::abort();
  packed.resize(size);
  return packed;
}

std::string gzip(std::string_view bytes) {
  constexpr int kGzip = 16;  // zlib's mark for the format
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, MAX_WBITS + kGzip, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
    std::abort();  // for want of memory only
  std::string packed;
  std::vector<Bytef> step(kStep);
  int said = Z_OK;
  do {
    // Its counters have 32 bits.
    if (stream.avail_in == 0) {
      const std::size_t most = std::min<std::size_t>(bytes.size(), std::numeric_limits<uInt>::max());
      stream.next_in = bytes_of(bytes);
      stream.avail_in = static_cast<uInt>(most);
      bytes.remove_prefix(most);
    }
    stream.next_out = step.data();
    stream.avail_out = static_cast<uInt>(step.size());
    said = ::deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    packed.append(reinterpret_cast<const char*>(step.data()), step.size() - stream.avail_out);
  } while (said == Z_OK);
  deflateEnd(&stream);
  return packed;
}

Result<std::string> inflate(std::string_view packed, std::size_t most) {
  const Error damaged{ErrorCode::InvalidInput, "packed bytes are damaged"};
  if (packed.size() > std::numeric_limits<uInt>::max()) return damaged;
  Inflater inflater;
  if (!inflater.ready) return Error{ErrorCode::Unavailable, "no memory to unpack with"};
  z_stream& stream = inflater.stream;
  stream.next_in = bytes_of(packed);
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string whole;
  std::vector<Bytef> step(kStep);
  for (;;) {
    stream.next_out = step.data();
    stream.avail_out = static_cast<uInt>(step.size());
    const int said = ::inflate(&stream, Z_NO_FLUSH);
    const std::size_t got = step.size() - stream.avail_out;
    if (said == Z_OK || said == Z_STREAM_END) {
      if (got > most - whole.size())
        return Error{ErrorCode::TooLarge,
                     "packed bytes are more than the " + std::to_string(most) + " that they are said to be"};
      whole.append(reinterpret_cast<const char*>(step.data()), got);
    }
    if (said == Z_STREAM_END) break;
    // Z_BUF_ERROR: it ends in the middle.
    if (said != Z_OK) return damaged;
  }
  if (stream.avail_in > 0) return damaged;
  return whole;
}

}  // namespace davit

// Frames between host and runner: what goes over the socket pair.
//
//   offset 0  u32  length of the JSON text, little-endian, at most 8 MiB
//          4  u32  length of the blob, little-endian, at most 32 MiB
//          8  u8   kind (FrameKind)
//          9  u8   0, three times
//         12  JSON, then blob: raw bytes that are never put into JSON (a body, an artifact)
//
// The kind is in the header so that the host passes answers on without reading their JSON. Frames travel only
// between this program and itself; the first ones name the protocol, and whoever sends anything else is
// killed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/result.h"

namespace davit::isolation {

inline constexpr int kProtocolVersion = 1;
inline constexpr std::size_t kFrameHeaderBytes = 12;
inline constexpr std::size_t kMaxFrameJson = 8u << 20;
inline constexpr std::size_t kMaxFrameBlob = 32u << 20;

enum class FrameKind : std::uint8_t {
  Hello = 1,         // host: {"protocol":[1],"davit":"0.1.0","sha256":…,"nonce":…}
  Welcome = 2,       // runner: {"protocol":1,"nonce":…}
  Create = 3,        // host: library, kind, index, config, secrets: protocol.h
  Created = 4,       // runner: {}
  Refused = 5,       // runner, in place of Welcome, Created or Scanned: {"code":…,"reason":…}
  Scan = 6,          // host: {"library":…}
  Scanned = 7,       // runner: a ProbeReport; the blob is the nonce of the Hello
  Call = 8,          // host: {"id":…,"deadline_ns":…,"directory":…,"request":…} and the blob
  Report = 9,        // runner, during a call: progress, usage, transcript, artifact
  Log = 10,          // runner, at any time: {"level":…,"line":…}
  Answer = 11,       // runner: ends the call
  Cancel = 12,       // host, on the control socket: {"id":…}
  End = 13,          // host: release the instance and exit
  Constructed = 14,  // runner, before Scanned: the library's constructors have run; {}
};

struct FrameHeader {
  FrameKind kind = FrameKind::Hello;
  std::uint32_t json_bytes = 0;
  std::uint32_t blob_bytes = 0;
  std::size_t total() const { return kFrameHeaderBytes + json_bytes + blob_bytes; }
};

// Views into the bytes it was decoded from.
struct Frame {
  FrameKind kind = FrameKind::Hello;
  std::string_view json;
  std::string_view blob;
};

// `bytes` are at least kFrameHeaderBytes. InvalidInput for an unknown kind, padding that is not 0, a length
// over its cap.
Result<FrameHeader> decode_header(std::string_view bytes);
// The first frame of `bytes`, nullopt if it is not whole yet. A pure function of its input.
Result<std::optional<Frame>> decode_frame(std::string_view bytes);
// TooLarge if a part is over its cap.
Result<> encode_header(char (&header)[kFrameHeaderBytes], FrameKind kind, std::size_t json_bytes,
                       std::size_t blob_bytes);

// Collects what arrives on a socket and cuts it into frames. Memory follows what has arrived, never what a
// header announces. Confined to one thread.
class FrameReader {
 public:
  enum class Got { Bytes, Nothing, End };
  // One read of the socket. Unavailable for an error of the system.
  Result<Got> read_from(int fd);
  // For bytes that came another way (tests).
  void append(std::string_view bytes);
  // The next whole frame, valid until the next call of any function but next(). Nullopt: more must arrive
  // first.
  Result<std::optional<Frame>> next();

 private:
  void make_room(std::size_t bytes);
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

// Sends frames on a non-blocking socket without copying them: what the socket does not take waits here.
// Confined to one thread.
class FrameWriter {
 public:
  // Ok also if a part of it waits; see pending(). TooLarge over the caps, Unavailable if the other end is
  // gone.
  Result<> send(int fd, FrameKind kind, std::string json, std::string blob = {});
  // Goes on sending, when the socket is writable again.
  Result<> flush(int fd);
  bool pending() const { return !waiting_.empty(); }

 private:
  struct Waiting {
    char header[kFrameHeaderBytes];
    std::string json, blob;
    std::size_t sent = 0;
  };
  Result<> push(int fd, Waiting& frame, bool& whole);
  std::deque<Waiting> waiting_;
};

// Sends one frame on a blocking socket, for the runner's side. Unavailable if the other end is gone.
Result<> send_frame(int fd, FrameKind kind, std::string_view json, std::string_view blob = {});

}  // namespace davit::isolation

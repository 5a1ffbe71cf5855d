#include "host/isolation/frames.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "host/base/file.h"

namespace davit::isolation {
namespace {

constexpr std::size_t kUsualBuffer = 64u << 10;
constexpr std::size_t kLargeBuffer = 1u << 20;  // given back when it is empty again

std::uint32_t read_u32(const char* bytes) {
  auto at = [bytes](int i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
  return at(0) | at(1) << 8 | at(2) << 16 | at(3) << 24;
}

void write_u32(char* bytes, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
}

Error broken(const std::string& what) { return {ErrorCode::InvalidInput, "frame: " + what}; }

// The parts of a frame behind the first `skip` bytes.
int parts_after(std::size_t skip, iovec (&parts)[3], const char* header, std::string_view json,
                std::string_view blob) {
  int count = 0;
  for (std::string_view part : {std::string_view(header, kFrameHeaderBytes), json, blob}) {
    const std::size_t skipped = std::min(skip, part.size());
    skip -= skipped;
    part.remove_prefix(skipped);
    if (part.empty()) continue;
    parts[count++] = {const_cast<char*>(part.data()), part.size()};
  }
  return count;
}

// How many bytes the socket took; 0 if it is full.
Result<std::size_t> send_parts(int fd, iovec* parts, int count, int flags) {
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = static_cast<std::size_t>(count);
  for (;;) {
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | flags);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return std::size_t{0};
    return Error{ErrorCode::Unavailable, "frame: the other end is gone: " + errno_text(errno)};
  }
}

}  // namespace

Result<FrameHeader> decode_header(std::string_view bytes) {
  FrameHeader header;
  header.json_bytes = read_u32(bytes.data());
  header.blob_bytes = read_u32(bytes.data() + 4);
  const auto kind = static_cast<unsigned char>(bytes[8]);
  if (kind < static_cast<unsigned>(FrameKind::Hello) ||
      kind > static_cast<unsigned>(FrameKind::Constructed)) {
    return broken("unknown kind " + std::to_string(kind));
  }
  if (bytes[9] != 0 || bytes[10] != 0 || bytes[11] != 0) return broken("padding is not zero");
  if (header.json_bytes > kMaxFrameJson)
    return broken("JSON of " + std::to_string(header.json_bytes) + " bytes");
  if (header.blob_bytes > kMaxFrameBlob)
    return broken("blob of " + std::to_string(header.blob_bytes) + " bytes");
  header.kind = static_cast<FrameKind>(kind);
  return header;
}

Result<std::optional<Frame>> decode_frame(std::string_view bytes) {
  if (bytes.size() < kFrameHeaderBytes) return std::optional<Frame>{};
  const FrameHeader header = TRY(decode_header(bytes));
  if (bytes.size() < header.total()) return std::optional<Frame>{};
  return std::optional(Frame{header.kind, bytes.substr(kFrameHeaderBytes, header.json_bytes),
                             bytes.substr(kFrameHeaderBytes + header.json_bytes, header.blob_bytes)});
}

Result<> encode_header(char (&header)[kFrameHeaderBytes], FrameKind kind, std::size_t json_bytes,
                       std::size_t blob_bytes) {
  if (json_bytes > kMaxFrameJson) return Error{ErrorCode::TooLarge, "JSON of a frame is over 8 MiB"};
  if (blob_bytes > kMaxFrameBlob) return Error{ErrorCode::TooLarge, "bytes of a frame are over 32 MiB"};
  std::memset(header, 0, kFrameHeaderBytes);
  write_u32(header, static_cast<std::uint32_t>(json_bytes));
  write_u32(header + 4, static_cast<std::uint32_t>(blob_bytes));
  header[8] = static_cast<char>(kind);
  return {};
}

// Room for at least `bytes` more behind end_. Doubles, so a frame that arrives in pieces is copied O(1) times
// a byte.
void FrameReader::make_room(std::size_t bytes) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (capacity_ > kLargeBuffer) buffer_.reset(), capacity_ = 0;
  }
  if (capacity_ - end_ >= bytes) return;
  const std::size_t held = end_ - begin_;
  if (capacity_ - held >= bytes && held <= capacity_ / 2) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, held);
  } else {
    const std::size_t wanted = std::max({kUsualBuffer, held + bytes, 2 * held});
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    if (held > 0) std::memcpy(larger.get(), buffer_.get() + begin_, held);
    buffer_ = std::move(larger);
    capacity_ = wanted;
  }
  begin_ = 0;
  end_ = held;
}

Result<FrameReader::Got> FrameReader::read_from(int fd) {
  make_room(kUsualBuffer / 4);
  for (;;) {
    ssize_t got = recv(fd, buffer_.get() + end_, capacity_ - end_, 0);
    if (got > 0) {
      end_ += static_cast<std::size_t>(got);
      return Got::Bytes;
    }
    if (got == 0) return Got::End;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Got::Nothing;
    if (errno == ECONNRESET) return Got::End;  // closed with bytes of ours unread
    return Error{ErrorCode::Unavailable, "frame: cannot read the socket: " + errno_text(errno)};
  }
}

void FrameReader::append(std::string_view bytes) {
  make_room(bytes.size());
  if (!bytes.empty()) std::memcpy(buffer_.get() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

Result<std::optional<Frame>> FrameReader::next() {
  std::optional<Frame> frame = TRY(decode_frame({buffer_.get() + begin_, end_ - begin_}));
  if (frame) begin_ += kFrameHeaderBytes + frame->json.size() + frame->blob.size();
  return frame;
}

Result<> FrameWriter::push(int fd, Waiting& frame, bool& whole) {
  const std::size_t total = kFrameHeaderBytes + frame.json.size() + frame.blob.size();
  while (frame.sent < total) {
    iovec parts[3];
    int count = parts_after(frame.sent, parts, frame.header, frame.json, frame.blob);
    std::size_t sent = TRY(send_parts(fd, parts, count, MSG_DONTWAIT));
    if (sent == 0) break;
    frame.sent += sent;
  }
  whole = frame.sent == total;
  return {};
}

Result<> FrameWriter::send(int fd, FrameKind kind, std::string json, std::string blob) {
  Waiting frame;
  TRY(encode_header(frame.header, kind, json.size(), blob.size()));
  frame.json = std::move(json);
  frame.blob = std::move(blob);
  bool whole = false;
  if (waiting_.empty()) TRY(push(fd, frame, whole));
  if (!whole) waiting_.push_back(std::move(frame));
  return {};
}

Result<> FrameWriter::flush(int fd) {
  while (!waiting_.empty()) {
    bool whole = false;
    TRY(push(fd, waiting_.front(), whole));
    if (!whole) return {};
    waiting_.pop_front();
  }
  return {};
}

Result<> send_frame(int fd, FrameKind kind, std::string_view json, std::string_view blob) {
  char header[kFrameHeaderBytes];
  TRY(encode_header(header, kind, json.size(), blob.size()));
  const std::size_t total = kFrameHeaderBytes + json.size() + blob.size();
  std::size_t done = 0;
  while (done < total) {
    iovec parts[3];
    int count = parts_after(done, parts, header, json, blob);
    std::size_t sent = TRY(send_parts(fd, parts, count, 0));
    if (sent == 0) return Error{ErrorCode::Internal, "frame: a blocking socket was expected"};
    done += sent;
  }
  return {};
}

}  // namespace davit::isolation

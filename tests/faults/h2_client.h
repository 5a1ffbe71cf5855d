// HTTP/2 as an attacker speaks it: frames as the test makes them, right or wrong (RFC 9113, RFC 7541). Reads
// no more of what comes back than the status of a stream and how it, or the connection, ended.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/faults/tls_client.h"

namespace davit::faults {

// Confined to one thread.
class H2Client {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  enum Type : std::uint8_t {
    Data = 0,
    Head = 1,
    Reset = 3,
    Settings = 4,
    Ping = 6,
    GoAway = 7,
    Window = 8,
    More = 9
  };
  enum Flag : std::uint8_t { None = 0, EndStream = 1, Acknowledged = 1, EndHeaders = 4 };

  // `settings`: pairs of an id and a value, for the first SETTINGS.
  H2Client(const TlsContext& context, int port, std::vector<std::pair<int, std::uint32_t>> settings = {})
      : connection_(context, port) {
    std::string values;
    for (const auto& [id, value] : settings)
      values += number(static_cast<std::uint32_t>(id), 2) + number(value, 4);
    connection_.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(Settings, None, 0, values));
  }

  bool connected() const { return connection_.connected() && connection_.protocol() == "h2"; }

  static std::string frame(Type type, int flags, std::uint32_t stream, std::string_view content) {
    return number(static_cast<std::uint32_t>(content.size()), 3) + static_cast<char>(type) +
           static_cast<char>(flags) + number(stream, 4) + std::string(content);
  }
  // Each as a literal that no table keeps, so that any bytes may stand in it.
  static std::string packed(const Headers& headers) {
    std::string block;
    for (const auto& [name, value] : headers) block += '\0' + text(name) + text(value);
    return block;
  }
  // As a literal that the other side's table keeps: it is entry 62 then.
  static std::string kept(const std::string& name, const std::string& value) {
    return '\x40' + text(name) + text(value);
  }
  static Headers request(const std::string& method, const std::string& path, Headers more = {}) {
    Headers all{{":method", method}, {":scheme", "https"}, {":authority", kServerName}, {":path", path}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  bool send(std::string_view frames) { return connection_.send(frames); }
  // Sends a whole request and gives the number of its stream.
  std::uint32_t ask(const Headers& headers, std::string_view body = "") {
    const std::uint32_t stream = next_;
    next_ += 2;
    std::string frames = frame(Head, EndHeaders | (body.empty() ? EndStream : None), stream, packed(headers));
    for (; body.size() > 16'384; body.remove_prefix(16'384))
      frames += frame(Data, None, stream, body.substr(0, 16'384));
    if (!body.empty()) frames += frame(Data, EndStream, stream, body);
    send(frames);
    return stream;
  }

  // What became of a stream: "202", "reset 1", "goaway 11", "closed", or "nothing" within its patience.
  std::string outcome(std::uint32_t stream) {
    const auto until = std::chrono::steady_clock::now() + connection_.patience;
    for (;;) {
      if (const auto known = streams_.find(stream); known != streams_.end()) return known->second;
      if (!over_.empty()) return over_;
      if (std::chrono::steady_clock::now() > until) return "nothing";
      const std::string bytes = connection_.receive();
      if (bytes.empty()) return over_.empty() ? "closed" : over_;
      read(bytes);
    }
  }
  TlsConnection& connection() { return connection_; }

 private:
  static std::string number(std::uint32_t value, int bytes) {
    std::string big_endian;
    for (int at = bytes - 1; at >= 0; --at) big_endian += static_cast<char>(value >> (8 * at));
    return big_endian;
  }
  // Of any length, not packed by Huffman's code.
  static std::string text(const std::string& bytes) {
    std::string all;
    std::size_t size = bytes.size();
    if (size < 127) {
      all += static_cast<char>(size);
    } else {
      all += static_cast<char>(127);
      for (size -= 127; size >= 128; size >>= 7) all += static_cast<char>((size & 127) | 128);
      all += static_cast<char>(size);
    }
    return all + bytes;
  }
  static std::uint32_t value_of(std::string_view big_endian) {
    std::uint32_t value = 0;
    for (const char byte : big_endian) value = value << 8 | static_cast<std::uint8_t>(byte);
    return value;
  }
  // The first thing that nginx says of an answer is its status: an index of the table, or three digits.
  static std::string status_of(std::string_view block) {
    if (!block.empty() && (block[0] & 0xe0) == 0x20) block.remove_prefix(1);  // the size of a table
    static const std::map<int, std::string> kIndexed{{0x88, "200"}, {0x89, "204"}, {0x8a, "206"},
                                                     {0x8b, "304"}, {0x8c, "400"}, {0x8d, "404"},
                                                     {0x8e, "500"}};
    if (block.empty()) return "no status";
    if (const auto known = kIndexed.find(static_cast<std::uint8_t>(block[0])); known != kIndexed.end())
      return known->second;
    return block.size() >= 5 && block[1] == 3 ? std::string(block.substr(2, 3))
                                              : "another coding of the status";
  }

  void read(const std::string& bytes) {
    in_ += bytes;
    while (in_.size() >= 9) {
      const std::size_t size = value_of(std::string_view(in_).substr(0, 3));
      if (in_.size() < 9 + size) return;
      const auto type = static_cast<std::uint8_t>(in_[3]);
      const std::uint32_t stream = value_of(std::string_view(in_).substr(5, 4));
      const std::string content = in_.substr(9, size);
      in_.erase(0, 9 + size);
      if (type == Head) streams_.try_emplace(stream, status_of(content));
      if (type == Reset) streams_.try_emplace(stream, "reset " + std::to_string(value_of(content)));
      if (type == GoAway)
        over_ = "goaway " + std::to_string(value_of(std::string_view(content).substr(4, 4)));
    }
  }

  TlsConnection connection_;
  std::uint32_t next_ = 1;
  std::string in_, over_;
  std::map<std::uint32_t, std::string> streams_;
};

}  // namespace davit::faults

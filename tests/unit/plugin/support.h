// What the tests of host/plugin share.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/base/clock.h"
#include "host/model/delivery.h"

namespace davit::plugin::test {

inline std::filesystem::path good_plugin(const std::string& name) {
  return std::filesystem::path(DAVIT_BUILD_DIR) / "tests/plugins" / (name + ".so");
}
inline std::filesystem::path broken_plugin(const std::string& name) {
  return std::filesystem::path(DAVIT_BUILD_DIR) / "tests/broken_plugins" / (name + ".so");
}

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "davit-plugin-XXXXXX").string();
    if (!::mkdtemp(name.data())) std::abort();
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void write(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

// Stands still until told.
class FakeClock final : public Clock {
 public:
  WallTime wall() const override { return from_unix_ms(wall_ms); }
  MonotonicTime monotonic() const override { return MonotonicTime(std::chrono::milliseconds(monotonic_ms)); }
  std::int64_t wall_ms = 1'700'000'000'000;
  std::int64_t monotonic_ms = 1'000'000;
};

// A delivery that owns its texts.
inline Delivery delivery(std::string body, std::vector<std::pair<std::string, std::string>> headers = {}) {
  struct Bytes {
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
  };
  auto bytes = std::make_shared<Bytes>(Bytes{std::move(body), std::move(headers)});
  Delivery delivery;
  delivery.id = "018bcfe5-6800-7000-8000-000000000001";
  delivery.request_id = "018bcfe5-6800-7000-8000-000000000002";
  delivery.webhook = "good";
  delivery.method = "POST";
  delivery.path = "/webhooks/good";
  delivery.query = "challenge-word";
  delivery.body = bytes->body;
  for (const auto& [name, value] : bytes->headers) delivery.headers.push_back({name, value});
  delivery.remote_address = "127.0.0.1";
  delivery.received_at = from_unix_ms(1'700'000'000'000);
  delivery.bytes = bytes;
  return delivery;
}

}  // namespace davit::plugin::test

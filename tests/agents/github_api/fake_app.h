// What a GitHub App has, and how GitHub looks at what it sends.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace davit::testing {

// The App's key, made for these tests.
class FakeApp {
 public:
  static constexpr const char* kId = "123456";
  static constexpr const char* kSlug = "davit-app";
  static constexpr std::int64_t kInstallation = 987;

  explicit FakeApp(int bits = 2048);
  ~FakeApp();

  std::string key() const;  // PEM

  // Why GitHub refuses a proof at that time; empty if it takes it.
  std::string refusal(const std::string& proof, std::chrono::sys_seconds now) const;

 private:
  struct Key;
  std::unique_ptr<Key> key_;
};

}  // namespace davit::testing

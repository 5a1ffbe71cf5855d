// How much a fault test does, and with which luck.
//
// Quick is the lane of every test run; long is for `scripts/faults --long`. Every test prints its seed, so
// that a failure can be had again: DAVIT_FAULT_SEED=<seed>.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace davit::faults {

inline bool in_long_lane() {
  const char* lane = std::getenv("DAVIT_FAULT_LANE");
  return lane != nullptr && std::string_view(lane) == "long";
}

// How often: a trial count per lane.
inline int trials(int quick, int many) { return in_long_lane() ? many : quick; }

// The luck of one test, printed when made.
class Luck {
 public:
  Luck() : Luck(chosen_seed()) {}
  explicit Luck(std::uint64_t seed) : seed_(seed), engine_(seed) {
    std::cout << "DAVIT_FAULT_SEED=" << seed_ << std::endl;
  }

  std::uint64_t seed() const { return seed_; }
  // A number from `low` to `high`, both possible.
  int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  std::mt19937_64& engine() { return engine_; }

  // Throws if it is no decimal number of 64 bits: another luck than the one asked for would go unnoticed.
  static std::uint64_t parsed_seed(std::string_view text) {
    std::uint64_t seed = 0;
    const char* const end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, seed);
    if (error != std::errc() || last != end)
      throw std::invalid_argument("DAVIT_FAULT_SEED=" + std::string(text) + " is no number from 0 to 2^64-1");
    return seed;
  }

 private:
  static std::uint64_t chosen_seed() {
    const char* given = std::getenv("DAVIT_FAULT_SEED");
    return given != nullptr ? parsed_seed(given) : std::random_device()();
  }
  std::uint64_t seed_;
  std::mt19937_64 engine_;
};

}  // namespace davit::faults

// How much a fault test does, and with which luck.
//
// Quick is the lane of every test run; long is for `scripts/faults --long`. Every test prints its seed, so
// that a failure can be had again: DAVIT_FAULT_SEED=<seed>.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string_view>

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

 private:
  static std::uint64_t chosen_seed() {
    if (const char* given = std::getenv("DAVIT_FAULT_SEED")) return std::strtoull(given, nullptr, 10);
    return std::random_device()();
  }
  std::uint64_t seed_;
  std::mt19937_64 engine_;
};

}  // namespace davit::faults

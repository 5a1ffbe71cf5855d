// Loading it throws where nobody can catch.
#include <stdexcept>
#include "broken.h"
namespace {
struct Thrower {
  Thrower() { throw std::runtime_error("thrown while loading"); }
} thrower;
}  // namespace

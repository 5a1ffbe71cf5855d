// Libraries that crash, and those that are kept from serving.
#pragma once

#include <string>

#include "host/base/clock.h"

namespace davit::store {

// A plugin that took its process down with it.
struct PluginCrash {
  std::string sha256;      // of its library
  std::string plugin;      // instance
  std::string call;        // "handle"
  std::string request_id;  // or session id
  std::string subject;     // crashes about the same one (a task) count once; empty: always
  std::string reason;      // "killed by signal 11 (SIGSEGV)"
  WallTime at{};
};
// So many crashes within so long put a library into quarantine. 0: never.
struct QuarantineRule {
  int after = 3;
  Duration window{600'000};
};
struct Quarantine {
  std::string sha256, plugin;
  WallTime since{};
  std::string reason;  // a sentence
};

}  // namespace davit::store

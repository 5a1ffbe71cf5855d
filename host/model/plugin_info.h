// Plugins as the host knows them after a probe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/base/clock.h"

namespace davit {

enum class PluginKind { Webhook, Agent };
inline std::string_view to_string(PluginKind kind) {
  return kind == PluginKind::Webhook ? "webhook" : "agent";
}

// One webhook or agent that a library offers.
struct PluginOffer {
  PluginKind kind = PluginKind::Webhook;
  std::uint32_t index = 0;  // number inside the library's factory of this kind
  std::string name;
  std::string version;
  std::string metadata = "{}";  // the whole metadata as JSON, checked
};

// Why a file is not loaded. The code is stable, the reason is for people and ends with what to do.
struct Refusal {
  std::string code;  // "not_elf", "wrong_machine", "no_factory", "abi_too_new", "constructor_crashed", …
  std::string reason;
};

// What a probe found in one library file.
struct ProbeReport {
  std::uint32_t abi_minor_needed = 0;
  std::uint32_t abi_minor_built = 0;
  std::vector<PluginOffer> offers;
};

}  // namespace davit

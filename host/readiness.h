// Which parts of the running host work, each with a sentence where it does not: /readyz and davit_ready.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/base/pulse.h"
#include "host/dispatch/dispatcher.h"
#include "host/http/operations_routes.h"
#include "host/ingest/ingest.h"
#include "host/live/live_plugins.h"
#include "host/plugin/registry.h"
#include "host/store/store.h"

namespace davit {

// Thread-safe.
class Readiness {
 public:
  // All of it outlives this.
  struct Needs {
    const store::Store& store;
    dispatch::Dispatcher& dispatcher;
    ingest::Ingest& ingest;
    const live::LivePlugins& live;
    const plugin::Registry& registry;
    const Clock& clock;
    std::filesystem::path state_folder;
    std::string plugins_folder;
  };
  Readiness(const Needs& needs, std::uint64_t min_free);

  // In bytes, 0: any.
  void set_min_free(std::uint64_t bytes) { min_free_.store(bytes); }
  // Asks the threads and waits for them: a moment, unless one hangs, and never longer than five seconds.
  std::vector<http::PartHealth> parts();

 private:
  const Needs needs_;
  std::atomic<std::uint64_t> min_free_;
  Pulse writer_, dispatch_, ingest_;
};

}  // namespace davit

// One plugin library, loaded into this process: its factories, checked, and what they offer.
//
// The exported symbols are read from the bytes (elf_file.h) before any code of the file runs; Boost.DLL does
// the loading (RTLD_NOW | RTLD_LOCAL). The code is never unmapped (RTLD_NODELETE): dlclose cannot be relied
// on, runners unload by exit. Load only files of the content-addressed store
// (plugin_store.h), never of the drop folder.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "davit/abi/davit.h"
#include "host/base/result.h"
#include "host/model/plugin_info.h"

namespace davit::plugin {

// Looks at the bytes of a file without running any of its code: an ELF shared object for this machine that is
// whole (every load segment and the section table end inside it) and exports at least one known factory
// function. Nullopt when it may be loaded. The codes are in refusal_codes.h.
std::optional<Refusal> inspect_library(const std::filesystem::path& file);

// Immutable after load; thread-safe.
class PluginModule {
 public:
  // Inspects, then runs constructors of the library and its metadata functions: only in a runner, or after a
  // good probe of the same bytes. Exceptions of the plugin become refusals; a crash or an exit() in it is one
  // of this process. `on_constructed` is called between the constructors and what follows.
  static std::variant<std::shared_ptr<const PluginModule>, Refusal> load(
      const std::filesystem::path& stored_file, const std::function<void()>& on_constructed = {});

  const ProbeReport& report() const { return report_; }
  const davit_webhook_factory* webhooks() const { return webhooks_; }  // nullptr: offers none
  const davit_agent_factory* agents() const { return agents_; }

 private:
  PluginModule() = default;
  struct Library;
  std::shared_ptr<Library> library_;
  const davit_webhook_factory* webhooks_ = nullptr;
  const davit_agent_factory* agents_ = nullptr;
  ProbeReport report_;
};

}  // namespace davit::plugin

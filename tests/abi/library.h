// A plugin library of this build, opened for a test.
#pragma once

#include <dlfcn.h>

#include <stdexcept>
#include <string>

#include "davit/abi/entry.h"

// Stays loaded until the process ends, as in the host.
class Library {
 public:
  explicit Library(const std::string& name, const std::string& folder = "tests/abi/plugins") {
    const std::string path = std::string(DAVIT_BUILD_DIR "/") + folder + "/" + name + ".so";
    handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle_) throw std::runtime_error(dlerror());
  }

  // nullptr where the library does not offer the kind.
  const davit_webhook_factory* webhooks() const {
    auto* factory =
        reinterpret_cast<decltype(&davit_webhook_factory_v1)>(dlsym(handle_, DAVIT_WEBHOOK_FACTORY_SYMBOL));
    return factory ? factory() : nullptr;
  }
  const davit_agent_factory* agents() const {
    auto* factory =
        reinterpret_cast<decltype(&davit_agent_factory_v1)>(dlsym(handle_, DAVIT_AGENT_FACTORY_SYMBOL));
    return factory ? factory() : nullptr;
  }

 private:
  void* handle_;
};

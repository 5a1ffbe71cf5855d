// A built plugin library, opened as the host opens it. Unix only; link what dlopen needs.
//
//   davit::testing::Library library("build/plugins/shop.so");
//   davit::testing::WebhookDriver webhook(library.webhooks(), 0, host);
#pragma once

#include <dlfcn.h>

#include <stdexcept>
#include <string>

#include "davit/abi/entry.h"

namespace davit {
inline namespace sdk {
namespace testing {

// Stays loaded until the process ends, as in the host.
class Library {
 public:
  // Throws std::runtime_error with the loader's sentence.
  explicit Library(const std::string& path) : handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (!handle_) throw std::runtime_error(dlerror());
  }

  // nullptr where the library does not offer the kind.
  const davit_webhook_factory* webhooks() const {
    return factory<decltype(&davit_webhook_factory_v1)>(DAVIT_WEBHOOK_FACTORY_SYMBOL);
  }
  const davit_agent_factory* agents() const {
    return factory<decltype(&davit_agent_factory_v1)>(DAVIT_AGENT_FACTORY_SYMBOL);
  }

 private:
  template <class Function>
  auto factory(const char* symbol) const -> decltype(Function()()) {
    const auto function = reinterpret_cast<Function>(dlsym(handle_, symbol));
    return function ? function() : nullptr;
  }

  void* handle_;
};

}  // namespace testing
}  // namespace sdk
}  // namespace davit

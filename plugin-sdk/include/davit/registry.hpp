// How registered classes become the factory of a library. Authors need none of this.
//
// Each DAVIT_REGISTER_… line makes one constant-initialised node and links it into the list of its kind when
// the library is loaded; nothing of the author's runs then. The factory function is an inline function with
// the C name of the ABI: the compiler emits it only where it is used, and only a registration uses it, so a
// library exports exactly the kinds that it registers, however many files it consists of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "davit/abi/types.h"
#include "davit/abi/version.h"
#include "davit/failure.hpp"
#include "davit/guard.hpp"
#include "davit/host.hpp"
#include "davit/json.hpp"
#include "davit/text.hpp"

namespace davit {
inline namespace sdk {
namespace detail {

inline Json from_host(davit_text text) {
  return Json::parse(view_of(text), kHostJsonMaxDepth, kHostJsonMaxValues);
}

// A member of the metadata that authors write as the text of its JSON.
inline Json parse_member(const char* name, std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Failure& failure) {
    throw Failure::internal(std::string("the metadata's ") + name + ": " + failure.what());
  }
}
inline Json parse_schema(std::string_view text) { return parse_member("config_schema", text); }
inline Json parse_sample(std::string_view text) { return parse_member("sample", text); }

template <class Kind>
struct Registration {
  std::unique_ptr<typename Kind::Base> (*make)();
  typename Kind::Struct (*table)();
  Registration* next = nullptr;
};

// Hidden whatever the build's flags: two plugins in one process must never share a registry.
template <class Kind>
struct [[gnu::visibility("hidden")]] Registry {
  inline static Registration<Kind>* first = nullptr;
  inline static Registration<Kind>* last = nullptr;
  inline static std::uint32_t count = 0;

  static Registration<Kind>& at(std::uint32_t index) {
    Registration<Kind>* entry = first;
    for (std::uint32_t i = 0; entry && i < index; ++i) entry = entry->next;
    if (!entry) throw Failure::not_found("this library offers no number " + std::to_string(index));
    return *entry;
  }
};

template <class Kind, class Plugin>
struct [[gnu::visibility("hidden")]] Registrar {
  static_assert(std::is_base_of_v<typename Kind::Base, Plugin>,
                "register a class that derives from the hooks' class");
  static_assert(!std::is_abstract_v<Plugin>, "a hook without default is not overridden");

  constinit inline static Registration<Kind> node{
      [] { return std::unique_ptr<typename Kind::Base>(std::make_unique<Plugin>()); },
      &Kind::template table<Plugin>};

  Registrar() {
    if (node.next || Registry<Kind>::last == &node) return;  // the same class twice
    (Registry<Kind>::last ? Registry<Kind>::last->next : Registry<Kind>::first) = &node;
    Registry<Kind>::last = &node;
    ++Registry<Kind>::count;
  }
};

template <class Kind>
davit_status metadata(std::uint32_t index, const davit_call* call, const davit_sink* out) {
  return guarded(call, [&] {
    write(out, Registry<Kind>::at(index).make()->metadata().to_json().dump());
    return DAVIT_OK;
  });
}

template <class Kind>
davit_status create(std::uint32_t index, const davit_host* host, const davit_call* call,
                    typename Kind::Struct* room) {
  return guarded(call, [&] {
    const Registration<Kind>& entry = Registry<Kind>::at(index);
    std::unique_ptr<typename Kind::Base> plugin = entry.make();
    Access::set_host(*plugin, host);
    plugin->configure(Host(host).config());
    typename Kind::Struct table = entry.table();
    table.self = plugin.get();
    fill(room, table, Kind::kLeast);
    static_cast<void>(plugin.release());  // destroy() takes it back
    return DAVIT_OK;
  });
}

template <class Kind>
[[gnu::visibility("hidden")]] const typename Kind::Factory* factory() {
  static const typename Kind::Factory factory{sizeof(typename Kind::Factory),
                                              0,  // works with every 1.x host
                                              DAVIT_ABI_MINOR,
                                              Registry<Kind>::count,
                                              &metadata<Kind>,
                                              &create<Kind>};
  return &factory;
}

}  // namespace detail
}  // namespace sdk
}  // namespace davit

// Is Base::hook overridden in Plugin or between them? A hook that cannot be named from here (private) is.
#define DAVIT_DETAIL_OVERRIDES(Plugin, Base, hook) \
  (!requires { requires std::is_same_v<decltype(&Plugin::hook), decltype(&Base::hook)>; })

#define DAVIT_DETAIL_JOIN(a, b) a##b
#define DAVIT_DETAIL_REGISTER(Plugin, Kind, symbol, number) \
  DAVIT_DETAIL_REGISTER_AS(Plugin, Kind, symbol, number)
#define DAVIT_DETAIL_REGISTER_AS(Plugin, Kind, symbol, number)                                       \
  namespace {                                                                                        \
  [[maybe_unused]] const ::davit::detail::Registrar<::Kind, Plugin> DAVIT_DETAIL_JOIN(davit_plugin_, \
                                                                                      number);       \
  [[gnu::used]] decltype(&::symbol) const DAVIT_DETAIL_JOIN(davit_export_, number) = &::symbol;      \
  }

// Loading, in this order, each step a refusal of its own: the bytes (elf_file.h); dlopen, which runs
// constructors; the factory functions; what the factories say of themselves; the metadata of each webhook and
// agent.
#include "host/plugin/plugin_module.h"

#include <dlfcn.h>

// Boost.DLL 1.74 uses these without including them.
#include <cstring>
#include <string>
#include <vector>

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

#include <algorithm>
#include <charconv>
#include <exception>
#include <set>
#include <system_error>

#include "host/plugin/elf_file.h"
#include "host/plugin/host_services.h"
#include "host/plugin/metadata.h"
#include "host/plugin/refusal_codes.h"

namespace davit::plugin {
namespace {

constexpr std::uint32_t kMaxOffers = 64;
constexpr std::uint32_t kMaxStructBytes = 4096;

bool exports(const ElfLibrary& library, std::string_view symbol) {
  return std::find(library.davit_functions.begin(), library.davit_functions.end(), symbol) !=
         library.davit_functions.end();
}

// "davit_webhook_factory_v2" -> "2"; empty for what is no factory.
std::string_view major_of(std::string_view symbol) {
  for (std::string_view start : {"davit_webhook_factory_v", "davit_agent_factory_v"}) {
    if (!symbol.starts_with(start)) continue;
    std::string_view major = symbol.substr(start.size());
    if (!major.empty() && major.find_first_not_of("0123456789") == std::string_view::npos) return major;
  }
  return {};
}

// A number with more digits than this is larger than any that we know.
std::uint64_t number_of(std::string_view digits) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return read.ec == std::errc{} ? number : UINT64_MAX;
}

std::optional<Refusal> check_exports(const ElfLibrary& library) {
  if (exports(library, DAVIT_WEBHOOK_FACTORY_SYMBOL) || exports(library, DAVIT_AGENT_FACTORY_SYMBOL)) {
    return std::nullopt;
  }
  for (const std::string& symbol : library.davit_functions) {
    if (std::string_view major = major_of(symbol); !major.empty()) {
      const bool is_old = number_of(major) < DAVIT_ABI_MAJOR;
      return refuse(
          is_old ? refusal::kAbiMajorTooOld : refusal::kAbiMajorTooNew,
          "It exports " + symbol + ", that is ABI major " + std::string(major) +
              (is_old ? "; the oldest that this davit knows is " : "; the newest that this davit knows is ") +
              std::to_string(DAVIT_ABI_MAJOR));
    }
  }
  return refuse(refusal::kNoFactory, "It is a shared library but exports no davit factory");
}

std::string what_of(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const std::exception& exception) {
    return presentable(exception.what(), 512);
  } catch (...) {
    return "an object that is no std::exception";
  }
}

// Calls into the plugin; what it throws becomes a refusal although the ABI forbids it.
template <typename Call>
std::optional<Refusal> guarded(const std::string& name, Call&& call) {
  try {
    call();
    return std::nullopt;
  } catch (...) {
    return refuse(refusal::kThrew, name + " threw " + what_of(std::current_exception()));
  }
}

template <typename Factory>
std::optional<Refusal> check_factory(const Factory* factory, const std::string& symbol) {
  if (!factory) return refuse(refusal::kBadFactory, symbol + " returned NULL");
  if (factory->struct_size < sizeof(Factory) || factory->struct_size > kMaxStructBytes) {
    // Minor 0 is the smallest there is, so this test needs no table of older sizes.
    return refuse(refusal::kBadFactory, symbol + " says its struct has " +
                                            std::to_string(factory->struct_size) + " bytes; at least " +
                                            std::to_string(sizeof(Factory)) + " are needed");
  }
  if (factory->abi_minor_needed > DAVIT_ABI_MINOR) {
    return refuse(refusal::kAbiTooNew, "It needs ABI " + std::to_string(DAVIT_ABI_MAJOR) + "." +
                                           std::to_string(factory->abi_minor_needed) + ", this davit has " +
                                           std::to_string(DAVIT_ABI_MAJOR) + "." +
                                           std::to_string(DAVIT_ABI_MINOR));
  }
  if (factory->count == 0 || factory->count > kMaxOffers) {
    return refuse(refusal::kBadFactory, symbol + " says it offers " + std::to_string(factory->count) +
                                            "; 1 to " + std::to_string(kMaxOffers) + " are allowed");
  }
  if (!factory->metadata || !factory->create) {
    return refuse(refusal::kBadFactory, symbol + " lacks " + (factory->metadata ? "create" : "metadata"));
  }
  return std::nullopt;
}

template <typename Factory>
std::optional<Refusal> read_offers(const Factory& factory, PluginKind kind, ProbeReport& report) {
  SystemClock clock;
  std::set<std::string> names;
  for (std::uint32_t index = 0; index < factory.count; ++index) {
    const std::string where =
        "metadata of " + std::string(to_string(kind)) + " number " + std::to_string(index);
    CallContext call(clock, kNoDeadline);
    AnswerSink sink(kMaxMetadataBytes);
    davit_status status = DAVIT_INTERNAL;
    if (auto refusal = guarded(where, [&] { status = factory.metadata(index, call.abi(), sink.abi()); }))
      return refusal;
    if (sink.over_limit()) {
      return refuse(refusal::kMetadataTooLarge,
                    "The " + where + " is larger than " + std::to_string(kMaxMetadataBytes) + " bytes");
    }
    if (status != DAVIT_OK) {
      return refuse(refusal::kMetadataFailed, "The " + where + " ended as " +
                                                  std::string(status_name(status)) + ": " +
                                                  call.error("without saying why"));
    }
    auto offer = offer_from_metadata(kind, index, sink.bytes());
    if (auto* refusal = std::get_if<Refusal>(&offer)) return *refusal;
    auto& good = std::get<PluginOffer>(offer);
    if (!names.insert(good.name).second) {
      return refuse(refusal::kDuplicateName,
                    "It offers two " + std::string(to_string(kind)) + "s named " + good.name);
    }
    report.offers.push_back(std::move(good));
  }
  report.abi_minor_needed = std::max(report.abi_minor_needed, factory.abi_minor_needed);
  report.abi_minor_built = std::max(report.abi_minor_built, factory.abi_minor_built);
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> inspect_library(const std::filesystem::path& file) {
  auto read = read_elf_library(file);
  if (auto* refusal = std::get_if<Refusal>(&read)) return *refusal;
  return check_exports(std::get<ElfLibrary>(read));
}

struct PluginModule::Library {
  boost::dll::shared_library library;
};

std::variant<std::shared_ptr<const PluginModule>, Refusal> PluginModule::load(
    const std::filesystem::path& stored_file, const std::function<void()>& on_constructed) {
  auto read = read_elf_library(stored_file);
  if (auto* refusal = std::get_if<Refusal>(&read)) return *refusal;
  const ElfLibrary& symbols = std::get<ElfLibrary>(read);
  if (auto refusal = check_exports(symbols)) return *refusal;

  auto library = std::make_shared<Library>();
  std::error_code failed;
  auto load = [&] {
    using boost::dll::load_mode::type;
    // NODELETE goes through to dlopen: the code stays mapped whatever becomes of the handle.
    library->library.load(stored_file, failed,
                          boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local |
                              static_cast<type>(RTLD_NODELETE));
  };
  if (auto refusal = guarded("a constructor of the library", load)) return *refusal;
  if (failed) {
    // Boost's code says "bad file descriptor" for everything; the loader's own text names the symbol or
    // library.
    const char* text = ::dlerror();
    std::string why = presentable(text ? text : failed.message(), 1024);
    if (std::string path = stored_file.string() + ": "; why.starts_with(path)) why.erase(0, path.size());
    const auto says = [&](std::string_view words) { return why.find(words) != std::string::npos; };
    return refuse(says("undefined symbol")                 ? refusal::kUnresolvedSymbol
                  : says("cannot open shared object file") ? refusal::kMissingLibrary
                                                           : refusal::kLoadFailed,
                  "The loader refuses it: " + why);
  }

  if (on_constructed) on_constructed();

  std::shared_ptr<PluginModule> module(new PluginModule());
  module->library_ = library;
  auto open = [&](auto*& factory, const std::string& symbol, PluginKind kind) -> std::optional<Refusal> {
    if (!exports(symbols, symbol)) return std::nullopt;
    using Factory = std::remove_reference_t<decltype(*factory)>;
    auto call = [&] { factory = library->library.get<Factory*()>(symbol)(); };
    if (auto refusal = guarded(symbol, call)) return refusal;
    if (auto refusal = check_factory(factory, symbol)) return refusal;
    return read_offers(*factory, kind, module->report_);
  };
  if (auto refusal = open(module->webhooks_, DAVIT_WEBHOOK_FACTORY_SYMBOL, PluginKind::Webhook))
    return *refusal;
  if (auto refusal = open(module->agents_, DAVIT_AGENT_FACTORY_SYMBOL, PluginKind::Agent)) return *refusal;
  return std::shared_ptr<const PluginModule>(std::move(module));
}

}  // namespace davit::plugin

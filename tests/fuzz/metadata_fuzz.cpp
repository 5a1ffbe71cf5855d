// What plugins say about themselves. What is taken is taken again from the compact text that is kept of it.
#include "host/plugin/metadata.h"

#include <string>

#include "host/base/json.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::promise;
namespace plugin = davit::plugin;

void check_offer(davit::PluginKind kind, std::string_view json) {
  const auto outcome = plugin::offer_from_metadata(kind, 0, json);
  if (const auto* refusal = std::get_if<davit::Refusal>(&outcome)) {
    promise(!refusal->code.empty() && davit::fuzz::is_one_line(refusal->reason),
            "a refusal has a code and a reason");
    promise(davit::is_utf8(refusal->reason), "a reason is UTF-8");
    return;
  }
  const auto& offer = std::get<davit::PluginOffer>(outcome);
  promise(plugin::is_plugin_name(offer.name), "a plugin has a name");
  const auto again = plugin::offer_from_metadata(kind, 0, offer.metadata);
  const auto* same = std::get_if<davit::PluginOffer>(&again);
  promise(
      same && same->name == offer.name && same->version == offer.version && same->metadata == offer.metadata,
      "what is kept of it is taken again");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view json = davit::fuzz::as_text(data, size);
  check_offer(davit::PluginKind::Webhook, json);
  check_offer(davit::PluginKind::Agent, json);
  return 0;
}

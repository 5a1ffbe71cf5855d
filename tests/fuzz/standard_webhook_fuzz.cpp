// Deliveries of a Standard Webhooks sender, under a configuration that asks for everything.
#include "tests/fuzz/webhook.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return davit::fuzz::check_webhook(
      davit::fuzz::as_text(data, size),
      {R"({"rules": [{"events": ["*"]}]})", R"({"require": [{"at": "/data/actor/kind", "none_of": ["bot"]}],
         "rules": [{"events": ["incident.*", "*"], "when": [{"any": [{"at": "/data/tags", "contains": "a"},
             {"at": "/data/severity", "one_of": ["high", 1, false]}, {"at": "/type", "like": "*a*.b*"},
             {"at": "/data/gone", "exists": false}]}]}],
         "title": "{/data/severity}: {/data/summary}",
         "entity": {"key": "i/{/data/id}", "title": "{/data/summary}", "url": "https://a.example/{/data/id}"},
         "actor": {"id": "{/data/actor/id}", "login": "{/data/actor/name}", "role": "{/data/actor/kind}"},
         "links": [{"rel": "r", "key": "{/data/tags/0}", "url": "{/data/url}"}], "texts": ["/data/description"],
         "payload": {"all": "", "one": "/data/tags/0", "odd": "/data/~0~1"}, "settle_seconds": 5})"});
}

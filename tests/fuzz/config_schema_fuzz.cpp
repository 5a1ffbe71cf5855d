// A plugin's schema for its settings and the settings of a person: a line with the schema, then the settings.
#include "host/plugin/config_schema.h"

#include "host/base/json.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using davit::fuzz::promise;
  std::string_view config = davit::fuzz::as_text(data, size);
  const auto document = davit::parse_json(davit::fuzz::cut(config, "\n"),
                                          {.max_bytes = 256u << 10, .max_depth = 40, .max_values = 20'000});
  if (!document) return 0;
  const auto schema = davit::plugin::ConfigSchema::from_json(*document);
  if (!schema) {
    promise(davit::fuzz::is_one_line(schema.error().message), "a refusal is one line");
    return 0;
  }
  const auto parsed = davit::parse_json(config);
  const auto fault = schema->fault(config);
  if (!parsed || !parsed->IsObject()) promise(fault.has_value(), "what is no object is refused");
  promise(schema->check(config).ok() == !fault, "both ways say the same");
  if (!fault) return 0;
  promise(!fault->sentence.empty(), "a fault has a sentence");
  promise(fault->pointer.empty() || fault->pointer.front() == '/', "a fault has a place");
  promise(davit::fuzz::is_one_line(davit::plugin::to_sentence(*fault)), "a fault is one line");
  promise(davit::is_utf8(davit::plugin::to_sentence(*fault)), "a fault is UTF-8");
  return 0;
}

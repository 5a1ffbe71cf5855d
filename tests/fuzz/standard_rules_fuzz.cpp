// The rules of a Standard Webhooks sender: pointers, conditions and texts in any shape are refused with a
// reason that names the place, or taken and then harmless. Input: one line with a condition as JSON, one with
// a pointer, one with a text, then the body.
#include "tests/fuzz/webhook.h"

namespace {

std::string config_of(std::string_view condition, std::string_view pointer, std::string_view text) {
  using davit::Json;
  Json rule = Json::object();
  rule.set("events", Json::array({"*"}));
  rule.set("when", Json::array({Json::parse(condition)}));
  Json config = Json::object();
  config.set("rules", Json::array({std::move(rule)}));
  config.set("event_at", pointer);
  config.set("payload", Json::object({{"value", pointer}}));
  config.set("title", text);
  config.set("entity", Json::object({{"key", text}, {"url", text}}));
  return config.dump();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using davit::fuzz::cut;
  std::string_view rest = davit::fuzz::as_text(data, size);
  const std::string_view condition = cut(rest, "\n"), pointer = cut(rest, "\n"), text = cut(rest, "\n");
  try {
    const std::string config = config_of(condition, pointer, text);
    const std::string request = "Content-Type: application/json\n\n" + std::string(rest);
    return davit::fuzz::check_webhook(request, {config.c_str()});
  } catch (const davit::Failure& failure) {
    davit::fuzz::promise(failure.status() == davit::Status::InvalidInput, "a bad rule is invalid input");
    davit::fuzz::promise(failure.what()[0] != '\0', "a refusal of rules has a reason");
    return 0;
  }
}

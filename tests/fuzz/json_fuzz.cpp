// The JSON gate: checking and parsing agree, and what was let through can be written and read again.
#include "host/base/json.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using davit::fuzz::promise;
  const std::string_view text = davit::fuzz::as_text(data, size);
  const davit::JsonLimits narrow{.max_bytes = 512, .max_depth = 4, .max_values = 32};
  for (const davit::JsonLimits& limits : {davit::JsonLimits{}, narrow}) {
    const auto checked = davit::check_json(text, limits);
    const auto parsed = davit::parse_json(text, limits);
    promise(checked.ok() == parsed.ok(), "checking and parsing agree");
    if (!parsed) {
      promise(checked.error().message == parsed.error().message, "checking and parsing say the same");
      promise(davit::fuzz::is_one_line(parsed.error().message), "a refusal is one line");
      continue;
    }
    promise(davit::is_utf8(text), "what passed is UTF-8");
    promise(davit::parse_json(text).ok(), "what passes narrow limits passes wide ones");
    const std::string written = davit::to_json(*parsed);
    promise(davit::is_utf8(written), "what was written is UTF-8");
    const auto again = davit::parse_json(written);
    promise(again.ok(), "what was written can be read");
    promise(davit::to_json(*again) == written, "what was read again is written alike");
  }
  const auto quoted = davit::parse_json(davit::json_quote(text));
  promise(quoted.ok() && quoted->IsString(), "any bytes can be quoted");
  if (davit::is_utf8(text)) {
    promise(std::string_view(quoted->GetString(), quoted->GetStringLength()) == text,
            "quoting keeps the text");
  }
  return 0;
}

// What the CLI of a model prints, whatever it is: an outcome that is whole, and the same however the bytes
// were cut. Input: the number of bytes of a piece (one byte), then the output.
#include <cmath>
#include <string>
#include <utility>

#include "claude_cli/transcript.h"
#include "tests/fuzz/fuzz.h"

namespace {

using claude::End;
using claude::Outcome;
using davit::fuzz::promise;

Outcome heard(std::string_view bytes, std::size_t step, const claude::Asked& asked) {
  claude::Transcript session(asked, claude::usual_prices(),
                             [](std::string_view kind, std::string_view line) {
                               promise(!kind.empty() && davit::is_utf8(line), "what is told is text");
                               promise(line.size() <= 4096, "what is told is bounded");
                               promise(line.empty() || davit::fuzz::is_one_line(line),
                                       "what is told is one line");
                             },
                             {.line = 8192, .all = 65536});
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    session.take(bytes.substr(0, step));
    if (const auto usage = session.new_usage())
      promise(std::isfinite(usage->cost_usd) && usage->cost_usd >= 0, "a cost is an amount");
  }
  return std::move(session).finish({.wait_status = 0x100});
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = std::size_t{data[0]} + 1;
  const std::string_view bytes = davit::fuzz::as_text(data + 1, size - 1);
  const claude::Asked asked{.schema = size % 2 == 1, .max_turns = 60};
  const Outcome whole = heard(bytes, bytes.size(), asked);
  const Outcome pieces = heard(bytes, step, asked);
  promise(whole.end == pieces.end && whole.why == pieces.why && whole.text == pieces.text,
          "an outcome does not depend on how its bytes came");
  promise(whole.usage.to_json().dump() == pieces.usage.to_json().dump(), "nor does what was used");

  promise(whole.why.empty() == (whole.end == End::Ok), "what is not good says why");
  promise(whole.why.empty() || davit::fuzz::is_one_line(whole.why), "a reason is one line");
  promise(davit::is_utf8(whole.why) && davit::is_utf8(whole.text), "texts are UTF-8");
  promise(whole.end != End::Ok || !asked.schema || whole.structured.is_object(),
          "a shape that was asked for is there");
  promise(whole.end != End::Ok || whole.turns <= asked.max_turns, "no more turns than allowed");
  for (const auto& [model, used] : whole.usage.models) {
    promise(davit::is_utf8(model), "a model's name is UTF-8");
    promise(used.input_tokens >= 0 && used.output_tokens >= 0 && used.cost_usd >= 0,
            "figures are not negative");
  }
  const auto failure = failure_of(whole, davit::Time{});
  promise(failure.has_value() == (whole.end != End::Ok), "what is not good is a failure");
  if (failure && failure->retry_after())
    promise(failure->retry_after()->count() >= 60'000, "a wait is at least a minute");
  return 0;
}

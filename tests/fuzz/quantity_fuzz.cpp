// Durations, sizes, integers and times as people and senders write them.
#include <string>

#include "host/base/clock.h"
#include "host/config/quantity.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using davit::fuzz::promise;
  namespace config = davit::config;
  const std::string_view text = davit::fuzz::as_text(data, size);
  if (const auto duration = config::parse_duration(text)) {
    promise(duration->count() >= 0, "a duration is not negative");
    promise(config::parse_duration(config::to_text(*duration)) == duration, "a duration reads back");
  }
  if (const auto bytes = config::parse_size(text)) {
    promise(config::parse_size(config::size_to_text(*bytes)) == bytes, "a size reads back");
  }
  if (const auto number = config::parse_integer(text)) {
    promise(std::to_string(*number) == text || text == "-0", "an integer has one form");
  }
  if (const auto time = davit::parse_iso8601(text)) {
    const auto again = davit::parse_iso8601(davit::to_iso8601(*time));
    promise(!again.ok() || *again == *time, "a time reads back");
  }
  return 0;
}

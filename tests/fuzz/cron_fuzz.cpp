// What operators write where something recurs.
#include "host/base/cron.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using davit::fuzz::promise;
  const auto cron = davit::Cron::parse(davit::fuzz::as_text(data, size));
  if (!cron.ok()) {
    promise(!cron.error().message.empty(), "a refusal has a reason");
    return 0;
  }
  const davit::WallTime start = davit::from_unix_ms(1'767'225'600'000);  // 2026-01-01
  const auto first = cron->next(start);
  if (!first) return 0;
  promise(*first > start, "the next time is later");
  promise(davit::to_unix_ms(*first) % 60'000 == 0, "it is a whole minute");
  promise(cron->next(*first - davit::Duration(1)) == first, "no time lies between");
  return 0;
}

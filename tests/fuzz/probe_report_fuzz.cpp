// What a probe reports of a library. It comes from a process in which the library has run.
#include <string>

#include "host/plugin/marshal.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using davit::fuzz::promise;
  const auto report = davit::plugin::probe_report_from_json(davit::fuzz::as_text(data, size));
  if (!report) {
    promise(davit::fuzz::is_one_line(report.error().message), "a refusal is one line");
    return 0;
  }
  const std::string written = davit::plugin::to_json(*report);
  const auto again = davit::plugin::probe_report_from_json(written);
  promise(again.ok() && davit::plugin::to_json(*again) == written, "a report reads back");
  return 0;
}

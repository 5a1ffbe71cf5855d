// Query strings of the API: any text is read or refused, and what was encoded is read back.
#include <string>

#include "host/base/json.h"
#include "host/http/query.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::promise;
using davit::http::Query;

std::string encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    char escape[4];
    std::snprintf(escape, sizeof escape, "%%%02X", static_cast<unsigned char>(c));
    result += escape;
  }
  return result;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = davit::fuzz::as_text(data, size);
  if (auto query = Query::parse(text)) {
    const int limit = query->whole_number("limit", 50, 1, 500);
    promise(limit >= 1 && limit <= 500, "a number is within its bounds");
    if (const auto time = query->time("start_date")) {
      promise(davit::parse_iso8601(davit::to_iso8601(*time)).ok(),
              "a time that was read can be written and read");
    }
    query->allow_only({"limit", "start_date"});
    for (const auto& error : query->errors()) promise(!error.message.empty(), "a mistake has a sentence");
    promise(davit::is_utf8(query->text("q")), "what was read is UTF-8");
  } else {
    promise(davit::fuzz::is_one_line(query.error().message), "a refusal is one line");
  }

  const std::string_view name = davit::fuzz::cut(text, "\n");
  const auto again = Query::parse("&" + encoded(name) + "=" + encoded(text) + "&&");
  promise(again.ok() == (davit::is_utf8(name) && davit::is_utf8(text)), "UTF-8 is read, and nothing else");
  if (again) promise(again->text(name) == text, "what was encoded is read back");
  return 0;
}

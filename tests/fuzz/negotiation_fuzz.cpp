// What clients say in headers: the first line as Accept-Encoding and as Idempotency-Key, the rest as
// If-None-Match.
#include "host/http/bulk_previews.h"
#include "host/http/negotiation.h"

#include <string>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using davit::fuzz::promise;
  using namespace davit::http;
  std::string_view tags = davit::fuzz::as_text(data, size);
  const std::string accepted(davit::fuzz::cut(tags, "\n"));

  bool names_gzip = false;
  for (std::size_t at = 0; at + 4 <= accepted.size(); ++at)
    names_gzip |= same_name(std::string_view(accepted).substr(at, 4), "gzip");
  promise(!takes_gzip(accepted) || names_gzip, "nobody gets gzip who does not name it");
  promise(takes_gzip("gzip;q=1," + accepted), "what is named first with the full weight is taken");

  if (const auto key = idempotency_key(accepted)) {
    std::string quoted = "\"";
    for (const char c : *key) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    promise(!key->empty() && key->size() <= 128, "a key has its bounds");
    promise(quoted + "\"" == accepted, "a key is read in one way");
  }

  constexpr std::string_view kTag = "\"0123456789abcdef\"";
  promise(has_tag(std::string(kTag) + std::string(tags), kTag), "a tag is found at the front");
  promise(!has_tag(tags, kTag) || tags == "*" || tags.find(kTag) != std::string_view::npos ||
              tags.find('*') != std::string_view::npos,
          "no tag is found that is not there");

  Response response;
  response.body.assign(2 * kWorthPacking, 'x');
  suit(response, {takes_gzip(accepted), std::string(tags)});
  promise(response.status == 200 || (response.status == 304 && response.body.empty()),
          "an answer stays one, or is known already");
  promise(takes_gzip(accepted) || response.status == 304 || response.body.size() == 2 * kWorthPacking,
          "who does not take gzip gets the bytes");
  return 0;
}

// What is taken out of a body before it is kept.
#include <string>
#include <vector>

#include "host/base/json.h"
#include "host/ingest/secret_fields.h"
#include "tests/fuzz/fuzz.h"

namespace {

const std::vector<std::string> kNames{"token", "response_url"};

bool holds_a_secret(const davit::JsonValue& value) {
  if (value.IsArray()) return std::any_of(value.Begin(), value.End(), holds_a_secret);
  if (!value.IsObject()) return false;
  return std::any_of(value.MemberBegin(), value.MemberEnd(), [](const auto& member) {
    const std::string name(member.name.GetString(), member.name.GetStringLength());
    const bool named = std::find(kNames.begin(), kNames.end(), name) != kNames.end();
    if (named && member.value.IsString())
      return !std::string_view(member.value.GetString(), member.value.GetStringLength())
                  .starts_with("(removed ");
    return holds_a_secret(member.value);
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using davit::fuzz::promise;
  const std::string_view body = davit::fuzz::as_text(data, size);
  const std::string kept = davit::ingest::without_secrets(body, "application/json", kNames);
  if (davit::check_json(body)) {
    const auto json = davit::parse_json(kept);
    promise(json.ok(), "JSON stays JSON");
    promise(!holds_a_secret(*json), "no secret of JSON is kept");
  }
  promise(davit::ingest::without_secrets(body, "application/json", {}) == body, "no name, no change");
  const std::string form = "a=b&token=" + std::string(body.substr(0, body.find('&'))) + "&c=d";
  const std::string kept_form =
      davit::ingest::without_secrets(form, "application/x-www-form-urlencoded", kNames);
  promise(kept_form.starts_with("a=b&token=") && kept_form.ends_with("&c=d"),
          "a form keeps its other fields");
  davit::ingest::without_secrets(body, "application/x-www-form-urlencoded", kNames);
  return 0;
}

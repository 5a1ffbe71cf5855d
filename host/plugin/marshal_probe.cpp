// What a probe tells of a library.
#include <set>

#include "davit/abi/version.h"
#include "host/plugin/json_members.h"
#include "host/plugin/marshal.h"
#include "host/plugin/metadata.h"

namespace davit::plugin {

std::string to_json(const ProbeReport& report) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "abi_minor_needed", static_cast<std::int64_t>(report.abi_minor_needed));
  write_member(writer, "abi_minor_built", static_cast<std::int64_t>(report.abi_minor_built));
  writer.Key("offers");
  writer.StartArray();
  for (const PluginOffer& offer : report.offers) {
    writer.StartObject();
    write_member(writer, "kind", to_string(offer.kind));
    write_member(writer, "index", static_cast<std::int64_t>(offer.index));
    write_raw_member(writer, "metadata", offer.metadata);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return std::string(text_of(buffer));
}

Result<ProbeReport> probe_report_from_json(std::string_view json) {
  // 128 offers with 256 KiB each would be 32 MiB; no honest library comes near.
  JsonDocument document = TRY(parse_json(json));
  if (!document.IsObject()) return Error{ErrorCode::InvalidInput, "the report must be a JSON object"};
  Members members(document, "");
  ProbeReport report;
  report.abi_minor_needed =
      static_cast<std::uint32_t>(TRY(members.number("abi_minor_needed", 0, 0, DAVIT_ABI_MINOR)));
  report.abi_minor_built =
      static_cast<std::uint32_t>(TRY(members.number("abi_minor_built", 0, 0, UINT32_MAX)));
  std::set<std::string> names;
  auto take_offer = [&](const Members& item) -> Result<> {
    std::string kind = TRY(item.key("kind"));
    if (kind != "webhook" && kind != "agent") return wrong(item.place("kind"), "must be webhook or agent");
    auto index = static_cast<std::uint32_t>(TRY(item.number("index", 0, 0, 63)));
    auto offer = offer_from_metadata(kind == "webhook" ? PluginKind::Webhook : PluginKind::Agent, index,
                                     TRY(item.json("metadata", "{}", kMaxMetadataBytes)));
    if (auto* refusal = std::get_if<Refusal>(&offer))
      return wrong(item.place("metadata"), "is refused: " + refusal->reason);
    report.offers.push_back(std::get<PluginOffer>(std::move(offer)));
    if (!names.insert(kind + " " + report.offers.back().name).second)
      return wrong(item.place("metadata"), "repeats a name");
    return {};
  };
  TRY(members.each("offers", take_offer));
  return report;
}

}  // namespace davit::plugin

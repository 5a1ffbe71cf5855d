// What the plugin says about itself, beyond what a host must refuse.
#include <algorithm>

#include "host/base/json.h"
#include "host/conformance/check.h"
#include "host/conformance/check_host.h"
#include "host/conformance/schema_walk.h"
#include "host/plugin/metadata.h"

namespace davit::conformance {
namespace {

Said ask(const Subject& subject, CheckHost& host) {
  const auto metadata = subject.job.kind == PluginKind::Webhook ? subject.module->webhooks()->metadata
                                                                : subject.module->agents()->metadata;
  return host.call("metadata", [&](CallSlot& slot) {
    return metadata(subject.job.index, slot.abi_call(), slot.abi_sink());
  });
}

void check_schema(const JsonValue& root, Reporter& report) {
  const JsonValue* properties = find_member(root, "properties");
  walk_schema(root, "", [&](const JsonValue& schema, const std::string& place) {
    const JsonValue* fallback = find_member(schema, "default");
    if (!place.empty() && fallback && !accepts(root, schema, to_json(*fallback))) {
      report.found(rule("config-defaults"), "The default at \"" + place + "\" of config_schema, " +
                                                to_json(*fallback) + ", is not allowed there");
    }
  });
  if (!properties || !properties->IsObject()) return;
  for (const auto& member : properties->GetObject()) {
    const JsonValue* target = referred(root, member.value);
    if (string_member(member.value, "description").empty() &&
        (!target || string_member(*target, "description").empty())) {
      return report.found(rule("config-described"),
                          "The property " + std::string(member.name.GetString()) + " has no description");
    }
  }
}

}  // namespace

void check_metadata(Subject& subject) {
  Reporter& report = subject.report;
  const auto read = parse_json(subject.job.metadata);
  if (!read) return;
  const JsonValue& metadata = *read;
  if (string_member(metadata, "description").empty())
    report.found(rule("description"), "Its metadata has no description");
  if (string_member(metadata, "version").empty())
    report.found(rule("version"), "Its metadata has no version");
  if (const JsonValue* schema = find_member(metadata, "config_schema")) check_schema(*schema, report);
  if (subject.job.kind == PluginKind::Webhook) {
    if (!find_member(metadata, "delivery_id"))
      report.found(rule("delivery-id"), "Its metadata has no delivery_id");
    if (!find_member(metadata, "signature"))
      report.found(rule("signature-declared"), "Its metadata declares no signature");
  }
  CheckHost host("{}", {}, report);
  for (int i = 0; i < 3; ++i) {
    report.doing("metadata, asked again");
    const Said said = ask(subject, host);
    const auto again = parse_json(said.output);
    if (said.status != DAVIT_OK || !again || to_json(*again) != to_json(metadata))
      report.found(rule("metadata-stable"), "Asked again, it says something else about itself");
  }
}

}  // namespace davit::conformance

// The result of an agent.
#include <algorithm>

#include "host/plugin/host_services.h"
#include "host/plugin/json_members.h"
#include "host/plugin/marshal.h"
#include "host/plugin/marshal_parts.h"
#include "host/plugin/marshal_usage.h"

namespace davit::plugin {
namespace {

constexpr std::size_t kMaxAlso = 8;

}  // namespace

Result<AgentResult> agent_result_from_json(std::string_view json, bool* mended_usage) {
  JsonDocument document = TRY(object_from(json, "the result"));
  Members members(document, "");
  AgentResult result;
  if (!members.find("success")) return wrong("success", "is missing");
  result.success = TRY(members.flag("success"));
  result.output = TRY(members.json("output", "null", kMaxAnswerBytes));
  result.error = TRY(members.sentence("error"));
  if (!result.success) {
    result.failure = FailureClass::Retryable;
    if (std::string name = TRY(members.key("error_class")); !name.empty()) {
      static constexpr FailureClass kSayable[] = {FailureClass::Retryable, FailureClass::RateLimited,
                                                  FailureClass::Permanent, FailureClass::Cancelled,
                                                  FailureClass::Deadline,  FailureClass::PutOff};
      auto found = std::find_if(std::begin(kSayable), std::end(kSayable),
                                [&](FailureClass failure) { return davit::to_string(failure) == name; });
      if (found == std::end(kSayable))
        return wrong("error_class", "must be retryable, rate_limited or permanent");
      result.failure = *found;
    }
    if (TRY(members.flag("approval_refused"))) result.failure = FailureClass::ApprovalRefused;
    result.retry_after = Duration(TRY(members.number("retry_after_ms", 0, 0, 365ll * 86'400'000)));
  }
  if (result.success && TRY(members.flag("approval_refused")))
    return wrong("approval_refused", "goes with success false");
  bool unused = false;
  if (const JsonValue* usage = TRY(members.object("usage"))) {
    result.usage = TRY(usage_from(Members(*usage, "usage"), mended_usage ? *mended_usage : unused));
  }
  result.metrics = TRY(members.json_object("metrics"));
  result.next_agent = TRY(members.plugin_name("next_agent"));
  result.next_input = TRY(members.json("next_input", "", kMaxPayload));
  result.wait_for_approval = TRY(members.flag("wait_for_approval"));
  result.also = TRY(members.keys("also", kMaxAlso, 256));
  result.tasks = TRY(tasks_from(members));
  return result;
}

std::string to_json(const AgentResult& result) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "success", result.success);
  write_raw_member(writer, "output", result.output);
  write_member(writer, "error", result.error);
  if (!result.success) {
    const bool refused = result.failure == FailureClass::ApprovalRefused;
    write_member(writer, "error_class", davit::to_string(refused ? FailureClass::Permanent : result.failure));
    if (refused) write_member(writer, "approval_refused", true);
    write_member(writer, "retry_after_ms", static_cast<std::int64_t>(result.retry_after.count()));
  }
  writer.Key("usage");
  write_usage(writer, result.usage);
  write_raw_member(writer, "metrics", result.metrics);
  write_member(writer, "next_agent", result.next_agent);
  if (!result.next_input.empty()) write_raw_member(writer, "next_input", result.next_input);
  write_member(writer, "wait_for_approval", result.wait_for_approval);
  if (!result.also.empty()) {
    writer.Key("also");
    writer.StartArray();
    for (const std::string& key : result.also) write_string(writer, key);
    writer.EndArray();
  }
  write_tasks(writer, result.tasks);
  writer.EndObject();
  return std::string(text_of(buffer));
}

}  // namespace davit::plugin

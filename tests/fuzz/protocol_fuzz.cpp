// What runners answer and report, and what they are asked. A plugin has run in the process that writes the
// answers, so nothing in them is believed; what is taken can be written, and reads back as the same.
#include <cmath>
#include <string>

#include "host/base/json.h"
#include "host/isolation/protocol.h"
#include "host/plugin/marshal.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace davit::isolation;
using davit::fuzz::promise;

void check_usage(const davit::Usage& usage) {
  const std::string written = davit::plugin::to_json(usage);
  bool mended = false;
  const auto again = davit::plugin::usage_from_json(written, &mended);
  promise(again.ok() && !mended && davit::plugin::to_json(*again) == written,
          "figures need mending once at most");
}

void check_answers(std::string_view text) {
  if (const auto outcome = hook_outcome_from(text)) {
    const std::string written = hook_outcome_answer(*outcome);
    const auto again = hook_outcome_from(written);
    promise(again.ok() && hook_outcome_answer(*again) == written, "an outcome of hooks reads back");
    for (const davit::NewTask& task : outcome->answer.tasks) {
      promise(davit::check_json(task.payload).ok(), "a payload is JSON");
      promise(!task.agent.empty(), "a task names its agent");
    }
  }
  if (const auto answer = unverified_answer_from(text)) {
    const std::string written = unverified_answer(*answer);
    const auto again = unverified_answer_from(written);
    promise(again.ok() && unverified_answer(*again) == written, "an unverified answer reads back");
  }
  if (const auto result = agent_result_from(text)) {
    const std::string written = agent_result_answer(*result);
    const auto again = agent_result_from(written);
    promise(again.ok() && agent_result_answer(*again) == written, "a result reads back");
    promise(davit::check_json(result->output).ok() && davit::check_json(result->metrics).ok(),
            "what is stored of a result is JSON");
    check_usage(result->usage);
  }
  if (const auto report = parse_report(text)) {
    if (report->kind == LiveReport::Kind::Progress) {
      const auto again = parse_report(progress_report(report->fraction, report->phase, report->message));
      promise(again.ok() && again->phase == report->phase && again->message == report->message &&
                  (again->fraction == report->fraction || !std::isfinite(report->fraction)),
              "progress reads back");
    }
    if (report->kind == LiveReport::Kind::Usage) check_usage(report->usage);
  }
}

void check_request(std::string_view text, std::string_view blob) {
  const auto request = request_from(text, blob);
  if (!request || request->kind == CallKind::AgentRun) return;
  const davit::Delivery& delivery = request->delivery;
  const CallText written =
      webhook_verify_and_run_request(delivery, request->delivery_key, request->key_is_body_hash);
  promise(written.blob == blob, "a delivery's parts are its bytes");
  const auto again = request_from(written.request, written.blob);
  promise(again.ok() && again->delivery_key == request->delivery_key &&
              again->delivery.body == delivery.body &&
              again->delivery.headers.size() == delivery.headers.size() &&
              again->delivery.received_at == delivery.received_at,
          "a delivery reads back");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = davit::fuzz::as_text(data, size);
  check_answers(text);
  // A request is a line of JSON, then the blob.
  const std::string_view request = davit::fuzz::cut(text, "\n");
  check_request(request, text);
  return 0;
}

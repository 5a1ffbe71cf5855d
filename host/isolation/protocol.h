// What calls ask and answer: the JSON and bytes of each call in the host's nouns. Ingest and dispatch build
// requests and read answers with these; the runner uses the second half of the file. Nobody else writes or
// reads this JSON.
//
// A delivery travels as bytes, not as JSON text, since headers may hold any byte: the request says how long
// each part is, the blob holds the parts one after the other and then the body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/result.h"
#include "host/isolation/runner_pool.h"
#include "host/model/agent_result.h"
#include "host/model/artifact.h"
#include "host/model/delivery.h"
#include "host/plugin/webhook.h"

namespace davit::isolation {

// For Call::request and Call::blob.
struct CallText {
  std::string request;
  std::string blob;
};

// --- the host's end ---

// parse_payload, should_process and handle. Answer: hook_outcome_from.
CallText webhook_run_request(const VerifiedDelivery& delivery);
// The same after the plugin's own validate_signature, which may say Unauthorized. `delivery_key` as
// VerifiedDelivery has it.
CallText webhook_verify_and_run_request(const Delivery& delivery, std::string_view delivery_key,
                                        bool key_is_body_hash);
// answer_unverified. Answer: unverified_answer_from.
CallText webhook_unverified_request(const Delivery& delivery);
// An execution. Answer: agent_result_from; live: parse_report.
// `usage_file`: where its usage is kept, see usage_file.h; empty: nowhere.
CallText agent_run_request(std::string context_json, const ArtifactLimits& artifacts = {},
                           std::string_view usage_file = {});

// Errors are those of plugin::WebhookInstance::run, as the plugin's side gave them; Internal for what is no
// answer.
Result<plugin::HookOutcome> hook_outcome_from(std::string_view answer);
Result<std::optional<WebhookAnswer>> unverified_answer_from(std::string_view answer);
Result<AgentResult> agent_result_from(std::string_view answer);

// Puts request and blob into a call.
inline void set_request(Call& call, CallText text) {
  call.request = std::move(text.request);
  call.blob = std::move(text.blob);
}

// One live report of a running agent. Which members count depends on `kind`.
struct LiveReport {
  enum class Kind { Progress, Usage, Transcript, Artifact };
  Kind kind = Kind::Progress;
  double fraction = -1;            // progress
  std::string phase, message;      // progress
  Usage usage;                     // usage: totals so far
  std::string line_kind, line;     // transcript
  std::string name, content_type;  // artifact; its content is the report's blob
  std::size_t bytes = 0;           // artifact: how large it is; without its content if that is over a limit
};
Result<LiveReport> parse_report(std::string_view report);

// --- the runner's end ---

enum class CallKind { WebhookRun, WebhookVerifyAndRun, WebhookUnverified, AgentRun };
struct CallRequest {
  CallKind kind = CallKind::AgentRun;
  Delivery delivery;  // webhooks; its views point into the blob
  std::string delivery_key;
  bool key_is_body_hash = false;
  ArtifactLimits artifacts;  // agents
  std::string usage_file;    // agents
};
Result<CallRequest> request_from(std::string_view request, std::string_view blob);

std::string hook_outcome_answer(const Result<plugin::HookOutcome>& outcome);
std::string unverified_answer(const Result<std::optional<WebhookAnswer>>& answer);
std::string agent_result_answer(const AgentResult& result);

std::string progress_report(double fraction, std::string_view phase, std::string_view message);
std::string usage_report(std::string_view usage_json);
std::string transcript_report(std::string_view kind, std::string_view line);
std::string artifact_report(std::string_view name, std::string_view content_type, std::size_t bytes);

}  // namespace davit::isolation

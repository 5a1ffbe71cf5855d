#include "host/dispatch/execution.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "host/base/json.h"
#include "host/plugin/host_services.h"
#include "host/plugin/redact.h"

namespace davit::dispatch {
namespace {

// What the SDK promises plugins; one that writes its frames itself has no more either.
constexpr std::size_t kMostKind = 32;
constexpr std::size_t kMostLine = 64u << 10;
constexpr std::size_t kMostContentType = 128;
constexpr Duration kSpawnRetry{10'000};

// What a process printed last often says why it died.
std::string with_tail(std::string detail, std::string_view output) {
  constexpr std::size_t kTail = 1'000;
  while (!output.empty() && (output.back() == '\n' || output.back() == ' ')) output.remove_suffix(1);
  if (output.empty()) return detail;
  if (output.size() > kTail) {
    output.remove_prefix(output.size() - kTail);
    output.remove_prefix(std::min(output.find('\n') + 1, output.size()));
  }
  return detail + "; it printed last: " + (is_utf8(output) ? std::string(output) : "(no text)");
}

std::string seconds_text(Duration duration) {
  std::string text = std::to_string(duration.count() / 1000);
  if (auto rest = duration.count() % 1000) {
    std::string digits = std::to_string(1000 + rest).substr(1);
    text += "." + digits.substr(0, digits.find_last_not_of('0') + 1);
  }
  return text;
}

}  // namespace

Execution::Execution(ClaimedTask task, std::shared_ptr<const ServingAgent> serving, const KeepOptions& keep,
                     const Clock& clock)
    : task_(std::move(task)),
      serving_(std::move(serving)),
      clock_(clock),
      started_(clock.monotonic()),
      transcript_(keep.transcript_bytes),
      artifact_limits_(keep.artifacts),
      artifact_ledger_(keep.artifacts) {
  waiting_ = empty_report();
}

isolation::Call Execution::call(const plugin::ExecutionPlace& place, Duration cancel_grace,
                                std::string_view usage_file) const {
  Duration timeout = serving_->agent->timeout;
  isolation::Call call;
  call.task_tag = task_.task_id;
  call.ids = {{"task", task_.task_id}, {"session", task_.session_id}};
  isolation::set_request(
      call, isolation::agent_run_request(plugin::agent_context_json(task_, serving_->agent->settings.config,
                                                                    clock_.wall() + timeout, place),
                                         artifact_limits_, usage_file));
  call.working_directory = place.workspace;
  call.deadline = started_ + timeout;
  call.cancel_grace = cancel_grace;
  return call;
}

Execution::Heard Execution::hear(std::string_view text, std::string_view blob) {
  auto report = isolation::parse_report(text);
  if (!report.ok()) return Heard::News;
  const plugin::Redactor& redactor = serving_->redactor();
  using Kind = isolation::LiveReport::Kind;
  switch (report->kind) {
    case Kind::Usage:
      plugin::redact(redactor, report->usage);
      usage_ = plugin::merged(usage_, report->usage);
      waiting_.usage = usage_;
      told_usage_ = true;
      break;
    case Kind::Progress:
      waiting_.progress = std::min(report->fraction, 1.0);
      waiting_.progress_message = std::move(report->message.empty() ? report->phase : report->message);
      redactor.redact(waiting_.progress_message);
      break;
    case Kind::Transcript:
      redactor.redact(report->line_kind);
      redactor.redact(report->line);
      transcript_.add(plugin::presentable(report->line_kind, kMostKind),
                      plugin::presentable(report->line, kMostLine), clock_.wall());
      return Heard::News;
    case Kind::Artifact:
      return hear_artifact(std::move(*report), blob);
  }
  something_waits_ = true;
  return Heard::News;
}

void Execution::say(std::string text) { transcript_.add("davit", std::move(text), clock_.wall()); }

Execution::Heard Execution::hear_artifact(isolation::LiveReport report, std::string_view content) {
  std::string name = report.name;
  serving_->redactor().redact(name);
  if (!is_artifact_name(report.name) || !is_artifact_name(name)) {
    say("an artifact was not kept: its name is none that a file may have");
    return Heard::ArtifactRefused;
  }
  std::optional<std::string> objection =
      artifact_ledger_.refuse(report.name, std::max(report.bytes, content.size()));
  if (!objection && content.size() != report.bytes) objection = "it did not come whole";
  if (objection) {
    say("artifact \"" + name + "\" was not kept: " + *objection);
    return Heard::ArtifactRefused;
  }
  Artifact artifact{std::move(name), plugin::presentable(report.content_type, kMostContentType),
                    std::string(content)};
  serving_->redactor().redact(artifact.content_type);
  serving_->redactor().redact(artifact.content);
  const auto same = std::find_if(artifacts_.begin(), artifacts_.end(),
                                 [&](const Artifact& waits) { return waits.name == artifact.name; });
  if (same != artifacts_.end()) {
    *same = std::move(artifact);
  } else {
    artifacts_.push_back(std::move(artifact));
  }
  return Heard::ArtifactWaits;
}

std::optional<Artifact> Execution::next_artifact() {
  if (artifacts_.empty() || !artifact_on_its_way_.empty()) return std::nullopt;
  Artifact next = std::move(artifacts_.front());
  artifacts_.erase(artifacts_.begin());
  artifact_on_its_way_ = next.name;
  return next;
}

void Execution::artifact_stored(const Result<>& answer) {
  const std::string name = std::exchange(artifact_on_its_way_, "");
  if (!answer.ok()) say("artifact \"" + name + "\" was not kept: " + answer.error().message);
}

store::LiveReport Execution::empty_report() const {
  return {.fence = task_.fence, .task_id = task_.task_id, .session_id = task_.session_id};
}

std::optional<store::LiveReport> Execution::take_report() {
  std::optional<store::LiveReport> report = take_last_report();
  if (!transcript_.has_news()) return report;
  if (!report) report = empty_report();
  report->transcript = transcript_.take(clock_.wall());
  return report;
}

std::optional<store::LiveReport> Execution::take_last_report() {
  if (!std::exchange(something_waits_, false)) return std::nullopt;
  return std::exchange(waiting_, empty_report());
}

bool Execution::is_over_budget() const {
  return task_.budget_micro_usd && usage_.cost_micro_usd > *task_.budget_micro_usd;
}

void Execution::stop(StopReason reason) {
  if (stop_ == StopReason::None || reason == StopReason::LeaseLost) stop_ = reason;
}

std::string Execution::over_budget_text() const {
  char text[96];
  std::snprintf(text, sizeof text, "stopped: it had cost $%.2f, and its share of the budget was $%.2f",
                static_cast<double>(usage_.cost_micro_usd) / 1e6,
                static_cast<double>(task_.budget_micro_usd.value_or(0)) / 1e6);
  return text;
}

AgentResult Execution::failure(FailureClass failure, std::string error) const {
  AgentResult result;
  result.failure = failure;
  result.error = std::move(error);
  result.usage = usage_;
  serving_->redactor().redact(result.error);
  return result;
}

Ended Execution::of_answer(AgentResult result) const {
  plugin::redact(serving_->redactor(), result);
  result.usage = plugin::merged(usage_, result.usage);
  if (result.success) return {std::move(result), "completed"};
  // Whatever an agent says after it was asked to stop, the stop is the reason.
  if (stop_ == StopReason::CancelRequested) {
    result.failure = FailureClass::Cancelled;
    return {std::move(result), "cancelled"};
  }
  if (stop_ == StopReason::Interrupted) {
    result.failure = FailureClass::Interrupted;
    return {std::move(result), "interrupted"};
  }
  if (stop_ == StopReason::OverBudget) {
    result.failure = FailureClass::Permanent;
    result.error = over_budget_text();
    return {std::move(result), "over_budget"};
  }
  switch (result.failure) {
    case FailureClass::Deadline:
      if (result.error.empty())
        result.error = "timed out after " + seconds_text(serving_->agent->timeout) + " s";
      return {std::move(result), "timed_out"};
    case FailureClass::PutOff:
      return {std::move(result), "put_off"};
    case FailureClass::RateLimited:
    case FailureClass::Permanent:
      return {std::move(result), "failed"};
    case FailureClass::ApprovalRefused:
      if (task_.approval) return {std::move(result), "approval_refused"};
      result.failure = FailureClass::Permanent;
      result.error = "the agent says that an approval does not count, and this task ran on none: " + result.error;
      return {std::move(result), "failed"};
    default:
      // Crash and Interrupted are ours to say, and nobody asked for a Cancelled.
      result.failure = FailureClass::Retryable;
      return {std::move(result), "failed"};
  }
}

Ended Execution::conclude(isolation::CallOutcome outcome) const {
  using isolation::CallEnd;
  if (outcome.end == CallEnd::Answered) {
    auto result = isolation::agent_result_from(outcome.answer);
    if (result.ok()) {
      // What fails after it was told that its time is up, fails because of that.
      if (outcome.past_deadline && !result->success && result->failure != FailureClass::Permanent &&
          result->failure != FailureClass::ApprovalRefused)
        result->failure = FailureClass::Deadline;
      return of_answer(std::move(*result));
    }
    return of_answer(
        failure(FailureClass::Retryable, "the agent's result cannot be read: " + result.error().message));
  }
  const bool ran = outcome.end != CallEnd::SpawnFailed && outcome.end != CallEnd::Refused;
  Ended ended = without_answer(std::move(outcome));
  ended.cost_known = !ran;
  return ended;
}

Ended Execution::without_answer(isolation::CallOutcome outcome) const {
  using isolation::CallEnd;
  if (stop_ == StopReason::CancelRequested && outcome.end != CallEnd::SpawnFailed)
    return {failure(FailureClass::Cancelled, "cancelled while it ran"), "cancelled"};
  if (stop_ == StopReason::Interrupted)
    return {failure(FailureClass::Interrupted, "interrupted by the shutdown of the host"), "interrupted"};
  if (stop_ == StopReason::OverBudget)
    return {failure(FailureClass::Permanent, over_budget_text()), "over_budget"};
  switch (outcome.end) {
    case CallEnd::TimedOut:
      return {failure(FailureClass::Deadline, "timed out after " + seconds_text(serving_->agent->timeout) +
                                                  " s; its process tree was killed (took " +
                                                  std::to_string(outcome.kill_took.count()) + " ms)"),
              "timed_out"};
    case CallEnd::SpawnFailed: {
      // Neither the task nor the agent is to blame: it waits and the attempt is given back.
      Ended ended{failure(FailureClass::Interrupted, "its runner could not be started: " + outcome.detail),
                  "failed"};
      ended.result.retry_after = kSpawnRetry;
      return ended;
    }
    case CallEnd::Refused:
      return {failure(FailureClass::Permanent, outcome.detail), "failed"};
    default:
      return {failure(FailureClass::Crash, with_tail(outcome.detail, outcome.output_tail)), "crashed"};
  }
}

}  // namespace davit::dispatch

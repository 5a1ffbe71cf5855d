#include "host/dispatch/execution.h"

#include <algorithm>
#include <utility>

#include "host/base/json.h"
#include "host/plugin/marshal.h"

namespace davit::dispatch {
namespace {

// Transcript lines beyond this are dropped (and counted) until the store has taken those that wait.
constexpr std::size_t kMostWaitingBytes = 1u << 20;
constexpr Duration kSpawnRetry{10'000};

bool says_nothing(const Usage& usage) {
  return usage.total_tokens() == 0 && usage.cost_micro_usd == 0 && usage.models.empty();
}

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

Execution::Execution(ClaimedTask task, std::shared_ptr<const ServingAgent> serving, const Clock& clock)
    : task_(std::move(task)), serving_(std::move(serving)), clock_(clock), started_(clock.monotonic()) {
  waiting_.fence = task_.fence;
}

isolation::Call Execution::call(std::string_view folder, Duration cancel_grace) const {
  Duration timeout = serving_->agent->timeout;
  isolation::Call call;
  call.task_tag = task_.task_id;
  call.request = R"({"call":"agent.run"})";
  call.blob =
      plugin::agent_context_json(task_, serving_->agent->settings.config, clock_.wall() + timeout, folder);
  call.working_directory = folder;
  call.deadline = started_ + timeout;
  call.cancel_grace = cancel_grace;
  return call;
}

void Execution::hear(std::string_view report) {
  auto parsed = parse_json(report);
  if (!parsed.ok()) return;
  std::string kind = string_member(*parsed, "report");
  const Redactor& redactor = serving_->redactor;
  if (kind == "usage") {
    auto usage = plugin::usage_from_json(text_member(*parsed, "usage"));
    if (!usage.ok()) return;
    usage_ = plugin::merged(usage_, *usage);
    waiting_.usage = usage_;
  } else if (kind == "progress") {
    double fraction = number_member(*parsed, "fraction", -1);
    waiting_.progress = std::min(fraction, 1.0);
    waiting_.progress_message = string_member(*parsed, "message", string_member(*parsed, "phase"));
    redactor.redact(waiting_.progress_message);
  } else if (kind == "transcript") {
    std::string line = string_member(*parsed, "line");
    if (waiting_bytes_ + line.size() > kMostWaitingBytes) {
      ++dropped_lines_;
    } else {
      redactor.redact(line);
      waiting_bytes_ += line.size() + 32;
      waiting_.transcript.emplace_back(string_member(*parsed, "kind"), std::move(line));
    }
  } else {
    return;
  }
  something_waits_ = true;
}

std::optional<store::LiveReport> Execution::take_report() {
  if (!something_waits_) return std::nullopt;
  if (dropped_lines_ > 0)
    waiting_.transcript.emplace_back("davit",
                                     std::to_string(std::exchange(dropped_lines_, 0)) +
                                         " lines dropped: they came faster than they could be stored");
  store::LiveReport report = std::exchange(waiting_, store::LiveReport{.fence = task_.fence});
  something_waits_ = false;
  waiting_bytes_ = 0;
  return report;
}

void Execution::stop(StopReason reason) {
  if (stop_ == StopReason::None || reason == StopReason::LeaseLost) stop_ = reason;
}

AgentResult Execution::failure(FailureClass failure, std::string error) const {
  AgentResult result;
  result.failure = failure;
  result.error = std::move(error);
  result.usage = usage_;
  serving_->redactor.redact(result.error);
  return result;
}

Ended Execution::of_answer(AgentResult result) const {
  if (says_nothing(result.usage)) result.usage = usage_;
  if (serving_->redactor.has_secrets())
    for (std::string* text : {&result.error, &result.output, &result.metrics, &result.next_input})
      serving_->redactor.redact(*text);
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
  switch (result.failure) {
    case FailureClass::Deadline:
      if (result.error.empty())
        result.error = "timed out after " + seconds_text(serving_->agent->timeout) + " s";
      return {std::move(result), "timed_out"};
    case FailureClass::RateLimited:
    case FailureClass::Permanent:
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
    auto result = plugin::agent_result_from_json(outcome.answer);
    if (result.ok()) {
      // What fails after it was told that its time is up, fails because of that.
      if (outcome.past_deadline && !result->success && result->failure != FailureClass::Permanent)
        result->failure = FailureClass::Deadline;
      return of_answer(std::move(*result));
    }
    return of_answer(
        failure(FailureClass::Retryable, "the agent's result cannot be read: " + result.error().message));
  }
  if (stop_ == StopReason::CancelRequested && outcome.end != CallEnd::SpawnFailed)
    return {failure(FailureClass::Cancelled, "cancelled while it ran"), "cancelled"};
  if (stop_ == StopReason::Interrupted)
    return {failure(FailureClass::Interrupted, "interrupted by the shutdown of the host"), "interrupted"};
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

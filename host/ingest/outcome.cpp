#include "host/ingest/outcome.h"

#include <utility>

namespace davit::ingest {
namespace {

OutcomeKind kind_of(const store::Accepted& accepted) {
  if (accepted.repeat != store::Repeat::None) return OutcomeKind::Duplicate;
  switch (accepted.verdict) {
    case store::Verdict::Queued:
      return OutcomeKind::Queued;
    case store::Verdict::Ignored:
      return OutcomeKind::Ignored;
    case store::Verdict::Error:
      return OutcomeKind::Error;
    case store::Verdict::Deferred:
    case store::Verdict::Parked:
      return OutcomeKind::Deferred;
  }
  return OutcomeKind::Ignored;
}

std::string message_of(const store::Accepted& accepted) {
  switch (accepted.repeat) {
    case store::Repeat::None:
      return accepted.message;
    case store::Repeat::SameKey:
      return "seen before: " + accepted.message;
    case store::Repeat::OtherBody:
      return "this id was seen before with another body, which counts: " + accepted.message;
    case store::Repeat::OtherKey:
      return "this body was seen before under another id, as delivery " + accepted.delivery_id + ": " +
             accepted.message;
  }
  return accepted.message;
}

}  // namespace

std::string_view label_of(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::Queued:
      return "queued";
    case OutcomeKind::Ignored:
      return "ignored";
    case OutcomeKind::Deferred:
      return "deferred";
    case OutcomeKind::Duplicate:
      return "duplicate";
    case OutcomeKind::Error:
      return "error";
    case OutcomeKind::Malformed:
      return "malformed";
    case OutcomeKind::Unauthorized:
      return "unauthorized";
    case OutcomeKind::NotFound:
      return "not_found";
    case OutcomeKind::TooLarge:
      return "too_large";
    case OutcomeKind::UnsupportedMedia:
      return "unsupported_media";
    case OutcomeKind::RateLimited:
      return "rate_limited";
    case OutcomeKind::Unavailable:
      return "unavailable";
  }
  return "unavailable";
}

std::string_view label_of(const Outcome& outcome) {
  switch (outcome.repeat) {
    case store::Repeat::OtherKey:
      return "duplicate_body";
    case store::Repeat::OtherBody:
      return "duplicate_id_other_body";
    default:
      return label_of(outcome.kind);
  }
}

Outcome outcome_of(store::Accepted accepted) {
  Outcome outcome;
  outcome.kind = kind_of(accepted);
  outcome.deferred =
      accepted.verdict == store::Verdict::Deferred || accepted.verdict == store::Verdict::Parked;
  outcome.repeat = accepted.repeat;
  outcome.message = message_of(accepted);
  outcome.delivery_id = std::move(accepted.delivery_id);
  outcome.task_ids = std::move(accepted.task_ids);
  return outcome;
}

Outcome early_answer(WebhookAnswer answer) {
  Outcome outcome;
  outcome.kind = OutcomeKind::Ignored;
  outcome.message = std::move(answer.message);
  outcome.http = std::move(answer.http);
  return outcome;
}

Outcome refusal(OutcomeKind kind, std::string message) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.message = std::move(message);
  if (kind == OutcomeKind::Unavailable) outcome.retry_after = Duration{5'000};
  return outcome;
}

Outcome too_many(std::string message, std::chrono::nanoseconds wait) {
  Outcome outcome = refusal(OutcomeKind::RateLimited, std::move(message));
  outcome.retry_after = std::chrono::ceil<Duration>(wait);
  return outcome;
}

Outcome refusal_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::Unauthorized:
      return refusal(OutcomeKind::Unauthorized, "the signature is missing or wrong");
    case ErrorCode::NotImplemented:
      return refusal(OutcomeKind::UnsupportedMedia, error.message);
    case ErrorCode::TooLarge:
      return refusal(OutcomeKind::TooLarge, error.message);
    case ErrorCode::InvalidInput:
      return refusal(OutcomeKind::Malformed, error.message);
    default:
      return refusal(OutcomeKind::Unavailable, "the delivery could not be checked; send it again later");
  }
}

std::optional<Outcome> refusal_by_hooks(const Error& error) {
  switch (error.code) {
    case ErrorCode::InvalidInput:
    case ErrorCode::TooLarge:
      return refusal(OutcomeKind::Malformed, error.message);
    case ErrorCode::Unauthorized:
      return refusal(OutcomeKind::Unauthorized, "the signature is missing or wrong");
    case ErrorCode::RateLimited: {
      Outcome outcome = refusal(OutcomeKind::RateLimited, error.message);
      outcome.retry_after = Duration{60'000};
      return outcome;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace davit::ingest

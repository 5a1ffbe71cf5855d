#include "notify/chain_end.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "davit/failure.hpp"

namespace notify {
namespace {

using davit::Failure;
using davit::JsonView;

std::string_view reason_of(std::string_view failure) {
  constexpr std::pair<std::string_view, std::string_view> kReasons[] = {
      {"retryable", "It failed each time it was tried."},
      {"rate_limited", "A service that it needs took no more requests."},
      {"deadline", "It took too long."},
      {"crash", "The program that worked on it crashed."},
      {"interrupted", "The work on it was interrupted."},
  };
  const auto* const found = std::find_if(std::begin(kReasons), std::end(kReasons),
                                         [&](const auto& each) { return each.first == failure; });
  return found == std::end(kReasons) ? "It failed, and trying again would not help." : found->second;
}

}  // namespace

ChainEnd ChainEnd::from(JsonView payload, JsonView previous_result) {
  ChainEnd end{.subject = Subject::from(payload, previous_result),
               .how = std::string(payload["how"].string_or("")),
               .failure = std::string(payload["failure"].string_or(""))};
  constexpr std::string_view kHow[] = {"failed", "cancelled", "rejected", "deadline", "parked"};
  if (std::find(std::begin(kHow), std::end(kHow), end.how) == std::end(kHow))
    throw Failure::permanent("the payload's how is none of failed, cancelled, rejected, deadline and parked");
  return end;
}

std::string ChainEnd::sentence() const {
  std::string said;
  if (how == "rejected") said = "What was proposed was rejected.";
  if (how == "deadline") said = "What was proposed was not approved in time.";
  if (how == "cancelled") said = "It was cancelled.";
  if (how == "failed") said = reason_of(failure);
  if (how == "parked") {
    if (!failure.empty()) said = std::string(reason_of(failure)) + " ";
    said += "It is put aside until somebody looks at it.";
  }
  said += " Task " + subject.task_id + " says more.";
  if (!subject.pull.empty()) said += "\n\nThe pull request so far is " + subject.pull;
  return said;
}

note::Change ChainEnd::change() const {
  return how == "failed" || how == "parked" ? note::Change::NotFailedYet : note::Change::Existing;
}

}  // namespace notify

#include "notify/chain_end.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "davit/failure.hpp"

namespace notify {
namespace {

using davit::Failure;
using davit::JsonView;

constexpr std::size_t kMostId = 64;

// An id as the host makes them.
std::string id_in(JsonView payload, std::string_view name) {
  const std::string id(payload[name].string_or(""));
  const bool plain =
      !id.empty() && id.size() <= kMostId && id.find_first_not_of("0123456789abcdef-") == std::string::npos;
  if (!plain)
    throw Failure::permanent("the payload's " + std::string(name) +
                             " is no id of a task: tasks for this agent are made by chain.notify");
  return id;
}

// As agents hand it on. What is no plain address is left out.
std::string address_in(JsonView pull) {
  constexpr std::size_t kMost = 300;
  const std::string url(pull["url"].string_or(""));
  const bool plain = url.size() <= kMost && (url.starts_with("https://") || url.starts_with("http://")) &&
                     std::all_of(url.begin(), url.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              std::string_view("-._~:/#").find(c) != std::string_view::npos;
                     });
  return plain ? url : "";
}

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
  if (payload["reminder"].is_int())
    throw Failure::permanent(
        "this agent tells of chains that have ended (chain.notify) and not of approvals that wait: the note "
        "of the agent that asks for one says so");
  ChainEnd end{.task_id = id_in(payload, "task_id"),
               .chain = id_in(payload, "root"),
               .entity = std::string(payload["entity"].string_or("")),
               .how = std::string(payload["how"].string_or("")),
               .failure = std::string(payload["failure"].string_or(""))};
  constexpr std::string_view kHow[] = {"failed", "cancelled", "rejected", "deadline", "parked"};
  if (std::find(std::begin(kHow), std::end(kHow), end.how) == std::end(kHow))
    throw Failure::permanent("the payload's how is none of failed, cancelled, rejected, deadline and parked");
  // Agents know the chain by what they hand on, which goes back with what was rejected.
  const JsonView own = previous_result["work"];
  const JsonView work = own.is_object() ? own : previous_result["rejected"]["output"]["work"];
  if (const std::string_view chain = work["chain"].string_or(""); !chain.empty()) end.chain = chain;
  end.pull = address_in(work["pull"]);
  end.repository = work["repository"].string_or("");
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
  said += " Task " + task_id + " says more.";
  if (!pull.empty()) said += "\n\nThe pull request so far is " + pull;
  return said;
}

note::Change ChainEnd::change() const {
  return how == "failed" || how == "parked" ? note::Change::NotFailedYet : note::Change::Existing;
}

}  // namespace notify

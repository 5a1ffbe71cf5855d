#include "notify/subject.h"

#include <algorithm>
#include <string_view>

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
                             " is no id of a task: tasks for this agent are made by chain.notify and "
                             "approvals.notify");
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

}  // namespace

JsonView work_of(JsonView previous_result) {
  // What was handed on goes back with what was rejected.
  const JsonView own = previous_result["work"];
  return own.is_object() ? own : previous_result["rejected"]["output"]["work"];
}

Subject Subject::from(JsonView payload, JsonView previous_result) {
  Subject subject{.task_id = id_in(payload, "task_id"),
                  .chain = id_in(payload, "root"),
                  .entity = std::string(payload["entity"].string_or(""))};
  // Agents know the chain by what they hand on.
  const JsonView work = work_of(previous_result);
  if (const std::string_view chain = work["chain"].string_or(""); !chain.empty()) subject.chain = chain;
  subject.pull = address_in(work["pull"]);
  subject.repository = work["repository"].string_or("");
  return subject;
}

}  // namespace notify

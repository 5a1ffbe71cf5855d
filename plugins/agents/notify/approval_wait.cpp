#include "notify/approval_wait.h"

#include <algorithm>
#include <string_view>

#include "davit/failure.hpp"
#include "davit/text.hpp"
#include "github_api/shapes.h"

namespace notify {
namespace {

using davit::Failure;
using davit::JsonView;
using note::Sender;

constexpr std::size_t kMostSummary = 1'500;
constexpr std::size_t kMostName = 100;

bool is_hash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool consists_of(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

std::string beginning(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  const std::string_view cut = text.substr(0, most);
  return std::string(cut.substr(0, davit::utf8_prefix(cut))) + " (cut)";
}

// Is the pull request where the place is, so that the same webhook hears of both?
bool is_beside(const note::Place& place, const Subject& subject) {
  const std::size_t slash = subject.repository.find('/');
  return !subject.pull.empty() && slash != std::string::npos &&
         github::same(place.repo,
                      github::Repo{subject.repository.substr(0, slash), subject.repository.substr(slash + 1)});
}

}  // namespace

bool ApprovalWait::is_one(JsonView payload) { return payload["reminder"].is_int(); }

ApprovalWait ApprovalWait::from(JsonView payload, JsonView previous_result) {
  ApprovalWait wait{.subject = Subject::from(payload, previous_result),
                    .agent = std::string(payload["agent"].string_or("")),
                    .content_hash = std::string(payload["content_hash"].string_or("")),
                    .deadline = std::string(payload["deadline"].string_or("")),
                    .refused = std::string(payload["refused"]["by"].string_or("")),
                    .summary = std::string(work_of(previous_result)["plan"]["summary"].string_or(""))};
  if (!is_hash(wait.content_hash))
    throw Failure::permanent("the payload's content_hash is no hash: tasks for this agent are made by "
                             "chain.notify and approvals.notify");
  if (wait.agent.empty() || !consists_of(wait.agent, "-_"))
    throw Failure::permanent("the payload's agent is no name of an agent");
  if (!consists_of(wait.deadline, "-:.")) wait.deadline.clear();
  // A name is other people's text.
  if (wait.refused.size() > kMostName || !consists_of(wait.refused, "-_.:@[]")) wait.refused = "somebody";
  return wait;
}

std::string ApprovalWait::how(const note::Place& place, const std::string& prefix) const {
  const std::string who = "To let " + agent + " go on, somebody who may ";
  std::string said;
  if (!prefix.empty() && (place.sender == Sender::Github || place.sender == Sender::Jira)) {
    const bool beside = place.sender == Sender::Github && is_beside(place, subject);
    said = who + "writes this as a comment here" + (beside ? ", or on the pull request" : "") + ":\n\n    " +
           prefix + " approve " + content_hash;
  } else if (!prefix.empty() && place.sender == Sender::Slack) {
    said = who + "mentions davit in this thread with:\n\n    approve " + content_hash;
  } else {
    said = who + "says on davit's machine:\n\n    davit tasks approve " + subject.task_id + " --hash " +
           content_hash;
  }
  said += "\n\nThat approves what waits now and nothing else: when any of it changes, this hash is void, and "
          "another one stands here.";
  if (!deadline.empty()) said += " It waits until " + deadline + ".";
  if (!refused.empty())
    said += "\n\nThe approval by " + refused +
            " does not count, so it takes one by somebody else. Task " + subject.task_id + " says why.";
  return said;
}

std::string ApprovalWait::what() const {
  std::string said = subject.pull.empty() ? "Task " + subject.task_id + " has what waits."
                                          : "What waits is " + subject.pull;
  if (!summary.empty()) said += "\n\n" + beginning(summary, kMostSummary);
  return said;
}

}  // namespace notify

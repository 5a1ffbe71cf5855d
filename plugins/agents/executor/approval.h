// Whether somebody approved this plan, and still means it.
//
// The host gives a task with an approval only while all that the agent is given of it is, byte by byte, what
// a person approved (content_hash). Of that the agent sees to it that it is one thing throughout: the plan
// is the one of its hash, the request the one of its own; the pull request that people read speaks of that
// plan, and its branch holds it; and the place the request came from still says the same.
#pragma once

#include <optional>
#include <string>

#include "davit/agent.hpp"
#include "davit/failure.hpp"
#include "work_item/work_item.h"

namespace executor {

// What was approved is not what would be done. People at the source should read it as it is.
class Void : public davit::Failure {
 public:
  explicit Void(const std::string& why)
      : Failure(davit::Status::Permanent, "approval void: " + why + "; plan it anew and approve that") {}
};

// Who approved: of this task itself, or of an earlier one of the chain that acted on it. Nullopt: nobody. An
// approval that is bound to nothing is none.
std::optional<work::Approved> approval_of(const davit::AgentContext& context, const work::Item& item);

// Throws Void where the item (which has a plan) is not what `approved` is about, as far as that can be seen
// without asking anybody.
void check_bound(const work::Item& item, const work::Approved& approved);
// The same for what the pull request says, and what the branch has as the plan's file (nullopt: none): as it
// was written under that heading, to the byte, for people read the page and not the document behind it.
void check_pull_text(const work::Plan& plan, const std::string& body);
void check_plan_file(const work::Plan& plan, const work::Request& heading,
                     const std::optional<std::string>& file);
// And for what was asked for, as it is there now.
void check_source(const work::Item& item, const std::string& title, const std::string& text);

}  // namespace executor

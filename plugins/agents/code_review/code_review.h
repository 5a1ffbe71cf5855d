// One execution of the code-review agent, from who asked to the review at the pull request.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent_config/secrets.h"
#include "code_review/findings.h"
#include "code_review/settings.h"
#include "davit/agent.hpp"
#include "git_workspace/mirrors.h"
#include "github_api/api.h"
#include "skills/book.h"
#include "work_item/work_item.h"

namespace review {

class CodeReview {
 public:
  // All of it lives as long as this. `item` has a repository and a pull request, and `secrets` an account.
  CodeReview(const Settings& settings, const agent_config::Secrets& secrets, const skills::Book& book,
             const davit::AgentContext& context, const davit::Run& run, work::Item item);

  // Throws davit::Failure.
  davit::AgentResult make();

 private:
  bool is_in_chain() const { return context_.previous_result["work"].is_object(); }
  bool is_of_event() const;
  bool is_fork() const;
  std::string why_not();
  void refuse_old_head();
  bool may_wait() const;
  const git::Mirror& mirror();
  std::string base();
  std::optional<Review> review_anew(std::optional<davit::Usage>& usage);
  Review ask_model(const std::vector<github::ChangedFile>& files, const Diff& diff,
                   std::optional<davit::Usage>& usage);
  davit::AgentResult result_of(const Review& review, const github::PostedReview& posted);
  davit::AgentResult without_review(const std::string& verdict, const std::string& why);
  void keep_findings(const Review& review) const;

  const Settings& settings_;
  const agent_config::Secrets& secrets_;
  const skills::Book& book_;
  const davit::AgentContext& context_;
  const davit::Run& run_;
  work::Item item_;
  const github::Repo repo_;
  github::Api api_;
  github::Pull pull_;  // as GitHub has it now
  std::optional<git::Mirror> mirror_;
};

}  // namespace review

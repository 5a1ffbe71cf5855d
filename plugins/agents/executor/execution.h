// One execution of the executor, from whose word counts to a pull request with the change.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent_config/secrets.h"
#include "davit/agent.hpp"
#include "executor/report.h"
#include "executor/settings.h"
#include "executor/work_order.h"
#include "git_workspace/mirrors.h"
#include "git_workspace/session.h"
#include "github_api/api.h"
#include "model_session/model_session.h"
#include "repository_task/origin.h"
#include "repository_task/task.h"
#include "skills/book.h"
#include "source_note/source_note.h"
#include "work_item/work_item.h"

namespace executor {

class Execution {
 public:
  // All of it lives as long as this. `item` has a repository, a pull request with its branch, a plan and who
  // approved it, and `secrets` an account.
  Execution(const Settings& settings, const agent_config::Secrets& secrets, const skills::Book& book,
            const davit::AgentContext& context, const davit::Run& run, work::Item item);

  // Throws davit::Failure. What comes of it is told where the task came from, when a person there can make
  // something of it and nothing is tried again.
  davit::AgentResult make();

 private:
  // What a session made of the tree, and how that was judged.
  struct Made {
    git::Change change;
    Answer answer;
    TestReport tests;
  };

  davit::AgentResult make_allowed();
  void check_pull();
  void check_source();
  void check_history(const git::Mirror& mirror, const std::string& head) const;
  void read_plan_file(const git::Mirror& mirror, const std::string& head);
  Landed carry_out(const git::Mirror& mirror, const std::string& head);
  Made work_on(git::Session& session, const git::Mirror& mirror);
  // One session, or two if `left`, which is one less then, allows it and the first went beyond the plan.
  Made work_once(model_session::Sessions& sessions, git::Session& session, const Complaint& complaint,
                 const std::string& so_far, int& left);
  std::vector<std::string> take_back(model_session::Sessions& sessions, git::Session& session,
                                     const std::vector<git::Refusal>& refused, const Complaint& complaint,
                                     const std::string& so_far);
  Answer ask_model(model_session::Sessions& sessions, git::Session& session, const Complaint& complaint,
                   const std::string& so_far);
  git::Change look_at(git::Session& session);
  TestReport try_out(const git::Session& session, const git::Change& change);
  Landed landed_before(const git::Mirror& mirror, const std::string& head, const Found& found);
  std::string change_so_far(const git::Mirror& mirror, const std::string& head) const;
  bool is_nothing(const git::Change& change) const;
  void update_pull(const std::string& body, std::optional<Verdict> verdict);
  davit::AgentResult refused_result(const std::string& why, const std::vector<git::Refusal>& refused);
  davit::AgentResult result_of(const Landed& landed);
  davit::Json output_of(const Landed& landed) const;
  void keep(const char* name, const char* type, const std::string& content) const;
  void tell(note::Stage stage, const std::string& text) { origin_.tell(stage, text); }
  work::Request heading() const { return repository_task::heading_of(item_, secrets_.redactor()); }
  git::Token token() {
    return [this] { return api_.token(); };
  }
  // Nothing was made of this plan yet.
  bool is_first() const;
  bool is_repair() const;  // of what checks or a review said
  // Only files of the plan and tests may be changed.
  bool is_bound() const { return !(settings_.mark_beyond_plan && approved_here_); }

  const Settings& settings_;
  const agent_config::Secrets& secrets_;
  const skills::Book& book_;
  const davit::AgentContext& context_;
  const davit::Run& run_;
  work::Item item_;
  bool approved_here_ = false;  // this very task was approved, and not only an earlier one of the chain
  const github::Repo repo_;
  github::Api api_;
  repository_task::Origin origin_;
  github::Repository repository_;  // as GitHub has it today
  github::Pull pull_;              // likewise
  std::optional<std::string> plan_file_;
  davit::Usage usage_;
};

}  // namespace executor

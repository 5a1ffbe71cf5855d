#include "repository_task/origin.h"

#include <functional>

#include "repository_task/task.h"
#include "source_note/readers.h"

namespace repository_task {

Origin::Origin(const agent_config::Settings& settings, const agent_config::Secrets& secrets,
               const davit::AgentContext& context, const davit::Run& run, const work::Item& item,
               const github::Repo& repo, github::Api& api)
    : context_(context),
      run_(run),
      item_(item),
      repo_(repo),
      api_(api),
      notes_(settings.notes, secrets.notes(), context.state_folder, std::cref(secrets.redactor()),
             cancel_of(run)),
      place_(note::place_of(context.task.entity["key"].string_or(""))) {
  if (place_ && place_->sender == note::Sender::Github && !github::same(place_->repo, repo_))
    api_elsewhere_.emplace(secrets.account(context.state_folder, place_->repo,
                                           {{"issues", "write"}, {"pull_requests", "write"}}),
                           cancel_of(run));
}

std::optional<github::Issue> Origin::issue() {
  if (!place_ || place_->sender != note::Sender::Github) return std::nullopt;
  return api_there().issue(place_->repo, place_->number);
}

void Origin::tell(note::Stage stage, const std::string& text) {
  if (!place_) return;
  const note::Told told = notes_.tell(&api_there(), *place_, item_.chain, stage,
                                      note::for_readers(*place_, repo_, api_, text, context_.task_id));
  if (!told.why_not.empty()) run_.transcript("note", told.why_not);
}

}  // namespace repository_task

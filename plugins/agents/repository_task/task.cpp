#include "repository_task/task.h"

#include "source_note/neutral.h"

namespace repository_task {

github::Repo repo_of(std::string_view repository) {
  const std::size_t slash = repository.find('/');
  return {std::string(repository.substr(0, slash)), std::string(repository.substr(slash + 1))};
}

http::Cancel cancel_of(const davit::Run& run) {
  return [&run] { return run.is_cancelled(); };
}

gate::Question question_of(const work::Item& item, const github::Repo& repo) {
  gate::Question question{
      .repo = repo,
      .actor = gate::actor_of(item.asked_by.webhook, item.asked_by.actor, item.asked_by.delivery)};
  if (const auto& by = item.rejected)
    question.rejecter = gate::actor_of({by->by, by->actor_id, by->way}, question.actor);
  return question;
}

work::Request heading_of(const work::Item& item, const redact::Redactor& redactor) {
  return {.source = item.request.source,
          .title = redactor(note::visible(item.request.title)),
          .url = redactor(item.request.url)};
}

std::string lack_of_basics(const davit::AgentContext& context, const agent_config::Secrets& secrets) {
  if (context.state_folder.empty() || context.workspace.empty())
    return "the host gives no state folder or no workspace, and both are needed";
  return secrets.no_account();
}

}  // namespace repository_task

#include "host/plugin/redact.h"

#include <initializer_list>
#include <utility>

namespace davit::plugin {
namespace {

void redact_each(const Redactor& redactor, std::initializer_list<std::string*> texts) {
  for (std::string* text : texts) redactor.redact(*text);
}

void redact_tasks(const Redactor& redactor, std::vector<NewTask>& tasks) {
  for (NewTask& task : tasks)
    redact_each(redactor, {&task.agent, &task.task_type, &task.title, &task.payload, &task.entity,
                           &task.group, &task.key});
}

}  // namespace

Redactor redactor_for(const WebhookSettings& settings) {
  std::vector<Secret> secrets = settings.granted;
  for (const std::string& secret : settings.secrets) secrets.push_back({"of the signature", secret});
  return Redactor(secrets);
}

void redact(const Redactor& redactor, Usage& usage) {
  if (!redactor.has_secrets()) return;
  redactor.redact(usage.model);
  for (auto& [model, figures] : std::exchange(usage.models, {})) {
    std::string name = model;
    redactor.redact(name);
    add(usage.models[name], figures);
  }
}

void redact(const Redactor& redactor, AgentResult& result) {
  if (!redactor.has_secrets()) return;
  redact_each(redactor,
              {&result.error, &result.output, &result.metrics, &result.next_agent, &result.next_input});
  for (std::string& key : result.also) redactor.redact(key);
  redact(redactor, result.usage);
  redact_tasks(redactor, result.tasks);
}

void redact(const Redactor& redactor, WebhookAnswer& answer) {
  if (!redactor.has_secrets()) return;
  redact_each(redactor, {&answer.message, &answer.details});
  if (answer.http) redact_each(redactor, {&answer.http->content_type, &answer.http->body});
  redact_tasks(redactor, answer.tasks);
  for (TaskAction& action : answer.actions)
    redact_each(redactor, {&action.task_id, &action.entity, &action.agent, &action.comment,
                           &action.content_hash, &action.via});
  if (answer.actor) redact_each(redactor, {&answer.actor->id, &answer.actor->login, &answer.actor->role});
  if (answer.entity)
    redact_each(redactor, {&answer.entity->key, &answer.entity->type, &answer.entity->title,
                           &answer.entity->url, &answer.entity->group});
  for (Link& link : answer.links) redact_each(redactor, {&link.rel, &link.key, &link.url});
  if (answer.reply) redactor.redact(answer.reply->body);
}

}  // namespace davit::plugin

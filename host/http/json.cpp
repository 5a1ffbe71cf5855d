#include "host/http/json.h"

#include <algorithm>
#include <map>

#include "host/base/cron.h"
#include "host/http/members.h"
#include "host/ingest/test_event.h"

namespace davit::http {
namespace {

void write_usage_members(JsonWriter& writer, const ModelUsage& usage) {
  write_member(writer, "input_tokens", usage.input_tokens);
  write_member(writer, "output_tokens", usage.output_tokens);
  write_member(writer, "cache_read_tokens", usage.cache_read_tokens);
  write_member(writer, "cache_write_tokens", usage.cache_write_tokens);
  write_dollars(writer, "total_cost_usd", usage.cost_micro_usd);
}

void write_task_members(JsonWriter& writer, const TaskSummary& task) {
  write_member(writer, "task_id", task.task_id);
  write_member(writer, "status", to_string(task.state));
  write_member(writer, "source", task.source);
  write_member(writer, "current_agent", task.agent);
  write_member(writer, "task_type", task.task_type);
  write_member(writer, "title", task.title);
  write_text_or_null(writer, "entity", task.entity);
  write_member(writer, "priority", task.priority);
  write_member(writer, "attempt", task.attempt);
  write_member(writer, "max_retries", task.max_retries);
  write_member(writer, "crashes", task.crashes);
  write_member(writer, "losses", task.losses);
  write_text_or_null(writer, "error", task.error);
  write_text_or_null(writer, "hold_reason", task.hold_reason);
  write_time(writer, "resume_at", task.resume_at);
  write_time(writer, "created_at", task.created_at);
  write_time(writer, "updated_at", task.updated_at);
  write_time(writer, "run_at", task.run_at);
  write_time(writer, "finished_at", task.finished_at);
  write_text_or_null(writer, "current_session_id", task.current_session_id);
  write_text_or_null(writer, "parent_id", task.parent_id);
  write_text_or_null(writer, "root_id", task.root_id);
  write_member(writer, "chain_depth", task.chain_depth);
  write_dollars(writer, "total_cost_usd", task.total_cost_micro_usd);
  write_member(writer, "total_tokens_used", task.total_tokens);
}

void write_chain_members(JsonWriter& writer, const Chain& chain) {
  write_strings(writer, "chain_agents", chain.agents);
  write_member(writer, "chain_tasks", chain.task_count);
  write_dollars(writer, "chain_cost_usd", chain.cost_micro_usd);
  write_member(writer, "chain_tokens", chain.tokens);
  write_objects(writer, "chain", chain.tasks, [&](const ChainLink& link) {
    write_member(writer, "task_id", link.task_id);
    write_text_or_null(writer, "parent_id", link.parent_id);
    write_member(writer, "agent", link.agent);
    write_member(writer, "status", to_string(link.state));
    write_member(writer, "needs_approval", link.needs_approval);
    write_member(writer, "chain_depth", link.depth);
    write_time(writer, "created_at", link.created_at);
    write_time(writer, "finished_at", link.finished_at);
    write_dollars(writer, "total_cost_usd", link.cost_micro_usd);
    write_member(writer, "total_tokens_used", link.tokens);
  });
}

void write_links(JsonWriter& writer, const std::vector<Link>& links) {
  write_objects(writer, "links", links, [&](const Link& link) {
    write_member(writer, "rel", link.rel);
    write_member(writer, "key", link.key);
    write_member(writer, "url", link.url);
  });
}

void write_delivery_members(JsonWriter& writer, const store::DeliverySummary& delivery) {
  write_member(writer, "delivery_id", delivery.delivery_id);
  write_member(writer, "webhook", delivery.webhook);
  write_member(writer, "delivery_key", delivery.delivery_key);
  write_member(writer, "request_id", delivery.request_id);
  write_member(writer, "remote_address", delivery.remote_address);
  write_text_or_null(writer, "tested_by",
                     std::string(ingest::tested_by(delivery.remote_address).value_or("")));
  write_member(writer, "verdict", store::to_string(delivery.verdict));
  write_member(writer, "message", delivery.message);
  write_text_or_null(writer, "entity", delivery.entity);
  write_time(writer, "received_at", delivery.received_at);
  write_member(writer, "body_bytes", static_cast<std::int64_t>(delivery.body_bytes));
  write_member(writer, "duplicates", delivery.duplicates);
  write_member(writer, "same_body", delivery.same_body);
  write_text_or_null(writer, "replay_of", delivery.replay_of);
  write_member(writer, "tries", delivery.tries);
  write_strings(writer, "task_ids", delivery.task_ids);
}

void write_generation(JsonWriter& writer, const plugin::Generation* generation) {
  if (!generation) {
    write_null_member(writer, "generation");
    write_null_member(writer, "sha256");
    write_null_member(writer, "source");
    write_null_member(writer, "loaded_at");
    return;
  }
  write_member(writer, "generation", static_cast<std::int64_t>(generation->number));
  write_member(writer, "sha256", generation->sha256);
  write_member(writer, "source", generation->source.string());
  write_time(writer, "loaded_at", generation->loaded_at);
}

void write_held_back(JsonWriter& writer, const plugin::HeldBack& held_back) {
  write_key(writer, "held_back");
  writer.StartObject();
  write_generation(writer, held_back.generation.get());
  write_member(writer, "state", plugin::to_string(held_back.state));
  write_member(writer, "reason", held_back.reason);
  write_time(writer, "since", held_back.since);
  writer.EndObject();
}

// Of a Webhook or an Agent. The override is what somebody switched by command.
template <typename Instance>
void write_serving(JsonWriter& writer, const Instance& instance) {
  write_member(writer, "state", plugin::to_string(instance.state));
  write_text_or_null(writer, "reason", instance.state_reason);
  if (instance.held_back) {
    write_held_back(writer, *instance.held_back);
  } else {
    write_null_member(writer, "held_back");
  }
  if (instance.switched) {
    write_member(writer, "override", *instance.switched ? "enabled" : "disabled");
  } else {
    write_null_member(writer, "override");
  }
}

bool serves(const plugin::Snapshot& snapshot, const plugin::Generation& generation) {
  auto any_of = [&](const auto& instances) {
    return std::any_of(instances.begin(), instances.end(), [&](const auto& entry) {
      const auto& its = entry.second->generation;
      return entry.second->state == plugin::ServingState::Serving && its && its->sha256 == generation.sha256;
    });
  };
  return any_of(snapshot.webhooks) || any_of(snapshot.agents);
}

}  // namespace

void write_execution(JsonWriter& writer, const AgentExecution& execution) {
  writer.StartObject();
  write_member(writer, "agent_name", execution.agent_name);
  write_member(writer, "session_id", execution.session_id);
  write_member(writer, "attempt", execution.attempt);
  write_time(writer, "started_at", execution.started_at);
  write_time(writer, "completed_at", execution.completed_at);
  if (execution.completed_at) {
    // A clock may have been set back while davit was down.
    const Duration took = std::max<Duration>(*execution.completed_at - execution.started_at, Duration(0));
    write_member(writer, "duration_seconds", static_cast<double>(took.count()) / 1000.0);
  } else {
    write_null_member(writer, "duration_seconds");
  }
  write_member(writer, "success", execution.success);
  write_member(writer, "outcome", execution.outcome);
  write_text_or_null(writer, "error_class", execution.failure);
  write_text_or_null(writer, "error", execution.error);
  write_usage_members(writer, execution.usage);
  write_member(writer, "cost_is_estimate", execution.usage.cost_is_estimate);
  write_text_or_null(writer, "model_used", execution.usage.model);
  write_key(writer, "models");
  writer.StartObject();
  for (const auto& [name, usage] : execution.usage.models) {
    write_key(writer, name);
    writer.StartObject();
    write_usage_members(writer, usage);
    writer.EndObject();
  }
  writer.EndObject();
  write_raw_member(writer, "output", execution.output);
  write_text_or_null(writer, "next_agent", execution.next_agent);
  if (execution.progress >= 0) {
    write_member(writer, "progress", execution.progress);
  } else {
    write_null_member(writer, "progress");
  }
  write_text_or_null(writer, "progress_message", execution.progress_message);
  writer.EndObject();
}

void write_task(JsonWriter& writer, const TaskSummary& task) {
  writer.StartObject();
  write_task_members(writer, task);
  writer.EndObject();
}

void write_bulk_step(JsonWriter& writer, const store::BulkStep& step) {
  writer.StartObject();
  write_member(writer, "retried", step.done);
  write_member(writer, "left", step.left);
  write_text_or_null(writer, "next_cursor", step.next_cursor);
  writer.EndObject();
}

void write_approval(JsonWriter& writer, const AwaitedApproval& approval) {
  writer.StartObject();
  write_member(writer, "content_hash", approval.content_hash);
  write_time(writer, "asked_at", approval.asked_at);
  write_time(writer, "deadline", approval.deadline);
  write_time(writer, "next_at", approval.next_at);
  write_member(writer, "reminders", approval.reminders);
  writer.EndObject();
}

void write_decision_members(JsonWriter& writer, const TaskDecision& decision) {
  write_time(writer, "at", decision.at);
  write_member(writer, "kind", decision.kind);
  write_text_or_null(writer, "by", decision.by);
  write_text_or_null(writer, "actor_id", decision.actor_id);
  write_text_or_null(writer, "way", decision.way);
  write_text_or_null(writer, "comment", decision.comment);
  write_text_or_null(writer, "content_hash", decision.content_hash);
}

void write_task_detail(JsonWriter& writer, const TaskDetail& detail) {
  writer.StartObject();
  write_task_members(writer, detail.task);
  write_raw_member(writer, "payload", detail.payload);
  write_raw_member(writer, "previous_result", detail.previous_result);
  write_raw_member(writer, "result", detail.result);
  write_key(writer, "actor");
  if (detail.actor) {
    writer.StartObject();
    write_member(writer, "id", detail.actor->id);
    write_member(writer, "login", detail.actor->login);
    write_member(writer, "role", detail.actor->role);
    writer.EndObject();
  } else {
    writer.Null();
  }
  write_links(writer, detail.links);
  write_strings(writer, "also", detail.also);
  write_text_or_null(writer, "delivery_id", detail.delivery_id);
  write_array(writer, "agent_executions", detail.executions,
              [&](const AgentExecution& execution) { write_execution(writer, execution); });
  write_chain_members(writer, detail.chain);
  write_member(writer, "rework", detail.rework);
  write_key(writer, "approval");
  if (detail.approval) {
    write_approval(writer, *detail.approval);
  } else {
    writer.Null();
  }
  write_key(writer, "approved_before");
  if (detail.approved_before) {
    writer.StartObject();
    write_member(writer, "task_id", detail.approved_before->task_id);
    write_member(writer, "kept", detail.approved_before->is_kept);
    write_decision_members(writer, detail.approved_before->decision);
    writer.EndObject();
  } else {
    writer.Null();
  }
  write_objects(writer, "decisions", detail.decisions,
                [&](const TaskDecision& decision) { write_decision_members(writer, decision); });
  writer.EndObject();
}

void write_transcript(JsonWriter& writer, std::string_view task_id, const std::vector<Said>& said) {
  writer.StartObject();
  write_member(writer, "task_id", task_id);
  write_key(writer, "executions");
  writer.StartArray();
  for (const auto& [execution, lines, truncated] : said) {
    writer.StartObject();
    write_member(writer, "session_id", execution.session_id);
    write_member(writer, "agent_name", execution.agent_name);
    write_time(writer, "completed_at", execution.completed_at);
    write_member(writer, "truncated", truncated);
    write_objects(writer, "lines", lines, [&](const store::TranscriptLine& line) {
      write_member(writer, "number", line.number);
      write_time(writer, "at", line.at == WallTime{} ? std::nullopt : std::optional(line.at));
      write_member(writer, "kind", line.kind);
      write_member(writer, "line", line.text);
    });
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
}

void write_artifacts(JsonWriter& writer, std::string_view task_id,
                     const std::vector<store::ArtifactEntry>& artifacts) {
  writer.StartObject();
  write_member(writer, "task_id", task_id);
  write_objects(writer, "artifacts", artifacts, [&](const store::ArtifactEntry& artifact) {
    write_member(writer, "session_id", artifact.session_id);
    write_member(writer, "agent_name", artifact.agent_name);
    write_member(writer, "attempt", artifact.attempt);
    write_member(writer, "name", artifact.name);
    write_member(writer, "content_type", artifact.content_type);
    write_member(writer, "bytes", artifact.bytes);
    write_member(writer, "sha256", artifact.sha256);
  });
  writer.EndObject();
}

void write_delivery(JsonWriter& writer, const store::DeliverySummary& delivery) {
  writer.StartObject();
  write_delivery_members(writer, delivery);
  writer.EndObject();
}

void write_delivery_detail(JsonWriter& writer, const store::DeliveryDetail& detail) {
  writer.StartObject();
  write_delivery_members(writer, detail.delivery);
  write_member(writer, "method", detail.method);
  write_member(writer, "path", detail.path);
  write_member(writer, "query", detail.query);
  write_raw_member(writer, "headers", detail.headers);
  // A body is bytes; what is not UTF-8 cannot stand in JSON and is left out, with its size told above.
  if (is_utf8(detail.body)) {
    write_member(writer, "body", detail.body);
  } else {
    write_null_member(writer, "body");
  }
  write_raw_member(writer, "timings", detail.timings);
  write_raw_member(writer, "details", detail.details);
  write_text_or_null(writer, "plugin_sha256", detail.plugin_hash);
  if (detail.secret_number) {
    write_member(writer, "secret_number", *detail.secret_number);
  } else {
    write_null_member(writer, "secret_number");
  }
  write_text_or_null(writer, "plugin_version", detail.plugin_version);
  write_links(writer, detail.links);
  write_text_or_null(writer, "replayed_by", detail.replayed_by);
  writer.EndObject();
}

void write_refusals(JsonWriter& writer, const std::vector<store::RefusedDeliveries>& refused) {
  writer.StartObject();
  write_objects(writer, "causes", refused, [&](const store::RefusedDeliveries& each) {
    write_member(writer, "webhook", each.webhook);
    write_member(writer, "cause", each.cause);
    write_member(writer, "count", each.count);
    write_time(writer, "first_at", each.first_at);
    write_time(writer, "last_at", each.last_at);
    write_objects(writer, "samples", each.samples, [&](const store::RefusedSample& sample) {
      write_member(writer, "request_id", sample.request_id);
      write_time(writer, "received_at", sample.received_at);
      write_member(writer, "remote_address", sample.remote_address);
      write_member(writer, "method", sample.method);
      write_member(writer, "path", sample.path);
      write_member(writer, "query", sample.query);
      write_raw_member(writer, "headers", sample.headers);
      write_member(writer, "body_bytes", static_cast<std::int64_t>(sample.body_bytes));
    });
  });
  writer.EndObject();
}

void write_rehearsal(JsonWriter& writer, const store::NewDelivery& delivery) {
  const WebhookAnswer& answer = delivery.answer;
  writer.StartObject();
  write_member(writer, "dry_run", true);
  write_member(writer, "delivery_id", delivery.id);
  write_member(writer, "webhook", delivery.webhook);
  write_member(writer, "verdict", store::to_string(delivery.verdict));
  write_member(writer, "message", answer.message);
  write_text_or_null(writer, "entity", answer.entity ? answer.entity->key : "");
  write_objects(writer, "tasks", answer.tasks, [&](const NewTask& task) {
    write_member(writer, "agent", task.agent);
    write_member(writer, "task_type", task.task_type);
    write_member(writer, "title", task.title);
    write_text_or_null(writer, "entity", task.entity);
    write_text_or_null(writer, "group", task.group);
    write_text_or_null(writer, "key", task.key);
    write_member(writer, "priority", task.priority);
    write_member(writer, "requires_approval", task.awaits_approval);
    write_raw_member(writer, "payload", task.payload);
  });
  write_objects(writer, "actions", answer.actions, [&](const TaskAction& action) {
    write_member(writer, "action", to_string(action.kind));
    write_text_or_null(writer, "task_id", action.task_id);
    write_text_or_null(writer, "entity", action.entity);
    write_text_or_null(writer, "agent", action.agent);
  });
  write_links(writer, answer.links);
  write_raw_member(writer, "details", answer.details);
  write_raw_member(writer, "timings", delivery.timings);
  write_text_or_null(writer, "plugin_sha256", delivery.plugin_hash);
  write_text_or_null(writer, "plugin_version", delivery.plugin_version);
  writer.EndObject();
}

void write_queue(JsonWriter& writer, const store::QueueReport& report,
                 const std::vector<store::ScheduleState>& schedules, WallTime now) {
  std::map<std::string, std::map<TaskState, std::int64_t>> agents;
  for (const store::QueueDepth& depth : report.depths) agents[depth.agent][depth.state] = depth.count;
  for (const store::Pause& pause : report.pauses)
    if (!pause.agent.empty()) agents[pause.agent];
  const bool all = !report.pauses.empty() && report.pauses.front().agent.empty();
  const auto paused = [&](const std::string& agent) {
    return all || std::any_of(report.pauses.begin(), report.pauses.end(),
                              [&](const store::Pause& pause) { return pause.agent == agent; });
  };
  writer.StartObject();
  write_member(writer, "paused", all);
  write_key(writer, "agents");
  writer.StartArray();
  for (const auto& [agent, counts] : agents) {
    writer.StartObject();
    write_member(writer, "agent", agent);
    write_member(writer, "paused", paused(agent));
    for (const TaskState state :
         {TaskState::Queued, TaskState::Running, TaskState::AwaitingApproval, TaskState::Parked}) {
      const auto found = counts.find(state);
      write_member(writer, to_string(state), found == counts.end() ? std::int64_t{0} : found->second);
    }
    writer.EndObject();
  }
  writer.EndArray();
  write_time(writer, "oldest_due_at", report.oldest_queued);
  write_objects(writer, "pauses", report.pauses, [&](const store::Pause& pause) {
    write_text_or_null(writer, "agent", pause.agent);
    write_time(writer, "since", pause.since);
    write_time(writer, "until", pause.until);
    write_text_or_null(writer, "reason", pause.reason);
    write_member(writer, "by", pause.by);
  });
  write_objects(writer, "budgets", report.budgets, [&](const store::BudgetLine& budget) {
    write_member(writer, "scope", budget.scope);
    write_text_or_null(writer, "key", budget.key);
    write_dollars(writer, "limit_usd", budget.limit);
    write_dollars(writer, "spent_usd", budget.spent);
    write_dollars(writer, "reserved_usd", budget.in_flight);
    write_time(writer, "resumes_at", budget.resumes_at);
  });
  write_objects(writer, "schedules", schedules, [&](const store::ScheduleState& schedule) {
    write_member(writer, "name", schedule.name);
    write_member(writer, "agent", schedule.agent);
    write_member(writer, "cron", schedule.cron);
    const auto cron = Cron::parse(schedule.cron);
    write_time(writer, "next_at",
               cron.ok() ? cron->next(std::max(now, schedule.last_slot)) : std::optional<WallTime>());
    write_time(writer, "last_at",
               schedule.last_task.empty() ? std::optional<WallTime>() : std::optional(schedule.last_slot));
    write_text_or_null(writer, "last_task_id", schedule.last_task);
  });
  writer.EndObject();
}

void write_webhook(JsonWriter& writer, const plugin::Webhook& webhook) {
  writer.StartObject();
  write_member(writer, "name", webhook.settings.instance);
  write_member(writer, "plugin", webhook.settings.plugin);
  write_member(writer, "endpoint", "/webhooks/" + webhook.settings.instance);
  write_member(writer, "enabled", webhook.settings.enabled);
  write_serving(writer, webhook);
  write_member(writer, "isolation",
               webhook.settings.isolation == plugin::Isolation::InProcess ? "inprocess" : "process");
  write_member(writer, "answer_within_ms", webhook.settings.answer_within.count());
  write_member(writer, "max_body_bytes", static_cast<std::int64_t>(webhook.max_body_bytes));
  write_member(writer, "secrets", static_cast<std::int64_t>(webhook.settings.secrets.size()));
  write_text_or_null(writer, "event_header", webhook.event_header);
  write_text_or_null(writer, "delivery_id_header", webhook.delivery_id_header);
  write_generation(writer, webhook.generation.get());
  write_raw_member(writer, "metadata", webhook.offer.metadata);
  writer.EndObject();
}

void write_agent(JsonWriter& writer, const plugin::Agent& agent) {
  writer.StartObject();
  write_member(writer, "name", agent.settings.name);
  write_member(writer, "display_name", agent.display_name);
  write_member(writer, "description", agent.description);
  write_member(writer, "version", agent.version);
  write_strings(writer, "capabilities", agent.capabilities);
  write_member(writer, "enabled", agent.settings.enabled);
  write_serving(writer, agent);
  write_member(writer, "max_retries", agent.max_retries);
  write_member(writer, "max_crashes", agent.settings.max_crashes);
  write_member(writer, "timeout_seconds", static_cast<std::int64_t>(agent.timeout.count() / 1000));
  write_member(writer, "requires_approval", agent.requires_approval);
  write_member(writer, "concurrency", agent.settings.concurrency);
  write_member(writer, "configured_concurrency", agent.configured_concurrency);
  write_member(writer, "concurrency_is_set", agent.concurrency_is_set);
  write_generation(writer, agent.generation.get());
  writer.EndObject();
}

void write_plugins(JsonWriter& writer, const plugin::Snapshot& snapshot) {
  writer.StartArray();
  auto begin = [&](std::string_view kind, const std::string& name, const plugin::Generation* generation,
                   const std::string& version) {
    writer.StartObject();
    write_member(writer, "kind", kind);
    write_member(writer, "name", name);
    write_text_or_null(writer, "version", version);
    write_generation(writer, generation);
  };
  for (const auto& [name, webhook] : snapshot.webhooks) {
    begin("webhook", name, webhook->generation.get(), webhook->offer.version);
    write_member(writer, "isolation",
                 webhook->settings.isolation == plugin::Isolation::InProcess ? "inprocess" : "process");
    write_serving(writer, *webhook);
    write_null_member(writer, "refusal");
    writer.EndObject();
  }
  for (const auto& [name, agent] : snapshot.agents) {
    begin("agent", name, agent->generation.get(), agent->version);
    write_member(writer, "isolation", "process");
    write_serving(writer, *agent);
    write_null_member(writer, "refusal");
    writer.EndObject();
  }
  for (const plugin::LibraryRecord& library : snapshot.libraries) {
    if (!library.refusal) continue;
    writer.StartObject();
    write_member(writer, "kind", "library");
    write_member(writer, "name", library.name.string());
    write_null_member(writer, "version");
    // The hash is of the refused bytes, which are no generation. An older one may serve on all the same.
    write_null_member(writer, "generation");
    if (library.generation && serves(snapshot, *library.generation)) {
      write_member(writer, "serving_generation", static_cast<std::int64_t>(library.generation->number));
    } else {
      write_null_member(writer, "serving_generation");
    }
    write_text_or_null(writer, "sha256", library.sha256);
    write_member(writer, "source", library.source.string());
    write_null_member(writer, "loaded_at");
    write_null_member(writer, "isolation");
    write_member(writer, "state", "refused");
    write_member(writer, "reason", library.refusal->reason);
    write_null_member(writer, "held_back");
    write_null_member(writer, "override");
    write_key(writer, "refusal");
    writer.StartObject();
    write_member(writer, "code", library.refusal->code);
    write_member(writer, "reason", library.refusal->reason);
    writer.EndObject();
    writer.EndObject();
  }
  writer.EndArray();
}

}  // namespace davit::http

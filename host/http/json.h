// The host's nouns as the JSON of the API. Member names are those of the user's plan.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/base/json.h"
#include "host/plugin/registry.h"
#include "host/store/store.h"

namespace davit::http {

void write_task(JsonWriter& writer, const TaskSummary& task);
// Of a retry in bulk.
void write_bulk_step(JsonWriter& writer, const store::BulkStep& step);
void write_task_detail(JsonWriter& writer, const TaskDetail& detail);
void write_approval(JsonWriter& writer, const AwaitedApproval& approval);
void write_decision_members(JsonWriter& writer, const TaskDecision& decision);
void write_execution(JsonWriter& writer, const AgentExecution& execution);
// An execution and what it said.
struct Said {
  const AgentExecution& execution;
  std::vector<store::TranscriptLine> lines;
  bool truncated = false;  // it has lines, which are left out because the answer would be too large
};
void write_transcript(JsonWriter& writer, std::string_view task_id, const std::vector<Said>& said);
void write_artifacts(JsonWriter& writer, std::string_view task_id,
                     const std::vector<store::ArtifactEntry>& artifacts);
void write_delivery(JsonWriter& writer, const store::DeliverySummary& delivery);
void write_delivery_detail(JsonWriter& writer, const store::DeliveryDetail& detail);
void write_refusals(JsonWriter& writer, const std::vector<store::RefusedDeliveries>& refused);
// What the hooks would make of a delivery.
void write_rehearsal(JsonWriter& writer, const store::NewDelivery& delivery);
// What waits and runs by agent, who is paused, and the recurring tasks with their next time after `now`.
void write_queue(JsonWriter& writer, const store::QueueReport& report,
                 const std::vector<store::ScheduleState>& schedules, WallTime now);
void write_webhook(JsonWriter& writer, const plugin::Webhook& webhook);
void write_agent(JsonWriter& writer, const plugin::Agent& agent);
// One entry per instance of the snapshot, then one per refused file.
void write_plugins(JsonWriter& writer, const plugin::Snapshot& snapshot);

}  // namespace davit::http

// The host's nouns as the JSON of the API (docs/API.md). Member names are those of the user's plan.
#pragma once

#include <string>

#include "host/base/json.h"
#include "host/plugin/registry.h"
#include "host/store/store.h"

namespace davit::http {

void write_task(JsonWriter& writer, const TaskSummary& task);
void write_task_detail(JsonWriter& writer, const TaskDetail& detail);
void write_execution(JsonWriter& writer, const AgentExecution& execution);
void write_delivery(JsonWriter& writer, const store::DeliverySummary& delivery);
void write_delivery_detail(JsonWriter& writer, const store::DeliveryDetail& detail);
void write_webhook(JsonWriter& writer, const plugin::Webhook& webhook);
void write_agent(JsonWriter& writer, const plugin::Agent& agent);
// One entry per instance of the snapshot, then one per refused file.
void write_plugins(JsonWriter& writer, const plugin::Snapshot& snapshot);

}  // namespace davit::http

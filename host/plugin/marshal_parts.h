// What the answers of webhooks, the results of agents and the contexts of executions have in common, as JSON.
#pragma once

#include <vector>

#include "host/base/json.h"
#include "host/base/result.h"
#include "host/model/event.h"
#include "host/model/task.h"
#include "host/plugin/json_members.h"

namespace davit::plugin {

// The member "tasks".
Result<std::vector<NewTask>> tasks_from(const Members& members);
void write_tasks(JsonWriter& writer, const std::vector<NewTask>& tasks);

void write_actor(JsonWriter& writer, const Actor& actor);
// The member "links".
void write_links(JsonWriter& writer, const std::vector<Link>& links);

}  // namespace davit::plugin

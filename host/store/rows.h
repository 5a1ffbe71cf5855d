// The one place where columns become nouns and nouns become columns: codes of states, ids, JSON in cells.
//
// A function that reads a noun names the columns it reads right beside it (k…Columns), in the order in which
// it reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/store/statement.h"
#include "host/store/store.h"

namespace davit::store {

// Stored codes never change their meaning.
int code_of(TaskState state);
TaskState task_state_of(std::int64_t code);
int code_of(Verdict verdict);
Verdict verdict_of(std::int64_t code);

std::string to_text(const StoredId& id);  // canonical UUID; empty for none
// Nothing if it is no UUID.
std::optional<StoredId> to_stored_id(std::string_view text);
StoredId new_stored_id();

// Ids one after the other, 16 bytes each.
std::string pack_ids(const std::vector<std::string>& ids);
std::vector<std::string> unpack_ids(std::string_view bytes);

// What a link is found by.
inline const std::string& search_key(const Link& link) { return link.key.empty() ? link.url : link.key; }
std::string links_to_json(const std::vector<Link>& links);  // empty for none
std::vector<Link> links_from_json(std::string_view json);
std::string names_to_json(const std::vector<std::string>& names);  // empty for none
std::vector<std::string> names_from_json(std::string_view json);
std::string models_to_json(const Usage& usage);  // empty for none
void models_from_json(std::string_view json, Usage& usage);

// A task joined with its newest execution (`e`) as `t`.
extern const char* const kTaskSummaryColumns;
TaskSummary read_task_summary(const Cursor& row);

// A body as `b`, its columns counted from `first`.
inline constexpr const char* kTaskBodyColumns =
    "b.actor_id, b.actor_login, b.actor_role, b.links, b.payload, b.previous_result, b.chain, b.entity_group";
inline constexpr int kTaskBodyWidth = 8;
struct TaskBody {
  std::optional<Actor> actor;
  std::vector<Link> links;
  std::string payload;
  std::string previous_result;
  std::vector<std::string> chain;
  std::string group;  // of its entity
};
TaskBody read_task_body(const Cursor& row, int first);

// What an approval is bound to, of a task as `t` with its body as `b`, its columns counted from `first`.
extern const std::string kContentColumns;
std::string read_content_hash(const Cursor& row, int first);

// An execution as `e`, left joined with its result as `r`.
extern const char* const kExecutionColumns;
AgentExecution read_execution(const Cursor& row);

// A delivery as `d`.
extern const char* const kDeliverySummaryColumns;
DeliverySummary read_delivery_summary(const Cursor& row);

// A deferred delivery as `d` with its body as `b`.
extern const char* const kDeferredColumns;
DeferredDelivery read_deferred(const Cursor& row);

}  // namespace davit::store

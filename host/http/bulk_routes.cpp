// A preview chooses tasks, by a filter or one by one, and remembers each with the state, the attempt and (to
// approve it) the content in which it was shown. The act names that preview, so what it does is what was
// shown: who has changed since is left as he is and says so. It is done a few at a time, each few in a commit
// of its own, and other writes go between. Under its key the store knows how far it has come: whoever sends it
// again, to this host or the next, is answered from there, and what is left is done.
#include "host/http/bulk_routes.h"

#include <algorithm>
#include <map>
#include <memory>

#include "host/base/crypto.h"
#include "host/http/answers.h"
#include "host/http/body.h"
#include "host/http/bulk_previews.h"
#include "host/http/error_response.h"
#include "host/http/json.h"
#include "host/http/members.h"
#include "host/http/task_filter.h"

namespace davit::http {
namespace {

constexpr std::size_t kMostTasks = 500;
constexpr std::size_t kMostSamples = 10;
constexpr std::size_t kMostComment = 2'000;

constexpr TaskActionKind kActions[] = {TaskActionKind::Cancel, TaskActionKind::Retry, TaskActionKind::Approve,
                                       TaskActionKind::Reject};

bool can_take(TaskActionKind action, TaskState state) {
  switch (action) {
    case TaskActionKind::Cancel:
      return !is_final(state);
    case TaskActionKind::Retry:
      return state == TaskState::Failed || state == TaskState::Cancelled || state == TaskState::Parked;
    case TaskActionKind::Approve:
    case TaskActionKind::Reject:
      return state == TaskState::AwaitingApproval;
  }
  return false;
}

store::States states_for(TaskActionKind action, const store::States& wanted) {
  store::States states;
  using enum TaskState;
  for (const TaskState state : {Queued, Running, AwaitingApproval, Completed, Failed, Cancelled, Parked})
    if (can_take(action, state) &&
        (wanted.empty() || std::find(wanted.begin(), wanted.end(), state) != wanted.end()))
      states.push_back(state);
  return states;
}

// ---- preview

struct Wanted {
  TaskActionKind action = TaskActionKind::Cancel;
  std::optional<store::TaskFilter> filter;
  std::vector<std::string> ids;
};

// A filter as an object: the parameters of the list, `status` also as an array.
store::TaskFilter filter_of(const JsonValue& object, std::vector<FieldError>& errors) {
  Query query = query_from(object, "filter.", {"status"}, errors);
  query.allow_only({"agent", "source", "entity", "link", "q", "start_date", "end_date"}, {"status"});
  store::TaskFilter filter = task_filter_of(query);
  if (find_member(object, "status") != nullptr && filter.state.empty())
    query.fail("status", "names no status");
  for (const FieldError& error : query.errors()) errors.push_back({"filter." + error.field, error.message});
  return filter;
}

Wanted wanted_from(const JsonValue& body, std::vector<FieldError>& errors) {
  Wanted wanted;
  bool has_action = false;
  read_members(body, "a preview", errors, [&](const std::string& name, const JsonValue& value) {
    if (name == "action") {
      for (const TaskActionKind action : kActions) {
        if (string_member(body, name) != to_string(action)) continue;
        wanted.action = action;
        has_action = true;
      }
    } else if (name == "filter" && value.IsObject()) {
      wanted.filter = filter_of(value, errors);
    } else if (name == "filter") {
      errors.push_back({name, "must be an object"});
    } else if (name == "ids") {
      wanted.ids = strings_member(body, name);
      if (!value.IsArray() || wanted.ids.size() != value.Size() || wanted.ids.empty() ||
          wanted.ids.size() > kMostTasks)
        errors.push_back({name, "must be an array of 1 to " + std::to_string(kMostTasks) + " ids of tasks"});
    } else {
      return false;
    }
    return true;
  });
  if (!has_action) errors.push_back({"action", "must be cancel, retry, approve or reject"});
  if (wanted.filter.has_value() == (find_member(body, "ids") != nullptr))
    errors.push_back({"filter", "either a filter or ids have to be there"});
  return wanted;
}

// What a preview has found.
struct Found {
  std::vector<TaskSummary> tasks;
  bool more = false;                                          // than kMostTasks
  std::vector<std::pair<std::string, std::string>> left_out;  // ids that were named, and why
};

Result<Found> find(const store::Store& store, const Wanted& wanted) {
  constexpr int kMostOfAPage = 500;
  Found found;
  if (wanted.filter) {
    store::TaskFilter filter = *wanted.filter;
    filter.state = states_for(wanted.action, filter.state);
    if (filter.state.empty()) return found;
    do {
      filter.limit = std::min(kMostOfAPage, static_cast<int>(kMostTasks - found.tasks.size()));
      store::Page<TaskSummary> page = TRY(store.tasks(filter));
      std::move(page.items.begin(), page.items.end(), std::back_inserter(found.tasks));
      filter.cursor = std::move(page.next_cursor);
    } while (found.tasks.size() < kMostTasks && !filter.cursor.empty());
    found.more = !filter.cursor.empty();
    return found;
  }
  std::vector<std::string> seen;
  for (const std::string& id : wanted.ids) {
    if (std::find(seen.begin(), seen.end(), id) != seen.end()) continue;
    seen.push_back(id);
    Result<TaskDetail> detail = store.task(id);
    if (!detail) {
      if (detail.error().code != ErrorCode::NotFound) return detail.error();
      found.left_out.emplace_back(id, "does not exist");
    } else if (!can_take(wanted.action, detail->task.state)) {
      found.left_out.emplace_back(id, "is " + std::string(to_string(detail->task.state)));
    } else {
      found.tasks.push_back(std::move(detail->task));
    }
  }
  return found;
}

// As they will have to be still.
Result<std::vector<store::Chosen>> chosen_of(const store::Store& store, TaskActionKind action, Found& found) {
  std::vector<store::Chosen> chosen;
  for (const TaskSummary& task : found.tasks) {
    store::Chosen one{task.task_id, task.state, task.attempt, {}};
    if (action == TaskActionKind::Approve || action == TaskActionKind::Reject) {
      const TaskDetail detail = TRY(store.task(task.task_id));
      if (!detail.approval) continue;  // decided meanwhile
      one.content_hash = detail.approval->content_hash;
    }
    chosen.push_back(std::move(one));
  }
  return chosen;
}

void preview(const store::Store& store, BulkPreviews& previews, const Clock& clock, Exchange exchange) {
  const std::string request_id = exchange.request.request_id;
  const auto body = body_object(exchange.request);
  if (!body) return exchange.responder.send(error_answer(body.error(), request_id));
  std::vector<FieldError> errors;
  const Wanted wanted = wanted_from(*body, errors);
  if (!errors.empty()) return exchange.responder.send(field_errors_answer(errors, request_id));
  auto found = find(store, wanted);
  if (!found) return exchange.responder.send(list_error_answer(found.error(), request_id));
  auto chosen = chosen_of(store, wanted.action, *found);
  if (!chosen) return exchange.responder.send(error_answer(chosen.error(), request_id));
  std::map<std::string_view, std::int64_t> by_status;
  for (const store::Chosen& task : *chosen) ++by_status[to_string(task.state)];
  const std::size_t count = chosen->size();
  const std::string token = previews.keep({exchange.caller.name, wanted.action, std::move(*chosen)});
  Response response = json_answer([&](JsonWriter& writer) {
    writer.StartObject();
    write_member(writer, "action", to_string(wanted.action));
    write_member(writer, "count", static_cast<std::int64_t>(count));
    write_member(writer, "more", found->more);
    write_key(writer, "by_status");
    writer.StartObject();
    for (const auto& [status, tasks] : by_status) write_member(writer, status, tasks);
    writer.EndObject();
    write_key(writer, "samples");
    writer.StartArray();
    for (std::size_t i = 0; i < std::min(kMostSamples, found->tasks.size()); ++i)
      write_task(writer, found->tasks[i]);
    writer.EndArray();
    write_key(writer, "left_out");
    writer.StartArray();
    for (const auto& [id, why] : found->left_out) {
      writer.StartObject();
      write_member(writer, "task_id", id);
      write_member(writer, "detail", why);
      writer.EndObject();
    }
    writer.EndArray();
    write_member(writer, "token", token);
    write_time(writer, "expires_at", clock.wall() + BulkPreviews::kLifetime);
    writer.EndObject();
  });
  response.headers.emplace_back("Cache-Control", "no-store");
  exchange.responder.send(std::move(response));
}

// ---- act

// One act on its way, and what has come of it.
struct BulkRun {
  Responder responder;
  KeysInUse::Hold in_use;
  std::string actor, key;
  TaskActionKind action = TaskActionKind::Cancel;
  std::vector<store::ChosenOutcome> outcomes;
};

Response outcome_answer(TaskActionKind action, const std::vector<store::ChosenOutcome>& outcomes) {
  const auto done = std::count_if(outcomes.begin(), outcomes.end(),
                                  [](const store::ChosenOutcome& each) { return each.state.has_value(); });
  return json_answer([&](JsonWriter& writer) {
    writer.StartObject();
    write_member(writer, "action", to_string(action));
    write_member(writer, "count", static_cast<std::int64_t>(outcomes.size()));
    write_member(writer, "done", static_cast<std::int64_t>(done));
    write_member(writer, "refused",
                 static_cast<std::int64_t>(outcomes.size()) - static_cast<std::int64_t>(done));
    write_objects(writer, "outcomes", outcomes, [&](const store::ChosenOutcome& each) {
      write_member(writer, "task_id", each.task_id);
      if (each.state)
        write_member(writer, "status", to_string(*each.state));
      else
        write_member(writer, "detail", each.refusal);
    });
    writer.EndObject();
  });
}

// The key is free before he who waits for the answer can send it again.
void answer(BulkRun& run, Response response) {
  run.in_use.reset();
  run.responder.send(std::move(response));
}

// Hands over the next few; the commit of them calls it again. What was done before a failure stays done, and the
// same request goes on behind it.
void go_on(store::Store& store, Log& log, std::shared_ptr<BulkRun> run) {
  const std::string actor = run->actor, key = run->key;
  store.continue_bulk_act(actor, key, [&store, &log, run](Result<store::BulkProgress> step) {
    if (!step.ok()) return answer(*run, error_answer(step.error(), run->responder.request_id()));
    std::move(step->outcomes.begin(), step->outcomes.end(), std::back_inserter(run->outcomes));
    if (!step->finished) return go_on(store, log, run);
    log.info("Many tasks were acted on", {{"action", to_string(run->action)},
                                          {"tasks", run->outcomes.size()},
                                          {"request", run->responder.request_id()}});
    answer(*run, outcome_answer(run->action, run->outcomes));
  });
}

void act(store::Store& store, BulkPreviews& previews, KeysInUse& keys, Log& log, Exchange exchange) {
  const std::string request_id = exchange.request.request_id;
  std::vector<FieldError> errors;
  const auto key = exchange.request.count("idempotency-key") == 1
                       ? idempotency_key(exchange.request.header("idempotency-key"))
                       : Result<std::string>(Error{ErrorCode::InvalidInput, "is required, once"});
  if (!key) errors.push_back({"Idempotency-Key", key.error().message});
  const auto body = body_object(exchange.request);
  if (!body) return exchange.responder.send(error_answer(body.error(), request_id));
  std::string token, comment;
  read_members(*body, "an act in bulk", errors, [&](const std::string& name, const JsonValue& value) {
    if (name != "token" && name != "comment") return false;
    read_text(name, value, kMostComment, Text::Lines, name == "token" ? token : comment, errors);
    return true;
  });
  if (token.empty() && errors.empty()) errors.push_back({"token", "is required: the one of the preview"});
  if (!errors.empty()) return exchange.responder.send(field_errors_answer(errors, request_id));

  const std::string actor = exchange.caller.name;
  auto in_use = keys.take(actor, *key);
  if (!in_use) return exchange.responder.send(error_answer(in_use.error(), request_id));
  auto known = store.bulk_act(actor, *key);
  const std::string request_sha256 = sha256_hex(exchange.request.body);
  auto run = std::make_shared<BulkRun>(
      BulkRun{std::move(exchange.responder), std::move(*in_use), actor, *key, TaskActionKind::Cancel, {}});
  if (!known) return answer(*run, error_answer(known.error(), request_id));
  if (*known && (*known)->request_sha256 != request_sha256) {
    // What the draft has 422 for.
    Response response = problem(422, "", "this Idempotency-Key was used for another request", request_id);
    response.close = false;
    return answer(*run, std::move(response));
  }
  if (*known) {
    run->action = (*known)->action;
    run->outcomes = std::move((*known)->outcomes);
    if (exchange.act)
      exchange.act->about({}, act_parameters({{"action", to_string(run->action)}, {"again", "true"}}));
    return (*known)->finished ? answer(*run, outcome_answer(run->action, run->outcomes)) : go_on(store, log, run);
  }
  auto shown = previews.take(token, actor);
  if (!shown) return answer(*run, error_answer(shown.error(), request_id));
  run->action = shown->action;
  store::Audited line = audited(exchange, {},
                                act_parameters({{"action", to_string(shown->action)},
                                                {"tasks", std::to_string(shown->tasks.size())},
                                                {"comment", comment}}));
  const AuditEntry asked = line.value_or(AuditEntry{});
  store.begin_bulk_act({actor, *key, request_sha256, shown->action, comment, std::move(shown->tasks), asked.way,
                        asked.address, asked.request_id},
                       [&store, &log, run](const Result<>& begun) {
                         if (!begun.ok())
                           return answer(*run, error_answer(begun.error(), run->responder.request_id()));
                         go_on(store, log, run);
                       },
                       std::move(line));
}

}  // namespace

std::vector<Route> bulk_routes(store::Store& store, const Clock& clock, Log& log) {
  // Both are of the routes, and live as long.
  const auto previews = std::make_shared<BulkPreviews>(clock);
  const auto keys = std::make_shared<KeysInUse>();
  return {{"POST", "/api/tasks/bulk/preview", Access::Admin, Thread::Worker,
           [&store, &clock, previews](Exchange exchange) {
             preview(store, *previews, clock, std::move(exchange));
           },
           "previewTasksBulk"},
          {"POST", "/api/tasks/bulk", Access::Admin, Thread::Worker,
           [&store, &log, previews, keys](Exchange exchange) {
             act(store, *previews, *keys, log, std::move(exchange));
           },
           "actOnTasksBulk"}};
}

}  // namespace davit::http

#include "host/cli/database_file.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

#include "host/app.h"
#include "host/http/access_routes.h"
#include "host/http/json.h"
#include "host/http/stats_json.h"

namespace davit::cli {
namespace {

template <typename Write>
Result<JsonDocument> document(Write write) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  write(writer);
  return parse_json(text_of(buffer), JsonLimits{.max_bytes = 1u << 30, .max_values = 50'000'000});
}

template <typename Item>
Result<JsonDocument> page(const char* name, const store::Page<Item>& items,
                          void (*write)(JsonWriter&, const Item&)) {
  return document([&](JsonWriter& writer) {
    writer.StartObject();
    writer.Key(name);
    writer.StartArray();
    for (const Item& item : items.items) write(writer, item);
    writer.EndArray();
    if (items.next_cursor.empty())
      write_null_member(writer, "next_cursor");
    else
      write_member(writer, "next_cursor", items.next_cursor);
    writer.EndObject();
  });
}

}  // namespace

Result<DatabaseFile> DatabaseFile::open(const Context& context, Access access) {
  const config::Config config = TRY(context.config());
  return open_at(context, config.storage.path, access, config.chain.notify);
}

Result<DatabaseFile> DatabaseFile::open_at(const Context& context, const std::filesystem::path& path,
                                           Access access, std::string chain_notify) {
  store::Options options;
  options.path = path;
  options.create_if_missing = access == Access::Create;
  options.read_only = access == Access::Read;
  options.chain_notify = std::move(chain_notify);
  DatabaseFile file;
  file.log = TRY(Log::open({.level = LogLevel::Warn, .format = LogFormat::Text, .file = ""}));
  auto opened = store::Store::open(options, *file.log, context.surroundings.clock);
  if (const auto* failure = std::get_if<store::OpenError>(&opened)) {
    context.exit_on_failure = davit::exit_code_of(failure->failure);
    return Error{ErrorCode::Unavailable, failure->message};
  }
  file.store = std::get<std::unique_ptr<store::Store>>(std::move(opened));
  return file;
}

Result<JsonDocument> DatabaseFile::tasks(const store::TaskFilter& filter) const {
  return page("tasks", TRY(store->tasks(filter)), &http::write_task);
}

Result<JsonDocument> DatabaseFile::task(const std::string& id) const {
  const TaskDetail detail = TRY(store->task(id));
  return document([&](JsonWriter& writer) { http::write_task_detail(writer, detail); });
}

Result<JsonDocument> DatabaseFile::transcript(const std::string& id, int limit,
                                              store::TranscriptPlace place,
                                              const std::string& session) const {
  const TaskDetail detail = TRY(store->task(id));
  const bool only_newest = session.empty() && (place.after || place.before);
  std::vector<http::Said> said;
  for (const AgentExecution& execution : detail.executions) {
    if (only_newest ? &execution != &detail.executions.back()
                    : !session.empty() && execution.session_id != session)
      continue;
    said.push_back({execution, TRY(store->transcript(execution.session_id, limit, place))});
  }
  if (said.empty() && !session.empty())
    return Error{ErrorCode::NotFound, "session " + session + " is none of this task"};
  return document([&](JsonWriter& writer) { http::write_transcript(writer, id, said); });
}

Result<JsonDocument> DatabaseFile::artifacts(const std::string& id) const {
  const std::vector<store::ArtifactEntry> artifacts = TRY(store->artifacts(id));
  return document([&](JsonWriter& writer) { http::write_artifacts(writer, id, artifacts); });
}

Result<JsonDocument> DatabaseFile::queue(WallTime now) const {
  const store::QueueReport report = TRY(store->queue());
  const std::vector<store::ScheduleState> schedules = TRY(store->schedules());
  return document([&](JsonWriter& writer) { http::write_queue(writer, report, schedules, now); });
}

Result<JsonDocument> DatabaseFile::overview() const {
  const Overview overview = TRY(store->overview());
  const store::QueueReport queue = TRY(store->queue());
  return document([&](JsonWriter& writer) { http::write_overview(writer, overview, queue); });
}

Result<JsonDocument> DatabaseFile::agent_stats(const std::string& agent) const {
  const std::vector<AgentStats> stats = TRY(store->agent_stats(agent));
  return document([&](JsonWriter& writer) { http::write_agent_stats(writer, stats); });
}

Result<JsonDocument> DatabaseFile::costs(const CostQuery& query) const {
  const std::vector<CostLine> costs = TRY(store->costs(query));
  return document([&](JsonWriter& writer) { http::write_costs(writer, query, costs); });
}

Result<JsonDocument> DatabaseFile::chain_patterns(const ChainQuery& query) const {
  const std::vector<ChainPattern> patterns = TRY(store->chain_patterns(query));
  return document([&](JsonWriter& writer) { http::write_chain_patterns(writer, query, patterns); });
}

Result<JsonDocument> DatabaseFile::deliveries(const store::Store::DeliveryFilter& filter) const {
  return page("deliveries", TRY(store->deliveries(filter)), &http::write_delivery);
}

Result<JsonDocument> DatabaseFile::delivery(const std::string& id) const {
  const store::DeliveryDetail detail = TRY(store->delivery(id));
  return document([&](JsonWriter& writer) { http::write_delivery_detail(writer, detail); });
}

Result<JsonDocument> DatabaseFile::refusals(const store::Store::RefusalFilter& filter) const {
  const std::vector<store::RefusedDeliveries> refused = TRY(store->refusals(filter));
  return document([&](JsonWriter& writer) { http::write_refusals(writer, refused); });
}

Result<JsonDocument> DatabaseFile::tokens(WallTime now) const {
  const std::vector<AccessToken> tokens = TRY(store->tokens());
  return document([&](JsonWriter& writer) {
    writer.StartObject();
    writer.Key("tokens");
    writer.StartArray();
    for (const AccessToken& token : tokens) http::write_token(writer, token, now);
    writer.EndArray();
    writer.EndObject();
  });
}

Result<JsonDocument> DatabaseFile::audit(const store::AuditFilter& filter) const {
  return page("entries", TRY(store->audit(filter)), &http::write_audit_entry);
}

AuditEntry offline_act(std::string operation, std::string object, std::string parameters) {
  AuditEntry line;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> room;
  ::getpwuid_r(::geteuid(), &entry, room.data(), room.size(), &found);
  line.actor = found != nullptr ? found->pw_name : "uid " + std::to_string(::geteuid());
  line.way = "offline";
  line.operation = std::move(operation);
  line.object = std::move(object);
  line.parameters = std::move(parameters);
  return line;
}

Result<JsonDocument> action_answer(const std::string& task_id, std::string_view status) {
  return document([&](JsonWriter& writer) {
    writer.StartObject();
    write_member(writer, "task_id", task_id);
    write_member(writer, "status", status);
    writer.EndObject();
  });
}

}  // namespace davit::cli

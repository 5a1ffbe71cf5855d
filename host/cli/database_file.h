// The database itself, for reading while no host runs and for --offline. Answers as the API does, in the same
// JSON.
#pragma once

#include <filesystem>
#include <future>
#include <memory>

#include "host/base/log.h"
#include "host/cli/context.h"
#include "host/store/store.h"

namespace davit::cli {

enum class Access { Read, Write, Create };

// An open database; the log outlives it.
struct DatabaseFile {
  std::unique_ptr<Log> log;
  std::unique_ptr<store::Store> store;

  // Opens what the configuration names. A failure has the exit code of its kind (README.md):
  // context.exit_on_failure is set.
  static Result<DatabaseFile> open(const Context& context, Access access);

  // The same for any file. `chain_notify` as store::Options has it.
  static Result<DatabaseFile> open_at(const Context& context, const std::filesystem::path& path,
                                      Access access, std::string chain_notify = {});

  Result<JsonDocument> tasks(const store::TaskFilter& filter) const;
  Result<JsonDocument> task(const std::string& id) const;
  // Of all executions; behind or before a line, of the newest alone. Or of one: NotFound if it is none of the task.
  Result<JsonDocument> transcript(const std::string& id, int limit, store::TranscriptPlace place = {},
                                  const std::string& session = {}) const;
  Result<JsonDocument> artifacts(const std::string& id) const;
  Result<JsonDocument> queue(WallTime now) const;
  Result<JsonDocument> overview() const;
  Result<JsonDocument> agent_stats(const std::string& agent) const;
  Result<JsonDocument> costs(const CostQuery& query) const;
  Result<JsonDocument> chain_patterns(const ChainQuery& query) const;
  Result<JsonDocument> deliveries(const store::Store::DeliveryFilter& filter) const;
  Result<JsonDocument> delivery(const std::string& id) const;
  Result<JsonDocument> refusals(const store::Store::RefusalFilter& filter) const;
  Result<JsonDocument> tokens(WallTime now) const;
  Result<JsonDocument> audit(const store::AuditFilter& filter) const;
};

// The line of the audit log for what somebody does with --offline: he is the user of the machine that runs
// this. Operations are named as the API's.
AuditEntry offline_act(std::string operation, std::string object, std::string parameters = "{}");

// {"task_id":…,"status":…}, as the API answers an action.
Result<JsonDocument> action_answer(const std::string& task_id, std::string_view status);

// Hands `start` a Done<T> and waits for what it is told.
template <typename T, typename Start>
Result<T> wait_for(Start start) {
  // The writer may still hold its copy of `done` when the value is here.
  auto told = std::make_shared<std::promise<Result<T>>>();
  auto answer = told->get_future();
  start([told](Result<T> result) { told->set_value(std::move(result)); });
  return answer.get();
}

// What `from_host` gives, or the database's while no host runs.
template <typename T, typename FromHost, typename FromDatabase>
Result<T> either(const Context& context, FromHost from_host, FromDatabase from_database) {
  if (!context.offline) {
    Result<T> answer = from_host();
    if (answer.ok() || answer.error().code != ErrorCode::Unavailable || !context.url_option.empty())
      return answer;
  }
  return from_database(TRY(DatabaseFile::open(context, Access::Read)));
}
template <typename FromDatabase>
Result<JsonDocument> read_either(const Context& context, const std::string& path,
                                 FromDatabase from_database) {
  return either<JsonDocument>(
      context, [&] { return context.read(path); }, from_database);
}

}  // namespace davit::cli

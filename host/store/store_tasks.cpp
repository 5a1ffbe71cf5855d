// Tasks and their executions, from being made to their end.
#include "host/store/artifacts.h"
#include "host/store/queue_report.h"
#include "host/store/schedules.h"
#include "host/store/store_impl.h"
#include "host/store/task_list.h"
#include "host/store/transcripts.h"

namespace davit::store {

void Store::create_task(NewTask task, std::string source, std::optional<Actor> actor, Done<std::string> done,
                        Audited audit) {
  const std::size_t bytes = 512 + task.payload.size();
  impl_->write(Lane::Ingest, bytes, std::move(done), std::move(audit),
               [task = std::move(task), source = std::move(source),
                actor = std::move(actor)](Session& session) -> Result<std::string> {
                 TRY(check_new_task(task));
                 return session.new_tasks.create(session.batch, task,
                                             Origin{.source = source, .actor = actor ? &*actor : nullptr});
               });
}

void Store::claim(ClaimRequest request, Done<std::vector<ClaimedTask>> done) {
  impl_->write(Lane::Claim, 256, std::move(done),
               [request = std::move(request)](Session& session) -> Result<std::vector<ClaimedTask>> {
                 return session.claims.claim(session.batch, request);
               });
}

void Store::renew(std::vector<Fence> fences, Duration lease, Done<Renewal> done) {
  impl_->write(Lane::Urgent, 256, std::move(done),
               [fences = std::move(fences), lease](Session& session) -> Result<Renewal> {
                 Renewal renewal;
                 const MonotonicTime until = session.batch.monotonic + lease;
                 for (const Fence& fence : fences) {
                   switch (session.leases.renew(fence, until)) {
                     case Leases::Renewed::Yes:
                       break;
                     case Leases::Renewed::Lost:
                       renewal.lost.push_back(fence);
                       break;
                     case Leases::Renewed::CancelRequested:
                       renewal.cancelled.push_back(fence);
                       break;
                   }
                 }
                 return renewal;
               });
}

namespace {

std::size_t weight_of(const TranscriptNews& news) {
  std::size_t bytes = 0;
  for (const TranscriptLine& line : news.lines) bytes += line.kind.size() + line.text.size();
  for (const TranscriptPack& pack : news.packs) bytes += pack.packed.size();
  return bytes;
}

}  // namespace

void Store::report(std::vector<LiveReport> reports, Done<> done) {
  std::size_t bytes = 256;
  for (const LiveReport& report : reports) bytes += weight_of(report.transcript);
  impl_->write(Lane::Urgent, bytes, std::move(done),
               [reports = std::move(reports)](Session& session) -> Result<> {
                 session.tasks.report(session.batch, reports);
                 return {};
               });
}

void Store::keep_artifact(Fence fence, Artifact artifact, Done<> done) {
  PackedArtifact packed = pack_artifact(std::move(artifact));
  const std::size_t bytes = 512 + packed.content.size();
  impl_->write(Lane::Ingest, bytes, std::move(done), [fence, packed = std::move(packed)](Session& session) {
    return store::keep_artifact(session.database, session.batch, fence, packed);
  });
}

void Store::finish(Finish finish, Done<TaskState> done) {
  const std::size_t bytes = 512 + finish.result.output.size() + weight_of(finish.transcript);
  impl_->write(Lane::Urgent, bytes, std::move(done),
               [finish = std::move(finish)](Session& session) -> Result<TaskState> {
                 const TaskState state = TRY(session.tasks.finish(session.batch, finish));
                 const Finish::Hold& hold = finish.hold;
                 if (hold.time > Duration(0) &&
                     session.pauses.hold(hold.agent, hold.time, finish.result.error, session.batch.now))
                   session.batch.changes.push_back({Change::Kind::HoldChanged, {}, hold.agent, std::nullopt});
                 return state;
               });
}

void Store::reap_expired_leases(Done<int> done) {
  impl_->write(Lane::Urgent, 256, std::move(done),
               [](Session& session) -> Result<int> { return session.tasks.reap(session.batch); });
}

void Store::hold_agents(std::set<std::string> agents, Done<> done) {
  impl_->write(Lane::Urgent, 256, std::move(done),
               [agents = std::move(agents)](Session& session) -> Result<> {
                 session.tasks.hold(session.batch, agents);
                 return {};
               });
}

void Store::adopt_schedules(std::vector<ScheduleState> schedules, Done<std::vector<ScheduleState>> done) {
  impl_->write(Lane::Urgent, 256, std::move(done),
               [schedules = std::move(schedules)](Session& session) -> Result<std::vector<ScheduleState>> {
                 return store::adopt_schedules(session.database, session.batch, schedules);
               });
}

void Store::fire_schedule(std::string name, WallTime slot, NewTask task,
                          Done<std::optional<std::string>> done) {
  const std::size_t bytes = 512 + task.payload.size();
  impl_->write(Lane::Ingest, bytes, std::move(done),
               [name = std::move(name), slot, task = std::move(task)](Session& session) {
                 return store::fire_schedule(session.database, session.new_tasks, session.batch, name, slot,
                                             task);
               });
}

void Store::skip_schedule(std::string name, WallTime slot, Done<> done) {
  impl_->write(Lane::Urgent, 256, std::move(done),
               [name = std::move(name), slot](Session& session) -> Result<> {
                 store::skip_schedule(session.database, name, slot);
                 return {};
               });
}

Result<Page<TaskSummary>> Store::tasks(const TaskFilter& filter) const {
  return impl_->readers_.read(
      [&](Reader& reader) { return list_tasks(reader, filter, impl_->limits(), impl_->clock_.wall()); });
}

Result<TaskDetail> Store::task(std::string_view task_id) const {
  TaskDetail detail = TRY(impl_->readers_.read(
      [&](Reader& reader) { return read_task(reader, task_id, impl_->limits(), impl_->clock_.wall()); }));
  // As the next write has it.
  const Duration step = impl_->unseen_clock_step();
  for (AgentExecution& execution : detail.executions)
    if (!execution.completed_at) execution.started_at += step;
  return detail;
}

Result<std::vector<TranscriptLine>> Store::transcript(std::string_view session_id, int limit,
                                                      TranscriptPlace place) const {
  return impl_->readers_.read(
      [&](Reader& reader) { return read_transcript(reader, session_id, limit, place); });
}

Result<std::vector<ArtifactEntry>> Store::artifacts(std::string_view task_id) const {
  return impl_->readers_.read([&](Reader& reader) { return read_artifacts(reader, task_id); });
}

Result<Artifact> Store::artifact(std::string_view task_id, std::string_view session_id,
                                 std::string_view name) const {
  return impl_->readers_.read(
      [&](Reader& reader) { return read_artifact(reader, task_id, session_id, name); });
}

Result<QueueReport> Store::queue() const {
  return impl_->readers_.read(
      [&](Reader& reader) { return read_queue(reader, impl_->limits(), impl_->clock_.wall()); });
}

Result<std::vector<ScheduleState>> Store::schedules() const {
  return impl_->readers_.read([](Reader& reader) { return read_schedules(reader); });
}

Result<std::optional<WallTime>> Store::next_run_at(WallTime since) const {
  return impl_->readers_.read(
      [&](Reader& reader) { return read_next_run_at(reader, impl_->limits(), since); });
}

}  // namespace davit::store

// What people decide about tasks, and the rules that they set for all of them.
#include "host/store/budgets.h"
#include "host/store/bulk_acts.h"
#include "host/store/store_impl.h"
#include "host/store/task_list.h"

namespace davit::store {
namespace {

WriteOf<TaskState>::Work decision(std::string task_id, Decision made) {
  return [task_id = std::move(task_id), made = std::move(made)](Session& session) {
    return session.decisions.decide(session.batch, task_id, made);
  };
}

}  // namespace

void Store::cancel(std::string task_id, Person by, std::string reason, Done<TaskState> done, Audited audit) {
  impl_->write(Lane::Urgent, 256, std::move(done), std::move(audit),
               decision(std::move(task_id), {TaskActionKind::Cancel, std::move(by), std::move(reason), {}}));
}

void Store::retry(std::string task_id, Person by, Done<TaskState> done, Audited audit) {
  impl_->write(Lane::Urgent, 256, std::move(done), std::move(audit),
               decision(std::move(task_id), {TaskActionKind::Retry, std::move(by), {}, {}}));
}

void Store::retry_all(TaskFilter filter, Person by, Done<BulkStep> done, Audited audit) {
  constexpr int kMostAtOnce = 200;
  const auto refuse = [&](const Error& error) {
    const auto answer = [done, error](const Result<>&) {
      if (done) done(error);
    };
    if (!audit) return answer({});
    audit->outcome = "refused";
    audit->reason = error.message;
    note_audit(*audit, answer);
  };
  if (filter.state.size() != 1 || !can_be_retried(filter.state.front())) {
    return refuse({ErrorCode::InvalidInput,
                   "status: must be failed, cancelled or parked: only such tasks can be retried"});
  }
  filter.limit = kMostAtOnce;
  Result<MatchingTasks> found =
      impl_->readers_.read([&](Reader& reader) { return find_tasks_oldest_first(reader, filter); });
  if (!found.ok()) return refuse(found.error());
  impl_->write(
      Lane::Urgent, 256, std::move(done), std::move(audit),
      [found = std::move(found).value(), decided = Decision{TaskActionKind::Retry, std::move(by), {}, {}},
       state = filter.state.front()](Session& session) -> Result<BulkStep> {
        BulkStep step{0, found.behind, found.next_cursor};
        for (const std::string& id : found.ids) {
          if (session.decisions.decide_if(session.batch, id, state, decided).ok()) ++step.done;
        }
        return step;
      });
}

void Store::approve(std::string task_id, Person by, std::string content_hash, Done<TaskState> done,
                    std::string comment, Audited audit) {
  impl_->write(Lane::Urgent, 256, std::move(done), std::move(audit),
               decision(std::move(task_id), {TaskActionKind::Approve, std::move(by), std::move(comment),
                                             std::move(content_hash)}));
}

void Store::reject(std::string task_id, Person by, std::string content_hash, Done<TaskState> done,
                   std::string comment, Audited audit) {
  impl_->write(Lane::Urgent, 256, std::move(done), std::move(audit),
               decision(std::move(task_id), {TaskActionKind::Reject, std::move(by), std::move(comment),
                                             std::move(content_hash)}));
}

void Store::begin_bulk_act(BulkAct act, Done<> done, Audited audit) {
  impl_->write(Lane::Urgent, 256, std::move(done), std::move(audit),
               [act = std::move(act)](Session& session) {
                 return store::begin_bulk_act(session.database, act, session.batch.now);
               });
}

void Store::continue_bulk_act(std::string actor, std::string key, Done<BulkProgress> done) {
  impl_->write(
      Lane::Urgent, 256, std::move(done), [actor = std::move(actor), key = std::move(key)](Session& session) {
        return store::continue_bulk_act(session.database, session.batch, session.decisions, actor, key);
      });
}

void Store::work_off_approvals(Done<std::optional<WallTime>> done) {
  impl_->write(Lane::Urgent, 256, std::move(done), [](Session& session) -> Result<std::optional<WallTime>> {
    return session.reminders.work_off(session.batch);
  });
}

void Store::set_approval_rules(ApprovalRules rules, Done<> done) {
  impl_->write(Lane::Urgent, 256, std::move(done), [rules = std::move(rules)](Session& session) -> Result<> {
    session.approval_rules = rules;
    return {};
  });
}

void Store::set_chain_notify(std::string agent, Done<> done) {
  impl_->write(Lane::Urgent, 256, std::move(done), [agent = std::move(agent)](Session& session) -> Result<> {
    session.chain_notify = agent;
    return {};
  });
}

void Store::set_line_rules(LineRules rules, Done<> done) {
  impl_->write(Lane::Urgent, 256, std::move(done), [rules = std::move(rules)](Session& session) -> Result<> {
    session.line_rules = rules;
    return {};
  });
}

void Store::set_budgets(BudgetLimits limits, Done<> done) {
  impl_->budget_limits_.with([&](BudgetLimits& now) { now = limits; });
  impl_->write(Lane::Urgent, 256, std::move(done),
               [limits = std::move(limits)](Session& session) -> Result<> {
                 session.budget_limits = limits;
                 session.budgets.limits_changed(session.batch);
                 return {};
               });
}

void Store::pause(Pause pause, Done<> done, Audited audit) {
  impl_->write(
      Lane::Urgent, 256, std::move(done), std::move(audit),
      [pause = std::move(pause)](Session& session) -> Result<> {
        if (pause.until && *pause.until <= session.batch.now) {
          return Error{ErrorCode::InvalidInput, "until: " + to_iso8601(*pause.until) + " has passed"};
        }
        Pause begun = pause;
        begun.since = session.batch.now;
        session.pauses.pause(begun);
        session.batch.changes.push_back({Change::Kind::HoldChanged, {}, begun.agent, std::nullopt});
        return {};
      });
}

void Store::resume(std::string agent, Done<bool> done, Audited audit) {
  impl_->write(Lane::Urgent, 256, std::move(done), std::move(audit),
               [agent = std::move(agent)](Session& session) -> Result<bool> {
                 if (!session.pauses.resume(agent, session.batch.now)) return false;
                 session.batch.changes.push_back({Change::Kind::HoldChanged, {}, agent, std::nullopt});
                 return true;
               });
}

Result<Page<std::string>> Store::waiting(std::string_view agent, int limit, std::string_view cursor) const {
  return impl_->readers_.read([&](Reader& reader) { return list_waiting(reader, agent, limit, cursor); });
}

Result<Page<DecidedTask>> Store::decided(int limit, std::string_view cursor) const {
  return impl_->readers_.read([&](Reader& reader) { return list_decided(reader, limit, cursor); });
}

Result<std::optional<BulkProgress>> Store::bulk_act(std::string_view actor, std::string_view key) const {
  return impl_->readers_.read(
      [&](Reader& reader) { return read_bulk_act(reader, actor, key, impl_->clock_.wall()); });
}

}  // namespace davit::store

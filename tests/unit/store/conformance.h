// What every test of the store's promises begins with.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/temp_database.h"

namespace davit::store {

using testing::FakeClock;
using testing::TempDatabase;
using testing::wait;

class StoreTest : public ::testing::Test {
 protected:
  Store& store() { return database_.store(); }

  NewTask new_task(std::string agent = "planner") const {
    NewTask task;
    task.agent = std::move(agent);
    task.title = "Look into it";
    task.payload = R"({"issue":12})";
    return task;
  }

  NewDelivery new_delivery(std::string key, int tasks = 1) const {
    NewDelivery delivery;
    delivery.id = new_id();
    delivery.webhook = "github";
    delivery.request_id = new_id();
    delivery.delivery_key = std::move(key);
    delivery.method = "POST";
    delivery.path = "/webhooks/github";
    delivery.body = R"({"action":"opened"})";
    delivery.received_at = clock_.wall();
    delivery.verdict = tasks > 0 ? Verdict::Queued : Verdict::Ignored;
    for (int i = 0; i < tasks; ++i) delivery.answer.tasks.push_back(new_task());
    return delivery;
  }

  Result<Accepted> accept(NewDelivery delivery) {
    return wait<Accepted>([&](auto done) { store().accept(std::move(delivery), done); });
  }
  // The id of a stored task.
  std::string create(NewTask task) {
    return wait<std::string>(
               [&](auto done) { store().create_task(std::move(task), "api", std::nullopt, done); })
        .value();
  }
  std::string create() { return create(new_task()); }

  std::vector<ClaimedTask> claim(int limit = 16, std::vector<AgentCapacity> agents = {{"planner", 100}}) {
    return wait<std::vector<ClaimedTask>>([&](auto done) {
             store().claim({.agents = std::move(agents), .limit = limit, .lease = kLease}, done);
           })
        .value();
  }
  ClaimedTask claim_one() {
    std::vector<ClaimedTask> tasks = claim(1);
    if (tasks.size() != 1) {
      ADD_FAILURE() << "expected one task to claim, got " << tasks.size();
      std::abort();
    }
    return std::move(tasks.front());
  }

  static Finish finish_of(const Fence& fence, TaskState next = TaskState::Completed) {
    Finish finish;
    finish.fence = fence;
    finish.next_state = next;
    finish.result.success = next == TaskState::Completed;
    finish.result.failure = finish.result.success ? FailureClass::None : FailureClass::Retryable;
    finish.result.output = finish.result.success ? R"({"answer":42})" : "null";
    finish.result.error = finish.result.success ? "" : "it did not work";
    finish.outcome = finish.result.success ? "completed" : "failed";
    return finish;
  }
  Result<TaskState> finish(Finish finish) {
    return wait<TaskState>([&](auto done) { store().finish(std::move(finish), done); });
  }
  Renewal renew(std::vector<Fence> fences) {
    Result<Renewal> renewal =
        wait<Renewal>([&](auto done) { store().renew(std::move(fences), kLease, done); });
    return renewal.ok() ? std::move(renewal).value() : Renewal{};
  }
  int reap() {
    return wait<int>([&](auto done) { store().reap_expired_leases(done); }).value();
  }
  static Person alice() { return {"alice", "17", "api"}; }
  Result<TaskState> cancel(const std::string& id, std::string reason = "not needed") {
    return wait<TaskState>([&](auto done) { store().cancel(id, alice(), std::move(reason), done); });
  }
  Result<TaskState> retry(const std::string& id) {
    return wait<TaskState>([&](auto done) { store().retry(id, alice(), done); });
  }
  // What waits there now.
  Result<TaskState> approve(const std::string& id) {
    const std::optional<AwaitedApproval> waits = task(id).approval;
    return approve(id, waits ? waits->content_hash : "");
  }
  Result<TaskState> approve(const std::string& id, std::string hash) {
    return wait<TaskState>([&](auto done) { store().approve(id, alice(), std::move(hash), done); });
  }
  Result<TaskState> reject(const std::string& id, std::string comment = "too risky", std::string hash = {}) {
    return wait<TaskState>(
        [&](auto done) { store().reject(id, alice(), std::move(hash), done, std::move(comment)); });
  }
  TaskDetail task(const std::string& id) { return store().task(id).value(); }
  std::vector<std::string> titles(const TaskFilter& filter = {}) {
    std::vector<std::string> found;
    const Page<TaskSummary> page = store().tasks(filter).value();
    for (const TaskSummary& item : page.items) found.push_back(item.title);
    return found;
  }
  void expect_sound() {
    const Result<std::vector<std::string>> findings = verify(database_.path());
    ASSERT_TRUE(findings.ok()) << findings.error().message;
    EXPECT_THAT(findings.value(), ::testing::IsEmpty());
  }

  static constexpr Duration kLease{45'000};
  FakeClock clock_;
  TempDatabase database_{clock_};
};

}  // namespace davit::store

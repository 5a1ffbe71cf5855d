// Lets tasks go through their whole life on a database, as the host does, through the real store: accepted,
// claimed, renewed, reported about, with artifacts, finished with a successor or failed and retried,
// approved, rejected and sent back, cancelled, told of when they end badly, made by a schedule, paid for,
// booked, pruned. Says on standard output what the store answered (CyclePromises), each by one write() of its
// own, after the answer. What an earlier run left open it goes on with.
//
// Usage: cycle_driver DATABASE [rounds=N] [ahead=DAYS] [durability=normal] [hasty] [unfenced] [apart]
//   rounds      how many, four hours apart, then the database is closed; without it, until it is killed
//   ahead       of the true time, when it begins
//   durability  what SQLite is made to do whatever the store asks for; a known-bad variant
//   hasty       says it before the store has answered; likewise
//   unfenced    names the newest attempt where a superseded one speaks; likewise
//   apart       tells of an end in a write of its own; likewise
// Ends with 0, or with 20 if the database does not open.
#include <unistd.h>

#include <atomic>
#include <iostream>

#include "host/base/log.h"
#include "tests/faults/durability.h"
#include "tests/support/temp_database.h"

namespace davit::faults {
namespace {

using testing::wait;

constexpr int kDoesNotOpen = 20;
constexpr Duration kDay{86'400'000};  // as long as what has ended is kept
constexpr Duration kRound{4 * 3'600'000};
constexpr char kNobody[] = "github:mallory";  // whose approvals do not count
constexpr std::int64_t kCost = 1'000;  // of a session, in millionths of a US dollar

// The system's, and ahead of it: between rounds hours pass.
class HurriedClock final : public Clock {
 public:
  WallTime wall() const override { return system_.wall() + ahead_.load(); }
  MonotonicTime monotonic() const override { return system_.monotonic() + ahead_.load(); }
  void let_pass(Duration time) { ahead_ = ahead_.load() + time; }

 private:
  SystemClock system_;
  std::atomic<Duration> ahead_{Duration{0}};
};

struct Options {
  store::Options store;
  int rounds = -1;
  Duration ahead{0};
  bool hasty = false;
  bool unfenced = false;
  bool apart = false;
};

void say(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
}

// Before it is so: what is done from then on may be of that time.
void say_time(WallTime time) { say("time " + std::to_string(to_unix_ms(time))); }

class Driver {
 public:
  Driver(store::Store& store, HurriedClock& clock, const Options& options)
      : store_(store), clock_(clock), options_(options) {
    store_.on_prune([](std::int64_t deliveries, std::int64_t tasks) {
      say("pruned " + std::to_string(deliveries + tasks));
    });
  }

  void prepare() {
    store::BudgetLimits limits;
    limits.task = limits.agent_day = limits.actor_day = limits.day = 1'000'000'000'000;
    limits.session = 10 * kCost;
    must(wait([&](auto done) { store_.set_budgets(limits, done); }));
    store::ApprovalRules rules;
    rules.deadline = kDay * 30;
    rules.reworks["planner"] = 1;
    must(wait([&](auto done) { store_.set_approval_rules(rules, done); }));
    must(wait<std::vector<store::ScheduleState>>([&](auto done) {
      store_.adopt_schedules({{"every minute", "nightly", "* * * * *", {}, {}}}, done);
    }));
    prune();
  }

  // In place of the store.
  void tell_apart(const std::string& task_id) {
    NewTask task;
    task.agent = "teller";
    task.key = "chain_end:" + task_id;
    (void)wait<std::string>([&](auto done) { store_.create_task(task, "api", std::nullopt, done); });
  }

  void round(int number) {
    say_time(clock_.wall() + kRound);
    clock_.let_pass(kRound);
    accept();
    fire();
    run(number % 4 == 1);
    decide(number);
    run(false);
    prune();
  }

 private:
  template <typename T>
  T must(Result<T> answer) {
    if (!answer.ok()) {
      say("refused " + answer.error().message);
      std::abort();
    }
    return std::move(*answer);
  }
  // What the store is asked, and what is said once it has agreed.
  template <typename T = std::monostate, typename Call>
  bool ask(const std::string& promise, Call&& call) {
    if (options_.hasty) say(promise);
    const Result<T> answer = wait<T>(std::forward<Call>(call));
    if (answer.ok() && !options_.hasty) say(promise);
    return answer.ok();
  }

  void accept() {
    store::NewDelivery delivery;
    delivery.id = new_id();
    delivery.webhook = "github";
    delivery.delivery_key = new_id();
    delivery.method = "POST";
    delivery.body = std::string(500, 'x');
    delivery.received_at = clock_.wall();
    delivery.verdict = store::Verdict::Queued;
    NewTask task;
    task.id = new_id();
    task.agent = "planner";
    task.title = "plan";
    delivery.answer.actor = Actor{"4711", "alice", ""};
    const std::string promise = "accepted " + delivery.delivery_key + " " + task.id;
    delivery.answer.tasks.push_back(task);
    ask<store::Accepted>(promise, [&](auto done) { store_.accept(delivery, done); });
  }

  void fire() {
    const WallTime slot = must(store_.schedules()).at(0).last_slot + Duration{60'000};
    NewTask task;
    task.id = new_id();
    task.agent = "nightly";
    task.title = "slot " + std::to_string(to_unix_ms(slot));
    ask<std::optional<std::string>>(
        "fired " + std::to_string(to_unix_ms(slot)) + " " + task.id,
        [&](auto done) { store_.fire_schedule("every minute", slot, task, done); });
  }

  std::vector<ClaimedTask> claim(Duration lease) {
    auto claimed = must(wait<std::vector<ClaimedTask>>([&](auto done) {
      store_.claim({.agents = {{"planner", 2}, {"executor", 2}, {"nightly", 1}}, .limit = 5, .lease = lease},
                   done);
    }));
    for (const ClaimedTask& task : claimed) say("claimed " + task.session_id + " " + task.task_id);
    return claimed;
  }

  void run(bool loses_its_lease) {
    std::vector<ClaimedTask> first;
    if (loses_its_lease) {
      first = claim(Duration{60'000});
      clock_.let_pass(Duration{120'000});
      must(wait<int>([&](auto done) { store_.reap_expired_leases(done); }));
    }
    const auto second = claim(Duration{600'000});
    for (ClaimedTask late : first) {
      if (options_.unfenced) {
        for (const ClaimedTask& newest : second)
          if (newest.fence.task_row == late.fence.task_row) late.fence = newest.fence;
      }
      work(late, " late");
    }
    for (const ClaimedTask& task : second) work(task, "");
  }

  // All that can be said of an attempt. `mark` tells a superseded one's from that of the newest.
  void work(const ClaimedTask& task, const std::string& mark) {
    must(wait<store::Renewal>([&](auto done) { store_.renew({task.fence}, Duration{600'000}, done); }));
    store::LiveReport report;
    report.fence = task.fence;
    report.usage = Usage{};
    report.usage->cost_micro_usd = kCost / 2;
    report.usage->output_tokens = 7;
    report.transcript.lines.push_back({"text", "line of " + task.session_id});
    // A report that is superseded is not heard, and not refused either.
    const std::string heard = mark.empty() ? "reported " + task.session_id : "";
    const auto call = [&](auto done) { store_.report({report}, done); };
    heard.empty() ? (void)wait(call) : (void)ask(heard, call);

    const auto keep = [&](auto done) {
      store_.keep_artifact(task.fence, {"notes.txt", "text/plain", "notes of " + task.session_id}, done);
    };
    if (mark.empty()) {
      ask("kept " + task.session_id, keep);
    } else {
      (void)wait(keep);
    }

    store::Finish finish;
    finish.fence = task.fence;
    // The lines that were live until now.
    finish.transcript.packs = {store::pack_lines(1, {{"text", "line of " + task.session_id}})};
    if (mark.empty() && ++attempts_ % 5 == 0) return fail(task, std::move(finish));
    if (mark.empty() && task.approval && task.approval->by == kNobody) return refuse(task, std::move(finish));
    finish.outcome = "completed";
    finish.result.success = true;
    finish.result.output = R"({"session":")" + task.session_id + R"("})";
    finish.result.usage = *report.usage;
    finish.result.usage.cost_micro_usd = kCost;
    std::string promise = "finished " + task.task_id + " " + task.session_id;
    if (task.agent == "planner") {
      NewTask next;
      next.id = new_id();
      next.agent = "executor";
      next.title = "execute";
      promise += " " + next.id;
      finish.successor = next;
      finish.successor_awaits_approval = true;
    }
    say("ending " + task.task_id);
    const bool done = ask<TaskState>(promise, [&](auto answer) { store_.finish(std::move(finish), answer); });
    if (done) say("charged " + std::to_string(kCost));
  }

  void fail(const ClaimedTask& task, store::Finish finish) {
    finish.outcome = "failed";
    finish.next_state = TaskState::Failed;
    finish.result.failure = FailureClass::Permanent;
    finish.result.error = "it went wrong";
    finish.result.usage.cost_micro_usd = kCost;
    say("ending " + task.task_id);
    const bool done = ask<TaskState>("failed " + task.task_id + " " + task.session_id,
                                     [&](auto answer) { store_.finish(std::move(finish), answer); });
    if (!done) return;
    say("charged " + std::to_string(kCost));
    if (options_.apart) return tell_apart(task.task_id);
    const store::Person person{"admin", "", "cli"};
    ask<TaskState>("retried " + task.task_id,
                   [&](auto answer) { store_.retry(task.task_id, person, answer); });
  }

  // The approval that it ran on does not count.
  void refuse(const ClaimedTask& task, store::Finish finish) {
    finish.outcome = "approval_refused";
    finish.next_state = TaskState::AwaitingApproval;
    finish.attempt_counts = false;
    finish.result.failure = FailureClass::ApprovalRefused;
    finish.result.error = "he may not write";
    finish.result.usage.cost_micro_usd = kCost;
    const bool done = ask<TaskState>("disallowed " + task.task_id + " " + task.session_id + " " +
                                         task.approval->content_hash + " " + kNobody,
                                     [&](auto answer) { store_.finish(std::move(finish), answer); });
    if (done) say("charged " + std::to_string(kCost));
  }

  void decide(int number) {
    store::TaskFilter waiting;
    waiting.state = TaskState::AwaitingApproval;
    waiting.limit = 3;
    int choice = number;
    for (const TaskSummary& listed : must(store_.tasks(waiting)).items) {
      const std::string& id = listed.task_id;
      const TaskDetail detail = must(store_.task(id));
      const bool first = detail.decisions.empty();
      const store::Person person = first && choice % 2 == 0 ? store::Person{kNobody, "666", "api"}
                                                            : store::Person{"github:alice", "4711", "api"};
      if (!detail.approval) continue;
      const std::string& hash = detail.approval->content_hash;
      if (choice % 4 >= 2) say("ending " + id);
      switch (choice++ % 4) {
        case 0:
        case 1:
          ask<TaskState>("approved " + id + " " + hash + " " + person.name,
                         [&](auto done) { store_.approve(id, person, hash, done); });
          break;
        case 2:
          ask<TaskState>("rejected " + id,
                         [&](auto done) { store_.reject(id, person, hash, done, "do it otherwise"); });
          break;
        case 3:
          ask<TaskState>("cancelled " + id,
                         [&](auto done) { store_.cancel(id, person, "not needed", done); });
          if (options_.apart) tell_apart(id);
          break;
      }
    }
  }

  // A step at least, between the writes that follow.
  void prune() {
    store::Retention retention;
    retention.keep = kDay;
    store_.set_retention(retention);
    for (int i = 0; i < 3; ++i)
      must(wait([&](auto done) { store_.set_setting("touched", std::to_string(i), done); }));
  }

  store::Store& store_;
  HurriedClock& clock_;
  const Options& options_;
  int attempts_ = 0;
};

int run(const Options& options) {
  const auto log = Log::silent();
  HurriedClock clock;
  say_time(clock.wall() + options.ahead);
  clock.let_pass(options.ahead);
  auto opened = store::Store::open(options.store, *log, clock);
  if (const auto* error = std::get_if<store::OpenError>(&opened)) {
    std::cerr << error->message << std::endl;
    return kDoesNotOpen;
  }
  Driver driver(*std::get<0>(opened), clock, options);
  driver.prepare();
  for (int round = 0; options.rounds < 0 || round < options.rounds; ++round) driver.round(round);
  return 0;
}

}  // namespace
}  // namespace davit::faults

int main(int argc, char** argv) {
  using namespace davit::faults;
  if (argc < 2) return 2;
  Options options;
  options.store.path = argv[1];
  options.store.create_if_missing = true;
  options.store.chain_notify = "teller";  // who never works, so all that is told waits
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind("rounds=", 0) == 0) options.rounds = std::atoi(word.c_str() + 7);
    if (word.rfind("ahead=", 0) == 0) options.ahead = kDay * std::atoi(word.c_str() + 6);
    if (word == "durability=normal") keep_durability<kNormalDurability>();
    if (word == "hasty") options.hasty = true;
    if (word == "unfenced") options.unfenced = true;
    if (word == "apart") options.apart = true;
  }
  if (options.apart) options.store.chain_notify.clear();
  return run(options);
}

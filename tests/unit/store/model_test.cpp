// The store beside a model of it: a thousand random lives of tasks, op by op. What the store answers and
// shows must be what the model says.
//
// A sequence has agents, keys and lines of its own, so that many share one database. One that fails is made
// shorter as long as it still fails, and told with its seed: DAVIT_MODEL_SEED=<seed> runs it first.
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>

#include "tests/support/queue_model.h"
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using testing::QueueModel;
using testing::TempFolder;

constexpr Duration kHour{3'600'000};
constexpr int kOpsOfASequence = 60;

struct Op {
  enum class Kind {
    Create,
    Claim,
    Renew,
    Report,
    Finish,
    Reap,
    Cancel,
    Retry,
    Approve,
    Reject,
    Hold,
    Restart,
    Advance,
    Jump
  } kind;
  std::uint32_t a, b, c;  // what they choose is up to the kind
};
constexpr const char* kNames[] = {"create", "claim",   "renew",  "report", "finish",  "reap",    "cancel",
                                  "retry",  "approve", "reject", "hold",   "restart", "advance", "jump"};
constexpr int kWeights[] = {24, 22, 5, 5, 28, 4, 4, 5, 4, 2, 3, 1, 12, 2};

std::vector<Op> random_ops(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::discrete_distribution<int> kinds(std::begin(kWeights), std::end(kWeights));
  std::vector<Op> ops;
  for (int i = 0; i < kOpsOfASequence; ++i) {
    const auto kind = static_cast<Op::Kind>(kinds(random));
    ops.push_back({kind, static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random()),
                   static_cast<std::uint32_t>(random())});
  }
  return ops;
}

// How the store is used; the last two are known-bad.
enum class Use { Right, WithoutAFence, WithoutPriorities };

class ModelTest : public StoreTest {
 protected:
  ModelTest() {
    database_.options.path = memory_.path() / "davit.db";
    database_.options.chain_notify = "teller";  // whom nobody lets work, so all that is told waits
  }
  void TearDown() override { database_.close(); }  // before its folder goes

  // What differs in this sequence, and after which op; empty: nothing.
  std::string differs(const std::vector<Op>& ops, Use use) {
    model_ = QueueModel();
    fences_.clear();
    given_out_.clear();
    sessions_.clear();
    prefix_ = "s" + std::to_string(++sequences_) + "-";
    use_ = use;
    jumped_ = false;
    std::string wrong;
    for (std::size_t i = 0; i < ops.size() && wrong.empty(); ++i) {
      wrong = apply(ops[i]);
      if (!wrong.empty())
        wrong = "op " + std::to_string(i + 1) + " (" + kNames[static_cast<int>(ops[i].kind)] + "): " + wrong;
    }
    if (wrong.empty()) wrong = all_differs();
    if (!wrong.empty()) wrong += "; the model has" + tasks_of_the_model();
    leave_nothing_behind();
    return wrong;
  }

  struct Finding {
    std::vector<Op> ops;
    std::string text;
  };
  // The first of so many sequences that differs, made short.
  std::optional<Finding> search(Use use, std::uint64_t seed, int count) {
    for (int i = 0; i < count; ++i) {
      const std::uint64_t its = seed + static_cast<std::uint64_t>(i);
      std::vector<Op> ops = random_ops(its);
      std::string wrong = differs(ops, use);
      if (wrong.empty()) continue;
      for (std::size_t at = ops.size(); at-- > 0;) {
        std::vector<Op> fewer = ops;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at));
        if (const std::string still = differs(fewer, use); !still.empty()) {
          ops = std::move(fewer);
          wrong = still;
        }
      }
      std::string text = "DAVIT_MODEL_SEED=" + std::to_string(its) + ", made short:";
      for (const Op& op : ops) text += std::string(" ") + kNames[static_cast<int>(op.kind)];
      return Finding{ops, text + "; " + wrong};
    }
    return std::nullopt;
  }

  static std::uint64_t any_seed() {
    const char* given = std::getenv("DAVIT_MODEL_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10)
                            : std::random_device()() * std::uint64_t{1'000'003};
  }

 private:
  std::string agent(std::uint32_t choice) const { return prefix_ + (choice % 2 == 0 ? "a" : "b"); }
  // The model looks at the clock as the next write will.
  void look_at_the_clock() {
    model_.at(clock_.wall(), clock_.monotonic(), std::exchange(set_by_, Duration(0)));
  }

  std::string apply(const Op& op) {
    using Kind = Op::Kind;
    switch (op.kind) {
      case Kind::Advance:
        clock_.advance(Duration(op.a % 4 == 0 ? kLease.count() : op.b % 3'000));
        return {};
      case Kind::Jump:
        set_by_ += (op.a % 2 == 0 ? 24 : -24) * kHour;
        clock_.jump((op.a % 2 == 0 ? 24 : -24) * kHour);
        jumped_ = true;
        return {};
      case Kind::Renew:
      case Kind::Report:
      case Kind::Finish:
        if (fences_.empty()) return {};
        break;
      case Kind::Cancel:
      case Kind::Retry:
      case Kind::Approve:
      case Kind::Reject:
        if (model_.tasks.empty()) return {};
        break;
      case Kind::Restart:
        // Not after a jump: what a restart makes of times from before it is for a test of its own.
        if (jumped_) return {};
        break;
      default:
        break;
    }
    look_at_the_clock();
    switch (op.kind) {
      case Kind::Create:
        return create_one(op);
      case Kind::Claim:
        return claim_some(op);
      case Kind::Hold:
        return hold(op.a % 3 == 0 ? std::set<std::string>{agent(op.b)} : std::set<std::string>{});
      case Kind::Reap:
        return expect("tasks reaped", reap(), model_.lose(false));
      case Kind::Restart:
        return restart();
      case Kind::Renew:
      case Kind::Report:
      case Kind::Finish:
        return speak(op, op.a % fences_.size());
      default:
        return decide(op, op.a % model_.tasks.size());
    }
  }

  std::string create_one(const Op& op) {
    NewTask task = new_task(agent(op.a));
    const std::uint32_t about = op.b % 6;
    if (about == 0 || about == 1) task.entity = prefix_ + "line-" + std::to_string(about);
    if (about == 2) task.key = prefix_ + "key";
    if (about == 3) task.key = task.entity = prefix_ + "line-0";
    const int priority = static_cast<int>(op.c % 3) - 1;
    task.priority = use_ == Use::WithoutPriorities ? 0 : priority;
    task.awaits_approval = op.c / 3 % 7 == 0;
    if (op.c / 21 % 5 == 0) task.run_at = clock_.wall() + kHour / 2;
    const std::size_t number = model_.create({.agent = task.agent,
                                              .key = task.key,
                                              .line = task.entity,
                                              .priority = priority,
                                              .run_at = task.run_at.value_or(clock_.wall()),
                                              .needs_approval = task.awaits_approval});
    return known_as(number, create(task));
  }
  // A task that the model has made: a new one, or one that was there.
  std::string known_as(std::size_t number, const std::string& id) {
    std::string& known = model_.tasks[number].id;
    if (known.empty()) known = id;
    if (known != id) return "took the place of another task than " + std::to_string(number);
    return task_differs(number);
  }

  std::string claim_some(const Op& op) {
    const std::vector<AgentCapacity> agents{{agent(0), static_cast<int>(op.a % 3)},
                                            {agent(1), static_cast<int>(op.b % 3)}};
    const int limit = 1 + static_cast<int>(op.c % 4);
    const std::vector<ClaimedTask> claimed = claim(limit, agents);
    for (const ClaimedTask& each : claimed) given_out_.push_back(each.fence);
    std::set<std::size_t> taken;
    std::map<std::string, int> count;
    for (const ClaimedTask& each : claimed) {
      const auto found = std::find_if(model_.tasks.begin(), model_.tasks.end(),
                                      [&](const QueueModel::Task& task) { return task.id == each.task_id; });
      if (found == model_.tasks.end()) return "claimed a task that nobody made";
      const auto number = static_cast<std::size_t>(found - model_.tasks.begin());
      if (std::string wrong = model_.claim(number, kLease); !wrong.empty())
        return "claimed task " + std::to_string(number) + ": " + wrong;
      fences_.push_back(each.fence);
      sessions_.push_back(each.session_id);
      taken.insert(number);
      ++count[each.agent];
    }
    const int total = static_cast<int>(claimed.size());
    if (total > limit) return "claimed more than asked for";
    for (const auto& [name, slots] : agents) {
      if (count[name] > slots) return "claimed more than there are slots";
      if (slots == 0) continue;
      const bool room = total < limit && count[name] < slots;
      if (std::string wrong = model_.left_out(taken, name, room); !wrong.empty()) return wrong;
    }
    for (std::size_t number : taken)
      if (std::string wrong = task_differs(number); !wrong.empty()) return wrong;
    return {};
  }

  // What the worker of an attempt says, however late.
  std::string speak(const Op& op, std::size_t attempt) {
    const std::size_t number = model_.attempts[attempt].task;
    const bool holds = model_.holds(attempt);
    Fence fence = fences_[attempt];
    if (use_ == Use::WithoutAFence) {
      for (std::size_t i = 0; i < fences_.size(); ++i)
        if (model_.attempts[i].task == number) fence = fences_[i];
    }
    if (op.kind == Op::Kind::Renew) {
      const Renewal renewal = renew({fence});
      if (std::string wrong = expect("lost at a renewal", !renewal.lost.empty(), !holds); !wrong.empty())
        return wrong;
      if (!holds) return {};
      model_.attempts[attempt].until = clock_.monotonic() + kLease;
      return expect("asked to cancel at a renewal", !renewal.cancelled.empty(),
                    model_.tasks[number].cancel_asked);
    }
    if (op.kind == Op::Kind::Report) {
      LiveReport report{.fence = fence};
      report.usage.emplace().input_tokens = op.b % 1'000;
      if (!wait([&](auto done) { store().report({report}, done); }).ok()) return "a report failed";
      if (holds)
        model_.attempts[attempt].tokens =
            std::max<std::int64_t>(model_.attempts[attempt].tokens, op.b % 1'000);
      return tokens_differ(attempt);
    }
    return finish_it(op, attempt, number, fence, holds);
  }

  std::string finish_it(const Op& op, std::size_t attempt, std::size_t number, const Fence& fence,
                        bool holds) {
    using End = QueueModel::End;
    static constexpr End kEnds[] = {End::Completed, End::Completed, End::Completed,
                                    End::Failed,    End::Retry,     End::Retry,
                                    End::Crash,     End::Parked,    End::Interrupted};
    const bool refuses = model_.tasks[number].needs_approval && op.c % 2 == 0;
    const End end = refuses ? End::ApprovalRefused : kEnds[op.b % std::size(kEnds)];
    Finish said = finish_of(fence, end == End::Completed         ? TaskState::Completed
                                   : end == End::Failed          ? TaskState::Failed
                                   : end == End::Parked          ? TaskState::Parked
                                   : end == End::ApprovalRefused ? TaskState::AwaitingApproval
                                                                 : TaskState::Queued);
    said.attempt_counts = end != End::Crash && end != End::Interrupted && end != End::ApprovalRefused;
    if (refuses) said.result.failure = FailureClass::ApprovalRefused;
    if (end == End::Crash) said.result.failure = FailureClass::Crash;
    if (end == End::Retry) said.retry_after = Duration(op.c % 5'000);
    const bool goes_on = end == End::Completed && op.c % 3 == 0;
    if (goes_on) {
      said.successor = new_task(agent(op.c / 3));
      said.successor_awaits_approval = op.c / 6 % 3 == 0;
      if (op.c / 18 % 3 == 0) said.successor->key = prefix_ + "key";
    }
    const Result<TaskState> answer = finish(said);
    if (std::string wrong = expect("finish accepted", answer.ok(), holds); !wrong.empty()) return wrong;
    if (!holds) return task_differs(number);
    model_.finish(attempt, end, said.retry_after);
    if (std::string wrong = expect("state told", *answer, model_.tasks[number].state); !wrong.empty())
      return wrong;
    if (goes_on) {
      const bool asks = said.successor_awaits_approval;
      const std::size_t next = model_.create(
          {.agent = said.successor->agent,
           .key = asks && said.successor->key.empty() ? model_.tasks[number].key : said.successor->key,
           .line = model_.tasks[number].line,
           .run_at = clock_.wall(),
           .needs_approval = asks,
           .root = model_.tasks[number].root.value_or(number)});
      const auto newest = store().tasks({.agent = said.successor->agent, .limit = 1});
      if (newest->items.empty() || newest->items[0].parent_id != model_.tasks[number].id)
        return "there is no successor";
      if (std::string wrong = known_as(next, newest->items[0].task_id); !wrong.empty()) return wrong;
    }
    return task_differs(number);
  }

  std::string decide(const Op& op, std::size_t number) {
    QueueModel::Task& task = model_.tasks[number];
    bool accepted = false, legal = false;
    switch (op.kind) {
      case Op::Kind::Cancel:
        accepted = cancel(task.id).ok();
        legal = model_.cancel(task);
        break;
      case Op::Kind::Retry:
        accepted = retry(task.id).ok();
        legal = model_.retry(task);
        break;
      case Op::Kind::Approve:
        accepted = approve_as(static_cast<int>(op.b % 2), task.id).ok();
        legal = model_.approve(task, static_cast<int>(op.b % 2));
        break;
      default:
        accepted = reject(task.id).ok();
        legal = model_.reject(task);
        break;
    }
    if (std::string wrong = expect("accepted", accepted, legal); !wrong.empty()) return wrong;
    return task_differs(number);
  }

  Result<TaskState> approve_as(int number, const std::string& id) {
    const std::optional<AwaitedApproval> waits = task(id).approval;
    const std::string hash = waits ? waits->content_hash : "";
    const Person by{"somebody", std::to_string(number + 1), "api"};
    return wait<TaskState>([&](auto done) { store().approve(id, by, hash, done); });
  }

  std::string hold(std::set<std::string> agents) {
    if (!wait([&](auto done) { store().hold_agents(agents, done); }).ok()) return "hold failed";
    model_.hold(std::move(agents));
    return all_differs();
  }

  std::string restart() {
    database_.close();
    model_.lose(true);
    model_.held.clear();
    return hold({});
  }

  template <typename T>
  static std::string expect(const char* what, const T& is, const T& should) {
    if (is == should) return {};
    std::ostringstream text;
    text << what << ": " << static_cast<long long>(is) << " and not " << static_cast<long long>(should);
    return text.str();
  }

  std::string task_differs(std::size_t number) {
    const QueueModel::Task& should = model_.tasks[number];
    const Result<TaskDetail> detail = store().task(should.id);
    if (!detail.ok()) return detail.error().message;
    const TaskSummary& is = detail->task;
    std::string wrong;
    const auto compare = [&](const char* what, auto one, decltype(one) other) {
      if (wrong.empty()) wrong = expect(what, one, other);
    };
    compare("state", is.state, should.state);
    compare("attempt", is.attempt, should.attempt);
    compare("crashes", is.crashes, should.crashes);
    compare("losses", is.losses, should.losses);
    compare("held back", is.state == TaskState::Parked && !is.hold_reason.empty(), should.held);
    if (should.state == TaskState::Queued)
      compare("run_at", to_unix_ms(is.run_at), to_unix_ms(should.run_at));
    // What is told of a chain is about the first of it.
    const std::size_t first = should.root.value_or(number);
    std::size_t ends = 0;
    for (std::size_t i = 0; i < model_.tasks.size(); ++i)
      ends += model_.tasks[i].told && model_.tasks[i].root.value_or(i) == first ? 1 : 0;
    const auto told = store().tasks(
        {.agent = "teller", .entity = "chain:" + model_.tasks[first].id, .state = TaskState::Queued});
    compare("ends told of its chain", told->items.size(), ends);
    return wrong.empty() ? wrong : "task " + std::to_string(number) + ": " + wrong;
  }
  std::string tokens_differ(std::size_t attempt) {
    const Result<TaskDetail> detail = store().task(model_.tasks[model_.attempts[attempt].task].id);
    if (!detail.ok()) return detail.error().message;
    for (const AgentExecution& execution : detail->executions) {
      if (execution.session_id != sessions_[attempt]) continue;
      if (std::string wrong = expect("lost", execution.outcome == "lost", model_.attempts[attempt].lost);
          !wrong.empty())
        return "attempt " + std::to_string(attempt) + ": " + wrong;
      return expect("tokens", execution.usage.input_tokens, model_.attempts[attempt].tokens);
    }
    return "an attempt is not in the books";
  }
  std::string all_differs() {
    for (std::size_t i = 0; i < model_.tasks.size(); ++i)
      if (std::string wrong = task_differs(i); !wrong.empty()) return wrong;
    for (std::size_t i = 0; i < fences_.size(); ++i)
      if (std::string wrong = tokens_differ(i); !wrong.empty()) return wrong;
    return {};
  }

  std::string tasks_of_the_model() const {
    std::ostringstream text;
    for (std::size_t i = 0; i < model_.tasks.size(); ++i) {
      const QueueModel::Task& task = model_.tasks[i];
      text << " [" << i << " of " << task.agent << " " << to_string(task.state) << " line \"" << task.line
           << "\" key \"" << task.key << "\" priority " << task.priority << " in "
           << (task.run_at - clock_.wall()).count() << " ms]";
    }
    return text.str();
  }

  // So that later sequences find nothing of this one.
  void leave_nothing_behind() {
    EXPECT_TRUE(wait([&](auto done) { store().hold_agents({}, done); }).ok());
    for (const QueueModel::Task& task : model_.tasks) {
      if (const Result<TaskState> state = cancel(task.id); !state.ok() || *state != TaskState::Running)
        continue;
      // All of these but one are superseded.
      for (const Fence& fence : given_out_) (void)finish(finish_of(fence, TaskState::Failed));
    }
    set_by_ = Duration(0);
  }

  TempFolder memory_{std::filesystem::exists("/dev/shm") ? "/dev/shm"
                                                         : std::filesystem::temp_directory_path()};
  QueueModel model_;
  std::vector<Fence> fences_;          // by attempt
  std::vector<Fence> given_out_;       // all, also where the model was surprised
  std::vector<std::string> sessions_;  // likewise
  std::string prefix_;
  int sequences_ = 0;
  Use use_ = Use::Right;
  bool jumped_ = false;
  Duration set_by_{0};  // the clock, since the last write
};

TEST_F(ModelTest, AThousandRandomLivesGoAsTheModelSays) {
  const std::uint64_t seed = any_seed();
  std::cout << "DAVIT_MODEL_SEED=" << seed << std::endl;
  const std::optional<Finding> found = search(Use::Right, seed, 1'000);
  if (found) ADD_FAILURE() << found->text;
  expect_sound();
}

TEST_F(ModelTest, WithoutAFenceTheModelAndTheStoreDisagree) {
  EXPECT_TRUE(search(Use::WithoutAFence, any_seed(), 200).has_value());
}

TEST_F(ModelTest, AQueueThatForgetsPrioritiesIsSeen) {
  EXPECT_TRUE(search(Use::WithoutPriorities, any_seed(), 200).has_value());
}

TEST_F(ModelTest, ASequenceThatFailsIsToldShortWithItsSeed) {
  const std::optional<Finding> found = search(Use::WithoutPriorities, 1, 200);
  ASSERT_TRUE(found.has_value());
  EXPECT_LE(found->ops.size(), 6u) << found->text;
  EXPECT_THAT(found->text, ::testing::HasSubstr("create"));
  const std::string told = "DAVIT_MODEL_SEED=";
  ASSERT_TRUE(found->text.starts_with(told));
  const std::uint64_t seed = std::strtoull(found->text.c_str() + told.size(), nullptr, 10);
  EXPECT_FALSE(differs(random_ops(seed), Use::WithoutPriorities).empty()) << "the seed gives it again";
}

}  // namespace
}  // namespace davit::store

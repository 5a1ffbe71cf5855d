// Streams of events over real sockets: a store whose changes are told, a server, and clients that do what
// browsers and networks do.
#include "host/http/event_streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <set>

#include "host/base/crypto.h"
#include "host/base/json.h"
#include "host/http/event_routes.h"
#include "host/http/server.h"
#include "host/http/session_routes.h"
#include "tests/integration/http_fixture.h"
#include "tests/support/event_reader.h"
#include "tests/support/temp_database.h"

namespace davit::http {
namespace {

using test::eventually;
using testing::EventReader;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::SeenEvent;
using testing::wait;

constexpr const char* kEvents = "/api/dashboard/events";
constexpr const char* kAdmin = "Authorization: Bearer the-admin-token\r\n";
constexpr const char* kReader = "Authorization: Bearer the-reader-token\r\n";

std::string member(const SeenEvent& event, std::string_view name) {
  const auto data = parse_json(event.data);
  return data.ok() ? string_member(*data, name) : "no JSON: " + event.data;
}

// This machine's clock, which somebody may set.
class SettableClock final : public Clock {
 public:
  WallTime wall() const override { return system_.wall() + Duration(ahead_.load()); }
  MonotonicTime monotonic() const override { return system_.monotonic(); }
  void set(WallTime to) { ahead_ = (to - system_.wall()).count(); }

 private:
  SystemClock system_;
  std::atomic<std::int64_t> ahead_{0};
};

class EventStreamsTest : public ::testing::Test {
 protected:
  ~EventStreamsTest() override {
    server_.reset();
    if (events_) events_->stop();  // who listens is asked of what goes before it
    database_.close();             // whose writer tells the streams
  }

  void start(EventOptions events = {}, Options options = {}) {
    events_ = std::make_unique<EventStreams>(store(), metrics_, *log_, clock_, events);
    store().on_change([this](const std::vector<store::Change>& changes) { events_->changed(changes); });
    store().on_prune([this](std::int64_t, std::int64_t) { events_->pruned(); });
    const store::SessionLimits limits{.idle = Duration(3'600'000), .lifetime = Duration(3'600'000)};
    authentication_ =
        std::move(Authentication::load({sha256_hex("the-admin-token"), sha256_hex("the-reader-token")}, limits,
                                       store(), clock_))
            .value();
    audit_ = std::make_unique<AuditLog>(store(), clock_, TrustedProxies{});
    workers_ = std::make_unique<Workers>(1, 16);
    std::vector<Route> routes = event_routes(*events_, *authentication_);
    for (Route& route : session_routes(*authentication_, *audit_, login_limit_, *events_, clock_, *log_, {}))
      routes.push_back(std::move(route));
    router_ = std::make_unique<Router>(std::move(routes), *authentication_, *audit_,
                                       *workers_, request_log_, TrustedProxies{});
    auto server = Server::start(
        options,
        [this](Request request, Responder responder) {
          router_->handle(std::move(request), std::move(responder));
        },
        *log_, clock_);
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(*server);
  }
  store::Store& store() { return database_.store(); }
  int port() const { return server_->port(); }

  std::string create(const std::string& title = "a task") {
    NewTask task;
    task.agent = "worker";
    task.title = title;
    return wait<std::string>([&](auto done) { store().create_task(task, "api", std::nullopt, done); })
        .value();
  }
  ClaimedTask claim() {
    auto claimed = wait<std::vector<ClaimedTask>>([&](auto done) {
      store().claim({.agents = {{"worker", 1}}, .limit = 1, .lease = Duration(60'000)}, done);
    });
    EXPECT_EQ(claimed->size(), 1u);
    return claimed->at(0);
  }
  void say(const ClaimedTask& task, std::vector<std::string> texts) {
    store::LiveReport report{.fence = task.fence, .task_id = task.task_id, .session_id = task.session_id};
    for (std::string& text : texts)
      report.transcript.lines.push_back({"text", std::move(text), clock_.wall()});
    EXPECT_TRUE(wait([&](auto done) { store().report({report}, done); }).ok());
  }
  void finish(const ClaimedTask& task, std::vector<std::string> rest = {}, std::int64_t micro_usd = 0) {
    store::Finish finish;
    finish.fence = task.fence;
    finish.outcome = "completed";
    finish.result.success = true;
    finish.result.usage.cost_micro_usd = micro_usd;
    for (std::string& text : rest)
      finish.transcript.lines.push_back({"text", std::move(text), clock_.wall()});
    EXPECT_TRUE(wait<TaskState>([&](auto done) { store().finish(finish, done); }).ok());
  }
  // Many changes of tasks that the store knows nothing of, as its writer would tell them.
  void many(int count, const std::string& prefix = "t") {
    for (int i = 0; i < count; ++i)
      events_->changed({{store::Change::Kind::TaskQueued, prefix + std::to_string(i), "worker", std::nullopt,
                         TaskState::Queued}});
  }
  // What the exposition says of a series.
  double metric(const std::string& series) {
    const std::string text = "\n" + metrics_.exposition();
    const std::size_t at = text.find("\n" + series + " ");
    return at == std::string::npos ? 0 : std::stod(text.substr(at + series.size() + 2));
  }

  void set_budgets(store::BudgetLimits limits) {
    EXPECT_TRUE(wait([&](auto done) { store().set_budgets(limits, done); }).ok());
  }

  SettableClock clock_;
  std::unique_ptr<Log> log_ = Log::silent();
  metrics::Metrics metrics_{"test"};
  RequestLog request_log_{metrics_, *log_, clock_};
  LoginLimit login_limit_;
  testing::TempDatabase database_{clock_};
  std::unique_ptr<EventStreams> events_;
  std::unique_ptr<Authentication> authentication_;
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<Server> server_;
};

TEST_F(EventStreamsTest, ATasksLifeIsToldStepByStep) {
  start();
  EventReader reader(port(), kEvents, kReader);
  ASSERT_EQ(reader.status(), 200);
  EXPECT_THAT(reader.head(), HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(reader.head(), HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(reader.head(), HasSubstr("X-Accel-Buffering: no\r\n"));
  EXPECT_THAT(reader.head(), Not(HasSubstr("Content-Length")));
  const auto hello = reader.next();
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->event, "hello");
  EXPECT_EQ(hello->data, R"({"resumed":false})");

  const std::string id = create();
  auto queued = reader.next("task");
  ASSERT_TRUE(queued);
  EXPECT_EQ(member(*queued, "task_id"), id);
  EXPECT_EQ(member(*queued, "agent"), "worker");
  EXPECT_EQ(member(*queued, "status"), "queued");

  const ClaimedTask claimed = claim();
  EXPECT_EQ(member(reader.next("task").value_or(SeenEvent{}), "status"), "running");
  const auto began = reader.next("execution");
  ASSERT_TRUE(began);
  EXPECT_EQ(member(*began, "session_id"), claimed.session_id);
  EXPECT_EQ(member(*began, "task_id"), id);

  finish(claimed);
  EXPECT_EQ(member(reader.next("task").value_or(SeenEvent{}), "status"), "completed");
}

TEST_F(EventStreamsTest, CountsOfTheQueueFollowItsTasks) {
  start();
  EventReader reader(port(), kEvents, kAdmin);
  ASSERT_TRUE(reader.next("hello"));
  EXPECT_EQ(reader.next("queue").value_or(SeenEvent{}).data,
            R"({"queued":0,"running":0,"awaiting_approval":0,"parked":0})");
  create();
  EXPECT_EQ(reader.next("queue").value_or(SeenEvent{}).data,
            R"({"queued":1,"running":0,"awaiting_approval":0,"parked":0})");
  claim();
  EXPECT_EQ(reader.next("queue").value_or(SeenEvent{}).data,
            R"({"queued":0,"running":1,"awaiting_approval":0,"parked":0})");
}

TEST_F(EventStreamsTest, DeliveriesRefusalsPausesAndPluginsAreTold) {
  start();
  EventReader reader(port(), kEvents + std::string("?topics=delivery,plugin"), kAdmin);
  ASSERT_TRUE(reader.next("hello"));
  store::NewDelivery delivery;
  delivery.id = new_id();
  delivery.webhook = "github";
  delivery.delivery_key = "k";
  delivery.received_at = clock_.wall();
  ASSERT_TRUE(wait<store::Accepted>([&](auto done) { store().accept(delivery, done); }).ok());
  EXPECT_EQ(member(reader.next().value_or(SeenEvent{}), "delivery_id"), delivery.id);
  ASSERT_TRUE(
      wait([&](auto done) {
        store().note_refusals({{"github", "bad_signature", 1, clock_.wall(), clock_.wall(), {}}}, done);
      }).ok());
  EXPECT_EQ(reader.next("delivery").value_or(SeenEvent{}).data, "{}");
  events_->plugins_changed();
  EXPECT_EQ(reader.next().value_or(SeenEvent{}).event, "plugin");

  EventReader queue(port(), kEvents + std::string("?topics=queue"), kAdmin);
  ASSERT_TRUE(queue.next("queue"));
  ASSERT_TRUE(wait([&](auto done) { store().pause({.agent = "worker", .by = "test"}, done); }).ok());
  EXPECT_TRUE(queue.next("queue"));
}

TEST_F(EventStreamsTest, ABudgetThatIsSpentIsToldAndSoIsOneThatIsFreeAgain) {
  start();
  store::BudgetLimits limits{.agent_day = 500'000, .day = 5'000'000};
  set_budgets(limits);
  EventReader reader(port(), kEvents + std::string("?topics=budget"), kReader);
  ASSERT_TRUE(reader.next("hello"));
  create();
  finish(claim(), {}, 600'000);
  const SeenEvent spent = reader.next().value_or(SeenEvent{});
  EXPECT_EQ(spent.event, "budget");
  EXPECT_EQ(member(spent, "scope"), "agent");
  EXPECT_EQ(member(spent, "key"), "worker");
  EXPECT_EQ(member(spent, "resumes_at"),
            to_iso8601(std::chrono::floor<std::chrono::days>(clock_.wall()) + std::chrono::days(1)));
  limits.agent_day = 700'000;
  set_budgets(limits);
  EXPECT_EQ(reader.next().value_or(SeenEvent{}).data,
            R"({"scope":"agent","key":"worker","spent":false,"resumes_at":null})");

  // What turns while nobody listens is told to who comes again.
  reader.client().leave();
  ASSERT_TRUE(eventually([&] { return events_->open_streams() == 0; }));
  limits.agent_day = 100'000;
  set_budgets(limits);
  EventReader again(port(), kEvents + std::string("?topics=budget&last_event_id=") + reader.last_id, kReader);
  EXPECT_EQ(again.next().value_or(SeenEvent{}).data, R"({"resumed":true})");
  EXPECT_EQ(member(again.next().value_or(SeenEvent{}), "key"), "worker");
}

TEST_F(EventStreamsTest, ThatADayHasBegunAndItsBudgetsAnewIsTold) {
  const WallTime midnight = std::chrono::ceil<std::chrono::days>(clock_.wall());
  clock_.set(midnight - std::chrono::hours(12));
  start();
  set_budgets({.day = 500'000});
  EventReader reader(port(), kEvents + std::string("?topics=budget"), kReader);
  ASSERT_TRUE(reader.next("hello"));
  create();
  finish(claim(), {}, 600'000);
  EXPECT_EQ(member(reader.next().value_or(SeenEvent{}), "scope"), "day");
  clock_.set(midnight - Duration(100));
  events_->plugins_changed();  // so that the clock is looked at
  EXPECT_EQ(reader.next().value_or(SeenEvent{}).data, R"({"scope":"day","key":null,"spent":false,"resumes_at":null})");
  EXPECT_EQ(reader.next().value_or(SeenEvent{}).data, "{}");
}

TEST_F(EventStreamsTest, WhatWasPrunedIsToldAndALongPruningNowAndThen) {
  EventOptions options;
  options.pruned_rest = Duration{100};
  start(options);
  EventReader reader(port(), kEvents + std::string("?topics=pruned"), kReader);
  ASSERT_TRUE(reader.next("hello"));
  create();
  finish(claim());
  clock_.set(clock_.wall() + std::chrono::hours(48));
  store().set_retention({.keep = std::chrono::hours(24)});
  const SeenEvent pruned = reader.next().value_or(SeenEvent{});
  EXPECT_EQ(pruned.event, "pruned");
  EXPECT_EQ(pruned.data, "{}");
  for (int step = 0; step < 1'000; ++step) events_->pruned();
  EXPECT_EQ(reader.next().value_or(SeenEvent{}).event, "pruned") << "its end is told in any case";
  EXPECT_LT(metric("davit_events_total{event=\"pruned\"}"), 500);
}

TEST_F(EventStreamsTest, LinesAreToldToWhoFollowsTheirTaskAndToNobodyElse) {
  start();
  const std::string id = create();
  create("another");
  const ClaimedTask task = claim(), other = claim();
  ASSERT_EQ(task.task_id, id);
  say(task, {"before"});
  EventReader follower(port(), kEvents + std::string("?task=") + id, kReader);
  EventReader onlooker(port(), kEvents, kReader);
  ASSERT_TRUE(follower.next("hello"));
  ASSERT_TRUE(onlooker.next("hello"));
  say(other, {"of another task"});
  say(task, {"one", "two"});
  auto line = follower.next("log");
  ASSERT_TRUE(line);
  EXPECT_EQ(member(*line, "line"), "one") << "what was said before is for the transcript to tell";
  EXPECT_EQ(member(*line, "task_id"), id);
  EXPECT_EQ(member(*line, "session_id"), task.session_id);
  EXPECT_EQ(int_member(*parse_json(line->data), "number"), 2);
  EXPECT_EQ(member(follower.next("log").value_or(SeenEvent{}), "line"), "two");
  finish(task, {"the end"});
  EXPECT_EQ(member(follower.next("log").value_or(SeenEvent{}), "line"), "the end");

  ASSERT_EQ(member(onlooker.next("task").value_or(SeenEvent{}), "status"), "completed");
  onlooker.patience = std::chrono::milliseconds(1);
  EXPECT_FALSE(onlooker.next("log"));
}

TEST_F(EventStreamsTest, AFollowerGoesOnWithTheNextExecution) {
  start();
  const std::string id = create();
  const ClaimedTask first = claim();
  EventReader follower(port(), kEvents + std::string("?task=") + id, kReader);
  ASSERT_TRUE(follower.next("hello"));
  store::Finish failed;
  failed.fence = first.fence;
  failed.outcome = "failed";
  failed.next_state = TaskState::Queued;
  failed.result.failure = FailureClass::Retryable;
  failed.transcript.lines.push_back({"text", "last words", clock_.wall()});
  ASSERT_TRUE(wait<TaskState>([&](auto done) { store().finish(failed, done); }).ok());
  const ClaimedTask second = claim();
  say(second, {"again"});
  EXPECT_EQ(member(follower.next("log").value_or(SeenEvent{}), "line"), "last words");
  const auto again = follower.next("log");
  ASSERT_TRUE(again);
  EXPECT_EQ(member(*again, "line"), "again");
  EXPECT_EQ(member(*again, "session_id"), second.session_id);
}

TEST_F(EventStreamsTest, WhoComesAgainHearsWhatHeMissed) {
  start();
  EventReader first(port(), kEvents, kAdmin);
  ASSERT_TRUE(first.next("hello"));
  create();
  ASSERT_TRUE(first.next("task"));
  first.client().leave_with_reset();
  const std::string missed = create("meanwhile");

  for (const bool by_header : {true, false}) {
    EventReader again(port(), by_header ? kEvents : kEvents + std::string("?last_event_id=") + first.last_id,
                      kAdmin + (by_header ? "Last-Event-ID: " + first.last_id + "\r\n" : std::string()));
    EXPECT_EQ(again.next().value_or(SeenEvent{}).data, R"({"resumed":true})");
    EXPECT_EQ(member(again.next("task").value_or(SeenEvent{}), "task_id"), missed);
  }
}

TEST_F(EventStreamsTest, WhoWasAwayForTooLongLoadsAnew) {
  EventOptions options;
  options.ring = 8;
  start(options);
  EventReader first(port(), kEvents, kAdmin);
  ASSERT_TRUE(first.next("hello"));
  first.client().leave();
  many(20);
  EventReader again(port(), kEvents, kAdmin + ("Last-Event-ID: " + first.last_id + "\r\n"));
  EXPECT_EQ(again.next().value_or(SeenEvent{}).event, "reset");
  many(1, "later");
  EXPECT_EQ(member(again.next("task").value_or(SeenEvent{}), "task_id"), "later0");
  EXPECT_EQ(metric("davit_events_total{event=\"reset\"}"), 1);
}

TEST_F(EventStreamsTest, AnIdOfAnotherLifeOrNoneAtAllIsToldToLoadAnew) {
  start();
  many(3);
  for (const char* id : {"0123456789ab-2", "2", "-", "unknown", "x-99999999999999999999"}) {
    EventReader reader(port(), kEvents, kAdmin + ("Last-Event-ID: " + std::string(id) + "\r\n"));
    EXPECT_EQ(reader.next().value_or(SeenEvent{}).event, "reset") << id;
  }
}

TEST_F(EventStreamsTest, IdsGrowAndThousandsOfEventsReachWhoReads) {
  start();
  EventReader reader(port(), kEvents + std::string("?topics=task"), kAdmin);
  ASSERT_TRUE(reader.next("hello"));
  std::set<std::string> seen;
  std::uint64_t last = 0;
  for (int turn = 0; turn < 10; ++turn) {
    many(500, "turn" + std::to_string(turn) + "-");
    for (int i = 0; i < 500; ++i) {
      const auto event = reader.next("task");
      ASSERT_TRUE(event);
      seen.insert(member(*event, "task_id"));
      const std::uint64_t number = std::stoull(event->id.substr(event->id.find('-') + 1));
      EXPECT_GT(number, last);
      last = number;
    }
  }
  EXPECT_EQ(seen.size(), 5'000u);
}

TEST_F(EventStreamsTest, ASlowReaderGetsTheNewestOfEachThingAndHoldsLittle) {
  Options options;
  options.write_timeout = Duration{60'000};
  EventOptions events;
  events.pace = Duration{1};
  events.ring = 100'000;
  start(events, options);
  EventReader reader(port(), kEvents + std::string("?topics=task"), kAdmin, test::RawClient::Window::Tiny);
  ASSERT_TRUE(reader.next("hello"));
  // One task after the other changes while nobody reads, until far more was told than fits anywhere.
  constexpr int kTurns = 300, kTasks = 100;
  for (int turn = 0; turn < kTurns; ++turn) {
    many(kTasks);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // rounds in between
  }
  many(1, "the-last");
  int events_read = 0;
  for (;;) {
    const auto event = reader.next("task");
    ASSERT_TRUE(event) << "after " << events_read;
    ++events_read;
    if (member(*event, "task_id") == "the-last0") break;
  }
  EXPECT_GE(events_read, kTasks);
  EXPECT_LT(events_read, kTurns * kTasks / 4) << "nothing was left out";
  EXPECT_EQ(server_->stats().slow_readers, 0u);
}

TEST_F(EventStreamsTest, WhoDoesNotReadIsDroppedAndHoldsNothing) {
  Options options;
  options.write_timeout = Duration{200};
  EventOptions events;
  events.pace = Duration{1};
  start(events, options);
  EventReader silent(port(), kEvents, kAdmin, test::RawClient::Window::Tiny);
  EventReader reader(port(), kEvents + std::string("?topics=plugin"), kAdmin);
  ASSERT_TRUE(reader.next("hello"));
  ASSERT_TRUE(eventually([&] { return events_->open_streams() == 2; }));
  ASSERT_TRUE(eventually([&] {
    many(500, new_id());
    return events_->open_streams() == 1;
  }));
  EXPECT_EQ(metric("davit_event_streams_ended_total{how=\"slow\"}"), 1);
  EXPECT_EQ(server_->stats().slow_readers, 1u);
  events_->plugins_changed();
  EXPECT_TRUE(reader.next("plugin")) << "the others go on";
}

TEST_F(EventStreamsTest, WhoLeavesIsForgottenAtOnce) {
  start();
  EventReader leaves(port(), kEvents, kAdmin), resets(port(), kEvents, kAdmin), half(port(), kEvents, kAdmin);
  for (EventReader* each : {&leaves, &resets, &half}) ASSERT_TRUE(each->next("hello"));
  EXPECT_EQ(events_->open_streams(), 3);
  leaves.client().leave();
  resets.client().leave_with_reset();
  half.client().end_sending();
  // Nothing happens and no heartbeat is due: it is the leaving itself that is noticed.
  EXPECT_TRUE(eventually([&] { return events_->open_streams() == 0; }));
  EXPECT_TRUE(eventually([&] { return server_->stats().open_connections == 0; }));
  EXPECT_EQ(metric("davit_event_streams_ended_total{how=\"left\"}"), 3);
}

TEST_F(EventStreamsTest, WhereNothingHappensAHeartbeatSaysHowFarItIs) {
  EventOptions options;
  options.heartbeat = Duration{20};
  start(options);
  EventReader reader(port(), kEvents + std::string("?topics=plugin"), kAdmin);
  ASSERT_TRUE(reader.next("hello"));
  many(3);  // of another topic
  // It says how far it is, so that a client can go on from there.
  for (int beats = 1; !reader.last_id.ends_with("-3"); ++beats) ASSERT_TRUE(reader.hear_heartbeats(beats));
}

TEST_F(EventStreamsTest, OnlyWhoMayReadIsLetIn) {
  start();
  EXPECT_EQ(EventReader(port(), kEvents).status(), 401);
  EXPECT_EQ(EventReader(port(), kEvents, "Authorization: Bearer wrong\r\n").status(), 401);
  EXPECT_EQ(EventReader(port(), kEvents + std::string("?token=the-admin-token")).status(), 401);
  EXPECT_EQ(EventReader(port(), kEvents, kReader).status(), 200);
  EXPECT_EQ(EventReader(port(), kEvents, kAdmin).status(), 200);
  test::RawClient posts(port());
  posts.send(std::string("POST ") + kEvents + " HTTP/1.1\r\nHost: test\r\n" + kAdmin +
             "Content-Length: 0\r\n\r\n");
  EXPECT_EQ(posts.read_answer().status, 405);
}

TEST_F(EventStreamsTest, HeadIsAnsweredAndTakesNoStream) {
  EventOptions options;
  options.max_streams = 1;
  start(options);
  for (int i = 0; i < 3; ++i) {
    test::RawClient client(port());
    client.send(std::string("HEAD ") + kEvents + " HTTP/1.1\r\nHost: test\r\n" + kAdmin + "\r\n");
    const test::RawAnswer answer = client.read_answer(false);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("Content-Type"), "text/event-stream");
    EXPECT_TRUE(client.at_end());
  }
  EXPECT_EQ(events_->open_streams(), 0);
}

TEST_F(EventStreamsTest, ParametersThatAreNoneAreNamed) {
  start();
  const std::string many_ids = [] {
    std::string ids;
    for (int i = 0; i < 17; ++i) ids += (i == 0 ? "" : ",") + new_id();
    return ids;
  }();
  for (const auto& [query, field] : std::map<std::string, std::string>{{"task=no-id", "task"},
                                                                       {"task=" + many_ids, "task"},
                                                                       {"topics=task,everything", "topics"},
                                                                       {"since=1", "since"}}) {
    test::RawClient client(port());
    client.send("GET " + std::string(kEvents) + "?" + query + " HTTP/1.1\r\nHost: test\r\n" + kAdmin +
                "\r\n");
    const test::RawAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_THAT(answer.body, HasSubstr("\"field\":\"" + field + "\"")) << query;
  }
  EXPECT_EQ(events_->open_streams(), 0);
}

TEST_F(EventStreamsTest, BeyondALimitStreamsAreRefused) {
  EventOptions options;
  options.max_streams = 3;
  options.max_streams_of_one = 2;
  start(options);
  EventReader one(port(), kEvents, kAdmin), two(port(), kEvents, kAdmin);
  ASSERT_TRUE(one.next("hello") && two.next("hello"));
  EventReader too_many(port(), kEvents, kAdmin);
  EXPECT_EQ(too_many.status(), 429);
  EXPECT_THAT(too_many.head(), HasSubstr("Retry-After: "));
  EventReader three(port(), kEvents, kReader);
  ASSERT_TRUE(three.next("hello"));
  EventReader refused(port(), kEvents, kReader);
  EXPECT_EQ(refused.status(), 503);
  EXPECT_THAT(refused.head(), HasSubstr("Retry-After: "));
  EXPECT_EQ(metric("davit_event_streams_ended_total{how=\"refused\"}"), 2);
  one.client().leave();
  EXPECT_TRUE(eventually([&] { return EventReader(port(), kEvents, kReader).status() == 200; }));
}

TEST_F(EventStreamsTest, WhoseRightHasEndedHearsNoMore) {
  start();
  EventReader admin(port(), kEvents, kAdmin), reader(port(), kEvents, kReader);
  ASSERT_TRUE(admin.next("hello") && reader.next("hello"));
  events_->close_of("reader");
  EXPECT_TRUE(reader.at_end());
  many(1);
  EXPECT_TRUE(admin.next("task"));
  EXPECT_EQ(events_->open_streams(), 1);
  EXPECT_EQ(metric("davit_event_streams_ended_total{how=\"revoked\"}"), 1);
}

// The clock is set on; nobody is woken for that, so what is open ends with the next look, a heartbeat later
// at most.
TEST_F(EventStreamsTest, AStreamEndsWithTheTokenOrTheSessionThatOpenedIt) {
  EventOptions options;
  options.heartbeat = Duration(50);
  start(options);
  const auto token_until = [&](const std::string& name, Duration from_now) {
    AccessToken token;
    token.name = name;
    token.expires_at = clock_.wall() + from_now;
    std::promise<std::string> secret;
    authentication_->create_token(token, {}, [&](Result<std::string> made) { secret.set_value(*made); });
    return "Authorization: Bearer " + secret.get_future().get() + "\r\n";
  };
  const auto session_of = [&](const std::string& token) {
    std::promise<std::string> secret;
    authentication_->sign_in(token, "", {}, [&](Result<std::string> made) { secret.set_value(*made); });
    return "Cookie: davit_session=" + secret.get_future().get() + "\r\n";
  };
  EventReader admin(port(), kEvents, kAdmin);
  EventReader guest(port(), kEvents, token_until("guest", Duration(600'000)));
  EventReader browser(port(), kEvents, session_of("the-reader-token"));  // for an hour
  ASSERT_TRUE(admin.next("hello") && guest.next("hello") && browser.next("hello"));

  clock_.set(clock_.wall() + Duration(610'000));
  EXPECT_TRUE(guest.at_end());
  many(1);
  EXPECT_TRUE(browser.next("task"));
  clock_.set(clock_.wall() + Duration(3'600'000));
  EXPECT_TRUE(browser.at_end());
  EXPECT_TRUE(eventually([&] { return events_->open_streams() == 1; }));
  EXPECT_EQ(metric("davit_event_streams_ended_total{how=\"expired\"}"), 2);
  many(1, "later");
  EXPECT_TRUE(admin.next("task")) << "whose token has no end";
}

TEST_F(EventStreamsTest, SigningOutEndsTheStreamsOfThatSessionAndNoOther) {
  EventOptions options;
  options.heartbeat = Duration(3'600'000);
  start(options);
  const auto sign_in = [&] {
    std::promise<std::string> secret;
    authentication_->sign_in("the-admin-token", "", {}, [&](Result<std::string> made) { secret.set_value(*made); });
    return secret.get_future().get();
  };
  const std::string mine = sign_in(), other = sign_in();
  const auto cookie = [](const std::string& secret) { return "Cookie: davit_session=" + secret + "\r\n"; };
  EventReader here(port(), kEvents, cookie(mine)), there(port(), kEvents, cookie(other));
  EventReader program(port(), kEvents, kAdmin);
  ASSERT_TRUE(here.next("hello") && there.next("hello") && program.next("hello"));
  test::RawClient client(port());
  client.send("DELETE /api/session HTTP/1.1\r\nHost: localhost\r\n" + cookie(mine) +
              "X-CSRF-Token: " + csrf_token(mine) + "\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(client.read_answer(false).status, 204);
  EXPECT_TRUE(here.at_end());
  many(1);
  EXPECT_TRUE(there.next("task") && program.next("task"));
  EXPECT_EQ(events_->open_streams(), 2);
  EXPECT_EQ(metric("davit_event_streams_ended_total{how=\"signed_out\"}"), 1);
  EXPECT_EQ(metric("davit_event_streams_ended_total{how=\"revoked\"}"), 0);
}

TEST_F(EventStreamsTest, AStreamEndsWhenItsTokenDoesAndNotOnlyWithTheNextHeartbeat) {
  EventOptions options;
  options.heartbeat = Duration(3'600'000);
  start(options);
  AccessToken token;
  token.name = "guest";
  token.expires_at = clock_.wall() + Duration(2'000);
  std::promise<std::string> secret;
  authentication_->create_token(token, {}, [&](Result<std::string> made) { secret.set_value(*made); });
  EventReader admin(port(), kEvents, kAdmin);
  EventReader guest(port(), kEvents, "Authorization: Bearer " + secret.get_future().get() + "\r\n");
  ASSERT_TRUE(admin.next("hello") && guest.next("hello"));
  EXPECT_TRUE(guest.at_end());
  many(1);
  EXPECT_TRUE(admin.next("task"));
}

TEST_F(EventStreamsTest, AStopEndsAllStreamsAndTakesNoMore) {
  start();
  EventReader one(port(), kEvents, kAdmin), two(port(), kEvents, kReader);
  ASSERT_TRUE(one.next("hello") && two.next("hello"));
  events_->stop();
  EXPECT_TRUE(one.at_end());
  EXPECT_TRUE(two.at_end());
  EXPECT_EQ(events_->open_streams(), 0);
  EXPECT_EQ(EventReader(port(), kEvents, kAdmin).status(), 503);
  create();  // is told to nobody, and harms nobody
}

TEST_F(EventStreamsTest, StreamsThatAreOpenWhenTheServerEndsHarmNobody) {
  start();
  EventReader one(port(), kEvents, kAdmin);
  ASSERT_TRUE(one.next("hello"));
  server_->stop();
  EXPECT_TRUE(one.at_end());
  many(10);
  EXPECT_TRUE(eventually([&] { return events_->open_streams() == 0; }));
}

TEST_F(EventStreamsTest, ManyClientsThatComeAndGoWhileEventsFlowGetWhatIsTheirs) {
  EventOptions events;
  events.pace = Duration{1};
  start(events);
  std::atomic<bool> ending{false};
  std::thread writer([&] {
    for (int i = 0; !ending; ++i) {
      many(20, "w" + std::to_string(i) + "-");
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
  });
  std::vector<std::thread> clients;
  std::atomic<int> greeted{0};
  for (int c = 0; c < 4; ++c) {
    clients.emplace_back([&, c] {
      std::string last;
      for (int i = 0; i < 40; ++i) {
        EventReader reader(port(), kEvents + std::string("?last_event_id=") + last, c % 2 ? kAdmin : kReader);
        const auto first = reader.next();
        if (first && (first->event == "hello" || first->event == "reset")) ++greeted;
        for (int n = 0; n < i % 7; ++n) reader.next("task");
        last = reader.last_id;
        i % 3 == 0 ? reader.client().leave_with_reset() : reader.client().leave();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  ending = true;
  writer.join();
  EXPECT_EQ(greeted, 160);
  EXPECT_TRUE(eventually([&] { return events_->open_streams() == 0; }));
}

}  // namespace
}  // namespace davit::http

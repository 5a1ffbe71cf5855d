// What holds for the store on SQLite in particular: its file, its commits, its failures.
#include "host/store/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <thread>

#include "host/store/database.h"
#include "host/store/migrations.h"
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace fs = std::filesystem;

// SQL by somebody else.
void execute(const fs::path& path, const std::string& sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  char* message = nullptr;
  EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
  sqlite3_close(handle);
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class StoreFileTest : public StoreTest {
 protected:
  // The reason why it does not open; Other with an empty message if it does.
  OpenError refusal() {
    auto opened = database_.try_open();
    if (OpenError* error = std::get_if<OpenError>(&opened)) return *error;
    return {};
  }
  void expect_refused(OpenFailure failure, std::string_view words) {
    const OpenError error = refusal();
    EXPECT_EQ(error.failure, failure) << error.message;
    EXPECT_THAT(error.message, HasSubstr(std::string(words)));
    EXPECT_THAT(error.message, HasSubstr(database_.path().string()));
  }
  // A database with one task, closed in order.
  void make_database() {
    create();
    database_.close();
  }
  const fs::path& path() { return database_.path(); }
};

// --- opening

TEST_F(StoreFileTest, AFirstStartMakesAPrivateDatabase) {
  database_.options.path = database_.folder() / "data" / "davit.db";
  create();
  const auto mode = [](const fs::path& file) {
    return static_cast<unsigned>(fs::status(file).permissions());
  };
  EXPECT_EQ(mode(path()), 0600u);
  EXPECT_EQ(mode(path().string() + "-wal"), 0600u);
  EXPECT_EQ(mode(path().parent_path()), 0700u);
}

TEST_F(StoreFileTest, AMissingDatabaseIsRefusedUnlessOneIsToBeMade) {
  database_.options.create_if_missing = false;
  expect_refused(OpenFailure::Missing, "davit init");
  EXPECT_TRUE(fs::is_empty(database_.folder())) << "nothing is left behind";
}

TEST_F(StoreFileTest, ADatabaseThatWasThereOnceIsNotMadeAgain) {
  make_database();
  fs::remove(path());
  expect_refused(OpenFailure::Missing, "is gone");
  EXPECT_FALSE(fs::exists(path()));
  fs::remove(path().string() + ".lock");
  EXPECT_THAT(titles(), IsEmpty());
}

TEST_F(StoreFileTest, AnEmptyFileIsNotADatabase) {
  make_database();
  fs::resize_file(path(), 0);
  expect_refused(OpenFailure::Empty, "is empty");
}

TEST_F(StoreFileTest, AFirstStartThatWasInterruptedGoesOn) {
  write_text(path(), "");
  EXPECT_FALSE(create().empty());
}

TEST_F(StoreFileTest, AFirstStartThatWasInterruptedBeforeItsSchemaGoesOn) {
  execute(path(), "PRAGMA journal_mode = WAL");  // writes a first page with nothing in it
  ASSERT_GT(fs::file_size(path()), 0u);
  EXPECT_FALSE(create().empty());
  database_.close();
  fs::remove(path());
  execute(path(), "PRAGMA journal_mode = WAL");
  expect_refused(OpenFailure::Foreign, "not a davit database");
}

TEST_F(StoreFileTest, OtherFilesAreForeign) {
  write_text(path(), std::string(8'192, 'x'));
  expect_refused(OpenFailure::Foreign, "not a davit database");
}

TEST_F(StoreFileTest, DatabasesOfOtherProgramsAreForeign) {
  execute(path(), "CREATE TABLE note (text TEXT)");
  expect_refused(OpenFailure::Foreign, "another program");
  execute(path(), "PRAGMA application_id = 7");
  expect_refused(OpenFailure::Foreign, "another program");
}

TEST_F(StoreFileTest, ANewerSchemaIsRefusedNamingBoth) {
  make_database();
  execute(path(), "PRAGMA user_version = 9999");
  expect_refused(OpenFailure::Newer, "has schema 9999, this davit knows " + std::to_string(newest_version()));
}

TEST_F(StoreFileTest, DamageIsFoundAfterAnUncleanStop) {
  for (int i = 0; i < 200; ++i) create();
  database_.close();
  execute(path(), "UPDATE host_state SET clean = 0");
  std::string bytes = read_bytes(path());
  for (std::size_t page = 5; page * 4'096 < bytes.size(); ++page)
    bytes.replace(page * 4'096, 64, std::string(64, 'x'));
  write_text(path(), bytes);
  expect_refused(OpenFailure::Corrupt, "damaged");
}

TEST_F(StoreFileTest, AFileThatWasCutIsCorrupt) {
  for (int i = 0; i < 200; ++i) create();
  database_.close();
  execute(path(), "UPDATE host_state SET clean = 0");
  fs::resize_file(path(), 3 * 4'096);
  expect_refused(OpenFailure::Corrupt, "damaged");
}

TEST_F(StoreFileTest, ALinkIsRefused) {
  make_database();
  const fs::path real = path();
  database_.options.path = database_.folder() / "link.db";
  fs::create_symlink(real, path());
  expect_refused(OpenFailure::Linked, "symbolic link");
  fs::remove(path());
  fs::create_hard_link(real, path());
  expect_refused(OpenFailure::Linked, "hard link");
}

TEST_F(StoreFileTest, ASecondHostIsRefusedAndNamesTheFirst) {
  create();
  const auto log = Log::silent();
  auto second = Store::open(database_.options, *log, clock_);
  ASSERT_TRUE(std::holds_alternative<OpenError>(second));
  EXPECT_EQ(std::get<OpenError>(second).failure, OpenFailure::InUse);
  EXPECT_THAT(std::get<OpenError>(second).message, HasSubstr("pid " + std::to_string(::getpid())));
  EXPECT_FALSE(create().empty()) << "the first goes on";
}

TEST_F(StoreFileTest, ToolsReadBesideARunningHost) {
  create();
  Options options = database_.options;
  options.read_only = true;
  const auto log = Log::silent();
  auto opened = Store::open(options, *log, clock_);
  ASSERT_TRUE(std::holds_alternative<std::unique_ptr<Store>>(opened)) << std::get<OpenError>(opened).message;
  Store& tool = *std::get<0>(opened);
  EXPECT_THAT(tool.tasks({})->items, SizeIs(1));
  create();
  EXPECT_THAT(tool.tasks({})->items, SizeIs(2));
  EXPECT_EQ(wait([&](auto done) { tool.set_setting("x", "1", done); }).error().code, ErrorCode::Unavailable);
}

// --- migrations

TEST_F(StoreFileTest, AStepOfTheSchemaAppliesToAnExistingDatabaseAfterACopy) {
  make_database();
  auto opened = Database::open(path(), Database::Mode::Write, "");
  Database& database = *std::get<0>(opened);
  std::vector<Migration> steps(migrations().begin(), migrations().end());
  steps.push_back({newest_version() + 1, "next", "ALTER TABLE setting ADD COLUMN extra TEXT"});
  const auto log = Log::silent();
  ASSERT_TRUE(migrate(database, path(), steps, *log).ok());
  EXPECT_EQ(database.integer("PRAGMA user_version"), newest_version() + 1);
  EXPECT_EQ(database.integer("SELECT count(extra) FROM setting"), 0);
  EXPECT_TRUE(database.check().ok());

  database_.options.path = path().string() + ".before-v" + std::to_string(newest_version() + 1);
  EXPECT_THAT(titles(), SizeIs(1)) << "the copy is whole and of the old schema";
}

TEST_F(StoreFileTest, AStepThatFailsLeavesTheDatabaseAsItWas) {
  make_database();
  {
    auto opened = Database::open(path(), Database::Mode::Write, "");
    std::vector<Migration> steps(migrations().begin(), migrations().end());
    steps.push_back({newest_version() + 1, "broken", "CREATE TABLE more (x INTEGER); SELECT nonsense"});
    const auto log = Log::silent();
    EXPECT_THAT(migrate(*std::get<0>(opened), path(), steps, *log).error().message, HasSubstr("broken"));
  }
  EXPECT_THAT(titles(), SizeIs(1));
}

TEST_F(StoreFileTest, WhatWaitsInADatabaseWithoutLinesAndApprovalsGoesOnInOneThatHasThem) {
  write_text(path(), "");
  {
    auto opened = Database::open(path(), Database::Mode::Write, "");
    Database& database = *std::get<0>(opened);
    const auto log = Log::silent();
    ASSERT_TRUE(migrate(database, path(), migrations().first(5), *log).ok());
    // Of one entity one runs, one is blocked and one is done; beside them one that waits for a person.
    database.execute(R"(
      INSERT INTO task (row, id, state, blocked, entity, needs_approval, finished_at, execution, attempt, agent, rank,
                        run_at, max_retries, crashes, created_at, updated_at, chain_depth, task_type, source, title)
        SELECT column1, CAST(printf('%016d', column1) AS BLOB), column2, column3, column4, column5, column6, column7,
               column7 > 0, 'planner', 0, 1, 3, 0, 1, 77, 1, '', 'github', 'number ' || column1
          FROM (VALUES (1, 3, 0, 'github:o/n#1', 0, 5, 1), (2, 1, 0, 'github:o/n#1', 0, NULL, 2),
                       (3, 0, 1, 'github:o/n#1', 0, NULL, 0), (4, 2, 0, NULL, 1, NULL, 0));
      INSERT INTO task_body (row, payload) SELECT row, '{}' FROM task;
      INSERT INTO execution (row, task, session, attempt, started_at, ended_at, success, agent, outcome)
        VALUES (1, 1, x'01', 1, 1, 5, 1, 'planner', 'completed'), (2, 2, x'02', 1, 1, NULL, 0, 'planner', 'running'))");
    ASSERT_TRUE(database.check().ok());
  }
  const std::vector<ClaimedTask> claimed = claim();
  ASSERT_THAT(claimed, SizeIs(1)) << "of an entity one at a time";
  EXPECT_EQ(claimed[0].title, "number 3");
  const std::string waiting = store().tasks({.state = TaskState::AwaitingApproval})->items.at(0).task_id;
  expect_sound();
  EXPECT_EQ(approve(waiting).value(), TaskState::Queued);
  EXPECT_THAT(claim(), SizeIs(1));
  ASSERT_TRUE(finish(finish_of(claimed[0].fence)).ok());
  EXPECT_EQ(claim_one().title, "number 2") << "its turn has come";
  EXPECT_EQ(store().agent_stats("planner")->at(0).outcomes.at("completed"), 2)
      << "the old one is booked as well";
  expect_sound();
}

// --- commits

TEST_F(StoreFileTest, WritesThatWaitTogetherShareACommit) {
  std::promise<void> gate;
  std::shared_future<void> open(gate.get_future());
  store().set_setting("gate", "1", [open](Result<>) { open.wait(); });
  const std::uint64_t before = store().writer_stats().commits;
  std::atomic<int> left = 100;
  std::promise<void> all;
  for (int i = 0; i < 100; ++i) {
    store().accept(new_delivery(std::to_string(i)), [&](Result<Accepted> accepted) {
      EXPECT_TRUE(accepted.ok());
      if (--left == 0) all.set_value();
    });
  }
  gate.set_value();
  all.get_future().wait();
  EXPECT_LE(store().writer_stats().commits - before, 2u);
  EXPECT_THAT(titles({.limit = 500}), SizeIs(100));
}

TEST_F(StoreFileTest, ListenersHearOfAChangeAfterItsCommit) {
  std::vector<std::string> heard;
  std::size_t writes = 0;
  store().on_change([&](const std::vector<Change>& changes) {
    for (const Change& change : changes) {
      if (change.kind != Change::Kind::TaskQueued) continue;
      EXPECT_TRUE(store().task(change.id).ok()) << "told before it can be read";
      heard.push_back(change.id);
    }
  });
  store().on_commit([&](std::chrono::microseconds, std::size_t count) { writes += count; });
  const std::string id = create();
  EXPECT_THAT(heard, ElementsAre(id));
  EXPECT_EQ(writes, 1u);
}

TEST_F(StoreFileTest, AChangeSaysWhatIsKnownOfItsTaskAndItsExecution) {
  std::vector<std::string> heard;
  store().on_change([&](const std::vector<Change>& changes) {
    for (const Change& change : changes) {
      const char* kind = change.kind == Change::Kind::TaskQueued         ? "queued"
                         : change.kind == Change::Kind::TaskChanged      ? "task"
                         : change.kind == Change::Kind::ExecutionChanged ? "execution"
                         : change.kind == Change::Kind::DeliveriesRefused ? "refused"
                                                                          : "other";
      heard.push_back(std::string(kind) + " " + change.id + " " +
                      std::string(change.state ? to_string(*change.state) : "-") + " " + change.session);
    }
  });
  const auto told = [&] { return std::exchange(heard, {}); };
  const std::string id = create();
  EXPECT_THAT(told(), ElementsAre("queued " + id + " queued "));
  const ClaimedTask claimed = claim_one();
  const std::string& session = claimed.session_id;
  EXPECT_THAT(told(), ElementsAre("task " + id + " running " + session));
  LiveReport report{.fence = claimed.fence, .task_id = id, .session_id = session};
  report.transcript.lines.push_back({"text", "a line", clock_.wall()});
  ASSERT_TRUE(wait([&](auto done) { store().report({report, {.fence = claimed.fence}}, done); }).ok());
  EXPECT_THAT(told(), ElementsAre("execution " + id + " - " + session)) << "an unnamed report is told to nobody";
  ASSERT_TRUE(wait([&](auto done) {
                store().keep_artifact(claimed.fence, {"plan.txt", "text/plain", "1. read"}, done);
              }).ok());
  EXPECT_THAT(told(), ElementsAre("execution " + id + " - " + session));
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  EXPECT_THAT(told(), ElementsAre("task " + id + " completed "));
  EXPECT_FALSE(wait([&](auto done) {
                 store().keep_artifact(claimed.fence, {"late.txt", "text/plain", ""}, done);
               }).ok());
  EXPECT_THAT(told(), IsEmpty());
  ASSERT_TRUE(wait([&](auto done) {
                store().note_refusals({{"github", "bad_signature", 1, clock_.wall(), clock_.wall(), {}}}, done);
              }).ok());
  EXPECT_THAT(told(), ElementsAre("refused  - "));
}

TEST_F(StoreFileTest, RenewingALeaseCostsNoCommit) {
  create();
  const ClaimedTask claimed = claim_one();
  const std::uint64_t before = store().writer_stats().commits;
  renew({claimed.fence});
  EXPECT_EQ(store().writer_stats().commits, before);
}

TEST_F(StoreFileTest, TheLogStaysBoundedUnderWrites) {
  std::string body(50'000, 'x');
  for (int i = 0; i < 400; ++i) {  // 20 MB
    NewDelivery delivery = new_delivery(std::to_string(i));
    delivery.body = body;
    ASSERT_TRUE(accept(delivery).ok());
  }
  EXPECT_LT(fs::file_size(path().string() + "-wal"), 8u << 20);
}

TEST_F(StoreFileTest, ReadersSeeWholeCommitsWhileTheWriterWrites) {
  store();
  std::atomic<bool> stop = false;
  std::thread sender([&] {
    for (int i = 0; i < 150; ++i) EXPECT_TRUE(accept(new_delivery(std::to_string(i), 4)).ok());
    stop = true;
  });
  std::size_t reads = 0;
  while (!stop) {
    // Four tasks come with each delivery: never a part of them.
    const Page<TaskSummary> page = store().tasks({.limit = 500}).value();
    const std::size_t count = page.items.size();
    EXPECT_EQ(count % 4, 0u) << count;
    ++reads;
  }
  sender.join();
  EXPECT_GT(reads, 0u);
}

TEST_F(StoreFileTest, BackupIsAWholeDatabaseOfItsOwn) {
  create();
  const fs::path copy = database_.folder() / "backup.db";
  ASSERT_TRUE(store().backup(copy).ok());
  create();
  EXPECT_EQ(store().backup(copy).error().code, ErrorCode::Conflict);
  EXPECT_EQ(static_cast<unsigned>(fs::status(copy).permissions()), 0600u);
  EXPECT_THAT(verify(copy).value(), IsEmpty());
  database_.options.path = copy;
  database_.close();
  EXPECT_THAT(titles(), SizeIs(1));
}

// --- verify

TEST_F(StoreFileTest, VerifyNamesWhatIsWrongInTheBooks) {
  const struct {
    const char* damage;
    const char* sentence;
  } cases[] = {
      {"UPDATE task SET state = 1", "running without exactly one open execution"},
      {"UPDATE task SET state = 3, finished_at = 1", "completed without a successful execution"},
      {"UPDATE task SET state = 5", "final without a time of end"},
      {"UPDATE task SET state = 9", "of no known state"},
      {"DELETE FROM task_body", "without its body: task"},
      {"DELETE FROM delivery_body", "without its body: delivery"},
      {"DELETE FROM delivery_key", "without its key"},
      {"UPDATE delivery SET key = 'other'", "key does not belong to its delivery"},
      {"DELETE FROM task", "which is not stored"},
      {"UPDATE delivery SET verdict = 3", "deferred without a time"},
      {"INSERT INTO execution (task, session, attempt, started_at, agent, outcome)"
       " SELECT row, zeroblob(16), 1, 1, agent, 'running' FROM task",
       "with an open execution"},
      {"INSERT INTO task_body (row, payload) VALUES (77, '{}')", "belongs to nothing"},
      {"UPDATE task SET state = 5, finished_at = 1, hold = 1", "held back though it is not queued"},
      {"UPDATE task SET state = 2", "waits for approval without a note"},
      {"INSERT INTO approval (task, asked_at) SELECT row, 1 FROM task", "or the reverse"},
      {"INSERT INTO execution (task, session, attempt, started_at, ended_at, agent, outcome, "
       "reserved_micro_usd)"
       " SELECT row, zeroblob(16), 1, 1, 1, agent, 'failed', 5 FROM task",
       "with money still set aside"},
      {"UPDATE task SET blocked = 1, line = 'a'", "blocked by nothing"},
  };
  ASSERT_TRUE(accept(new_delivery("a")).ok());
  database_.close();
  EXPECT_THAT(verify(path()).value(), IsEmpty());
  const std::string sound = read_bytes(path());
  for (const auto& [damage, sentence] : cases) {
    write_text(path(), sound);
    execute(path(), damage);
    EXPECT_THAT(verify(path()).value(), ::testing::Contains(HasSubstr(sentence))) << damage;
  }
}

TEST_F(StoreFileTest, VerifyRefusesWhatIsNotADatabase) {
  write_text(path(), std::string(8'192, 'x'));
  EXPECT_FALSE(verify(path()).ok());
  EXPECT_FALSE(verify(path().string() + ".none").ok());
}

// --- failures while running

TEST_F(StoreFileTest, ARemovedFileIsNoticedAndWorksAgainWhenItIsBack) {
  create();
  const fs::path aside = path().string() + ".aside";
  fs::rename(path(), aside);
  EXPECT_EQ(accept(new_delivery("a")).error().code, ErrorCode::Unavailable);
  EXPECT_THAT(store().health().error().message, HasSubstr("removed or replaced"));
  write_text(path(), read_bytes(aside));
  EXPECT_EQ(accept(new_delivery("a")).error().code, ErrorCode::Unavailable) << "a copy is not the original";
  fs::remove(path());
  fs::rename(aside, path());
  EXPECT_TRUE(accept(new_delivery("a")).ok());
  EXPECT_TRUE(store().health().ok());
  expect_sound();
}

TEST_F(StoreFileTest, ARemovedLogIsNoticed) {
  create();
  fs::remove(path().string() + "-wal");
  EXPECT_EQ(accept(new_delivery("a")).error().code, ErrorCode::Unavailable);
  EXPECT_FALSE(store().health().ok());
}

// The limit on the size of files stands for a full disk: writes fail in the middle of a commit.
class FullDisk {
 public:
  explicit FullDisk(std::uintmax_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(StoreFileTest, AFullDiskLosesNothingAcknowledgedAndHealsByItself) {
  std::vector<std::string> acknowledged;
  int refused = 0;
  const std::string running = create();
  const ClaimedTask claimed = claim_one();
  {
    FullDisk disk(fs::file_size(path().string() + "-wal") + 300'000);
    for (int i = 0; i < 60; ++i) {
      NewDelivery delivery = new_delivery("full " + std::to_string(i), 1);
      delivery.body = std::string(20'000, 'x');
      const Result<Accepted> accepted = accept(delivery);
      if (accepted.ok()) {
        acknowledged.push_back(accepted->delivery_id);
      } else {
        EXPECT_EQ(accepted.error().code, ErrorCode::Unavailable);
        ++refused;
      }
    }
    EXPECT_GT(acknowledged.size(), 0u);
    EXPECT_GT(refused, 0);
    EXPECT_FALSE(store().health().ok());
  }
  const Result<Accepted> after = accept(new_delivery("after"));
  ASSERT_TRUE(after.ok()) << after.error().message;
  EXPECT_TRUE(store().health().ok());
  for (const std::string& id : acknowledged) EXPECT_TRUE(store().delivery(id).ok());
  EXPECT_TRUE(finish(finish_of(claimed.fence)).ok()) << "a lease outlives the trouble";
  database_.close();
  for (const std::string& id : acknowledged) EXPECT_TRUE(store().delivery(id).ok());
  expect_sound();
}

TEST_F(StoreFileTest, WithoutWritesAskingForHealthHealsIt) {
  create();
  {
    FullDisk disk(1'000);
    EXPECT_FALSE(accept(new_delivery("a")).ok());
    EXPECT_FALSE(store().health().ok());
  }
  // Each look lets the writer try again; one look later it has.
  for (int looks = 0; looks < 1'000 && !store().health().ok(); ++looks) {
    renew({});
  }
  EXPECT_TRUE(store().health().ok());
}

// --- sudden death

// A child that stores deliveries as fast as it can and writes the id of each to the pipe once it is
// acknowledged.
[[noreturn]] void store_until_killed(const Options& options, int pipe, int round) {
  const auto log = Log::silent();
  const SystemClock clock;
  auto opened = Store::open(options, *log, clock);
  if (std::holds_alternative<OpenError>(opened)) ::_exit(3);
  Store& store = *std::get<0>(opened);
  std::vector<std::thread> senders;
  for (int thread = 0; thread < 4; ++thread) {
    senders.emplace_back([&, thread] {
      for (int i = 0;; ++i) {
        NewDelivery delivery;
        delivery.id = new_id();
        delivery.webhook = "github";
        delivery.delivery_key =
            std::to_string(round) + "." + std::to_string(thread) + "." + std::to_string(i);
        delivery.body = std::string(3'000, 'x');
        delivery.verdict = Verdict::Queued;
        NewTask task;
        task.agent = "planner";
        delivery.answer.tasks.push_back(task);
        const std::string id = delivery.id;
        if (!wait<Accepted>([&](auto done) { store.accept(std::move(delivery), done); }).ok()) ::_exit(4);
        if (::write(pipe, id.data(), id.size()) != static_cast<ssize_t>(id.size())) ::_exit(5);
        if (i % 3 == 0) {
          store.claim({.agents = {{"planner", 2}}}, nullptr);
        }
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  ::_exit(0);
}

TEST_F(StoreFileTest, WhatWasAcknowledgedIsThereAfterKills) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  make_database();
  std::vector<std::string> acknowledged;
  for (int round = 0; round < 20; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      store_until_killed(database_.options, ends[1], round);
    }
    ::close(ends[1]);
    // Killed in the middle of things: after a random number of acknowledgements.
    const std::size_t enough = acknowledged.size() + 1 + random() % 60;
    std::string id(36, ' ');
    while (::read(ends[0], id.data(), id.size()) == static_cast<ssize_t>(id.size())) {
      acknowledged.push_back(id);
      if (acknowledged.size() == enough) ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "exit " << WEXITSTATUS(status);
    expect_sound();
  }
  for (const std::string& id : acknowledged) {
    const Result<DeliveryDetail> delivery = store().delivery(id);
    ASSERT_TRUE(delivery.ok()) << id << " was acknowledged and is lost";
    EXPECT_THAT(delivery->delivery.task_ids, SizeIs(1));
  }
  EXPECT_THAT(titles({.state = TaskState::Running}), IsEmpty()) << "running, and nobody runs it";
  expect_sound();
}

}  // namespace
}  // namespace davit::store

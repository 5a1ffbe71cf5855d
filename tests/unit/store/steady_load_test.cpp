// A day of steady work in a few seconds: the database stays as large as what it keeps.
#include <sys/vfs.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

constexpr Duration kHour{3'600'000};
constexpr Duration kTick{40'000};
constexpr int kTasksATick = 10;  // 0.25 a second
constexpr int kPruneEachTicks = 15;

// Where a sync costs nothing, if there is such a place.
std::filesystem::path fast_folder() {
  struct statfs info {};
  if (::statfs("/dev/shm", &info) == 0 &&
      info.f_bavail > (256u << 20) / static_cast<std::uint64_t>(info.f_bsize))
    return "/dev/shm";
  return std::filesystem::temp_directory_path();
}

// The machine's life at a constant rate: each tick some deliveries become tasks, which are run with a
// transcript, and each ten minutes what is older than an hour may go.
class SteadyLoad {
 public:
  explicit SteadyLoad(Duration keep) : keep_(keep) {
    database_.store().on_prune([this](std::int64_t, std::int64_t tasks) { pruned_ += tasks; });
  }

  // Bytes of file and log after so many more hours.
  std::uintmax_t after(int hours) {
    const auto ticks = static_cast<int>(hours * kHour / kTick);
    for (int i = 0; i < ticks && !::testing::Test::HasFatalFailure(); ++i) tick();
    const std::filesystem::path& path = database_.path();
    return std::filesystem::file_size(path) + std::filesystem::file_size(path.string() + "-wal");
  }
  std::int64_t pruned() const { return pruned_; }
  const std::filesystem::path& path() { return database_.path(); }
  void close() { database_.close(); }

 private:
  void tick() {
    Store& store = database_.store();
    clock_.advance(kTick);
    for (int i = 0; i < kTasksATick; ++i) {
      NewDelivery delivery;
      delivery.id = new_id();
      delivery.webhook = "github";
      delivery.request_id = new_id();
      delivery.delivery_key = delivery.id;
      delivery.method = "POST";
      delivery.path = "/webhooks/github";
      delivery.body = std::string(3'000 + 500 * static_cast<std::size_t>(i), 'b');
      delivery.received_at = clock_.wall();
      delivery.verdict = Verdict::Queued;
      NewTask task;
      task.agent = "planner";
      task.title = "Look into it";
      task.payload = std::string(2'000, 'p');
      delivery.answer.tasks.push_back(std::move(task));
      store.accept(std::move(delivery), nullptr);
    }
    const auto claimed = wait<std::vector<ClaimedTask>>([&](auto done) {
      store.claim({.agents = {{"planner", kTasksATick}}, .limit = kTasksATick}, done);
    });
    ASSERT_TRUE(claimed.ok());
    ASSERT_EQ(claimed->size(), static_cast<std::size_t>(kTasksATick));
    std::vector<LiveReport> reports;
    for (const ClaimedTask& task : *claimed) {
      LiveReport report;
      report.fence = task.fence;
      for (int i = 0; i < 12; ++i)
        report.transcript.lines.push_back(
            {"assistant", std::string(60 + 40 * static_cast<std::size_t>(i), 't')});
      reports.push_back(std::move(report));
    }
    store.report(std::move(reports), nullptr);
    Result<TaskState> finished = TaskState::Running;
    for (const ClaimedTask& task : *claimed) {
      Finish finish;
      finish.fence = task.fence;
      finish.outcome = "completed";
      finish.result.success = true;
      finish.result.output = R"({"done":true})";
      finish.result.usage.cost_micro_usd = 1'000;
      if (task.fence == claimed->back().fence) {
        finished = wait<TaskState>([&](auto done) { store.finish(std::move(finish), done); });
      } else {
        store.finish(std::move(finish), nullptr);
      }
    }
    ASSERT_TRUE(finished.ok());
    ++ticks_;
    if (ticks_ % kPruneEachTicks == 0) prune();
  }

  // The writer removes it on its own, a step at a time with rests between; who asks again spares it the rest,
  // for a simulated hour is shorter than they are.
  void prune() {
    if (keep_ == Duration(0)) return;
    // Of what began and ended in a tick that is older.
    const std::int64_t expired = ticks_ - keep_ / kTick - 1;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    do {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << "what is old does not go";
      database_.store().set_retention({.keep = keep_});
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    } while (pruned_ < expired * kTasksATick);
  }

  const Duration keep_;
  FakeClock clock_;
  TempDatabase database_{clock_, fast_folder()};
  std::atomic<std::int64_t> pruned_{0};
  std::int64_t ticks_ = 0;
};

TEST(SteadyLoadTest, ADayOfSteadyWorkTakesNoMoreRoomThanItsFirstHours) {
  SteadyLoad load(kHour);
  const std::uintmax_t after_three = load.after(3);
  const std::uintmax_t after_a_day = load.after(21);
  RecordProperty("bytes_after_3_h", static_cast<int>(after_three));
  RecordProperty("bytes_after_24_h", static_cast<int>(after_a_day));
  EXPECT_LE(after_a_day, after_three + after_three / 5);
  EXPECT_GT(load.pruned(), 20'000);
  load.close();
  EXPECT_THAT(verify(load.path()).value(), ::testing::IsEmpty());
}

TEST(SteadyLoadTest, WithoutARetentionItGrowsAndThatIsSeen) {
  SteadyLoad load(Duration(0));
  const std::uintmax_t after_three = load.after(3);
  EXPECT_GT(load.after(3), after_three + after_three / 5);
}

}  // namespace
}  // namespace davit::store

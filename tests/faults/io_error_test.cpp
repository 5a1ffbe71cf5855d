// FT-03: the first, second, third … system call of a kind on the database's files fails, until none is left
// to fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/faults/disk_model.h"
#include "tests/faults/driver_promises.h"
#include "tests/faults/echo_host.h"
#include "tests/faults/lane.h"
#include "tests/faults/traced_program.h"
#include "tests/support/temp_database.h"

namespace davit::faults {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::RunningHost;
using testing::TempFolder;

constexpr char kDriver[] = DAVIT_BUILD_DIR "/tests/faults/store_driver";
constexpr int kDoesNotOpen = 20;

struct Fault {
  const char* call;
  const char* error;
};
constexpr Fault kFaults[] = {{"fdatasync", "EIO"},   {"fsync", "EIO"},       {"pwrite64", "EIO"},
                             {"pwrite64", "ENOSPC"}, {"pwrite64", "EDQUOT"}, {"ftruncate", "EIO"},
                             {"openat", "EMFILE"},   {"mmap", "ENOMEM"},     {"unlink", "EIO"}};

std::string injection(const Fault& fault, const std::string& when) {
  return std::string("inject=") + fault.call + ":error=" + fault.error + ":when=" + when;
}

// The words that make a call fail where it concerns the files of a database.
std::vector<std::string> failing(const Fault& fault, const std::string& when, const fs::path& database,
                                 const fs::path& log) {
  std::vector<std::string> words{"strace",      "-f", "--seccomp-bpf", "-qq", "-e",
                                 "signal=none", "-o", log.string()};
  for (const std::string& more : {"trace=" + std::string(fault.call), injection(fault, when)})
    words.insert(words.end(), {"-e", more});
  for (const char* suffix : {"", "-wal", "-shm", "-journal", ".lock"})
    words.insert(words.end(), {"-P", database.string() + suffix});
  words.insert(words.end(), {"-P", database.parent_path().string()});
  return words;
}

bool was_hit(const fs::path& log) {
  return read_file(log, 1u << 30).value().find("(INJECTED)") != std::string::npos;
}

struct Tally {
  int faults = 0;
  int acknowledged = 0;
  int refused = 0;
  int did_not_open = 0;
};
std::ostream& operator<<(std::ostream& out, const Tally& tally) {
  return out << tally.faults << " faults: " << tally.acknowledged << " acknowledged, " << tally.refused
             << " refused, " << tally.did_not_open << " times not opened";
}

class IoErrorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(can_trace(folder_.path()));
    fs::create_directories(kept_);
  }
  // A database that has been in use and was not closed: the next start has work to do.
  void keep_database() {
    ASSERT_EQ(run_to_end({kDriver, database_.string(), "batches=2", "dies"}, folder_.path() / "said"),
              -SIGKILL);
    fs::copy(data_, kept_, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  }
  void begin_anew() {
    fs::remove_all(data_);
    fs::create_directories(data_);
    fs::copy(kept_, data_, fs::copy_options::recursive);
  }
  // What is wrong after a run of the driver that ended with `status`, and then with the next run.
  std::vector<std::string> judge(int status, Tally& tally) {
    std::vector<std::string> wrong;
    const DriverPromises promises(folder_.path() / "said");
    ++tally.faults;
    tally.acknowledged += static_cast<int>(promises.deliveries.count());
    tally.refused += promises.refused;
    tally.did_not_open += status == kDoesNotOpen ? 1 : 0;
    if (status != 0 && status != kDoesNotOpen) wrong.push_back("it ended with " + std::to_string(status));
    if (promises.any()) {
      const auto broken = promises.broken(Books::read(database_));
      wrong.insert(wrong.end(), broken.begin(), broken.end());
    }
    if (run_to_end({kDriver, database_.string(), "batches=1"}, folder_.path() / "said") != 0)
      wrong.push_back("afterwards it does not open: " + read_file(folder_.path() / "said").value());
    if (DriverPromises(folder_.path() / "said").deliveries.count() != 3)
      wrong.push_back("afterwards it does not accept");
    return wrong;
  }
  // Fails the N-th call, or all from the N-th on, for every N (every `stride`-th in the quick lane, where
  // there are many). Every thread counts for itself.
  void sweep(const Fault& fault, const std::string& and_more, Tally& tally) {
    const int stride = std::string_view(fault.call) == "pwrite64" ? trials(7, 1) : 1;
    for (int number = luck_.between(1, stride);; number += stride) {
      const std::string when = std::to_string(number) + and_more;
      SCOPED_TRACE(injection(fault, when));
      begin_anew();
      std::vector<std::string> words = failing(fault, when, database_, folder_.path() / "log");
      words.insert(words.end(), {kDriver, database_.string(), "opens=2", "batches=2"});
      const int status = run_to_end(words, folder_.path() / "said");
      if (!was_hit(folder_.path() / "log")) break;
      const auto wrong = judge(status, tally);
      ASSERT_THAT(wrong, IsEmpty()) << join(wrong);
    }
  }

  Luck luck_;
  TempFolder folder_{"/dev/shm"};  // in memory: what fails, fails by injection
  const fs::path data_ = folder_.path() / "data";
  const fs::path kept_ = folder_.path() / "kept";
  const fs::path database_ = data_ / "davit.db";
};

TEST_F(IoErrorTest, NoFailedCallLosesWhatWasAcknowledged) {
  begin_anew();
  keep_database();
  Tally tally;
  for (const Fault& fault : kFaults) {
    for (const char* and_more : {"", "+"}) ASSERT_NO_FATAL_FAILURE(sweep(fault, and_more, tally));
  }
  EXPECT_GT(tally.refused, 0);
  EXPECT_GT(tally.did_not_open, 0);
  std::cout << tally << std::endl;
}

TEST_F(IoErrorTest, NoFailedCallSpoilsAFirstStart) {
  Tally tally;
  for (const Fault& fault : kFaults) {
    const int before = tally.faults;
    ASSERT_NO_FATAL_FAILURE(sweep(fault, "", tally));
    EXPECT_GT(tally.faults, before) << fault.call << " never failed with " << fault.error;
  }
  std::cout << tally << std::endl;
}

TEST_F(IoErrorTest, AnAcknowledgementBeforeTheAnswerIsCaught) {
  begin_anew();
  keep_database();
  begin_anew();
  std::vector<std::string> words = failing({"pwrite64", "EIO"}, "40+", database_, folder_.path() / "log");
  words.insert(words.end(), {kDriver, database_.string(), "batches=4", "hasty"});
  run_to_end(words, folder_.path() / "said");
  Tally tally;
  EXPECT_THAT(judge(0, tally), Contains(HasSubstr("is lost"))) << "this test would not notice losses";
}

// After a sync that failed, the kernel forgets what it could not write. So the power is cut once the run is
// over: what was acknowledged must not rest on those pages.
class FailedSyncTest : public IoErrorTest {
 protected:
  // The faults in whose runs something acknowledged rests on forgotten pages.
  int runs_with_losses(const std::vector<std::string>& driver_options, int& faults, std::string& first) {
    int losses = 0;
    for (int number = 1;; ++number) {
      begin_anew();
      DiskModel disk(data_);
      std::vector<std::string> words = recording_to(folder_.path() / "log");
      words.insert(words.end(), {"-e", injection({"fdatasync", "EIO"}, std::to_string(number)), kDriver,
                                 database_.string(), "opens=2", "batches=6"});
      words.insert(words.end(), driver_options.begin(), driver_options.end());
      run_to_end(words, folder_.path() / "said");
      if (!was_hit(folder_.path() / "log")) return losses;
      ++faults;
      DriverPromises promises;
      const WriteLog log(folder_.path() / "log", data_);
      for (std::size_t i = 0; i < log.events().size(); ++i) {
        disk.apply(log.events()[i], i);
        if (log.events()[i].kind == DiskEvent::Kind::Said) promises.hear(log.events()[i].bytes);
      }
      for (const Cut how : {Cut::LosesAll, Cut::LosesNothing}) {
        fs::remove_all(data_);
        fs::create_directories(data_);
        for (const auto& [name, content] : disk.cut(how, luck_)) std::ofstream(data_ / name) << content;
        const auto broken =
            promises.any() ? promises.broken(Books::read(database_)) : std::vector<std::string>();
        if (broken.empty()) continue;
        ++losses;
        if (first.empty()) first = "sync " + std::to_string(number) + ": " + broken.front();
        break;
      }
    }
  }
};

TEST_F(FailedSyncTest, NothingAcknowledgedRestsOnPagesThatWereNotWritten) {
  begin_anew();
  keep_database();
  int faults = 0;
  std::string first;
  EXPECT_EQ(runs_with_losses({}, faults, first), 0) << first;
  EXPECT_GT(faults, 10);
  std::cout << faults << " failed syncs, none believed" << std::endl;
}

TEST_F(FailedSyncTest, ASyncThatIsTriedAgainAndBelievedIsCaught) {
  begin_anew();
  keep_database();
  int faults = 0;
  std::string first;
  EXPECT_GT(runs_with_losses({"stubborn"}, faults, first), 0) << "this test would not notice losses";
  std::cout << faults << " failed syncs tried again, " << first << std::endl;
}

// The whole host, under load: it refuses while calls fail and serves again by itself.
TEST(HostIoErrorTest, TheHostOutlivesFailedCalls) {
  Luck luck;
  int failed_starts = 0, served = 0, hits = 0;
  std::size_t total = 0;
  const int rounds = trials(8, 300);
  for (int round = 0; round < rounds; ++round) {
    RunningHost host;
    ASSERT_TRUE(can_trace(host.folder()));
    make_echo_host(host);
    const fs::path database = host.folder() / "davit.db";
    // The first is sure to be hit: a write of a delivery.
    const Fault& fault = kFaults[round == 0 ? 3 : luck.between(0, static_cast<int>(std::size(kFaults)) - 1)];
    const int first = luck.between(1, std::string_view(fault.call) == "pwrite64" ? 200 : 20);
    const std::string when = std::to_string(first) + ".." + std::to_string(first + luck.between(0, 15));
    SCOPED_TRACE(injection(fault, when));
    host.run_under = failing(fault, when, database, host.folder() / "strace");
    host.run_under.insert(host.run_under.begin() + 1,
                          "-D");  // so that the process that is started becomes the host
    host.environment["ASAN_OPTIONS"] = asan_options_under_strace();
    Acknowledged acknowledged;
    if (host.start()) {
      ++served;
      Senders senders(host.port(), 4, "r", acknowledged);
      EXPECT_TRUE(acknowledged.wait_for(60)) << "it does not serve again\n" << host.log();
      senders.stop();
      EXPECT_EQ(senders.surprises(), 0) << host.log();
      EXPECT_EQ(host.end(SIGTERM), 0) << host.log();
    } else {
      ++failed_starts;
      EXPECT_GT(host.exit_status(), 0) << host.log();
    }
    hits += was_hit(host.folder() / "strace") ? 1 : 0;
    if (acknowledged.count() > 0) {
      const auto broken = broken_promises(acknowledged, Books::read(database));
      EXPECT_THAT(broken, IsEmpty()) << join(broken) << host.log();
    }
    host.run_under.clear();
    ASSERT_TRUE(host.start()) << host.log();
    EXPECT_EQ(deliver(host.port(), "afterwards").status, 202) << host.log();
    total += acknowledged.count();
  }
  EXPECT_GT(hits, 0);
  std::cout << rounds << " hosts, " << hits << " with failed calls, " << failed_starts
            << " refused to start, " << total << " acknowledged, none lost" << std::endl;
}

}  // namespace
}  // namespace davit::faults

// FT-04: the disk runs full and gets space again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/faults/hasty_front.h"
#include "tests/faults/lane.h"
#include "tests/faults/private_mounts.h"

namespace davit::faults {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::RunningHost;

constexpr std::chrono::seconds kLongestReturn{5};

// A file system of a few megabytes in memory, mounted over a folder.
class SmallDisk {
 public:
  explicit SmallDisk(fs::path folder, int megabytes) : folder_(std::move(folder)) {
    const std::string options = "mode=0700,size=" + std::to_string(megabytes) + "m";
    EXPECT_EQ(::mount("none", folder_.c_str(), "tmpfs", 0, options.c_str()), 0) << errno_text(errno);
  }
  ~SmallDisk() { ::umount2(folder_.c_str(), MNT_DETACH); }

  // Leaves `free_bytes` of it. The host may write meanwhile and take what was just counted: then it counts
  // again.
  void fill(std::size_t free_bytes) {
    const fs::path ballast = folder_ / "ballast";
    const UniqueFd fd(::open(ballast.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    int failure = ENOSPC;
    for (int tries = 0; failure == ENOSPC && tries < 1'000; ++tries) {
      const std::size_t free = fs::space(folder_).available;
      if (free <= free_bytes) return;
      failure = ::posix_fallocate(fd.number(), 0, static_cast<off_t>(free - free_bytes));
    }
    EXPECT_EQ(failure, 0) << errno_text(failure);
  }
  void empty() { fs::remove(folder_ / "ballast"); }

 private:
  const fs::path folder_;
};

// The answers of a host that has no space, and of one that has space again.
class FullDiskTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(enter_mount_namespace()); }

  // Delivers until the host refuses.
  test::RawAnswer deliver_until_refused(const std::string& name) {
    for (int number = 0; number < 20'000; ++number) {
      const std::string key = name + "." + std::to_string(number);
      const test::RawAnswer answer = deliver(host_.port(), key);
      if (answer.status != 202) return answer;
      acknowledged_.add(key, task_of(answer));
    }
    ADD_FAILURE() << "the disk does not get full";
    return {};
  }
  void expect_refusing(const std::string& name) {
    test::RawAnswer answer, ready;
    // A smaller write that still finds room, of a task that ends for example, makes the store ready once
    // more.
    for (int tries = 0; tries < 100 && ready.status != 503; ++tries) {
      answer = deliver_until_refused(name + "." + std::to_string(tries));
      ready = host_.request("GET", "/readyz");
    }
    EXPECT_EQ(answer.status, 503) << answer.body << host_.log();
    EXPECT_NE(answer.header("Retry-After"), "") << answer.head;
    EXPECT_EQ(ready.status, 503) << ready.body;
    EXPECT_NE(ready.header("Retry-After"), "");
    EXPECT_THAT(ready.body, HasSubstr("\"store\":\"store: "));
    EXPECT_EQ(host_.request("GET", "/healthz").status, 200) << "alive, though it refuses";
  }
  // By itself: nothing but the sender's next tries tells it.
  void expect_back(const std::string& name) {
    const auto since = std::chrono::steady_clock::now();
    for (int number = 0;; ++number) {
      const std::string key = name + "." + std::to_string(number);
      const test::RawAnswer answer = deliver(host_.port(), key);
      if (answer.status == 202) {
        acknowledged_.add(key, task_of(answer));
        break;
      }
      ASSERT_LT(std::chrono::steady_clock::now() - since, kLongestReturn) << answer.body << host_.log();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // as a sender waits before it tries again
    }
    EXPECT_EQ(host_.request("GET", "/readyz").status, 200);
  }
  void expect_kept() {
    const auto broken = broken_promises(acknowledged_, Books::read(host_.folder() / "davit.db"));
    EXPECT_THAT(broken, IsEmpty()) << join(broken);
  }

  Luck luck_;
  RunningHost host_;
  Acknowledged acknowledged_;
};

constexpr int kMegabytes = 96;  // the plugins lie on it as well

TEST_F(FullDiskTest, AFullDiskIs503UntilThereIsSpaceAgain) {
  // Database, log, work folders and loaded plugins, all on the disk that gets full.
  SmallDisk disk(host_.folder(), kMegabytes);
  fs::create_directories(host_.folder() / "plugins");
  fs::permissions(host_.folder() / "plugins", fs::perms::owner_all);
  host_.storage_options = ", min_free: 0B";  // whether it can write is asked here
  make_echo_host(host_);
  ASSERT_TRUE(host_.start()) << host_.log();
  const int rounds = trials(6, 60);
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    disk.fill(static_cast<std::size_t>(luck_.between(0, 1'000'000)));
    expect_refusing("full" + std::to_string(round));
    // In every second round it is killed and started while the disk is full: it refuses, or does not start.
    if (round % 2 == 1) {
      ASSERT_EQ(host_.end(SIGKILL), -SIGKILL);
      expect_kept();
      if (host_.start()) {
        expect_refusing("restarted" + std::to_string(round));
      } else {
        EXPECT_GT(host_.exit_status(), 0);
        disk.empty();
        ASSERT_TRUE(host_.start()) << host_.log();
      }
    }
    disk.empty();
    expect_back("back" + std::to_string(round));
  }
  EXPECT_EQ(host_.end(SIGTERM), 0) << host_.log();
  expect_kept();
  ASSERT_TRUE(host_.start()) << host_.log();
  EXPECT_EQ(deliver(host_.port(), "afterwards").status, 202);
  host_.end(SIGKILL);
  std::cout << rounds << " times full, " << acknowledged_.count() << " acknowledged, none lost" << std::endl;
}

TEST_F(FullDiskTest, ADiskThatGetsFullIsToldOfBeforeWritesFail) {
  SmallDisk disk(host_.folder(), kMegabytes);
  fs::create_directories(host_.folder() / "plugins");
  fs::permissions(host_.folder() / "plugins", fs::perms::owner_all);
  host_.storage_options = ", min_free: 8MiB";
  make_echo_host(host_);
  ASSERT_TRUE(host_.start()) << host_.log();
  EXPECT_EQ(host_.request("GET", "/readyz").status, 200);
  disk.fill(4u << 20);
  const test::RawAnswer low = host_.request("GET", "/readyz");
  EXPECT_EQ(low.status, 503);
  EXPECT_THAT(low.body, HasSubstr("\"disk\":\"only "));
  EXPECT_THAT(low.body, HasSubstr("\"store\":\"ok\""));
  EXPECT_EQ(deliver(host_.port(), "meanwhile").status, 202) << "it still fits";
  disk.empty();
  EXPECT_EQ(host_.request("GET", "/readyz").status, 200);
}

// Lets no file of the host grow over `bytes`; 0 takes the limit away.
void limit_files(pid_t host, std::size_t bytes) {
  rlimit limit{bytes == 0 ? RLIM_INFINITY : bytes, RLIM_INFINITY};
  EXPECT_EQ(::prlimit(host, RLIMIT_FSIZE, &limit, nullptr), 0) << errno_text(errno);
}

TEST_F(FullDiskTest, AQuotaOnFilesIs503UntilItIsRaised) {
  make_echo_host(host_);
  ASSERT_TRUE(host_.start()) << host_.log();
  const int rounds = trials(4, 60);
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    // The log of the database as well as its own: both end at the same size.
    limit_files(host_.pid(), fs::file_size(host_.folder() / "davit.db-wal") +
                                 static_cast<std::size_t>(luck_.between(0, 200'000)));
    expect_refusing("quota" + std::to_string(round));
    limit_files(host_.pid(), 0);
    expect_back("back" + std::to_string(round));
  }
  EXPECT_EQ(host_.end(SIGTERM), 0) << host_.log();
  expect_kept();
  std::cout << rounds << " quotas, " << acknowledged_.count() << " acknowledged, none lost" << std::endl;
}

TEST_F(FullDiskTest, AnAcknowledgementBeforeTheCommitIsCaught) {
  make_echo_host(host_);
  ASSERT_TRUE(host_.start()) << host_.log();
  limit_files(host_.pid(), 1'000);
  {
    HastyFront front(host_.port());
    Senders senders(front.port(), 2, "hasty", acknowledged_);
    EXPECT_TRUE(acknowledged_.wait_for(20));
    senders.stop();
  }
  host_.end(SIGKILL);
  EXPECT_FALSE(broken_promises(acknowledged_, Books::read(host_.folder() / "davit.db")).empty())
      << "this test would not notice lost deliveries";
}

}  // namespace
}  // namespace davit::faults

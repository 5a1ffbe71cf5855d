// FT-02: everything that a program on the store asks of the disk is recorded, and the power cut at every
// point of it.
#include <gtest/gtest.h>

#include "tests/faults/driver_promises.h"
#include "tests/faults/power_cut.h"

namespace davit::faults {
namespace {

using testing::TempFolder;

class PowerCutTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(can_trace(folder_.path())); }
  // A database that has been in use and was closed in order.
  void make_database() {
    std::filesystem::create_directories(folder_.path() / "data");
    ASSERT_EQ(run_to_end({DAVIT_BUILD_DIR "/tests/faults/store_driver",
                          (folder_.path() / "data/davit.db").string(), "batches=2"},
                         folder_.path() / "said"),
              0);
  }
  void expect_kept(const Recording& recording, int images) {
    const Damage damage = cut_power<DriverPromises>(recording, images, luck_);
    EXPECT_EQ(damage.lost + damage.damaged + damage.unusable, 0) << damage;
    EXPECT_GT(damage.images, images / 2);
    std::cout << recording.events.size() << " events, " << damage << std::endl;
  }
  TempFolder folder_;
  Luck luck_;
};

TEST_F(PowerCutTest, NothingAcknowledgedIsLostFromTheFirstStartOn) {
  expect_kept(record(folder_, "store_driver", {"opens=4", "batches=4"}), trials(2'700, 80'000));
}

TEST_F(PowerCutTest, NothingAcknowledgedIsLostWhileALongLogIsMovedIntoTheFile) {
  make_database();
  expect_kept(record(folder_, "store_driver", {"batches=30", "body=60000"}), trials(300, 20'000));
}

TEST_F(PowerCutTest, SynchronousNormalIsCaughtLosing) {
  make_database();
  const Damage damage = cut_power<DriverPromises>(
      record(folder_, "store_driver", {"opens=2", "batches=4", "durability=normal"}), 400, luck_);
  EXPECT_GT(damage.lost, 0) << "this test would not notice losses";
  EXPECT_EQ(damage.damaged, 0) << damage;
  std::cout << "synchronous=NORMAL, " << damage << std::endl;
}

TEST_F(PowerCutTest, SynchronousOffIsCaughtBreaking) {
  make_database();
  const Damage damage = cut_power<DriverPromises>(
      record(folder_, "store_driver", {"opens=4", "batches=4", "durability=off"}), 1'000, luck_);
  EXPECT_GT(damage.lost, 0) << damage;
  EXPECT_GT(damage.damaged, 0) << "this test would not notice damage: " << damage;
  std::cout << "synchronous=OFF, " << damage << std::endl;
}

}  // namespace
}  // namespace davit::faults

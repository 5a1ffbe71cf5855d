// FT-02: everything that a program on the store asks of the disk is recorded, and the power cut at every
// point of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/log.h"
#include "tests/faults/disk_model.h"
#include "tests/faults/driver_promises.h"
#include "tests/faults/lane.h"
#include "tests/faults/traced_program.h"
#include "tests/support/temp_database.h"

namespace davit::faults {
namespace {

using ::testing::IsEmpty;
using testing::TempFolder;

// A recorded run of the driver, beginning with what lay on the disk before.
struct Recording {
  DiskModel before;
  std::vector<DiskEvent> events;
};

Recording record(const TempFolder& folder, const std::vector<std::string>& driver_options) {
  const std::filesystem::path data = folder.path() / "data";
  std::filesystem::create_directories(data);
  Recording recording{DiskModel(data), {}};
  std::vector<std::string> words = recording_to(folder.path() / "log");
  words.push_back(DAVIT_BUILD_DIR "/tests/faults/store_driver");
  words.push_back((data / "davit.db").string());
  words.insert(words.end(), driver_options.begin(), driver_options.end());
  const int status = run_to_end(words, folder.path() / "said");
  EXPECT_EQ(status, 0) << read_file(folder.path() / "said").value();
  recording.events = WriteLog(folder.path() / "log", data).events();
  return recording;
}

struct Damage {
  int images = 0;
  int lost = 0;      // images in which a promise is broken
  int damaged = 0;   // images whose database is no longer sound
  int unusable = 0;  // images on which the store does not go on
  std::string first;
};

// One image, put on the disk and judged.
class Judge {
 public:
  Judge() { std::filesystem::create_directories(folder_.path() / "data"); }

  void look(const DiskModel::Image& image, const DriverPromises& promises, Damage& damage) {
    ++damage.images;
    const std::filesystem::path data = folder_.path() / "data";
    for (const auto& entry : std::filesystem::directory_iterator(data)) std::filesystem::remove(entry.path());
    for (const auto& [name, content] : image) std::ofstream(data / name, std::ios::binary) << content;
    if (promises.any()) {
      const Books books = Books::read(data / "davit.db");
      if (!books.damage.empty()) return note(damage.damaged, damage, books.damage);
      const auto broken = promises.broken(books);
      if (!broken.empty()) return note(damage.lost, damage, broken.front());
    }
    // Opening costs a sync or two, so not of every image that has shown to be sound.
    if (!promises.any() || damage.images % 25 == 0) go_on(data / "davit.db", damage);
  }

 private:
  // "Still accepts after."
  void go_on(const std::filesystem::path& path, Damage& damage) {
    store::Options options;
    options.path = path;
    options.create_if_missing = true;
    auto opened = store::Store::open(options, *log_, clock_);
    if (const auto* error = std::get_if<store::OpenError>(&opened))
      return note(damage.unusable, damage, error->message);
    store::NewDelivery delivery;
    delivery.id = new_id();
    delivery.webhook = "github";
    delivery.delivery_key = "after the cut";
    const auto accepted = testing::wait<store::Accepted>(
        [&](auto done) { std::get<0>(opened)->accept(std::move(delivery), done); });
    if (!accepted.ok()) note(damage.unusable, damage, accepted.error().message);
  }
  static void note(int& count, Damage& damage, const std::string& sentence) {
    ++count;
    if (damage.first.empty()) damage.first = sentence;
  }
  TempFolder folder_{"/dev/shm"};  // in memory: what an image holds is known, its syncs would be for nothing
  const std::unique_ptr<Log> log_ = Log::silent();
  const SystemClock clock_;
};

// Cuts the power at about `images` points in all, spread over the recording, in every way.
Damage cut_power(const Recording& recording, int images, Luck& luck) {
  Damage damage;
  Judge judge;
  DriverPromises promises;
  DiskModel disk = recording.before;
  const int at_each = std::max(1, images / static_cast<int>(recording.events.size() * std::size(kCuts)));
  // Where fewer images are asked for than there are points, each point gets its share by luck.
  const int chance = static_cast<int>(recording.events.size() * std::size(kCuts)) * at_each;
  for (std::size_t number = 0; number < recording.events.size(); ++number) {
    const DiskEvent& event = recording.events[number];
    disk.apply(event, number);
    if (event.kind == DiskEvent::Kind::Said) promises.hear(event.bytes);
    for (const Cut how : kCuts) {
      for (int again = 0; again < at_each; ++again) {
        if (luck.between(1, chance) <= images) judge.look(disk.cut(how, luck), promises, damage);
      }
    }
  }
  return damage;
}

std::ostream& operator<<(std::ostream& out, const Damage& damage) {
  return out << damage.images << " images: " << damage.lost << " with losses, " << damage.damaged
             << " damaged, " << damage.unusable << " unusable"
             << (damage.first.empty() ? "" : " (" + damage.first + ")");
}

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
    const Damage damage = cut_power(recording, images, luck_);
    EXPECT_EQ(damage.lost + damage.damaged + damage.unusable, 0) << damage;
    EXPECT_GT(damage.images, images / 2);
    std::cout << recording.events.size() << " events, " << damage << std::endl;
  }
  TempFolder folder_;
  Luck luck_;
};

TEST_F(PowerCutTest, NothingAcknowledgedIsLostFromTheFirstStartOn) {
  expect_kept(record(folder_, {"opens=4", "batches=4"}), trials(2'700, 80'000));
}

TEST_F(PowerCutTest, NothingAcknowledgedIsLostWhileALongLogIsMovedIntoTheFile) {
  make_database();
  expect_kept(record(folder_, {"batches=30", "body=60000"}), trials(300, 20'000));
}

TEST_F(PowerCutTest, SynchronousNormalIsCaughtLosing) {
  make_database();
  const Damage damage = cut_power(record(folder_, {"opens=2", "batches=4", "durability=normal"}), 400, luck_);
  EXPECT_GT(damage.lost, 0) << "this test would not notice losses";
  EXPECT_EQ(damage.damaged, 0) << damage;
  std::cout << "synchronous=NORMAL, " << damage << std::endl;
}

TEST_F(PowerCutTest, SynchronousOffIsCaughtBreaking) {
  make_database();
  const Damage damage = cut_power(record(folder_, {"opens=4", "batches=4", "durability=off"}), 1'000, luck_);
  EXPECT_GT(damage.lost, 0) << damage;
  EXPECT_GT(damage.damaged, 0) << "this test would not notice damage: " << damage;
  std::cout << "synchronous=OFF, " << damage << std::endl;
}

}  // namespace
}  // namespace davit::faults

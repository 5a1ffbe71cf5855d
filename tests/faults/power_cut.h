// The power cut at every point of what a program on the store asked of the disk.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "host/base/file.h"
#include "host/base/log.h"
#include "host/store/store.h"
#include "tests/faults/disk_model.h"
#include "tests/faults/lane.h"
#include "tests/faults/traced_program.h"
#include "tests/support/temp_database.h"

namespace davit::faults {

// A recorded run of the driver, beginning with what lay on the disk before.
struct Recording {
  DiskModel before;
  std::vector<DiskEvent> events;
};

// `driver` is a program of tests/faults that takes the database first.
inline Recording record(const testing::TempFolder& folder, const std::string& driver,
                        const std::vector<std::string>& driver_options) {
  const std::filesystem::path data = folder.path() / "data";
  std::filesystem::create_directories(data);
  Recording recording{DiskModel(data), {}};
  std::vector<std::string> words = recording_to(folder.path() / "log");
  words.push_back(DAVIT_BUILD_DIR "/tests/faults/" + driver);
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
  std::set<std::string> broken;  // all promises that were, once each
};

// One image, put on the disk and judged.
class Judge {
 public:
  Judge() { std::filesystem::create_directories(folder_.path() / "data"); }

  template <typename Promises>
  void look(const DiskModel::Image& image, const Promises& promises, Damage& damage) {
    ++damage.images;
    const std::filesystem::path data = folder_.path() / "data";
    for (const auto& entry : std::filesystem::directory_iterator(data)) std::filesystem::remove(entry.path());
    for (const auto& [name, content] : image) std::ofstream(data / name, std::ios::binary) << content;
    if (promises.any()) {
      const auto books = Promises::Books::read(data / "davit.db");
      if (!books.damage.empty()) return note(damage.damaged, damage, books.damage);
      const std::vector<std::string> broken = promises.broken(books);
      if (!broken.empty()) {
        damage.broken.insert(broken.begin(), broken.end());
        return note(damage.lost, damage, broken.front());
      }
    }
    // Opening, and all that is checked of a database, takes its time, so not of every image that has shown
    // to be sound.
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
    const auto findings = store::verify(path);
    if (!findings.ok()) return note(damage.unusable, damage, findings.error().message);
    if (!findings->empty()) return note(damage.damaged, damage, findings->front());
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
  testing::TempFolder folder_{
      "/dev/shm"};  // in memory: what an image holds is known, its syncs would be for nothing
  const std::unique_ptr<Log> log_ = Log::silent();
  const SystemClock clock_;
};

// Promises: what a driver said, with hear(line), any(), Books::read(path) and broken(books).
// Cuts the power at about `images` points in all, spread over the recording, in every way.
template <typename Promises>
Damage cut_power(const Recording& recording, int images, Luck& luck) {
  Damage damage;
  Judge judge;
  Promises promises;
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

inline std::ostream& operator<<(std::ostream& out, const Damage& damage) {
  return out << damage.images << " images: " << damage.lost << " with losses, " << damage.damaged
             << " damaged, " << damage.unusable << " unusable"
             << (damage.first.empty() ? "" : " (" + damage.first + ")");
}

}  // namespace davit::faults

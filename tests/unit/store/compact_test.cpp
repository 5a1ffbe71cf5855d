// Conformance: how a database gives its free pages back, and what keeps it as it is.
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "host/base/file.h"
#include "host/store/database.h"
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Duration kDay{86'400'000};
namespace fs = std::filesystem;

class CompactTest : public StoreTest {
 protected:
  std::string compact_fails(OpenFailure why) {
    const auto done = compact(database_.path());
    const OpenError* error = std::get_if<OpenError>(&done);
    if (error == nullptr) return "it was compacted";
    EXPECT_EQ(error->failure, why) << error->message;
    return error->message;
  }
  // Leaves a file that is mostly free pages.
  void fill_and_prune() {
    for (int i = 0; i < 40; ++i) {
      NewDelivery large = new_delivery("old " + std::to_string(i), 0);
      large.body = std::string(100'000, 'x');
      accept(large).value();
    }
    clock_.advance(2 * kDay);
    kept_ = accept(new_delivery("kept")).value().task_ids.at(0);
    store().set_retention({.keep = kDay});
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (store().deliveries({.limit = 500})->items.size() > 1 && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
  }
  std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(database_.folder()))
      names.push_back(entry.path().filename());
    return names;
  }
  std::string kept_;
};

TEST_F(CompactTest, WhatIsFreeIsGivenBackAndAllElseIsAsItWas) {
  fill_and_prune();
  const ClaimedTask before = claim_one();
  const DatabaseSize size = store().database_size().value();
  EXPECT_GT(size.free, size.used);
  EXPECT_GT(size.log, 0);
  database_.close();
  fs::permissions(database_.path(), fs::perms(0640));

  const auto done = compact(database_.path());
  ASSERT_TRUE(std::holds_alternative<Compacted>(done)) << std::get<OpenError>(done).message;
  const Compacted bytes = std::get<Compacted>(done);
  EXPECT_LT(bytes.bytes_after, bytes.bytes_before / 4);
  EXPECT_EQ(static_cast<std::int64_t>(fs::file_size(database_.path())), bytes.bytes_after);
  EXPECT_EQ(fs::status(database_.path()).permissions(), fs::perms(0640));
  EXPECT_THAT(files(), ::testing::UnorderedElementsAre("davit.db", "davit.db.lock"));

  expect_sound();
  EXPECT_EQ(task(kept_).executions.at(0).outcome, "lost") << "its host is gone";
  EXPECT_GT(claim_one().fence.number, before.fence.number) << "the number of a fence never comes again";
  EXPECT_EQ(store().database_size()->free, 0);
  expect_sound();
}

TEST_F(CompactTest, ARunningHostKeepsItsDatabase) {
  create();
  EXPECT_THAT(compact_fails(OpenFailure::InUse), HasSubstr("in use by a running davit"));
  EXPECT_THAT(titles(), SizeIs(1));
}

TEST_F(CompactTest, WhatAnotherProgramReadsIsLeftAsItIs) {
  create();
  database_.close();
  const auto opened = Database::open(database_.path(), Database::Mode::Read, "");
  const auto& reader = std::get<0>(opened);
  reader->execute("BEGIN");
  EXPECT_EQ(reader->integer("SELECT count(*) FROM task"), 1);
  EXPECT_THAT(compact_fails(OpenFailure::InUse), HasSubstr("close it"));
  reader->execute("COMMIT");
  EXPECT_FALSE(fs::exists(database_.path().string() + ".compact"));
  EXPECT_THAT(titles(), SizeIs(1));
}

TEST_F(CompactTest, WhatIsNotSoundIsLeftAsItIs) {
  create();
  database_.close();
  {
    const auto opened = Database::open(database_.path(), Database::Mode::Write, "");
    std::get<0>(opened)->execute("UPDATE task SET state = 9");
    ASSERT_TRUE(std::get<0>(opened)->check().ok());
  }
  const auto size = fs::file_size(database_.path());
  EXPECT_THAT(compact_fails(OpenFailure::Corrupt), HasSubstr("of no known state"));
  EXPECT_EQ(fs::file_size(database_.path()), size);
  EXPECT_FALSE(fs::exists(database_.path().string() + ".compact"));
}

TEST_F(CompactTest, WhatIsNoDatabaseIsRefused) {
  EXPECT_THAT(compact_fails(OpenFailure::Missing), HasSubstr("does not exist"));
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(CompactTest, WhatAnInterruptedRunLeftBehindIsInNobodysWay) {
  create();
  database_.close();
  const std::string copy = database_.path().string() + ".compact";
  const auto leave = [&](std::string_view bytes) {
    const UniqueFd left(::open(copy.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    return ::write(left.number(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  };
  const std::string ours = read_file(database_.path()).value().substr(0, 5'000);
  for (const std::string& left : {std::string(), std::string(4'096, '\0'), ours}) {
    ASSERT_TRUE(leave(left));
    EXPECT_TRUE(std::holds_alternative<Compacted>(compact(database_.path()))) << left.size();
    EXPECT_FALSE(fs::exists(copy));
  }
  EXPECT_THAT(titles(), SizeIs(1));
  database_.close();
  std::string foreign = ours;
  foreign.replace(68, 4, "else");
  for (const std::string& other : {std::string("a letter"), foreign}) {
    ASSERT_TRUE(leave(other));
    EXPECT_THAT(compact_fails(OpenFailure::Other), HasSubstr("is in the way"));
    EXPECT_EQ(read_file(copy).value(), other) << "it is somebody's";
  }
  fs::remove(copy);
  fs::create_symlink(database_.path(), copy);
  EXPECT_THAT(compact_fails(OpenFailure::Other), HasSubstr("is in the way"));
  EXPECT_TRUE(fs::is_symlink(copy));
}

}  // namespace
}  // namespace davit::store

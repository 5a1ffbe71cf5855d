// FT-21: databases that a host must not begin to work on, and what may be done to one while a host works on
// it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/faults/echo_host.h"
#include "tests/faults/private_mounts.h"

namespace davit::faults {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::RunningHost;

constexpr std::chrono::seconds kLongestNotice{5};
constexpr int kPage = 8'192;  // bytes of a page of davit's databases

int execute(const fs::path& path, const std::string& sql) {
  sqlite3* database = nullptr;
  int code = sqlite3_open(path.c_str(), &database);
  if (code == SQLITE_OK) code = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
  sqlite3_close(database);
  return code;
}

void overwrite(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// As after a kill: the next start looks for damage.
void mark_unclean(const fs::path& path) {
  EXPECT_EQ(execute(path, "UPDATE host_state SET clean = 0"), SQLITE_OK);
}

// Contents by name, of all that may be called data.
std::map<std::string, std::string> files_in(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.rfind("davit.db", 0) != 0 && name.rfind("other", 0) != 0) continue;
    if (name == "davit.db.lock" || name == "davit.db-shm") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    files[name] = entry.is_directory() ? "(a folder)" : std::string(std::istreambuf_iterator<char>(file), {});
  }
  return files;
}

struct Animal {
  const char* name;
  int exit_code;
  const char* sentence;
  std::function<void(const fs::path& database)> prepare;  // from a database that was closed in order
  friend std::ostream& operator<<(std::ostream& out, const Animal& animal) { return out << animal.name; }
};

const std::vector<Animal>& zoo() {
  static const std::vector<Animal> animals{
      {"Missing", 10, "is gone, though a database was in use here",
       [](const fs::path& path) { fs::remove(path); }},
      {"Empty", 11, "is empty, which is not a database",
       [](const fs::path& path) { fs::resize_file(path, 0); }},
      {"RandomBytes", 12, "is not a davit database",
       [](const fs::path& path) { overwrite(path, std::string(20'000, 'x')); }},
      {"Folder", 12, "is not a regular file",
       [](const fs::path& path) {
         fs::remove(path);
         fs::create_directory(path);
       }},
      {"OtherProgram", 12, "is a database of another program",
       [](const fs::path& path) { EXPECT_EQ(execute(path, "PRAGMA application_id = 7"), SQLITE_OK); }},
      {"Newer", 13, "has schema 9999",
       [](const fs::path& path) { EXPECT_EQ(execute(path, "PRAGMA user_version = 9999"), SQLITE_OK); }},
      {"SchemaBelowZero", 14, "is damaged (it has schema -1, which no davit writes)",
       [](const fs::path& path) { EXPECT_EQ(execute(path, "PRAGMA user_version = -1"), SQLITE_OK); }},
      {"SchemaFarBelowZero", 14, "is damaged (it has schema -2147483648, which no davit writes)",
       [](const fs::path& path) {
         EXPECT_EQ(execute(path, "PRAGMA user_version = -2147483648"), SQLITE_OK);
       }},
      {"CutShort", 14, "is damaged",
       [](const fs::path& path) {
         mark_unclean(path);
         fs::resize_file(path, fs::file_size(path) / 2);
       }},
      {"DamagedPage", 14, "is damaged",
       [](const fs::path& path) {
         mark_unclean(path);
         std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
         file.seekp(3 * kPage);
         file << std::string(kPage, 'x');
       }},
      {"TableDropped", 14, "is damaged (it lacks the table plugin_crash); restore a backup",
       [](const fs::path& path) { EXPECT_EQ(execute(path, "DROP TABLE plugin_crash"), SQLITE_OK); }},
      {"IndexDropped", 14, "is damaged (it lacks the index task_ready); restore a backup",
       [](const fs::path& path) { EXPECT_EQ(execute(path, "DROP INDEX task_ready"), SQLITE_OK); }},
      {"LogIsAFolder", 12, "davit.db-wal: is not a regular file, but this name belongs to the database's log",
       [](const fs::path& path) { fs::create_directory(path.string() + "-wal"); }},
      {"LogIsALinkToNothing", 17, "davit.db-wal: is a symbolic link",
       [](const fs::path& path) {
         fs::create_symlink(path.parent_path() / "nothing", path.string() + "-wal");
       }},
      {"SymbolicLink", 17, "is a symbolic link",
       [](const fs::path& path) {
         fs::rename(path, path.parent_path() / "other.db");
         fs::create_symlink(path.parent_path() / "other.db", path);
       }},
      {"HardLink", 17, "has more than one name",
       [](const fs::path& path) { fs::create_hard_link(path, path.parent_path() / "other.db"); }},
  };
  return animals;
}

// What is wrong with how a program dealt with a database that it must refuse.
std::vector<std::string> misconduct(const Animal& animal, int status, const std::string& said,
                                    const std::map<std::string, std::string>& before,
                                    const std::map<std::string, std::string>& after) {
  std::vector<std::string> found;
  if (status != animal.exit_code) found.push_back("it ended with " + std::to_string(status));
  if (said.find(animal.sentence) == std::string::npos)
    found.push_back("it did not say: " + std::string(animal.sentence));
  for (const auto& [name, content] : after)
    if (before.count(name) == 0) found.push_back("it made " + name);
  for (const auto& [name, content] : before)
    if (after.count(name) == 0 || after.at(name) != content) found.push_back("it changed " + name);
  return found;
}

class ZooTest : public ::testing::TestWithParam<Animal> {
 protected:
  void SetUp() override {
    host_.configure("");
    ASSERT_EQ(host_.command({"init"}).status, 0);
    GetParam().prepare(database_);
  }
  RunningHost host_;
  const fs::path database_ = host_.folder() / "davit.db";
};

INSTANTIATE_TEST_SUITE_P(Animals, ZooTest, ::testing::ValuesIn(zoo()),
                         [](const auto& animal) { return std::string(animal.param.name); });

TEST_P(ZooTest, IsRefusedWithItsOwnCodeAndLineAndLeftAlone) {
  const auto before = files_in(host_.folder());
  const auto output = host_.command({"serve", "--no-supervisor"});
  const auto found = misconduct(GetParam(), output.status, output.text, before, files_in(host_.folder()));
  EXPECT_THAT(found, IsEmpty()) << join(found) << output.text;
  EXPECT_EQ(std::count(output.text.begin(), output.text.end(), '\n'), 1) << output.text;
}

// The known-bad variant: a program that opens what it finds, makes what it misses and goes to work. What
// SQLite itself does not open is told by the status alone; of all else, by what was done to the files alone.
TEST_P(ZooTest, AProgramThatOpensWhateverThereIsIsCaught) {
  const Animal& animal = GetParam();
  const auto before = files_in(host_.folder());
  const int code =
      execute(database_, "CREATE TABLE IF NOT EXISTS task (id); UPDATE host_state SET clean = 2");
  const bool opened = code != SQLITE_NOTADB && code != SQLITE_CANTOPEN && code != SQLITE_CORRUPT;
  const auto found =
      misconduct(animal, opened ? animal.exit_code : 1, animal.sentence, before, files_in(host_.folder()));
  if (opened)
    EXPECT_THAT(found, Contains(AnyOf(HasSubstr("it changed"), HasSubstr("it made")))) << code;
  else
    EXPECT_THAT(found, Contains("it ended with 1")) << code;
}

TEST(RefusedReadTest, CommandsSayTheSameOfASchemaBelowZero) {
  RunningHost host;
  host.configure("");
  ASSERT_EQ(host.command({"init"}).status, 0);
  ASSERT_EQ(execute(host.folder() / "davit.db", "PRAGMA user_version = -1"), SQLITE_OK);
  const std::string copy = host.folder() / "copy.db";
  for (const auto& words : std::vector<std::vector<std::string>>{{"verify-store"}, {"backup", copy}}) {
    const auto output = host.command(words);
    EXPECT_EQ(output.status, 14) << output.text;
    EXPECT_THAT(output.text, HasSubstr("is damaged (it has schema -1, which no davit writes)"));
  }
  EXPECT_FALSE(fs::exists(copy));
}

TEST(RefusedStartTest, ADatabaseThatCannotBeWritten) {
  ASSERT_TRUE(enter_mount_namespace());
  RunningHost host;
  host.configure("");
  ASSERT_EQ(host.command({"init"}).status, 0);
  // Root writes to whatever its mode is, but not to what is mounted read-only.
  const fs::path database = host.folder() / "davit.db";
  ASSERT_EQ(::mount(database.c_str(), database.c_str(), nullptr, MS_BIND, nullptr), 0) << errno_text(errno);
  ASSERT_EQ(::mount(nullptr, database.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), 0)
      << errno_text(errno);
  const auto output = host.command({"serve", "--no-supervisor"});
  EXPECT_EQ(::umount2(database.c_str(), MNT_DETACH), 0);
  EXPECT_EQ(output.status, 16) << output.text;
  EXPECT_THAT(output.text, HasSubstr("cannot be written"));
}

TEST(RefusedStartTest, ADatabaseThatAnotherProgramHasLocked) {
  RunningHost host;
  host.configure("");
  ASSERT_EQ(host.command({"init"}).status, 0);
  sqlite3* shell = nullptr;
  ASSERT_EQ(sqlite3_open((host.folder() / "davit.db").c_str(), &shell), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(shell, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto output = host.command({"serve", "--no-supervisor"});
  sqlite3_close(shell);
  EXPECT_EQ(output.status, 15) << output.text;
  EXPECT_THAT(output.text, HasSubstr("locked by another program"));
}

// A host at work, and hands on its files.
class MeddledDatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    make_echo_host(host_);
    ASSERT_TRUE(host_.start()) << host_.log();
    acknowledge("before");
  }
  void acknowledge(const std::string& key) {
    const test::RawAnswer answer = deliver(host_.port(), key);
    ASSERT_EQ(answer.status, 202) << answer.body << host_.log();
    acknowledged_.add(key, task_of(answer));
  }
  // What is acknowledged meanwhile is remembered, so that it can be looked for.
  void expect_noticed(const std::string& sentence) {
    const auto since = std::chrono::steady_clock::now();
    for (int number = 0;; ++number) {
      const std::string key = "meddled" + std::to_string(number);
      const test::RawAnswer answer = deliver(host_.port(), key);
      if (answer.status == 503) break;
      ASSERT_EQ(answer.status, 202) << answer.body;
      acknowledged_.add(key, task_of(answer));
      ASSERT_LT(std::chrono::steady_clock::now() - since, kLongestNotice) << "it has not noticed";
    }
    const test::RawAnswer ready = host_.request("GET", "/readyz");
    EXPECT_EQ(ready.status, 503);
    EXPECT_THAT(ready.body, HasSubstr(sentence));
    EXPECT_EQ(host_.request("GET", "/healthz").status, 200);
  }
  void expect_kept_and_accepting() {
    ASSERT_TRUE(host_.running() || host_.start()) << host_.log();
    ASSERT_NO_FATAL_FAILURE(acknowledge("afterwards"));
    EXPECT_EQ(host_.request("GET", "/readyz").status, 200);
    EXPECT_EQ(host_.end(SIGTERM), 0) << host_.log();
    const auto broken = broken_promises(acknowledged_, Books::read(database_));
    EXPECT_THAT(broken, IsEmpty()) << join(broken);
  }
  RunningHost host_;
  Acknowledged acknowledged_;
  const fs::path database_ = host_.folder() / "davit.db";
  const fs::path log_ = host_.folder() / "davit.db-wal";
  const fs::path aside_ = host_.folder() / "aside";
};

TEST_F(MeddledDatabaseTest, ARemovedDatabaseIsNoticedAndMayBePutBack) {
  fs::rename(database_, aside_);
  expect_noticed("was removed or replaced");
  EXPECT_FALSE(fs::exists(database_)) << "nothing is made in its place";
  fs::rename(aside_, database_);
  expect_kept_and_accepting();
}

TEST_F(MeddledDatabaseTest, AReplacedDatabaseIsNoticed) {
  fs::copy_file(database_, aside_);
  fs::rename(database_, host_.folder() / "original");
  fs::rename(aside_, database_);
  expect_noticed("was removed or replaced");
  fs::rename(host_.folder() / "original", database_);
  expect_kept_and_accepting();
}

TEST_F(MeddledDatabaseTest, ARemovedLogIsNoticed) {
  fs::rename(log_, aside_);
  expect_noticed("");
  EXPECT_THAT(host_.log(), HasSubstr("davit.db-wal: was removed or replaced"));
  fs::rename(aside_, log_);
  expect_kept_and_accepting();
}

TEST_F(MeddledDatabaseTest, ALockOfAnAdministratorsShellIs503AndGoesBy) {
  sqlite3* shell = nullptr;
  ASSERT_EQ(sqlite3_open(database_.c_str(), &shell), SQLITE_OK);
  // The host may be writing at this moment.
  sqlite3_busy_timeout(shell, 5'000);
  ASSERT_EQ(sqlite3_exec(shell, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  expect_noticed("locked by another program");
  ASSERT_EQ(sqlite3_exec(shell, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
  // Without a checkpoint of its own: that is the host's alone.
  sqlite3_db_config(shell, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_close(shell);
  expect_kept_and_accepting();
}

TEST_F(MeddledDatabaseTest, ASecondHostIsRefusedAndTheFirstGoesOn) {
  const auto second = host_.command({"serve", "--no-supervisor"});
  EXPECT_EQ(second.status, 15) << second.text;
  EXPECT_THAT(second.text,
              HasSubstr("already in use by a running davit (pid " + std::to_string(host_.pid()) + ")"));
  expect_kept_and_accepting();
}

// The known-bad variant: SQLite alone goes on writing into a file that has no name any more.
TEST_F(MeddledDatabaseTest, AProgramThatDoesNotLookIsCaught) {
  ASSERT_EQ(host_.end(SIGTERM), 0);
  sqlite3* careless = nullptr;
  ASSERT_EQ(sqlite3_open(database_.c_str(), &careless), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(careless, "CREATE TABLE note (key TEXT)", nullptr, nullptr, nullptr), SQLITE_OK);
  fs::copy_file(database_, aside_);
  fs::rename(aside_, database_);
  ASSERT_EQ(sqlite3_exec(careless, "INSERT INTO note VALUES ('lost')", nullptr, nullptr, nullptr), SQLITE_OK);
  acknowledged_.add("lost", "");
  sqlite3_close(careless);
  EXPECT_THAT(join(broken_promises(acknowledged_, Books::read(database_))), HasSubstr("lost"));
}

}  // namespace
}  // namespace davit::faults

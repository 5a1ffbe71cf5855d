#include "host/plugin/plugin_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/crypto.h"
#include "host/base/file.h"
#include "host/plugin/plugin_module.h"
#include "host/plugin/refusal_codes.h"
#include "tests/support/no_descriptors.h"
#include "tests/unit/plugin/support.h"

namespace davit::plugin {
namespace {

namespace fs = std::filesystem;

// The real files, and a prober that stands for the child: it opens what is safe to open.
class PluginScannerTest : public ::testing::Test {
 protected:
  PluginScannerTest() {
    fs::create_directory(drop());
    // Far in the future: every file looks long settled.
    clock_.wall_ms = 4'000'000'000'000;
  }
  fs::path drop() const { return folder_ / "drop"; }
  fs::path store() const { return folder_ / "store"; }

  void put(const std::string& name, const fs::path& library) { put_bytes(name, test::bytes_of(library)); }
  void put_bytes(const std::string& name, const std::string& bytes) {
    test::write(drop() / (name + ".tmp"), bytes);
    fs::rename(drop() / (name + ".tmp"), drop() / name);
  }
  // The same plugin with other bytes: sections may be followed by anything.
  void put_variant(const std::string& name, const fs::path& library, const std::string& tail) {
    put_bytes(name, test::bytes_of(library) + tail);
  }

  PluginScanner& scanner() {
    if (!scanner_) {
      ScanOptions options{drop(), store(), pinned_, allow_writable_, Duration(200)};
      scanner_ = std::make_unique<PluginScanner>(
          options,
          [this](const fs::path& file) -> std::variant<ProbeReport, Refusal> {
            ++probes_;
            if (next_refusal_) return *std::exchange(next_refusal_, std::nullopt);
            auto loaded = PluginModule::load(file);
            if (auto* refusal = std::get_if<Refusal>(&loaded)) return *refusal;
            return std::get<0>(loaded)->report();
          },
          *log_, clock_);
    }
    return *scanner_;
  }
  std::vector<LibraryRecord> scan() { return scanner().scan(); }
  LibraryRecord scan_one() {
    auto records = scan();
    EXPECT_EQ(records.size(), 1u);
    return records.empty() ? LibraryRecord{} : records[0];
  }
  std::string code(const LibraryRecord& record) { return record.refusal ? record.refusal->code : "none"; }
  std::string code_of_one() { return code(scan_one()); }

  test::TempFolder folder_;
  test::FakeClock clock_;
  std::unique_ptr<Log> log_ = Log::silent();
  std::vector<std::string> pinned_, allow_writable_;
  std::optional<Refusal> next_refusal_;
  int probes_ = 0;
  std::unique_ptr<PluginScanner> scanner_;
};

TEST_F(PluginScannerTest, ADroppedLibraryBecomesAGenerationFromItsStoredCopy) {
  put("good.so", test::good_plugin("good_webhook"));
  LibraryRecord record = scan_one();
  ASSERT_TRUE(record.generation) << record.refusal->reason;
  EXPECT_FALSE(record.refusal);
  EXPECT_EQ(record.generation->number, 1u);
  EXPECT_EQ(record.sha256, sha256_hex(test::bytes_of(test::good_plugin("good_webhook"))));
  EXPECT_EQ(record.generation->stored, store() / (record.sha256 + ".so"));
  EXPECT_EQ(record.generation->report.offers.size(), 2u);
  struct stat info {};
  ASSERT_EQ(::stat(record.generation->stored.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0500u);
  ASSERT_EQ(::stat(store().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(PluginScannerTest, AnUnchangedFileKeepsItsGenerationAndIsNotProbedAgain) {
  put("good.so", test::good_plugin("good_webhook"));
  auto first = scan_one().generation;
  auto second = scan_one().generation;
  EXPECT_EQ(first, second);
  // The same bytes under a new date are the same library.
  put("good.so", test::good_plugin("good_webhook"));
  EXPECT_EQ(scan_one().generation, first);
  EXPECT_EQ(probes_, 1);
}

TEST_F(PluginScannerTest, ARestartProbesNothingThatIsKnown) {
  put("good.so", test::good_plugin("good_webhook"));
  ASSERT_TRUE(scan_one().generation);
  scanner_.reset();
  ASSERT_TRUE(scan_one().generation);
  EXPECT_EQ(probes_, 1);
}

TEST_F(PluginScannerTest, ARestartOnAFullDiskServesWhatIsKnown) {
  put("good.so", test::good_plugin("good_webhook"));
  ASSERT_TRUE(scan_one().generation);
  scanner_.reset();
  // No file can grow.
  const auto usual = ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit full{0, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  const LibraryRecord record = scan_one();
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, usual);
  EXPECT_TRUE(record.generation) << record.refusal->reason;
}

TEST_F(PluginScannerTest, AMemoryOfAProbeThatCannotBeReadIsProbedAgain) {
  put("good.so", test::good_plugin("good_webhook"));
  std::string sha256 = scan_one().sha256;
  test::write(store() / (sha256 + ".probe.json"), "{\"offers\":[{\"kind\":\"webhook\",\"metadata\":{}}]}");
  scanner_.reset();
  EXPECT_TRUE(scan_one().generation);
  EXPECT_EQ(probes_, 2);
}

TEST_F(PluginScannerTest, AStoredCopyThatWasDamagedIsReplaced) {
  put("good.so", test::good_plugin("good_webhook"));
  auto stored = scan_one().generation->stored;
  // A new file in its place: this process has the old one mapped.
  fs::remove(stored);
  test::write(stored, "damaged");
  scanner_.reset();
  ASSERT_TRUE(scan_one().generation);
  EXPECT_EQ(test::bytes_of(stored), test::bytes_of(test::good_plugin("good_webhook")));
}

TEST_F(PluginScannerTest, NewBytesMakeANewGeneration) {
  put("good.so", test::good_plugin("good_webhook"));
  auto first = scan_one().generation;
  put_variant("good.so", test::good_plugin("good_webhook"), "tail");
  auto second = scan_one().generation;
  ASSERT_TRUE(second);
  EXPECT_NE(second->sha256, first->sha256);
  EXPECT_EQ(second->number, 2u);
}

TEST_F(PluginScannerTest, AFailedReplacementLeavesTheOldGenerationServing) {
  put("good.so", test::good_plugin("good_webhook"));
  auto first = scan_one().generation;
  put_bytes("good.so", "not a library");
  LibraryRecord record = scan_one();
  EXPECT_EQ(code(record), "not_elf");
  EXPECT_EQ(record.generation, first);
  put("good.so", test::good_plugin("good_webhook"));
  record = scan_one();
  EXPECT_EQ(code(record), "none");
  EXPECT_EQ(record.generation, first);
}

TEST_F(PluginScannerTest, ARemovedFileIsGoneAndMayComeBack) {
  put("good.so", test::good_plugin("good_webhook"));
  ASSERT_TRUE(scan_one().generation);
  fs::remove(drop() / "good.so");
  EXPECT_TRUE(scan().empty());
  put("good.so", test::good_plugin("good_webhook"));
  EXPECT_TRUE(scan_one().generation);
}

TEST_F(PluginScannerTest, AFolderThatCannotBeLookedThroughLosesNobody) {
  fs::create_directory(drop() / "more");
  put("good.so", test::good_plugin("good_webhook"));
  put("more/agent.so", test::good_plugin("good_agent"));
  const auto before = scan();
  ASSERT_EQ(before.size(), 2u);
  {
    davit::testing::NoDescriptors none;
    const auto meanwhile = scan();
    ASSERT_EQ(meanwhile.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(meanwhile[i].generation, before[i].generation);
    EXPECT_FALSE(scanner().saw_folder());
    EXPECT_TRUE(scanner().unfinished());
  }
  fs::remove(drop() / "more/agent.so");
  EXPECT_EQ(scan_one().generation, before[0].generation);
  EXPECT_TRUE(scanner().saw_folder());
}

TEST_F(PluginScannerTest, AFolderThatIsGoneLosesNobodyUntilAnotherIsInItsPlace) {
  EXPECT_TRUE(scan().empty());
  fs::rename(drop(), folder_ / "elsewhere");
  EXPECT_TRUE(scan().empty());
  EXPECT_TRUE(scanner().saw_folder()) << "nothing was there to be missed";
  fs::rename(folder_ / "elsewhere", drop());
  put("good.so", test::good_plugin("good_webhook"));
  const LibraryRecord before = scan_one();
  ASSERT_TRUE(before.generation);
  fs::rename(drop(), folder_ / "elsewhere");
  EXPECT_EQ(scan_one().generation, before.generation);
  EXPECT_FALSE(scanner().saw_folder());
  fs::create_directory(drop());
  EXPECT_TRUE(scan().empty());
  EXPECT_TRUE(scanner().saw_folder());
}

TEST_F(PluginScannerTest, AFileThatJustChangedIsLeftToSettle) {
  clock_.wall_ms = to_unix_ms(SystemClock().wall());
  put("good.so", test::good_plugin("good_webhook"));
  // The clock of the test stands still, within the 200 ms after the change.
  struct stat info {};
  ASSERT_EQ(::stat((drop() / "good.so").c_str(), &info), 0);
  clock_.wall_ms = info.st_ctim.tv_sec * 1000 + info.st_ctim.tv_nsec / 1'000'000 + 100;
  EXPECT_EQ(code_of_one(), "not_settled");
  EXPECT_TRUE(scanner().unfinished());
  clock_.monotonic_ms += 200;
  EXPECT_EQ(code_of_one(), "none");
  EXPECT_FALSE(scanner().unfinished());
}

TEST_F(PluginScannerTest, AScanMayWaitForFilesToSettleButNotForEver) {
  put("good.so", test::good_plugin("good_webhook"));
  clock_.wall_ms = 0;  // and stands still: it never settles
  auto records = scanner().scan_settled(1);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(code(records[0]), "not_settled");
  SystemClock clock;
  PluginScanner waiting(
      {drop(), store(), {}, {}, Duration(20)},
      [](const fs::path&) {
        return Refusal{"probed", "It was looked at"};
      },
      *log_, clock);
  put("good.so", test::good_plugin("good_webhook"));
  records = waiting.scan_settled(3);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(code(records[0]), "probed");
}

TEST_F(PluginScannerTest, AChangeStartsTheSettlingAnew) {
  put("good.so", test::good_plugin("good_webhook"));
  clock_.wall_ms = 0;  // every change lies in the future: only our own watch counts
  EXPECT_EQ(code_of_one(), "not_settled");
  clock_.monotonic_ms += 150;
  test::write(drop() / "good.so", "more bytes");
  EXPECT_EQ(code_of_one(), "not_settled");
  clock_.monotonic_ms += 150;
  EXPECT_EQ(code_of_one(), "not_settled");
  clock_.monotonic_ms += 50;
  EXPECT_EQ(code_of_one(), "not_elf");
}

TEST_F(PluginScannerTest, OfAFileThatIsStillBeingCopiedNobodyIsWarned) {
  const fs::path log_file = folder_ / "log.txt";
  log_ = Log::open({LogLevel::Debug, LogFormat::Text, log_file}).value();
  clock_.wall_ms = 0;  // every change lies in the future: only our own watch counts
  const std::string whole = test::bytes_of(test::good_plugin("good_webhook"));
  // A copy that stands still now and then, for longer than files need to settle.
  for (const std::size_t size : {std::size_t{0}, whole.size() / 2, whole.size() - 1}) {
    test::write(drop() / "good.so", whole.substr(0, size));
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(code_of_one(), "not_settled");
      EXPECT_TRUE(scanner().unfinished());
      clock_.monotonic_ms += 1'000;
    }
  }
  test::write(drop() / "good.so", whole);
  EXPECT_EQ(code_of_one(), "not_settled");
  clock_.monotonic_ms += 200;
  EXPECT_EQ(code_of_one(), "none");
  // Half a file that stays half is told in the end, and one that its writer has closed is told at once.
  test::write(drop() / "half.so", whole.substr(0, whole.size() / 2));
  EXPECT_EQ(code(scan().at(1)), "not_settled");
  EXPECT_EQ(read_file(log_file).value().find("warning"), std::string::npos) << read_file(log_file).value();
  clock_.monotonic_ms += 5'000;
  EXPECT_EQ(code(scan().at(1)), "truncated");
  EXPECT_NE(read_file(log_file).value().find("warning"), std::string::npos);
  test::write(drop() / "half.so", whole.substr(0, whole.size() / 3));
  scanner().finished(fs::canonical(drop()) / "half.so");
  EXPECT_EQ(code(scan().at(1)), "truncated");
}

TEST_F(PluginScannerTest, OneBadFileNeverHidesAnother) {
  put_bytes("a.so", "text");
  put("b.so", test::good_plugin("good_webhook"));
  put("c.so", test::broken_plugin("no_factory"));
  put("d.so", test::good_plugin("good_agent"));
  auto records = scan();
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(code(records[0]), "not_elf");
  EXPECT_TRUE(records[1].generation);
  EXPECT_EQ(code(records[2]), "no_factory");
  EXPECT_TRUE(records[3].generation);
}

TEST_F(PluginScannerTest, LooksOneFolderDeepAndAtLibrariesOnly) {
  fs::create_directories(drop() / "sub/deeper");
  put("sub/good.so", test::good_plugin("good_webhook"));
  put("sub/deeper/agent.so", test::good_plugin("good_agent"));
  put("readme.txt", test::good_plugin("good_agent"));
  put(".hidden.so", test::good_plugin("good_agent"));
  auto records = scan();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].source, fs::canonical(drop() / "sub/good.so"));
}

TEST_F(PluginScannerTest, WhatIsNoRegularFileIsRefusedWithoutWaiting) {
  ASSERT_EQ(::mkfifo((drop() / "fifo.so").c_str(), 0600), 0);
  fs::create_directory(drop() / "folder.so");
  fs::create_symlink("/dev/null", drop() / "device.so");
  auto records = scan();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(code(records[0]), "escaping_link");
  EXPECT_EQ(code(records[1]), "fifo");
  EXPECT_EQ(code(records[2]), "directory");
}

TEST_F(PluginScannerTest, LinksMayStayInsideButNotLeaveOrDangle) {
  put("real.so.1", test::good_plugin("good_webhook"));
  fs::create_symlink("real.so.1", drop() / "a-inside.so");
  test::write(folder_ / "outside.so", test::bytes_of(test::good_plugin("good_agent")));
  fs::create_symlink(folder_ / "outside.so", drop() / "b-escaping.so");
  fs::create_symlink("nowhere.so", drop() / "c-dangling.so");
  fs::create_symlink("d-loop.so", drop() / "d-loop.so");
  auto records = scan();
  ASSERT_EQ(records.size(), 4u);
  EXPECT_TRUE(records[0].generation);
  EXPECT_EQ(code(records[1]), "escaping_link");
  EXPECT_EQ(code(records[2]), "broken_link");
  EXPECT_EQ(code(records[3]), "broken_link");
}

TEST_F(PluginScannerTest, FilesAndFoldersThatOthersMayWriteToAreRefusedUnlessAllowedByName) {
  put("good.so", test::good_plugin("good_webhook"));
  fs::permissions(drop() / "good.so", fs::perms(0666));
  LibraryRecord record = scan_one();
  EXPECT_EQ(code(record), "file_writable_by_others");
  EXPECT_NE(record.refusal->reason.find("0666"), std::string::npos) << record.refusal->reason;
  EXPECT_TRUE(record.sha256.empty());
  allow_writable_ = {"good.so"};
  scanner_.reset();
  EXPECT_EQ(code_of_one(), "none");

  fs::permissions(drop(), fs::perms(0777));
  scanner_.reset();
  EXPECT_EQ(code_of_one(), "folder_writable_by_others");
  allow_writable_ = {"good.so", "drop"};
  scanner_.reset();
  EXPECT_EQ(code_of_one(), "none");
}

TEST_F(PluginScannerTest, FilesOfStrangersAreRefused) {
  put("good.so", test::good_plugin("good_webhook"));
  // Only root can give a file away; for anybody else it stays his own, and is taken.
  const bool given_away = ::chown((drop() / "good.so").c_str(), 12345, 12345) == 0;
  EXPECT_EQ(given_away, ::geteuid() == 0);
  EXPECT_EQ(code_of_one(), given_away ? "foreign_owner" : "none");
}

TEST_F(PluginScannerTest, WithPinsOnlyTheseHashesAreTaken) {
  put("a.so", test::good_plugin("good_webhook"));
  put("b.so", test::good_plugin("good_agent"));
  pinned_ = {sha256_hex(test::bytes_of(test::good_plugin("good_agent")))};
  auto records = scan();
  EXPECT_EQ(code(records[0]), "not_pinned");
  EXPECT_TRUE(records[1].generation);
  // Nothing of the refused one stays behind.
  EXPECT_EQ(std::distance(fs::directory_iterator(store()), fs::directory_iterator()), 2);
}

TEST_F(PluginScannerTest, RefusalsOfTheBytesAreRememberedAndPassingOnesAreTriedAgain) {
  put("good.so", test::good_plugin("good_webhook"));
  next_refusal_ = refuse(refusal::kProbeTimeout, "It took 5 s");
  EXPECT_EQ(code_of_one(), "probe_timeout");
  EXPECT_TRUE(scanner().unfinished());
  EXPECT_EQ(code_of_one(), "none");
  EXPECT_EQ(probes_, 2);

  put_variant("good.so", test::good_plugin("good_webhook"), "x");
  next_refusal_ = refuse(refusal::kConstructorCrashed, "Killed by signal 11");
  EXPECT_EQ(code_of_one(), "constructor_crashed");
  EXPECT_EQ(code_of_one(), "constructor_crashed");
  EXPECT_EQ(probes_, 3);
  EXPECT_FALSE(scanner().unfinished());
}

TEST_F(PluginScannerTest, OfTwoFilesWithOneNameTheFirstAcceptedKeepsIt) {
  put("b.so", test::good_plugin("good_webhook"));
  auto first = scan_one().generation;
  put_variant("a.so", test::good_plugin("good_webhook"), "other");
  auto records = scan();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(code(records[0]), "same_name");
  EXPECT_NE(records[0].refusal->reason.find("b.so"), std::string::npos) << records[0].refusal->reason;
  EXPECT_FALSE(records[0].generation);
  EXPECT_EQ(records[1].generation, first);
  // It stays so with the next scan, and ends when the first goes.
  records = scan();
  EXPECT_EQ(code(records[0]), "same_name");
  fs::remove(drop() / "b.so");
  EXPECT_EQ(code_of_one(), "none");
  EXPECT_EQ(probes_, 2);
}

TEST_F(PluginScannerTest, AReplacementThatTakesAnothersNameLosesAndTheOldStays) {
  put("agent.so", test::good_plugin("good_agent"));
  put("webhook.so", test::good_plugin("good_webhook"));
  auto before = scan();
  put_variant("agent.so", test::good_plugin("good_webhook"), "x");
  auto records = scan();
  EXPECT_EQ(code(records[0]), "same_name");
  EXPECT_EQ(records[0].generation, before[0].generation);
  EXPECT_EQ(records[1].generation, before[1].generation);
}

TEST_F(PluginScannerTest, AStoreThatCannotBeUsedRefusesEveryFileAndRecovers) {
  put("good.so", test::good_plugin("good_webhook"));
  test::write(store(), "a file where the folder should be");
  EXPECT_EQ(code_of_one(), "store_unusable");
  fs::remove(store());
  EXPECT_EQ(code_of_one(), "none");
}

TEST_F(PluginScannerTest, AStoreThatOthersCouldReadIsMadePrivate) {
  fs::create_directory(store());
  fs::permissions(store(), fs::perms(0777));
  put("good.so", test::good_plugin("good_webhook"));
  EXPECT_EQ(code_of_one(), "none");
  EXPECT_EQ(fs::status(store()).permissions(), fs::perms(0700));
}

TEST_F(PluginScannerTest, AnAbsentDropFolderHoldsNothing) {
  fs::remove(drop());
  EXPECT_TRUE(scan().empty());
}

TEST_F(PluginScannerTest, AFileThatItsWriterFinishedNeedsNotSettle) {
  clock_.wall_ms = 0;  // every file looks as if it had just changed
  put("good.so", test::good_plugin("good_webhook"));
  EXPECT_EQ(code_of_one(), "not_settled");
  scanner().finished(fs::canonical(drop()) / "good.so");
  EXPECT_EQ(code_of_one(), "none");
}

TEST_F(PluginScannerTest, ABusyProberIsAskedAgainAndLeavesTheOldGenerationServing) {
  put("good.so", test::good_plugin("good_webhook"));
  auto first = scan_one().generation;
  put_variant("good.so", test::good_plugin("good_webhook"), "tail");
  next_refusal_ = refuse(refusal::kProbing, "It is being looked at");
  LibraryRecord record = scan_one();
  EXPECT_EQ(code(record), "probing");
  EXPECT_EQ(record.generation, first);
  EXPECT_TRUE(scanner().unfinished());
  EXPECT_NE(scan_one().generation, first);
}

TEST_F(PluginScannerTest, RefusalsThatAreForgottenAreLookedAtAnew) {
  put("good.so", test::good_plugin("good_webhook"));
  next_refusal_ = refuse(refusal::kLoadFailed, "It needs libfoo.so.1");
  EXPECT_EQ(code_of_one(), "load_failed");
  EXPECT_EQ(code_of_one(), "load_failed");
  scanner().forget_refusals();
  EXPECT_EQ(code_of_one(), "none");
}

TEST_F(PluginScannerTest, NewPinsEndWhatTheyDoNotName) {
  put("good.so", test::good_plugin("good_webhook"));
  const std::string sha256 = scan_one().sha256;
  scanner().set_options({drop(), store(), {sha256}, allow_writable_, Duration(200)});
  EXPECT_TRUE(scan_one().generation);
  scanner().set_options({drop(), store(), {std::string(64, '0')}, allow_writable_, Duration(200)});
  LibraryRecord record = scan_one();
  EXPECT_EQ(code(record), "not_pinned");
  EXPECT_FALSE(record.generation);
  scanner().set_options({drop(), store(), {}, allow_writable_, Duration(200)});
  EXPECT_TRUE(scan_one().generation);
}

TEST_F(PluginScannerTest, CopiesThatNoFileNeedsAreForgotten) {
  put("good.so", test::good_plugin("good_webhook"));
  auto first = scan_one().generation->stored;
  put_variant("good.so", test::good_plugin("good_webhook"), "tail");
  auto second = scan_one().generation->stored;
  test::write(store() / ".incoming.abc", "half");
  test::write(store() / "notes.so", "not ours");
  scanner().forget_unused();
  EXPECT_FALSE(fs::exists(first));
  EXPECT_FALSE(fs::exists(store() / ".incoming.abc"));
  EXPECT_TRUE(fs::exists(second));
  EXPECT_TRUE(fs::exists(store() / "notes.so"));
  scanner_.reset();
  EXPECT_EQ(code_of_one(), "none");
  EXPECT_EQ(probes_, 2);
}

TEST_F(PluginScannerTest, ACopyStaysForAsLongAsSomebodyHoldsItsGeneration) {
  put("good.so", test::good_plugin("good_webhook"));
  auto held = scan_one().generation;
  const fs::path copy = held->stored;
  put_variant("good.so", test::good_plugin("good_webhook"), "tail");
  auto serves = scan_one().generation;
  EXPECT_TRUE(scanner().forget_unused()) << "ask again";
  EXPECT_TRUE(fs::exists(copy));
  held = nullptr;
  EXPECT_FALSE(scanner().forget_unused());
  EXPECT_FALSE(fs::exists(copy));
  EXPECT_TRUE(fs::exists(serves->stored));
}

// The next life of the scanner, which is told what the file gave in the one before.
class ResumingScannerTest : public PluginScannerTest {
 protected:
  std::shared_ptr<const Generation> resume(const std::string& name, const std::string& sha256) {
    scanner_.reset();
    return scanner().resume(name, sha256);
  }
  std::string served() {
    put("good.so", test::good_plugin("good_webhook"));
    return scan_one().sha256;
  }
};

TEST_F(ResumingScannerTest, BytesThatAreRefusedLeaveServingWhatTheFileGaveInAnEarlierLife) {
  const std::string sha256 = served();
  put_bytes("good.so", "not a library");
  auto resumed = resume("good.so", sha256);
  ASSERT_TRUE(resumed);
  EXPECT_EQ(resumed->source, fs::canonical(drop()) / "good.so");
  LibraryRecord record = scan_one();
  EXPECT_EQ(code(record), "not_elf");
  EXPECT_EQ(record.generation, resumed);
  // Its copy is needed, and other bytes take its place.
  scanner().forget_unused();
  EXPECT_TRUE(fs::exists(resumed->stored));
  put_variant("good.so", test::good_plugin("good_webhook"), "tail");
  EXPECT_GT(scan_one().generation->number, resumed->number);
}

TEST_F(ResumingScannerTest, AnUnchangedFileGivesWhatItGaveInAnEarlierLife) {
  const std::string sha256 = served();
  auto resumed = resume("good.so", sha256);
  LibraryRecord record = scan_one();
  EXPECT_EQ(code(record), "none");
  EXPECT_EQ(record.generation, resumed);
  EXPECT_EQ(probes_, 1);
}

TEST_F(ResumingScannerTest, AFileThatIsGoneGivesNothing) {
  const std::string sha256 = served();
  fs::remove(drop() / "good.so");
  ASSERT_TRUE(resume("good.so", sha256));
  EXPECT_TRUE(scan().empty());
  put_bytes("good.so", "not a library");
  EXPECT_FALSE(scan_one().generation);
}

TEST_F(ResumingScannerTest, NothingIsResumedWithoutACopyThatIsWholeAndPinned) {
  const std::string sha256 = served();
  EXPECT_FALSE(resume("good.so", std::string(64, '0')));
  pinned_ = {std::string(64, '0')};
  EXPECT_FALSE(resume("good.so", sha256));
  pinned_ = {};
  fs::remove(store() / (sha256 + ".so"));
  test::write(store() / (sha256 + ".so"), "damaged");
  EXPECT_FALSE(resume("good.so", sha256));
  put_bytes("good.so", "not a library");
  EXPECT_FALSE(scan_one().generation);
}

// --- assemble

class AssembleTest : public PluginScannerTest {
 protected:
  AssembleTest() {
    put("webhook.so", test::good_plugin("good_webhook"));
    put("agent.so", test::good_plugin("good_agent"));
    libraries_ = scan();
    good_.instance = good_.plugin = "good";
    good_.secrets = {"a-secret-of-16-bytes"};
  }
  std::shared_ptr<const Snapshot> make(const Snapshot& previous = {}) {
    return assemble({libraries_, webhooks_, agents_, previous, rulings_, served_, *log_, clock_, nullptr,
                     trials_, &agent_defaults_});
  }
  // From now on these are what served last.
  void serves(const Snapshot& snapshot) {
    for (const auto& [name, webhook] : snapshot.webhooks) {
      if (webhook->state == ServingState::Serving)
        served_.webhooks[name].insert(served_.webhooks[name].begin(), webhook->generation);
    }
    for (const auto& [name, agent] : snapshot.agents)
      served_.agents[name].insert(served_.agents[name].begin(), agent->generation);
  }
  // Other bytes of the same; gives their hash.
  std::string replace(const std::string& file, const std::string& plugin) {
    put_variant(file, test::good_plugin(plugin), "replaced");
    libraries_ = scan();
    return std::find_if(libraries_.begin(), libraries_.end(),
                        [&](const LibraryRecord& library) { return library.name == file; })
        ->sha256;
  }
  Served served_;
  Trials* trials_ = nullptr;
  Rulings rulings_;
  std::vector<LibraryRecord> libraries_;
  std::vector<WebhookSettings> webhooks_;
  std::vector<AgentSettings> agents_;
  AgentDefaults agent_defaults_;
  WebhookSettings good_;
};

TEST_F(AssembleTest, WhatIsOfferedButNotConfiguredIsThereWithDefaults) {
  auto snapshot = make();
  ASSERT_EQ(snapshot->webhooks.size(), 2u);
  const Webhook* good = snapshot->webhook("good");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->state, ServingState::NoSecret);
  EXPECT_EQ(good->settings.isolation, Isolation::Process);
  EXPECT_EQ(good->delivery_id_header, "X-Delivery");
  EXPECT_TRUE(good->scheme);
  EXPECT_FALSE(good->answers_unverified);
  EXPECT_EQ(snapshot->webhook("good-own-check")->state, ServingState::Disabled);
  auto agent = snapshot->agent("good-agent");
  ASSERT_TRUE(agent);
  EXPECT_EQ(agent->state, ServingState::Serving);
  EXPECT_EQ(agent->display_name, "Good Agent");
  EXPECT_EQ(agent->timeout, Duration(60'000));
  EXPECT_EQ(agent->max_retries, 2);
  EXPECT_EQ(snapshot->agents_with("planning").size(), 1u);
  EXPECT_TRUE(snapshot->agents_with("flying").empty());
}

TEST_F(AssembleTest, WhatIsForAllAgentsIsAlsoForOneThatIsNotConfigured) {
  agent_defaults_ = {{{"api", "secret"}}, {{"TZ", "UTC"}}, "{}"};
  auto agent = make()->agent("good-agent");
  EXPECT_EQ(agent->settings.environment.at("TZ"), "UTC");
  EXPECT_TRUE(agent->settings.granted.empty()) << "it does not ask for it";
  agents_ = {{.name = "good-agent", .takes_defaults = false}};
  EXPECT_TRUE(make()->agent("good-agent")->settings.environment.empty());
}

TEST_F(AssembleTest, AConfiguredWebhookServes) {
  good_.max_body_bytes = 1000;
  good_.allow_unverified_answer = true;
  webhooks_ = {good_};
  auto snapshot = make();
  const Webhook* good = snapshot->webhook("good");
  EXPECT_EQ(good->state, ServingState::Serving) << good->state_reason;
  EXPECT_EQ(good->max_body_bytes, 1000u);
  EXPECT_TRUE(good->answers_unverified);
  EXPECT_FALSE(good->in_process);
}

TEST_F(AssembleTest, OnePluginMayServeUnderSeveralNames) {
  good_.instance = "billing";
  WebhookSettings second = good_;
  second.instance = "shipping";
  webhooks_ = {good_, second};
  auto snapshot = make();
  EXPECT_EQ(snapshot->webhook("billing")->state, ServingState::Serving);
  EXPECT_EQ(snapshot->webhook("shipping")->state, ServingState::Serving);
  EXPECT_EQ(snapshot->webhook("good"), nullptr);
}

TEST_F(AssembleTest, WhatIsConfiguredButNotOfferedIsMissing) {
  good_.instance = good_.plugin = "absent";
  webhooks_ = {good_};
  AgentSettings agent;
  agent.name = "absent-agent";
  agents_ = {agent};
  auto snapshot = make();
  EXPECT_EQ(snapshot->webhook("absent")->state, ServingState::Missing);
  EXPECT_NE(snapshot->webhook("absent")->state_reason.find("absent"), std::string::npos);
  EXPECT_EQ(snapshot->agent("absent-agent")->state, ServingState::Missing);
  EXPECT_TRUE(snapshot->webhook("absent")->settings.enabled);
}

TEST_F(AssembleTest, WhatIsMissingIsWantedUnlessSomebodyHasSwitchedItOff) {
  good_.instance = good_.plugin = "absent";
  webhooks_ = {good_};
  AgentSettings agent;
  agent.name = "absent-agent";
  agents_ = {agent};
  rulings_.webhooks["absent"] = rulings_.agents["absent-agent"] = false;
  EXPECT_FALSE(make()->webhook("absent")->settings.enabled);
  EXPECT_FALSE(make()->agent("absent-agent")->settings.enabled);
  rulings_.webhooks["absent"] = true;
  webhooks_[0].enabled = false;
  EXPECT_FALSE(make()->webhook("absent")->settings.enabled) << "off in the configuration";
}

TEST_F(AssembleTest, BadConfigsAndSecretsAreShownAndNeverThrown) {
  good_.config = "{\"count\":0}";
  webhooks_ = {good_};
  const auto reason = [&] {
    auto snapshot = make();
    EXPECT_EQ(snapshot->webhook("good")->state, ServingState::BadConfig);
    return snapshot->webhook("good")->state_reason;
  };
  EXPECT_NE(reason().find("/count"), std::string::npos);
  EXPECT_NE(reason().find("minimum"), std::string::npos);
  webhooks_[0].config = "{}";
  webhooks_[0].secrets = {"a-secret-of-16-bytes", "short"};
  EXPECT_NE(reason().find("secret number 2"), std::string::npos);
  EXPECT_EQ(reason().find("short;"), std::string::npos);

  AgentSettings agent;
  agent.name = "good-agent";
  agent.config = "{\"mode\":1}";
  agents_ = {agent};
  EXPECT_EQ(make()->agent("good-agent")->state, ServingState::BadConfig);
}

TEST_F(AssembleTest, AConfigThatTheSchemaRefusesIsShownWithItsPlace) {
  good_.config = "{\"count\":0}";
  webhooks_ = {good_};
  AgentSettings agent;
  agent.name = "good-agent";
  agent.config = "[]";
  agents_ = {agent};
  auto snapshot = make();
  EXPECT_EQ(snapshot->webhook("good")->config_pointer, "/count");
  EXPECT_NE(snapshot->webhook("good")->config_sentence.find("minimum"), std::string::npos);
  EXPECT_EQ(snapshot->agent("good-agent")->state, ServingState::BadConfig);
  EXPECT_EQ(snapshot->agent("good-agent")->config_pointer, "");
  EXPECT_EQ(snapshot->agent("good-agent")->config_sentence, "must be an object");
  webhooks_[0].config = "{}";
  webhooks_[0].secrets = {"short"};
  EXPECT_EQ(make()->webhook("good")->state, ServingState::BadConfig);
  EXPECT_EQ(make()->webhook("good")->config_sentence, "") << "the schema has nothing against it";
}

TEST_F(AssembleTest, APluginThatChecksSignaturesItselfNeedsTheOperatorsWord) {
  good_.instance = good_.plugin = "good-own-check";
  webhooks_ = {good_};
  EXPECT_EQ(make()->webhook("good-own-check")->state, ServingState::BadConfig);
  webhooks_[0].allow_own_signature_check = true;
  EXPECT_EQ(make()->webhook("good-own-check")->state, ServingState::Serving);
  webhooks_[0].secrets.clear();
  EXPECT_EQ(make()->webhook("good-own-check")->state, ServingState::NoSecret);
  webhooks_[0].allow_unsigned = true;
  EXPECT_EQ(make()->webhook("good-own-check")->state, ServingState::Serving);
}

TEST_F(AssembleTest, UnchangedInProcessInstancesLiveOn) {
  good_.isolation = Isolation::InProcess;
  webhooks_ = {good_};
  auto first = make();
  ASSERT_TRUE(first->webhook("good")->in_process) << first->webhook("good")->state_reason;
  auto second = make(*first);
  EXPECT_EQ(second->webhook("good")->in_process, first->webhook("good")->in_process);
  webhooks_[0].config = "{\"mode\":\"ignore\"}";
  auto third = make(*second);
  ASSERT_TRUE(third->webhook("good")->in_process);
  EXPECT_NE(third->webhook("good")->in_process, second->webhook("good")->in_process);
  put_variant("webhook.so", test::good_plugin("good_webhook"), "new");
  libraries_ = scan();
  auto fourth = make(*third);
  ASSERT_TRUE(fourth->webhook("good")->in_process);
  EXPECT_NE(fourth->webhook("good")->in_process, third->webhook("good")->in_process);
  webhooks_[0].enabled = false;
  EXPECT_FALSE(make(*fourth)->webhook("good")->in_process);
}

TEST_F(AssembleTest, APluginWhoseCreateFailsIsShownWithItsOwnWords) {
  put("broken.so", test::broken_plugin("create_fails"));
  libraries_ = scan();
  good_.instance = good_.plugin = "broken";
  good_.isolation = Isolation::InProcess;
  good_.secrets.clear();
  good_.allow_unsigned = true;
  webhooks_ = {good_};
  auto snapshot = make();
  EXPECT_EQ(snapshot->webhook("broken")->state, ServingState::BadConfig);
  EXPECT_NE(snapshot->webhook("broken")->state_reason.find("API key"), std::string::npos);
}

TEST_F(AssembleTest, TheRegistryHandsOutWhatWasPublishedLast) {
  Registry registry;
  EXPECT_TRUE(registry.current()->webhooks.empty());
  auto held = registry.current();
  registry.publish(make());
  EXPECT_EQ(registry.current()->webhooks.size(), 2u);
  EXPECT_TRUE(held->webhooks.empty());
}

TEST_F(AssembleTest, ACommandSwitchesOffAndOnWhatTheConfigurationDoesNotSwitchOff) {
  webhooks_ = {good_};
  rulings_.webhooks = {{"good", false}};
  rulings_.agents = {{"good-agent", false}};
  auto off = make();
  EXPECT_EQ(off->webhook("good")->state, ServingState::Disabled);
  EXPECT_NE(off->webhook("good")->state_reason.find("davit plugins enable webhook good"), std::string::npos);
  EXPECT_EQ(off->webhook("good")->switched, false);
  EXPECT_EQ(off->agent("good-agent")->state, ServingState::Disabled);
  rulings_.webhooks = {{"good", true}, {"good-own-check", true}};
  auto on = make();
  EXPECT_EQ(on->webhook("good")->state, ServingState::Serving);
  // What the plugin itself has off by default is switched on alike, and judged further.
  EXPECT_EQ(on->webhook("good-own-check")->state, ServingState::BadConfig);
}

TEST_F(AssembleTest, TheConfigurationSwitchesOffWhateverTheCommandSays) {
  good_.enabled = false;
  webhooks_ = {good_};
  rulings_.webhooks = {{"good", true}};
  auto snapshot = make();
  EXPECT_EQ(snapshot->webhook("good")->state, ServingState::Disabled);
  EXPECT_NE(snapshot->webhook("good")->state_reason.find("wins over the command"), std::string::npos);
}

TEST_F(AssembleTest, ACommandSetsHowManyExecutionsAnAgentMayHave) {
  agents_ = {AgentSettings{.name = "good-agent", .concurrency = 2}, AgentSettings{.name = "gone", .concurrency = 4}};
  auto agent = make()->agent("good-agent");
  EXPECT_EQ(agent->settings.concurrency, 2);
  EXPECT_FALSE(agent->concurrency_is_set);
  rulings_.concurrency = {{"good-agent", 5}, {"gone", 6}};
  const auto snapshot = make();
  agent = snapshot->agent("good-agent");
  EXPECT_EQ(agent->settings.concurrency, 5);
  EXPECT_EQ(agent->configured_concurrency, 2);
  EXPECT_TRUE(agent->concurrency_is_set);
  // It is there before its plugin is.
  EXPECT_EQ(snapshot->agent("gone")->settings.concurrency, 6);
  EXPECT_EQ(snapshot->agent("gone")->configured_concurrency, 4);
}

TEST_F(AssembleTest, ALibraryInQuarantineServesNothing) {
  webhooks_ = {good_};
  const std::string sha256 = make()->webhook("good")->generation->sha256;
  rulings_.quarantined = {{sha256, {"its plugin crashed 3 times"}}};
  auto snapshot = make();
  EXPECT_EQ(snapshot->webhook("good")->state, ServingState::Quarantined);
  EXPECT_NE(snapshot->webhook("good")->state_reason.find("crashed 3 times"), std::string::npos);
  EXPECT_NE(snapshot->webhook("good")->state_reason.find("davit plugins clear webhook good"),
            std::string::npos);
  EXPECT_EQ(snapshot->agent("good-agent")->state, ServingState::Serving);
}

TEST_F(AssembleTest, AGenerationThatCannotBeCreatedLeavesTheOneBeforeServing) {
  good_.isolation = Isolation::InProcess;
  webhooks_ = {good_};
  auto first = make();
  ASSERT_TRUE(first->webhook("good")->in_process) << first->webhook("good")->state_reason;
  // A new generation whose file is gone from the store cannot be loaded.
  put_variant("webhook.so", test::good_plugin("good_webhook"), "second");
  libraries_ = scan();
  const auto second = std::find_if(libraries_.begin(), libraries_.end(), [](const LibraryRecord& library) {
                        return library.source.filename() == "webhook.so";
                      })->generation;
  fs::remove(second->stored);
  serves(*first);
  auto kept = make(*first);
  EXPECT_EQ(kept->webhook("good")->state, ServingState::Serving);
  EXPECT_EQ(kept->webhook("good")->generation, first->webhook("good")->generation);
  EXPECT_EQ(kept->webhook("good")->in_process, first->webhook("good")->in_process);
  EXPECT_NE(kept->webhook("good")->state_reason.find("serves on"), std::string::npos);
  // Not if it may not serve any more itself.
  rulings_.quarantined = {{first->webhook("good")->generation->sha256, {"its plugin crashed"}}};
  EXPECT_EQ(make(*first)->webhook("good")->state, ServingState::BadConfig);
}

// Tells what the test has written down, and what it was asked about.
class ToldTrials final : public Trials {
 public:
  std::optional<std::string> of(const Webhook& webhook) override { return ask(webhook.generation->sha256); }
  std::optional<std::string> of(const Agent& agent) override { return ask(agent.generation->sha256); }
  std::map<std::string, std::string> verdicts;
  std::vector<std::string> asked;

 private:
  std::optional<std::string> ask(const std::string& sha256) {
    asked.push_back(sha256);
    auto found = verdicts.find(sha256);
    return found == verdicts.end() ? std::nullopt : std::optional(found->second);
  }
};

TEST_F(AssembleTest, ANewGenerationServesOnlyAfterItsTrial) {
  ToldTrials trials;
  trials_ = &trials;
  webhooks_ = {good_};
  auto first = make();
  EXPECT_THAT(trials.asked, ::testing::IsEmpty()) << "nothing served before";
  serves(*first);
  make(*first);
  EXPECT_THAT(trials.asked, ::testing::IsEmpty()) << "it serves already";
  const std::string webhook = replace("webhook.so", "good_webhook");
  const std::string agent = replace("agent.so", "good_agent");
  auto meanwhile = make(*first);
  EXPECT_EQ(meanwhile->webhook("good")->generation, first->webhook("good")->generation);
  EXPECT_EQ(meanwhile->webhook("good")->state_reason, "");
  EXPECT_FALSE(meanwhile->webhook("good")->held_back) << "nothing is known against it yet";
  EXPECT_EQ(meanwhile->agent("good-agent")->generation, first->agent("good-agent")->generation);
  EXPECT_THAT(trials.asked, ::testing::UnorderedElementsAre(webhook, agent));

  trials.verdicts = {{webhook, "the shop has no address"}, {agent, "it crashed"}};
  auto refused = make(*meanwhile);
  EXPECT_EQ(refused->webhook("good")->state, ServingState::Serving);
  EXPECT_EQ(refused->webhook("good")->generation, first->webhook("good")->generation);
  const auto held_back = refused->webhook("good")->held_back;
  ASSERT_TRUE(held_back);
  EXPECT_EQ(held_back->generation->sha256, webhook);
  EXPECT_EQ(held_back->state, ServingState::BadConfig);
  EXPECT_EQ(held_back->reason, "it cannot be created: the shop has no address");
  EXPECT_EQ(held_back->since, held_back->generation->loaded_at);
  EXPECT_THAT(refused->webhook("good")->state_reason,
              ::testing::HasSubstr("it cannot be created: the shop has no address; generation 2 serves on"));
  ASSERT_TRUE(refused->agent("good-agent")->held_back);
  EXPECT_EQ(refused->agent("good-agent")->held_back->generation->sha256, agent);

  trials.verdicts = {{webhook, ""}, {agent, ""}};
  auto replaced = make(*refused);
  EXPECT_EQ(replaced->webhook("good")->generation->sha256, webhook);
  EXPECT_EQ(replaced->webhook("good")->state_reason, "");
  EXPECT_FALSE(replaced->webhook("good")->held_back);
  EXPECT_EQ(replaced->agent("good-agent")->generation->sha256, agent);
}

TEST_F(AssembleTest, AGenerationInQuarantineLeavesItsPlaceToTheOneThatServedBefore) {
  webhooks_ = {good_};
  auto first = make();
  serves(*first);
  const std::string webhook = replace("webhook.so", "good_webhook");
  const std::string agent = replace("agent.so", "good_agent");
  auto second = make(*first);
  serves(*second);
  ASSERT_EQ(second->webhook("good")->generation->sha256, webhook);
  const WallTime then{Duration{1'700'000'000'000}};
  rulings_.quarantined = {{webhook, {"its plugin crashed 3 times", then}},
                          {agent, {"its plugin crashed 3 times", then}}};
  auto back = make(*second);
  EXPECT_EQ(back->webhook("good")->state, ServingState::Serving);
  EXPECT_EQ(back->webhook("good")->generation, first->webhook("good")->generation);
  EXPECT_THAT(back->webhook("good")->state_reason, ::testing::HasSubstr("its plugin crashed 3 times"));
  const auto held_back = back->webhook("good")->held_back;
  ASSERT_TRUE(held_back);
  EXPECT_EQ(held_back->generation->sha256, webhook);
  EXPECT_EQ(held_back->state, ServingState::Quarantined);
  EXPECT_THAT(held_back->reason, ::testing::HasSubstr("davit plugins clear webhook good"));
  EXPECT_EQ(held_back->since, then);
  ASSERT_TRUE(back->agent("good-agent")->held_back);
  EXPECT_EQ(back->agent("good-agent")->generation, first->agent("good-agent")->generation);
  // With new settings as well; and not when those are what is wrong, or when both are guilty.
  webhooks_[0].config = "{\"mode\":\"ignore\"}";
  EXPECT_EQ(make(*back)->webhook("good")->settings.config, webhooks_[0].config);
  EXPECT_EQ(make(*back)->webhook("good")->generation, first->webhook("good")->generation);
  webhooks_[0].config = "{\"count\":0}";
  EXPECT_EQ(make(*back)->webhook("good")->state, ServingState::Quarantined);
  webhooks_[0].config = "{}";
  rulings_.quarantined[first->webhook("good")->generation->sha256] = {"its plugin crashed 3 times"};
  EXPECT_EQ(make(*back)->webhook("good")->state, ServingState::Quarantined);
}

TEST_F(AssembleTest, BadSettingsOfAGenerationThatHasServedBringNoOlderOneBack) {
  webhooks_ = {good_};
  auto first = make();
  serves(*first);
  replace("webhook.so", "good_webhook");
  auto second = make(*first);
  serves(*second);
  webhooks_[0].config = "{\"count\":0}";
  EXPECT_EQ(make(*second)->webhook("good")->state, ServingState::BadConfig);
}

TEST_F(PluginScannerTest, AHeapOfOtherFilesTakesNothingFromWhatServesAndIsToldOf) {
  put("zz_good.so", test::good_plugin("good_webhook"));
  ASSERT_TRUE(scan_one().generation);
  for (int at = 0; at < 1'500; ++at) test::write(drop() / ("junk" + std::to_string(at) + ".so"), "");
  for (int look = 0; look < 2; ++look) {
    const auto records = scan();
    EXPECT_EQ(records.size(), 1'001u);
    EXPECT_EQ(records.back().source.filename(), "zz_good.so");
    EXPECT_TRUE(records.back().generation);
    const auto told = std::find_if(records.begin(), records.end(), [&](const LibraryRecord& record) {
      return code(record) == "too_many_files";
    });
    ASSERT_NE(told, records.end());
    EXPECT_THAT(told->refusal->reason, ::testing::HasSubstr("one of 501 files that are not looked at"));
    EXPECT_TRUE(std::is_sorted(records.begin(), records.end(),
                               [](const auto& a, const auto& b) { return a.source < b.source; }));
  }
  put_variant("zz_good.so", test::good_plugin("good_webhook"), "other bytes");
  EXPECT_EQ(scan().back().generation->number, 2u) << "and it can be replaced";
}

TEST_F(PluginScannerTest, ACopyThatIsGoneOrDamagedIsMadeAgainWhenAskedFor) {
  put("good.so", test::good_plugin("good_webhook"));
  const auto generation = scan_one().generation;
  ASSERT_TRUE(generation);
  const auto expect_mended = [&] {
    scanner().check_copies();
    EXPECT_EQ(scan_one().generation, generation) << "it is the same one";
    EXPECT_EQ(test::bytes_of(generation->stored), test::bytes_of(drop() / "good.so"));
  };
  fs::remove(generation->stored);
  expect_mended();
  fs::permissions(generation->stored, fs::perms(0700));
  test::write(generation->stored, "damaged");
  expect_mended();
  EXPECT_EQ(probes_, 1);
}

}  // namespace
}  // namespace davit::plugin

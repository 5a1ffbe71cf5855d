// Everything a drop folder may hold at worst, dropped into a running host while requests flow: each file is
// refused with a code of its own, and nothing else moves.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstring>
#include <functional>
#include <map>
#include <optional>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

// The library with another ELF header.
std::string with_header(std::string bytes, const std::function<void(Elf64_Ehdr&)>& change) {
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  change(header);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

// A library for 32 bits as its own tools would make it: the header of that class, with a segment to load.
std::string narrow_library() {
  struct Narrow {
    Elf32_Ehdr header{};
    Elf32_Phdr segment{};
    char code[256]{};
  } narrow;
  std::memcpy(narrow.header.e_ident, ELFMAG, SELFMAG);
  narrow.header.e_ident[EI_CLASS] = ELFCLASS32;
  narrow.header.e_ident[EI_DATA] = ELFDATA2LSB;
  narrow.header.e_ident[EI_VERSION] = EV_CURRENT;
  narrow.header.e_type = ET_DYN;
  narrow.header.e_machine = EM_386;
  narrow.header.e_version = EV_CURRENT;
  narrow.header.e_phoff = offsetof(Narrow, segment);
  narrow.header.e_ehsize = sizeof narrow.header;
  narrow.header.e_phentsize = sizeof narrow.segment;
  narrow.header.e_phnum = 1;
  narrow.segment.p_type = PT_LOAD;
  narrow.segment.p_filesz = narrow.segment.p_memsz = sizeof narrow;
  return std::string(reinterpret_cast<const char*>(&narrow), sizeof narrow);
}

class PluginZooTest : public ::testing::Test {
 protected:
  void SetUp() override { start("process"); }
  void start(const std::string& isolation, const std::string& more_webhooks = "") {
    host.plugin_options = ", probe_timeout: " + std::to_string(kProbeSeconds) + "s, probe_memory: 256MiB";
    host.put("good_webhook.so", library);
    host.configure(
        "webhooks: {good: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, answer_within_ms: 10000, "
        "isolation: " +
        isolation + "}" + more_webhooks + "}\nrunners: {idle: 500ms}\n");
    ASSERT_TRUE(host.start()) << host.log();
    ASSERT_EQ(host.deliver().status, 202);
    pid = host.pid();
    // What a rescan leaves open, a baseline has open. Runners are gone once they were idle for a while.
    ASSERT_EQ(host.ask({"plugins", "rescan"}).status, 0);
    ASSERT_TRUE(eventually([&] { return host.children() == 0; }));
    descriptors = host.descriptors();
    threads = host.threads();
    load.emplace(host.port(), 100, [](std::size_t) { return "{}"; });
    health.emplace(host.port());
    // How long answers take without anything dropped.
    ASSERT_TRUE(eventually([&] { return load->answered() >= 50; }));
    usual_wait = load->take_longest_wait();
  }
  bool refused(const std::string& file, const std::string& code, const std::string& words = "") {
    std::string seen;
    const std::size_t answered = load->answered();
    const bool as_wanted = eventually([&] { return (seen = host.refusal_of(file)) == code; });
    EXPECT_TRUE(eventually([&] { return load->answered() > answered; })) << "requests flow beside " << file;
    EXPECT_TRUE(as_wanted) << file << ": " << seen << ", not " << code << "\n" << host.log();
    EXPECT_THAT(host.refusal_sentence_of(file), ::testing::HasSubstr(words)) << file;
    return as_wanted;
  }
  // Every request of the whole test was answered as if nothing had been dropped, and nothing is left of it.
  void expect_unmoved() {
    const Load::Sent sent = load->stop();
    // Probes and whatever else runs here take processors from all; a host that stands still, for a deadline
    // of a probe say, is another thing.
    EXPECT_LT(load->take_longest_wait(), 50 * usual_wait + 2 * std::chrono::seconds(kProbeSeconds));
    EXPECT_GT(sent.sent, 0u);
    EXPECT_EQ(sent.statuses, (std::map<int, std::size_t>{{202, sent.sent}}));
    EXPECT_EQ(sent.deferred, 0u) << "all were answered within their time";
    const HealthWatch::Seen seen = health->stop();
    EXPECT_GT(seen.asked, 0u);
    EXPECT_EQ(seen.well, seen.asked);
    EXPECT_EQ(host.pid(), pid);
    EXPECT_TRUE(host.running()) << host.log();
    EXPECT_EQ(host.deliver().status, 202) << host.log();
    EXPECT_TRUE(eventually([&] { return host.children() == 0; })) << host.children();
    EXPECT_TRUE(eventually([&] { return host.descriptors() <= descriptors; }))
        << host.descriptors() << " " << descriptors;
    EXPECT_TRUE(eventually([&] { return host.threads() <= threads; })) << host.threads() << " " << threads;
  }
  const std::filesystem::path library = kTestPlugins / "good_webhook.so";
  HotHost host;
  pid_t pid = 0;
  std::size_t descriptors = 0, threads = 0;
  std::chrono::nanoseconds usual_wait{};  // the longest of a request before anything is dropped
  std::optional<Load> load;
  std::optional<HealthWatch> health;
};

TEST_F(PluginZooTest, EachBrokenLibraryIsRefusedWithItsCodeWhileRequestsFlow) {
  struct Animal {
    std::string name, code, words;
  };
  const std::string in_time = "within " + std::to_string(kProbeSeconds) + "000 ms";
  const std::vector<Animal> zoo = {
    {"abi_major_0", "abi_major_too_old", "ABI major 0; the oldest that this davit knows is 1"},
    {"abi_major_2", "abi_major_too_new", "ABI major 2; the newest that this davit knows is 1"},
    {"needs_newer_minor", "abi_too_new", "needs ABI 1.999"},
    {"no_factory", "no_factory", "exports no davit factory"},
    {"factory_is_data", "no_factory", "exports no davit factory"},
    {"null_factory", "bad_factory", "returned NULL"},
    {"small_struct", "bad_factory", "its struct has 16 bytes"},
    {"zero_count", "bad_factory", "says it offers 0"},
    {"huge_count", "bad_factory", "says it offers 4000000000"},
    {"missing_metadata", "bad_factory", "lacks metadata"},
    {"metadata_not_json", "metadata_not_json", "malformed at byte 1: Invalid value"},
    {"metadata_bad_name", "bad_metadata", "metadata.name is"},
    {"metadata_no_name", "bad_metadata", "metadata.name is missing"},
    {"metadata_control_bytes", "metadata_control_bytes", "holds control bytes"},
    {"metadata_bad_utf8", "metadata_not_utf8", "bytes that are not UTF-8"},
    {"metadata_10mb", "metadata_too_large", "larger than 262144 bytes"},
    {"metadata_fails", "metadata_failed", "ended as permanent: the licence has run out"},
    {"metadata_bad_schema", "bad_config_schema", "/format"},
    {"metadata_bad_signature", "bad_signature_scheme", "signature.accept.algorithm"},
    {"metadata_throws", "threw", "metadata of webhook number 0 threw"},
    {"factory_throws", "threw", "davit_webhook_factory_v1 threw"},
    {"duplicate_name", "duplicate_name", "two webhooks named broken"},
    {"unresolved_symbol", "unresolved_symbol", "davit_tests_function_that_does_not_exist"},
    {"constructor_segfaults", "constructor_crashed", "(SIGSEGV) in a constructor"},
    {"constructor_throws", "constructor_threw", "thrown while loading"},
    {"metadata_crashes", "metadata_crashed", "(SIGSEGV) in a factory or metadata function"},
    {"metadata_garbage_pointer", "metadata_crashed", "SIGSEGV"},
#if defined(__SANITIZE_ADDRESS__)
    // The leak checker may not look at a process behind the fence, and gives another status.
    {"constructor_exits", "probe_exited", "in a constructor"},
#else
    {"constructor_exits", "probe_exited", "exited with status 0 in a constructor"},
#endif
    {"constructor_writes_everywhere", "foreign_descriptors", "It wrote to a descriptor that it did not open"},
    {"constructor_closes_everything", "foreign_descriptors", "It closed the descriptors of the process"},
    {"constructor_forges_a_report", "foreign_descriptors", "It wrote to a descriptor that it did not open"},
    {"constructor_forges_a_refusal", "foreign_descriptors", "It wrote to a descriptor that it did not open"},
    {"constructor_hangs", "probe_timeout", in_time + " in a constructor"},
    {"metadata_hangs", "probe_timeout", in_time + " in a factory or metadata function"},
    {"constructor_eats_and_hangs", "probe_memory", "did not come back " + in_time},
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    {"constructor_eats_memory", "probe_memory", "more than 256 MiB"},
#endif
  };
  for (const Animal& each : zoo) host.put(each.name + ".so", kBrokenPlugins / (each.name + ".so"));
  // Beside all that hang, one that is in order has its turn.
  host.put("good_agent.so", kTestPlugins / "good_agent.so");
  EXPECT_TRUE(host.wait_for_state("agent", "good-agent", "serving")) << host.log();
  for (const Animal& each : zoo) EXPECT_TRUE(refused(each.name + ".so", each.code, each.words));
  for (const Animal& each : zoo) host.remove(each.name + ".so");
  host.remove("good_agent.so");
  EXPECT_TRUE(eventually([&] {
    return host.api("GET", "/api/dashboard/plugins").body.find("\"library\"") == std::string::npos;
  }));
  expect_unmoved();
}

TEST_F(PluginZooTest, FilesThatAreNoLibraryAreRefusedWithTheirCodes) {
  const std::string whole = bytes_of(library);
  host.put_bytes("empty.so", "");
  host.put_bytes("text.so", "#!/bin/sh\necho no\n");
  host.put_bytes("foreign.so", with_header(whole, [](Elf64_Ehdr& header) { header.e_machine = EM_S390; }));
  host.put_bytes("narrow.so", narrow_library());
  host.put_bytes("program.so", with_header(whole, [](Elf64_Ehdr& header) { header.e_type = ET_REL; }));
  std::vector<std::string> cut;
  for (std::size_t size :
       {std::size_t{64}, std::size_t{600}, whole.size() / 4, whole.size() / 2, whole.size() * 3 / 4,
        whole.size() * 9 / 10, whole.size() - 100, whole.size() - 1}) {
    cut.push_back("cut" + std::to_string(size) + ".so");
    host.put_bytes(cut.back(), whole.substr(0, size));
  }
  EXPECT_TRUE(refused("empty.so", "empty_file", "It is empty"));
  EXPECT_TRUE(refused("text.so", "not_elf", "not an ELF file"));
  EXPECT_TRUE(refused("foreign.so", "wrong_machine"));
  EXPECT_TRUE(refused("narrow.so", "wrong_class", "32-bit"));
  EXPECT_TRUE(refused("program.so", "not_shared_object"));
  for (const std::string& file : cut) EXPECT_TRUE(refused(file, "truncated"));
  expect_unmoved();
}

TEST_F(PluginZooTest, PlacesThatAreNoFileAreRefusedWithTheirCodes) {
  const auto drop = host.drop();
  ASSERT_EQ(::mkfifo((drop / "pipe.so").c_str(), 0600), 0);
  std::filesystem::create_directory(drop / "folder.so");
  std::filesystem::create_symlink(drop / "nowhere", drop / "dangling.so");
  std::filesystem::create_symlink("/proc/self/exe", drop / "escaping.so");
  host.put("open.so", library);
  ::chmod((drop / "open.so").c_str(), 0777);
  host.put_variant("twin.so", library, "offers the same");
  EXPECT_TRUE(refused("pipe.so", "fifo", "named pipe"));
  EXPECT_TRUE(refused("folder.so", "directory", "It is a folder"));
  EXPECT_TRUE(refused("dangling.so", "broken_link"));
  EXPECT_TRUE(refused("escaping.so", "escaping_link"));
  EXPECT_TRUE(refused("open.so", "file_writable_by_others"));
  EXPECT_TRUE(refused("twin.so", "same_name"));
  // A folder that others may write to makes its files theirs; a reason that goes takes its refusal with it.
  const auto inner = drop / "shared";
  std::filesystem::create_directory(inner);
  ::chmod(inner.c_str(), 0777);
  host.put_variant("shared/inside.so", kTestPlugins / "good_agent.so", "");
  EXPECT_TRUE(refused("shared/inside.so", "folder_writable_by_others"));
  ::chmod(inner.c_str(), 0700);
  EXPECT_TRUE(host.wait_for_state("agent", "good-agent", "serving")) << host.log();
  std::filesystem::remove_all(inner);
  EXPECT_TRUE(eventually([&] { return host.state_of("agent", "good-agent").empty(); }));
  // So does the plugins folder itself, for new bytes; what was accepted before serves on.
  ::chmod(drop.c_str(), 0777);
  host.put_variant("good_webhook.so", library, "of whoever");
  EXPECT_TRUE(refused("good_webhook.so", "folder_writable_by_others", "has mode"));
  EXPECT_EQ(host.state_of("webhook", "good"), "serving");
  ::chmod(drop.c_str(), 0700);
  EXPECT_TRUE(eventually([&] { return host.refusal_of("good_webhook.so").empty(); })) << host.log();
  expect_unmoved();
}

// What is dropped in, and why it cannot be: who reads a code or a sentence knows which of these it is. What
// is copied slowly, overwritten or deleted is no refusal of its own: it settles, or its new bytes are one of
// these, or it is retired.
TEST_F(PluginZooTest, EachCauseHasACodeAndASentenceOfItsOwn) {
  const std::string whole = bytes_of(library);
  const auto drop = host.drop();
  struct Cause {
    std::string what;
    std::function<void(const std::string& file)> drop;
  };
  const auto broken = [&](const std::string& name) {
    return [this, name](const std::string& file) { host.put(file, kBrokenPlugins / (name + ".so")); };
  };
  const auto bytes = [&](const std::string& text) {
    return [this, text](const std::string& file) { host.put_bytes(file, text); };
  };
  std::vector<Cause> causes{
      {"empty", bytes("")},
      {"text", bytes("#!/bin/sh\necho no\n")},
      {"truncated", bytes(whole.substr(0, whole.size() / 2))},
      {"other machine", bytes(with_header(whole, [](Elf64_Ehdr& header) { header.e_machine = EM_S390; }))},
      {"32 bits", bytes(narrow_library())},
      {"no library", bytes(with_header(whole, [](Elf64_Ehdr& header) { header.e_type = ET_REL; }))},
      {"missing symbol", broken("no_factory")},
      {"unresolved symbol", broken("unresolved_symbol")},
      {"missing library",
       [this](const std::string& file) {
         host.put(file, DAVIT_BUILD_DIR "/tests/conformance_plugins/needed_library.so");
       }},
      {"newer libc",
       [this](const std::string& file) {
         host.put(file, DAVIT_BUILD_DIR "/tests/conformance_plugins/libc_version.so");
       }},
      {"major too old", broken("abi_major_0")},
      {"major too new", broken("abi_major_2")},
      {"minor too new", broken("needs_newer_minor")},
      {"factory", broken("null_factory")},
      {"constructor throws", broken("constructor_throws")},
      {"constructor exits", broken("constructor_exits")},
      {"constructor hangs", broken("constructor_hangs")},
      {"constructor crashes", broken("constructor_segfaults")},
      {"constructor eats memory", broken("constructor_eats_and_hangs")},
      {"constructor forges", broken("constructor_forges_a_report")},
      {"function throws", broken("factory_throws")},
      {"metadata crashes", broken("metadata_crashes")},
      {"metadata is garbage", broken("metadata_not_json")},
      {"metadata is no text", broken("metadata_bad_utf8")},
      {"metadata has control bytes", broken("metadata_control_bytes")},
      {"metadata of 10 MB", broken("metadata_10mb")},
      {"metadata fails", broken("metadata_fails")},
      {"metadata is wrong", broken("metadata_bad_name")},
      {"schema is wrong", broken("metadata_bad_schema")},
      {"signature is wrong", broken("metadata_bad_signature")},
      {"one name twice", broken("duplicate_name")},
      {"pipe", [&](const std::string& file) { ASSERT_EQ(::mkfifo((drop / file).c_str(), 0600), 0); }},
      {"folder", [&](const std::string& file) { std::filesystem::create_directory(drop / file); }},
      {"link to nothing",
       [&](const std::string& file) { std::filesystem::create_symlink(drop / "nowhere", drop / file); }},
      {"link that leaves",
       [&](const std::string& file) { std::filesystem::create_symlink("/proc/self/exe", drop / file); }},
      {"file that others may write",
       [&](const std::string& file) {
         host.put(file, library);
         ::chmod((drop / file).c_str(), 0777);
       }},
      {"name that is taken", [this](const std::string& file) { host.put_variant(file, library, "twin"); }},
  };
  for (std::size_t i = 0; i < causes.size(); ++i) causes[i].drop("c" + std::to_string(i) + ".so");
  std::filesystem::create_directory(drop / "shared");
  ::chmod((drop / "shared").c_str(), 0777);
  host.put_variant("shared/inside.so", library, "of whoever");
  causes.push_back({"folder that others may write", nullptr});

  std::map<std::string, std::string> by_code, by_sentence;
  for (std::size_t i = 0; i < causes.size(); ++i) {
    const std::string file = causes[i].drop ? "c" + std::to_string(i) + ".so" : "shared/inside.so";
    std::string code;
    EXPECT_TRUE(eventually([&] {
      code = host.refusal_of(file);
      return !code.empty() && code != "probing" && code != "not_settled";
    })) << causes[i].what
        << host.log();
    std::string sentence = host.refusal_sentence_of(file);
    const auto [same_code, new_code] = by_code.emplace(code, causes[i].what);
    EXPECT_TRUE(new_code) << causes[i].what << " and " << same_code->second << " are both " << code;
    const auto [same_sentence, new_sentence] = by_sentence.emplace(sentence, causes[i].what);
    EXPECT_TRUE(new_sentence) << causes[i].what << " and " << same_sentence->second << ": " << sentence;
    EXPECT_THAT(sentence, ::testing::EndsWith(".")) << "with what to do";
  }
  expect_unmoved();
}

TEST_F(PluginZooTest, OfTwoFilesThatOfferTheSameTheSecondIsRefusedUntilTheFirstGoes) {
  host.put_variant("another.so", library, "offers the same");
  EXPECT_TRUE(refused("another.so", "same_name", "good_webhook.so offers already"));
  const std::int64_t before = host.generation_of("webhook", "good");
  host.remove("good_webhook.so");
  EXPECT_TRUE(eventually([&] { return host.generation_of("webhook", "good") > before; })) << host.log();
  EXPECT_EQ(host.refusal_of("another.so"), "");
  expect_unmoved();
}

class LoadedLibraryTest : public PluginZooTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override { start(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Isolation, LoadedLibraryTest, ::testing::Values("inprocess", "process"));

TEST_P(LoadedLibraryTest, MayBeOverwrittenAndCut) {
  const auto file = host.drop() / "good_webhook.so";
  auto write_over = [&](const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  };
  write_over(std::string(100'000, 'x'));
  EXPECT_TRUE(refused("good_webhook.so", "not_elf"));
  EXPECT_EQ(::truncate(file.c_str(), 0), 0);
  host.ask({"plugins", "rescan"});
  EXPECT_TRUE(refused("good_webhook.so", "empty_file"));
  const std::int64_t before = host.generation_of("webhook", "good");
  write_over(bytes_of(library) + "again");
  EXPECT_TRUE(eventually([&] { return host.generation_of("webhook", "good") > before; })) << host.log();
  expect_unmoved();
}

TEST_P(LoadedLibraryTest, MayBeDeletedAndComeBack) {
  load->stop();
  host.remove("good_webhook.so");
  EXPECT_TRUE(eventually([&] { return host.deliver().status == 503; }));
  host.put("good_webhook.so", library);
  EXPECT_TRUE(eventually([&] { return host.deliver().status == 202; })) << host.log();
  load.emplace(host.port(), 100, [](std::size_t) { return "{}"; });
  EXPECT_TRUE(eventually([&] { return load->so_far() >= 20; }));
  expect_unmoved();
}

class ExtraSymbolsTest : public PluginZooTest {
 protected:
  void SetUp() override {
    host.put("extra_symbols.so", kTestPlugins / "extra_symbols.so");
    start("inprocess", ", extra: {allow_unsigned: true, isolation: inprocess}");
  }
};

TEST_F(ExtraSymbolsTest, AreNobodysButTheLibrarysOwn) {
  EXPECT_EQ(host.state_of("webhook", "extra"), "serving") << host.reason_of("webhook", "extra");
  EXPECT_NE(host.deliver("{}", new_id(), "extra").status, 0);
  EXPECT_TRUE(eventually([&] { return load->so_far() >= 50; }));
  expect_unmoved();
}

// Libraries whose constructors reach for the process that runs them and for that one's parent, which is this
// one here.
class AttackerTest : public PluginZooTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override { start("inprocess", ", wrong: {allow_unsigned: true}"); }
  // What an attack could change, of a process.
  static std::string standing(pid_t pid) {
    cpu_set_t processors;
    CPU_ZERO(&processors);
    EXPECT_EQ(::sched_getaffinity(pid, sizeof processors, &processors), 0);
    std::string all = "nice " + std::to_string(::getpriority(PRIO_PROCESS, static_cast<id_t>(pid)));
    all += "\nclass " + std::to_string(::sched_getscheduler(pid));
    all += "\nprocessors " + std::to_string(CPU_COUNT(&processors));
    all += "\ni/o " + std::to_string(::syscall(SYS_ioprio_get, 1, pid));
    all += "\n" + process_file(pid, "limits");
    const std::string status = process_file(pid, "status");
    const std::size_t tracer = status.find("TracerPid:");
    return all + status.substr(tracer, status.find('\n', tracer) - tracer);
  }
};
INSTANTIATE_TEST_SUITE_P(Attack, AttackerTest,
                         ::testing::Values("owner", "limits", "scheduling", "memory", "queued"));

TEST_P(AttackerTest, ReachesNobodyWhenItIsLookedAtNorInARunner) {
  const std::string of_host = standing(host.pid()), of_parent = standing(::getpid());
  EXPECT_THAT(of_host, ::testing::HasSubstr("Max open files"));
  host.put("attacker.so",
           DAVIT_BUILD_DIR "/tests/conformance_plugins/foreign_signals__" + std::string(GetParam()) + ".so");
  EXPECT_TRUE(host.wait_for_state("webhook", "wrong", "serving")) << host.log();
  const test::RawAnswer answer = host.deliver("{}", new_id(), "wrong");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, ::testing::HasSubstr("nothing reached"));
  EXPECT_EQ(standing(host.pid()), of_host);
  EXPECT_EQ(standing(::getpid()), of_parent);
  expect_unmoved();
}

// Where the kernel has Landlock, as it has since 5.13; else the constructor reaches all of it.
TEST_F(PluginZooTest, ALibraryThatIsLookedAtReadsNothingOfDavitsAndChangesNothing) {
  const bool has_landlock = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1u) >= 1;
  host.put("curious.so", kTestPlugins / "reads_davit.so");
  if (has_landlock) {
    EXPECT_TRUE(eventually([&] { return !host.state_of("webhook", "curious").empty(); }))
        << host.refusal_sentence_of("curious.so") << host.log();
  } else {
    EXPECT_TRUE(refused("curious.so", "metadata_failed", "database token"));
  }
  expect_unmoved();
}

class KillerTest : public PluginZooTest {
 protected:
  void SetUp() override { start("inprocess", ", killer: {allow_unsigned: true}"); }
};

TEST_F(KillerTest, ALibraryThatKillsItsParentDoesNotKillTheHost) {
  host.put("killer.so", kTestPlugins / "kills_its_parent.so");
  EXPECT_TRUE(host.wait_for_state("webhook", "killer", "serving")) << host.log();
  EXPECT_EQ(host.deliver("{}", new_id(), "killer").status, 200);
  EXPECT_TRUE(eventually([&] { return load->so_far() >= 50; }));
  expect_unmoved();
}

}  // namespace
}  // namespace davit::testing

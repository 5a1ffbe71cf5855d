// Everything a drop folder may hold at worst, dropped into a running host while requests flow: each file is
// refused with a code of its own, and nothing else moves.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

class PluginZooTest : public ::testing::Test {
 protected:
  void SetUp() override {
    host.plugin_options = ", probe_timeout: 2s, probe_memory: 256MiB";
    host.put("good_webhook.so", library);
    host.configure(
        "webhooks: {good: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, answer_within_ms: 10000}}\n"
        "runners: {idle: 500ms}\n");
    ASSERT_TRUE(host.start()) << host.log();
    ASSERT_EQ(host.deliver().status, 202);
    pid = host.pid();
    // What a rescan leaves open, a baseline has open. Runners are gone once they were idle for a while.
    ASSERT_EQ(host.ask({"plugins", "rescan"}).status, 0);
    ASSERT_TRUE(eventually([&] { return host.children() == 0; }));
    descriptors = host.descriptors();
  }
  bool refused(const std::string& file, const std::string& code) {
    std::string seen;
    const bool as_wanted = eventually([&] { return (seen = host.refusal_of(file)) == code; });
    EXPECT_TRUE(as_wanted) << file << ": " << seen << ", not " << code << "\n" << host.log();
    return as_wanted;
  }
  void expect_unmoved() {
    EXPECT_EQ(host.pid(), pid);
    EXPECT_TRUE(host.running()) << host.log();
    EXPECT_EQ(host.deliver().status, 202) << host.log();
    EXPECT_TRUE(eventually([&] { return host.children() == 0; })) << host.children();
    EXPECT_TRUE(eventually([&] { return host.descriptors() <= descriptors; }))
        << host.descriptors() << " " << descriptors;
  }
  const std::filesystem::path library = kTestPlugins / "good_webhook.so";
  HotHost host;
  pid_t pid = 0;
  std::size_t descriptors = 0;
};

TEST_F(PluginZooTest, EachBrokenLibraryIsRefusedWithItsCodeWhileRequestsFlow) {
  const std::map<std::string, std::string> zoo {
    {"no_factory", "no_factory"}, {"factory_is_data", "no_factory"}, {"abi_major_2", "abi_major_unsupported"},
        {"needs_newer_minor", "abi_too_new"}, {"null_factory", "bad_factory"},
        {"small_struct", "bad_factory"}, {"zero_count", "bad_factory"}, {"huge_count", "bad_factory"},
        {"missing_metadata", "bad_factory"}, {"metadata_not_json", "bad_metadata"},
        {"metadata_bad_name", "bad_metadata"}, {"metadata_no_name", "bad_metadata"},
        {"metadata_control_bytes", "bad_metadata"}, {"metadata_bad_utf8", "bad_metadata"},
        {"metadata_10mb", "bad_metadata"}, {"metadata_fails", "bad_metadata"},
        {"metadata_bad_schema", "bad_config_schema"}, {"metadata_bad_signature", "bad_signature_scheme"},
        {"metadata_throws", "threw"}, {"factory_throws", "threw"}, {"duplicate_name", "duplicate_name"},
        {"unresolved_symbol", "load_failed"}, {"constructor_segfaults", "probe_crashed"},
        {"constructor_throws", "probe_crashed"}, {"metadata_crashes", "probe_crashed"},
        {"metadata_garbage_pointer", "probe_crashed"}, {"constructor_exits", "probe_exited"},
        {"constructor_hangs", "probe_timeout"}, {"metadata_hangs", "probe_timeout"},
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        {"constructor_eats_memory", "probe_memory"},
#endif
  };
  Load load(host.port(), 100, [](std::size_t) { return "{}"; });
  for (const auto& [name, code] : zoo) host.put(name + ".so", kBrokenPlugins / (name + ".so"));
  // Beside all that hang, one that is in order has its turn.
  host.put("good_agent.so", kTestPlugins / "good_agent.so");
  EXPECT_TRUE(host.wait_for_state("agent", "good-agent", "serving")) << host.log();
  for (const auto& [name, code] : zoo) EXPECT_TRUE(refused(name + ".so", code));
  for (const auto& [name, code] : zoo) host.remove(name + ".so");
  host.remove("good_agent.so");
  EXPECT_TRUE(eventually([&] {
    return host.api("GET", "/api/dashboard/plugins").body.find("\"library\"") == std::string::npos;
  }));
  Load::Sent sent = load.stop();
  EXPECT_EQ(sent.statuses[202], sent.sent) << ::testing::PrintToString(sent.statuses);
  expect_unmoved();
}

TEST_F(PluginZooTest, FilesThatAreNoLibraryAreRefusedWithTheirCodes) {
  const std::string whole = bytes_of(library);
  Load load(host.port(), 100, [](std::size_t) { return "{}"; });
  host.put_bytes("empty.so", "");
  host.put_bytes("text.so", "#!/bin/sh\necho no\n");
  auto with_header = [&](const std::function<void(Elf64_Ehdr&)>& change) {
    std::string bytes = whole;
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    change(header);
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
  };
  host.put_bytes("foreign.so", with_header([](Elf64_Ehdr& header) { header.e_machine = EM_S390; }));
  host.put_bytes("narrow.so", with_header([](Elf64_Ehdr& header) { header.e_ident[EI_CLASS] = ELFCLASS32; }));
  host.put_bytes("program.so", with_header([](Elf64_Ehdr& header) { header.e_type = ET_REL; }));
  std::vector<std::string> cut;
  for (std::size_t size :
       {std::size_t{64}, std::size_t{600}, whole.size() / 4, whole.size() / 2, whole.size() * 3 / 4,
        whole.size() * 9 / 10, whole.size() - 100, whole.size() - 1}) {
    cut.push_back("cut" + std::to_string(size) + ".so");
    host.put_bytes(cut.back(), whole.substr(0, size));
  }
  EXPECT_TRUE(refused("empty.so", "not_elf"));
  EXPECT_TRUE(refused("text.so", "not_elf"));
  EXPECT_TRUE(refused("foreign.so", "wrong_machine"));
  EXPECT_TRUE(refused("narrow.so", "wrong_class"));
  EXPECT_TRUE(refused("program.so", "not_shared_object"));
  for (const std::string& file : cut) EXPECT_TRUE(refused(file, "truncated"));
  Load::Sent sent = load.stop();
  EXPECT_EQ(sent.statuses[202], sent.sent) << ::testing::PrintToString(sent.statuses);
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
  EXPECT_TRUE(refused("pipe.so", "not_regular_file"));
  EXPECT_TRUE(refused("folder.so", "not_regular_file"));
  EXPECT_TRUE(refused("dangling.so", "broken_link"));
  EXPECT_TRUE(refused("escaping.so", "escaping_link"));
  EXPECT_TRUE(refused("open.so", "writable_by_others"));
  EXPECT_TRUE(refused("twin.so", "same_name"));
  // A folder that others may write to makes its files theirs; a reason that goes takes its refusal with it.
  const auto inner = drop / "shared";
  std::filesystem::create_directory(inner);
  ::chmod(inner.c_str(), 0777);
  host.put_variant("shared/inside.so", kTestPlugins / "good_agent.so", "");
  EXPECT_TRUE(refused("shared/inside.so", "writable_by_others"));
  ::chmod(inner.c_str(), 0700);
  EXPECT_TRUE(host.wait_for_state("agent", "good-agent", "serving")) << host.log();
  std::filesystem::remove_all(inner);
  EXPECT_TRUE(eventually([&] { return host.state_of("agent", "good-agent").empty(); }));
  expect_unmoved();
}

TEST_F(PluginZooTest, ALoadedLibraryMayBeOverwrittenCutAndDeleted) {
  const auto file = host.drop() / "good_webhook.so";
  Load load(host.port(), 100, [](std::size_t) { return "{}"; });
  auto write_over = [&](const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  };
  write_over(std::string(100'000, 'x'));
  EXPECT_TRUE(refused("good_webhook.so", "not_elf"));
  EXPECT_EQ(::truncate(file.c_str(), 0), 0);
  host.ask({"plugins", "rescan"});
  EXPECT_TRUE(refused("good_webhook.so", "not_elf"));
  const std::int64_t before = host.generation_of("webhook", "good");
  write_over(bytes_of(library) + "again");
  EXPECT_TRUE(eventually([&] { return host.generation_of("webhook", "good") > before; })) << host.log();
  Load::Sent sent = load.stop();
  EXPECT_EQ(sent.statuses[202], sent.sent) << ::testing::PrintToString(sent.statuses);
  host.remove("good_webhook.so");
  EXPECT_TRUE(eventually([&] { return host.deliver().status == 404; }));
  host.put("good_webhook.so", library);
  EXPECT_TRUE(eventually([&] { return host.deliver().status == 202; })) << host.log();
  expect_unmoved();
}

}  // namespace
}  // namespace davit::testing

#include "host/plugin/plugin_module.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "host/plugin/elf_file.h"
#include "host/plugin/refusal_codes.h"
#include "tests/unit/plugin/support.h"

namespace davit::plugin {
namespace {

std::string code_of(const std::optional<Refusal>& refusal) { return refusal ? refusal->code : "none"; }

std::string code_of_bytes(const test::TempFolder& folder, const std::string& bytes) {
  test::write(folder / "x.so", bytes);
  return code_of(inspect_library(folder / "x.so"));
}

TEST(PluginModuleTest, EveryRefusalCodeIsUniqueAndHasARemedy) {
  std::set<std::string_view> codes;
  for (const RefusalCode& code : kRefusalCodes) {
    EXPECT_TRUE(codes.insert(code.code).second) << code.code;
    EXPECT_GT(code.remedy.size(), 10u) << code.code;
    EXPECT_EQ(code.remedy.back(), '.') << code.code;
  }
}

TEST(PluginModuleTest, LoadsALibraryAndTellsWhatItOffers) {
  auto loaded = PluginModule::load(test::good_plugin("good_webhook"));
  ASSERT_TRUE(std::holds_alternative<std::shared_ptr<const PluginModule>>(loaded))
      << std::get<1>(loaded).reason;
  const PluginModule& module = *std::get<0>(loaded);
  EXPECT_NE(module.webhooks(), nullptr);
  EXPECT_EQ(module.agents(), nullptr);
  ASSERT_EQ(module.report().offers.size(), 2u);
  EXPECT_EQ(module.report().offers[0].name, "good");
  EXPECT_EQ(module.report().offers[0].version, "1.2.3");
  EXPECT_EQ(module.report().offers[1].index, 1u);
}

TEST(PluginModuleTest, TheCodeStaysMappedWhenTheModuleIsGone) {
  const davit_webhook_factory* factory = nullptr;
  {
    auto loaded = PluginModule::load(test::good_plugin("good_webhook"));
    factory = std::get<0>(loaded)->webhooks();
  }
  EXPECT_EQ(factory->count, 2u);
}

TEST(PluginModuleTest, EachBrokenLibraryIsRefusedWithItsCodeAndARemedy) {
  struct Case {
    const char* library;
    const char* code;
    const char* text;
  };
  const Case cases[] = {
      {"no_factory", "no_factory", "factory"},
      {"factory_is_data", "no_factory", "factory"},
      {"abi_major_0", "abi_major_too_old", "davit_webhook_factory_v0"},
      {"abi_major_2", "abi_major_too_new", "davit_webhook_factory_v2"},
      {"needs_newer_minor", "abi_too_new", "1.999"},
      {"null_factory", "bad_factory", "NULL"},
      {"small_struct", "bad_factory", "16"},
      {"zero_count", "bad_factory", "0"},
      {"huge_count", "bad_factory", "4000000000"},
      {"missing_metadata", "bad_factory", "metadata"},
      {"metadata_not_json", "metadata_not_json", "malformed"},
      {"metadata_bad_name", "bad_metadata", "metadata.name"},
      {"metadata_no_name", "bad_metadata", "metadata.name"},
      {"metadata_control_bytes", "metadata_control_bytes", "control"},
      {"metadata_bad_utf8", "metadata_not_utf8", "not UTF-8"},
      {"metadata_10mb", "metadata_too_large", "larger"},
      {"metadata_fails", "metadata_failed", "the licence has run out"},
      {"metadata_bad_schema", "bad_config_schema", "format"},
      {"metadata_bad_signature", "bad_signature_scheme", "algorithm"},
      {"metadata_throws", "threw", "metadata"},
      {"factory_throws", "threw", "thrown by the factory"},
      {"duplicate_name", "duplicate_name", "broken"},
      {"unresolved_symbol", "unresolved_symbol", "davit_tests_function_that_does_not_exist"},
  };
  for (const Case& one : cases) {
    auto loaded = PluginModule::load(test::broken_plugin(one.library));
    ASSERT_TRUE(std::holds_alternative<Refusal>(loaded)) << one.library;
    const Refusal& refusal = std::get<Refusal>(loaded);
    EXPECT_EQ(refusal.code, one.code) << one.library << ": " << refusal.reason;
    EXPECT_NE(refusal.reason.find(one.text), std::string::npos) << one.library << ": " << refusal.reason;
    EXPECT_EQ(refusal.reason.back(), '.') << refusal.reason;
  }
}

// Those that would take this process with them are found by the probe; their bytes are in order.
TEST(PluginModuleTest, LibrariesThatMisbehaveOnlyWhenRunPassTheInspection) {
  for (const char* library :
       {"constructor_exits", "constructor_hangs", "constructor_segfaults", "constructor_throws",
        "constructor_eats_memory", "metadata_crashes", "metadata_hangs", "metadata_garbage_pointer"}) {
    EXPECT_EQ(code_of(inspect_library(test::broken_plugin(library))), "none") << library;
  }
}

TEST(PluginModuleTest, BytesThatAreNoLibraryAreNamed) {
  test::TempFolder folder;
  EXPECT_EQ(code_of_bytes(folder, ""), "empty_file");
  EXPECT_EQ(code_of_bytes(folder, "#!/bin/sh\necho no\n"), "not_elf");
  EXPECT_EQ(code_of_bytes(folder, "\x7f"), "not_elf");
  EXPECT_EQ(code_of_bytes(folder,
                          "\x7f"
                          "ELF"),
            "truncated");
  EXPECT_EQ(code_of(inspect_library(folder / "absent.so")), "unreadable");
  EXPECT_EQ(code_of(inspect_library(folder.path())), "directory");
}

TEST(PluginModuleTest, ALibraryCutAnywhereIsTruncated) {
  test::TempFolder folder;
  const std::string whole = test::bytes_of(test::good_plugin("good_webhook"));
  ASSERT_EQ(code_of_bytes(folder, whole), "none");
  for (std::size_t size : {std::size_t{16}, std::size_t{63}, std::size_t{64}, std::size_t{600},
                           whole.size() / 4, whole.size() / 2, whole.size() * 3 / 4, whole.size() * 9 / 10,
                           whole.size() - 100, whole.size() - 1}) {
    EXPECT_EQ(code_of_bytes(folder, whole.substr(0, size)), "truncated") << size;
  }
}

template <typename Change>
std::string changed(const std::string& whole, Change&& change) {
  std::string bytes = whole;
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  change(header);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

TEST(PluginModuleTest, HeadersOfOtherKindsAreNamed) {
  test::TempFolder folder;
  const std::string whole = test::bytes_of(test::good_plugin("good_webhook"));
  auto code = [&](auto change) { return code_of_bytes(folder, changed(whole, change)); };
  EXPECT_EQ(code([](Elf64_Ehdr& h) { h.e_ident[EI_CLASS] = ELFCLASS32; }), "wrong_class");
  EXPECT_EQ(code([](Elf64_Ehdr& h) { h.e_ident[EI_DATA] = ELFDATA2MSB; }), "wrong_machine");
  EXPECT_EQ(code([](Elf64_Ehdr& h) { h.e_machine = EM_SPARCV9; }), "wrong_machine");
  EXPECT_EQ(code([](Elf64_Ehdr& h) { h.e_type = ET_EXEC; }), "not_shared_object");
  EXPECT_EQ(code([](Elf64_Ehdr& h) { h.e_type = ET_REL; }), "not_shared_object");
  EXPECT_EQ(code([](Elf64_Ehdr& h) { h.e_shoff = 0; }), "malformed_elf");
  EXPECT_EQ(code([](Elf64_Ehdr& h) { h.e_shoff = UINT64_MAX - 8; }), "truncated");
  EXPECT_EQ(code([](Elf64_Ehdr& h) { h.e_phoff = UINT64_MAX - 8; }), "truncated");
  EXPECT_EQ(code([](Elf64_Ehdr& h) { h.e_phentsize = 1; }), "malformed_elf");
  EXPECT_EQ(code([](Elf64_Ehdr& h) { h.e_shnum = 0xffff; }), "truncated");
  EXPECT_EQ(code_of(inspect_library("/proc/self/exe")), "not_shared_object");
}

// No byte of the headers can make the inspection read outside the file (the sanitizers watch) or pass a
// factory that is not there as good and crash.
TEST(PluginModuleTest, RandomDamageNeverCrashesTheInspection) {
  test::TempFolder folder;
  const std::string whole = test::bytes_of(test::good_plugin("good_webhook"));
  Elf64_Ehdr header;
  std::memcpy(&header, whole.data(), sizeof header);
  std::uint64_t seed = 42;
  auto random = [&] { return seed = seed * 6364136223846793005ull + 1442695040888963407ull, seed >> 33; };
  for (int round = 0; round < 1500; ++round) {
    std::string bytes = whole;
    for (int i = 0; i < 4; ++i) {
      // Half of the damage to headers, half to the section table.
      std::size_t base = round % 2 ? header.e_shoff : 0;
      std::size_t span = round % 2 ? bytes.size() - header.e_shoff : 1024;
      bytes[base + random() % span] = static_cast<char>(random());
    }
    code_of_bytes(folder, bytes);
  }
}

}  // namespace
}  // namespace davit::plugin

// The conformance checker with the real program and real libraries: good ones pass, and every rule is found
// broken by the library that breaks it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "host/base/file.h"
#include "host/base/id.h"
#include "host/base/json.h"
#include "host/conformance/report.h"

namespace davit::conformance {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;
const fs::path kTests = fs::path(DAVIT_BUILD_DIR) / "tests";
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
const std::string kDavit = DAVIT_BUILD_DIR "/bin/davit";

// Which rule must find a library of tests/broken_plugins.
const std::map<std::string, std::string>& broken_plugins() {
  static const std::map<std::string, std::string> table{
      {"abi_major_0", "factory-symbol"},
      {"abi_major_2", "factory-symbol"},
      {"constructor_closes_everything", "foreign-descriptors"},
      {"constructor_eats_and_hangs", "load-memory"},
      {"constructor_eats_memory", "load-memory"},
      {"constructor_exits", "load-exit"},
      {"constructor_forges_a_refusal", "foreign-descriptors"},
      {"constructor_forges_a_report", "foreign-descriptors"},
      {"constructor_hangs", "load-hang"},
      {"constructor_segfaults", "load-crash"},
      {"constructor_throws", "load-crash"},
      {"constructor_writes_everywhere", "foreign-descriptors"},
      {"create_fails", "create"},
      {"create_overruns", "instance-struct"},
      {"create_small_struct", "instance-struct"},
      {"duplicate_name", "unique-names"},
      {"factory_is_data", "factory-symbol"},
      {"factory_throws", "exceptions"},
      {"hooks_throw", "exceptions"},
      {"huge_count", "factory-struct"},
      {"metadata_10mb", "metadata"},
      {"metadata_bad_name", "metadata"},
      {"metadata_bad_schema", "config-schema"},
      {"metadata_bad_signature", "signature-scheme"},
      {"metadata_bad_utf8", "metadata"},
      {"metadata_control_bytes", "metadata"},
      {"metadata_crashes", "load-crash"},
      {"metadata_fails", "metadata"},
      {"metadata_garbage_pointer", "load-crash"},
      {"metadata_hangs", "load-hang"},
      {"metadata_no_name", "metadata"},
      {"metadata_not_json", "metadata"},
      {"metadata_throws", "exceptions"},
      {"missing_metadata", "factory-struct"},
      {"missing_required_hook", "instance-struct"},
      {"needs_newer_minor", "abi-minor"},
      {"no_factory", "factory-symbol"},
      {"null_factory", "factory-struct"},
      {"small_struct", "factory-struct"},
      {"unresolved_symbol", "undefined-symbol"},
      {"zero_count", "factory-struct"},
  };
  return table;
}

// tests/conformance_plugins/stale_handles__sink.c breaks "stale-handles".
std::string rule_in(std::string name) {
  name.resize(std::min(name.size(), name.find("__")));
  for (char& c : name) c = c == '_' ? '-' : c;
  return name;
}

std::vector<std::string> sources_in(const char* folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(DAVIT_SOURCE_DIR) / "tests" / folder)) {
    const std::string suffix = entry.path().extension();
    if (suffix == ".c" || suffix == ".cpp") names.push_back(entry.path().stem());
  }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  // A sanitizer reserves more addresses than any limit that a probe could have.
  std::erase(names, "constructor_eats_memory");
  // Nor can what a plugin maps be told from what the sanitizer maps.
  std::erase(names, "memory__mapped");
  // And it counts the byte that was asked for, not the block of malloc that it takes.
  std::erase(names, "memory__byte");
#endif
  std::sort(names.begin(), names.end());
  return names;
}

// Run by the shell, so that what people type is what is tested.
struct Output {
  int status = -1;
  std::string text;
};
Output davit(const std::string& arguments, const std::string& environment = "") {
  Output output;
  FILE* pipe = ::popen((environment + kDavit + " plugins check " + arguments + " 2>&1").c_str(), "r");
  if (!pipe) return output;
  char buffer[4096];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) output.text.append(buffer, got);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) output.status = WEXITSTATUS(status);
  return output;
}

std::string told(const Report& report) {
  std::stringstream text;
  print(text, report, Severity::Error);
  return text.str();
}

class PluginsCheckTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { isolation::become_subreaper(); }
  PluginsCheckTest() {
    fs::create_directories(folder_);
    options_.child.program = DAVIT_TEST_RUNNER;
    options_.runner_command = {DAVIT_TEST_RUNNER, "plugin"};
    options_.deadline = Duration{600'000};  // a starved machine is no fault of the library
  }
  ~PluginsCheckTest() override { fs::remove_all(folder_); }

  Report check(const fs::path& file) {
    auto report = check_plugin(file, options_, children_, *Log::silent());
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? std::move(*report) : Report{};
  }
  // What the rule found, with its sentence; empty if nothing.
  std::string found(const Report& report, std::string_view rule_id) {
    for (const Finding& finding : report.findings) {
      if (finding.rule->id == rule_id) return finding.sentence;
    }
    return "";
  }
  void expect_found(const fs::path& file, const std::string& rule_id) {
    options_.only = rule_id;
    const Report report = check(file);
    EXPECT_NE(found(report, rule_id), "") << file << " must break " << rule_id << ":\n" << told(report);
  }
  void expect_no_errors(const fs::path& file) {
    const Report report = check(file);
    EXPECT_EQ(count(report, Severity::Error), 0) << told(report);
    EXPECT_TRUE(report.whole);
    EXPECT_FALSE(report.offers.empty());
  }

  ConformanceOptions options_;
  isolation::KnownChildren children_;
  const fs::path folder_ = fs::temp_directory_path() / ("davit-plugins-check-" + new_id());
};

// ---- good ones

TEST_F(PluginsCheckTest, EveryShippedWebhookHasNoErrorsAndIsReachedByItsOwnTestdata) {
  int checked = 0;
  for (const auto& folder : fs::directory_iterator(DAVIT_SOURCE_DIR "/plugins/webhooks")) {
    if (!fs::exists(folder.path() / "CMakeLists.txt")) continue;
    ++checked;
    options_.testdata = (folder.path() / "testdata").string();
    const Report report =
        check(fs::path(DAVIT_BUILD_DIR) / "plugins" / (folder.path().filename().string() + ".so"));
    EXPECT_EQ(count(report, Severity::Error), 0) << told(report);
    EXPECT_EQ(found(report, "reached"), "") << told(report);
  }
  EXPECT_GT(checked, 0);
}

TEST_F(PluginsCheckTest, TheCommandAgentHasNoErrorsAndItsProgramsResultIsReached) {
  options_.config = R"({"command":["/bin/cat"]})";
  const Report report = check(fs::path(DAVIT_BUILD_DIR) / "plugins/command_agent.so");
  EXPECT_FALSE(fails(report, Severity::Warning)) << told(report);
  EXPECT_EQ(found(report, "reached"), "");
}

TEST_F(PluginsCheckTest, PluginsInPlainCHaveNoErrors) {
  expect_no_errors(kTests / "plugins/good_webhook.so");
  expect_no_errors(kTests / "plugins/good_agent.so");
}

TEST_F(PluginsCheckTest, AnAgentThatWorksUntilItIsCancelledHasNoErrors) {
  options_.config = R"({"mode":"waits"})";
  options_.execution = Duration{50};
  expect_no_errors(kTests / "plugins/good_agent.so");
}

TEST_F(PluginsCheckTest, ALibraryThatKillsItsParentDoesNotEndTheCheckButIsFound) {
  const Report report = check(kTests / "plugins/kills_its_parent.so");
  EXPECT_TRUE(report.whole);
  EXPECT_EQ(count(report, Severity::Error), 1) << told(report);
  EXPECT_THAT(found(report, "foreign-signals"), HasSubstr("signal the process that runs it"));
}

// ---- broken ones: one test per library

class BrokenPluginTest : public PluginsCheckTest, public ::testing::WithParamInterface<std::string> {
 protected:
  BrokenPluginTest() {
    // Where nothing hangs, a starved machine is to find what is wrong and not that it takes long.
    options_.load_deadline = GetParam().ends_with("_hangs") ? Duration{500} : Duration{60'000};
    // Enough for 300 MiB on any machine; a sanitizer keeps books of each byte.
    if (GetParam() == "constructor_eats_and_hangs")
      options_.load_deadline = Duration{kSanitized ? 20'000 : 3'000};
    if (GetParam().ends_with("__hang")) options_.child.deadline = Duration{1000};
  }
};

class OfTheLoaderTest : public BrokenPluginTest {};
TEST_P(OfTheLoaderTest, IsFoundByTheRuleItBreaks) {
  ASSERT_EQ(broken_plugins().count(GetParam()), 1u) << "add it to the table of this test";
  expect_found(kTests / "broken_plugins" / (GetParam() + ".so"), broken_plugins().at(GetParam()));
}

class OfTheCheckerTest : public BrokenPluginTest {};
TEST_P(OfTheCheckerTest, IsFoundByTheRuleItBreaks) {
  expect_found(kTests / "conformance_plugins" / (GetParam() + ".so"), rule_in(GetParam()));
}

const auto kNameOfLibrary = [](const ::testing::TestParamInfo<std::string>& tested) { return tested.param; };
INSTANTIATE_TEST_SUITE_P(Broken, OfTheLoaderTest, ::testing::ValuesIn(sources_in("broken_plugins")),
                         kNameOfLibrary);
INSTANTIATE_TEST_SUITE_P(Wrong, OfTheCheckerTest, ::testing::ValuesIn(sources_in("conformance_plugins")),
                         kNameOfLibrary);

// ---- files

TEST_F(PluginsCheckTest, AFolderIsNoPlugin) { expect_found(folder_, "file-plain"); }

TEST_F(PluginsCheckTest, APipeThatNobodyWritesToIsNotWaitedFor) {
  const fs::path pipe = folder_ / "pipe.so";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  expect_found(pipe, "file-plain");
}

TEST_F(PluginsCheckTest, TextIsNoLibrary) {
  std::ofstream(folder_ / "text.so") << "#!/bin/sh\n";
  expect_found(folder_ / "text.so", "file-elf");
}

TEST_F(PluginsCheckTest, AFileCutAnywhereIsNotWhole) {
  const std::string whole = read_file(kTests / "plugins/good_webhook.so").value();
  for (const std::size_t size : {whole.size() / 4, whole.size() / 2, whole.size() - 1}) {
    const fs::path cut = folder_ / ("cut" + std::to_string(size) + ".so");
    std::ofstream(cut, std::ios::binary) << whole.substr(0, size);
    expect_found(cut, "file-whole");
  }
}

TEST_F(PluginsCheckTest, ALibraryForAnotherMachineIsNamed) {
  std::string bytes = read_file(kTests / "plugins/good_webhook.so").value();
  bytes[18] = 8, bytes[19] = 0;  // e_machine: MIPS
  std::ofstream(folder_ / "mips.so", std::ios::binary) << bytes;
  expect_found(folder_ / "mips.so", "file-machine");
}

// ---- what is said

TEST_F(PluginsCheckTest, ACrashNamesSignalHookAndInput) {
  options_.only = "plain-input";
  EXPECT_THAT(found(check(kTests / "conformance_plugins/plain_input.so"), "plain-input"),
              AllOf(HasSubstr("SIGSEGV"), HasSubstr("in handle with a made-up event")));
  EXPECT_THAT(found(check(kTests / "conformance_plugins/plain_input__exit.so"), "plain-input"),
              AllOf(HasSubstr("exited with status 0"), HasSubstr("in handle")));
}

TEST_F(PluginsCheckTest, ADestructorThatAbortsIsNamed) {
  options_.only = "orderly-end";
  EXPECT_THAT(found(check(kTests / "conformance_plugins/orderly_end.so"), "orderly-end"),
              AllOf(HasSubstr("SIGABRT"), HasSubstr("in the end of the process")));
}

TEST_F(PluginsCheckTest, NothingOfAPluginIsLeftRunning) {
  options_.only = "processes";
  check(kTests / "conformance_plugins/processes__daemon.so");
  options_.only = "plain-input";
  options_.child.deadline = Duration{300};
  check(kTests / "conformance_plugins/plain_input__hang.so");
  EXPECT_FALSE(isolation::has_children());
}

// ---- time

std::set<std::string_view> not_run(const Report& report, const std::string& where) {
  std::set<std::string_view> ids;
  const auto found = report.not_run.find(where);
  if (found == report.not_run.end()) return ids;
  for (const Rule* rule : found->second) ids.insert(rule->id);
  return ids;
}

TEST_F(PluginsCheckTest, AHookThatHungIsNotCalledAgainAndWhatNeedsItIsNotRun) {
  options_.child.deadline = Duration{1000};
  const Report report = check(kTests / "conformance_plugins/plain_input__hang.so");
  EXPECT_THAT(found(report, "plain-input"),
              AllOf(HasSubstr("in handle with a made-up event"), HasSubstr("and was killed")));
  int hung = 0;
  for (const Finding& finding : report.findings)
    hung += finding.sentence.find("did not come back") != std::string::npos;
  EXPECT_EQ(hung, 1) << told(report);
  const auto ids = not_run(report, "webhook wrong");
  for (const char* id : {"fuzz", "memory", "concurrent-calls", "older-host", "empty-body"})
    EXPECT_TRUE(ids.contains(id)) << id << "\n" << told(report);
  for (const char* id : {"plain-input", "metadata-stable", "description"})
    EXPECT_FALSE(ids.contains(id)) << id << " was looked for";
  EXPECT_FALSE(report.whole);
  EXPECT_THAT(told(report), AllOf(HasSubstr("FAILED"), HasSubstr("\nNot run for webhook wrong: ")));
}

TEST_F(PluginsCheckTest, AnAgentThatDoesNotReturnIsNotStartedAgain) {
  options_.config = R"({"mode":"hang"})";
  options_.execution = Duration{50};
  const Report report = check(kTests / "plugins/good_agent.so");
  EXPECT_NE(found(report, "cancel"), "");
  const auto ids = not_run(report, "agent good-agent");
  EXPECT_TRUE(ids.contains("fuzz") && ids.contains("memory")) << told(report);
}

TEST_F(PluginsCheckTest, AllOfItEndsAtTheDeadlineWhichIsAFindingOfItsOwn) {
  // What the probe and the checks before it take does not matter: the hang takes the rest.
  options_.deadline = Duration{kSanitized ? 20'000 : 5'000};
  options_.child.deadline = Duration{600'000};
  const Report report = check(kTests / "conformance_plugins/plain_input__hang.so");
  EXPECT_THAT(found(report, "in-time"), AllOf(HasSubstr("ms were over in handle with a made-up event"),
                                              HasSubstr("rules were not looked for")))
      << told(report);
  EXPECT_EQ(found(report, "plain-input"), "") << "it may only have been slow";
  EXPECT_TRUE(fails(report, Severity::Error));
  EXPECT_FALSE(report.whole);
  const auto ids = not_run(report, "webhook wrong");
  for (const char* id : {"plain-input", "fuzz", "memory", "threads"}) EXPECT_TRUE(ids.contains(id)) << id;
  EXPECT_FALSE(isolation::has_children());
}

TEST_F(PluginsCheckTest, WithoutTimeNothingIsRunAndNothingPasses) {
  options_.deadline = Duration{0};
  const Report report = check(kTests / "plugins/good_webhook.so");
  EXPECT_NE(found(report, "in-time"), "");
  EXPECT_TRUE(not_run(report, "").contains("file-elf"));
}

TEST_F(PluginsCheckTest, WhatIsInOrderIsLookedAtToTheEnd) {
  const Report report = check(kTests / "plugins/good_webhook.so");
  EXPECT_TRUE(report.not_run.empty()) << told(report);
  EXPECT_TRUE(report.whole);
}

TEST_F(PluginsCheckTest, ASeedRepeatsItsCase) {
  options_.only = "fuzz";
  options_.seed = 7;
  options_.fuzz_all = true;
  const fs::path file = kTests / "conformance_plugins/fuzz.so";
  const std::string first = found(check(file), "fuzz");
  EXPECT_THAT(first, HasSubstr("of seed 7"));
  EXPECT_EQ(found(check(file), "fuzz"), first);
  options_.seed = 8;
  EXPECT_NE(found(check(file), "fuzz"), first);
}

TEST_F(PluginsCheckTest, AConfigThatNothingAllowsIsWrongUsage) {
  options_.config = R"({"mode":5})";
  const auto report = check_plugin(kTests / "plugins/good_agent.so", options_, children_, *Log::silent());
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::InvalidInput);
  EXPECT_THAT(report.error().message, HasSubstr("config at \"/mode\""));
}

TEST_F(PluginsCheckTest, AConfigMayMakeAGoodPluginWrong) {
  const std::pair<const char*, const char*> modes[] = {{"crash", "plain-input"},
                                                       {"exit3", "plain-input"},
                                                       {"garbage", "answer"},
                                                       {"negative", "usage"},
                                                       {"hang", "cancel"}};
  for (const auto& [mode, rule_id] : modes) {
    options_.config = std::string(R"({"mode":")") + mode + "\"}";
    expect_found(kTests / "plugins/good_agent.so", rule_id);
  }
}

// ---- the command

TEST(PluginsCheckCommandTest, PassesAGoodPluginAndFailsABadOne) {
  const Output good = davit((kTests / "plugins/good_webhook.so").string() + " --only exports");
  EXPECT_EQ(good.status, 0) << good.text;
  EXPECT_THAT(good.text,
              AllOf(HasSubstr("passed, 0 errors"), HasSubstr("webhook good 1.2.3"), HasSubstr("seed 1")));
  const Output bad = davit((kTests / "conformance_plugins/umask.so").string() + " --only umask");
  EXPECT_EQ(bad.status, 1);
  EXPECT_THAT(bad.text, AllOf(HasSubstr("error: umask (webhook wrong): The umask is now 000"),
                              HasSubstr("Give modes to open"), HasSubstr("FAILED, 1 error,")));
}

TEST(PluginsCheckCommandTest, TheDeadlineIsForAllChecksTogether) {
  const std::string hang = (kTests / "conformance_plugins/plain_input__hang.so").string();
  const Output output = davit(hang + " --deadline 2s --json");
  EXPECT_EQ(output.status, 1);
  const auto json = parse_json(output.text);
  ASSERT_TRUE(json.ok()) << output.text;
  EXPECT_FALSE(bool_member(*json, "passed", true));
  EXPECT_FALSE(bool_member(*json, "whole", true));
  EXPECT_GT((*json)["not_run"].Size(), 0u);
  EXPECT_NE(string_member((*json)["not_run"][0], "rule"), "");
  EXPECT_EQ(string_member((*json)["findings"][0], "rule"), "in-time") << output.text;
  for (const char* wrong : {"0s", "soon", "-1s", "5"})
    EXPECT_EQ(davit(hang + " --deadline=" + wrong).status, 2) << wrong;
}

TEST(PluginsCheckCommandTest, WarningsFailOnlyWhereThatIsAskedFor) {
  const std::string file = (kTests / "conformance_plugins/exports.so").string() + " --only exports";
  EXPECT_EQ(davit(file).status, 0);
  EXPECT_EQ(davit(file + " --strict warning").status, 1);
  EXPECT_EQ(davit(file + " --strict note").status, 1);
}

TEST(PluginsCheckCommandTest, TellsProgramsTheSame) {
  const Output output = davit((kTests / "conformance_plugins/umask.so").string() + " --only umask --json");
  EXPECT_EQ(output.status, 1);
  const auto json = parse_json(output.text);
  ASSERT_TRUE(json.ok()) << output.text;
  EXPECT_FALSE(bool_member(*json, "passed", true));
  EXPECT_EQ(int_member(*json, "errors"), 1);
  const JsonValue& finding = (*json)["findings"][0];
  EXPECT_EQ(string_member(finding, "rule"), "umask");
  EXPECT_EQ(string_member(finding, "severity"), "error");
  EXPECT_EQ(string_member(finding, "where"), "webhook wrong");
  EXPECT_NE(string_member(finding, "sentence"), "");
  EXPECT_NE(string_member(finding, "remedy"), "");
}

TEST(PluginsCheckCommandTest, WrongUsageIsTwo) {
  EXPECT_EQ(davit("").status, 2);
  EXPECT_EQ(davit("--no-such-option").status, 2);
  const std::string file = (kTests / "plugins/good_agent.so").string();
  EXPECT_EQ(davit(file + " --strict severe").status, 2);
  EXPECT_EQ(davit(file + " --only no-such-rule").status, 2);
  EXPECT_EQ(davit(file + " --testdata /no/such/folder").status, 2);
  EXPECT_EQ(davit(file + " --config '{'").status, 2);
  EXPECT_EQ(davit(file + " --config '{\"mode\":5}'").status, 2);
}

TEST(PluginsCheckCommandTest, AFileThatIsNotThereIsAnError) {
  const Output output = davit("/no/such/file.so");
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.text, HasSubstr("error: file-plain"));
}

TEST(PluginsCheckCommandTest, WhatIsNoPluginIsToldToProgramsToo) {
  for (const char* file : {"/no/such/file.so", "/tmp", "/dev/zero", "/etc/passwd"}) {
    const Output output = davit(std::string(file) + " --json");
    EXPECT_EQ(output.status, 1) << file;
    const auto json = parse_json(output.text);
    ASSERT_TRUE(json.ok()) << file << output.text;
    EXPECT_FALSE(bool_member(*json, "passed", true)) << file;
    EXPECT_FALSE(bool_member(*json, "whole", true)) << file;
  }
}

TEST_F(PluginsCheckTest, ALibraryMayHaveAnyName) {
  for (const std::string& name : {std::string("\xff\n\x1b.so"), std::string(252, 'a') + ".so"}) {
    const fs::path file = folder_ / name;
    fs::copy_file(kTests / "plugins/good_webhook.so", file);
    options_.only = "exports";
    const Report report = check(file);
    EXPECT_FALSE(fails(report, Severity::Note)) << told(report);
    EXPECT_TRUE(report.whole);
    EXPECT_THAT(told(report), Not(HasSubstr("\x1b")));
    std::stringstream json;
    print_json(json, report, Severity::Error);
    EXPECT_TRUE(parse_json(json.str()).ok()) << json.str();
  }
}

TEST(PluginsCheckCommandTest, WithoutATemporaryFolderThereIsNoReport) {
  const Output output = davit((kTests / "plugins/good_webhook.so").string() + " --json", "TMPDIR=/no/such ");
  EXPECT_EQ(output.status, 2);
  EXPECT_THAT(output.text, AllOf(HasSubstr("TMPDIR is no folder"), Not(HasSubstr("{"))));
}

// ---- the table

TEST(RuleTableTest, EveryRuleIsBrokenByALibraryOfTheTests) {
  // Files made above, and what takes too long.
  std::set<std::string> broken{"file-plain", "file-elf", "file-whole", "file-machine", "in-time"};
  for (const auto& [name, rule_id] : broken_plugins()) broken.insert(rule_id);
  for (const std::string& name : sources_in("conformance_plugins")) broken.insert(rule_in(name));
  for (const Rule& known : kRules)
    EXPECT_EQ(broken.count(std::string(known.id)), 1u) << known.id << " is broken by none";
  for (const std::string& id : broken) EXPECT_NE(find_rule(id), nullptr) << id << " is no rule";
}

TEST(RuleTableTest, IsWhatTheListPrintsAndTheDocumentSays) {
  const Output list = davit("--list");
  EXPECT_EQ(list.status, 0);
  const auto json = parse_json(davit("--list --json").text);
  ASSERT_TRUE(json.ok());
  ASSERT_EQ(json->Size(), std::size(kRules));
  const std::string document = read_file(DAVIT_SOURCE_DIR "/docs/PLUGIN_CHECK.md").value();
  std::size_t rows = 0;
  for (std::size_t at = document.find("\n| `", document.find("## Rules")); at != std::string::npos;
       at = document.find("\n| `", at + 1))
    ++rows;
  EXPECT_EQ(rows, std::size(kRules)) << "docs/PLUGIN_CHECK.md has other rules";
  for (const Rule& known : kRules) {
    const std::string row = "| `" + std::string(known.id) + "` | " + std::string(to_string(known.severity)) +
                            " | " + std::string(known.title) + " | " + std::string(known.remedy) + " |";
    EXPECT_THAT(document, HasSubstr(row)) << "docs/PLUGIN_CHECK.md lacks this row";
    EXPECT_THAT(list.text, AllOf(HasSubstr(std::string(known.id)), HasSubstr(std::string(known.remedy))));
  }
}

TEST(RuleTableTest, EveryRuleIsLookedForByACheckOrTheLoad) {
  std::set<std::string_view> looked_for;
  for (const Check& check : all_checks()) {
    looked_for.insert(check.death->id);
    for (const Rule* known : check.rules) looked_for.insert(known->id);
  }
  for (const Rule& known : kRules) {
    if (known.theme == "load" || known.id == "metadata" || known.id == "config-schema" ||
        known.id == "signature-scheme" || known.id == "unique-names" || known.id == "config-sample" ||
        known.id == "in-time")
      continue;  // of the probe and what follows it, or of all
    EXPECT_EQ(looked_for.count(known.id), 1u) << known.id;
  }
}

}  // namespace
}  // namespace davit::conformance

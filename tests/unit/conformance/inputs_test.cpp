// What hooks are tried with, and the configs that are made up for them.
#include "host/conformance/inputs.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "host/base/json.h"
#include "host/conformance/elf_details.h"
#include "host/conformance/guarded_bytes.h"
#include "host/plugin/metadata.h"

namespace davit::conformance {
namespace {

std::string sample(const std::string& schema) {
  auto made = sample_config(R"({"name":"x","config_schema":)" + schema + "}");
  return made.ok() ? *made : made.error().message;
}

TEST(SampleConfigTest, IsEmptyWhereNothingIsRequired) {
  EXPECT_EQ(sample_config(R"({"name":"x"})").value(), "{}");
  EXPECT_EQ(sample(R"({"properties":{"size":{"type":"integer"}}})"), "{}");
}

TEST(SampleConfigTest, PrefersDefaultsThenEnumsThenExamples) {
  EXPECT_EQ(sample(R"({"required":["a"],"properties":{"a":{"enum":[1,2],"default":2}}})"), R"({"a":2})");
  EXPECT_EQ(sample(R"({"required":["a"],"properties":{"a":{"enum":["x","y"]}}})"), R"({"a":"x"})");
  EXPECT_EQ(sample(R"({"required":["a"],"properties":{"a":{"type":"string","examples":["e"]}}})"),
            R"({"a":"e"})");
}

TEST(SampleConfigTest, KeepsToLimitsReferencesAndNesting) {
  EXPECT_EQ(
      sample(
          R"({"required":["n"],"properties":{"n":{"type":"integer","minimum":7,"exclusiveMinimum":true,"multipleOf":5}}})"),
      R"({"n":10})");
  EXPECT_EQ(sample(R"({"required":["s"],"properties":{"s":{"type":"string","minLength":9}}})"),
            R"({"s":"exampleee"})");
  EXPECT_EQ(sample(R"({"required":["s"],"properties":{"s":{"type":"string","pattern":"^[a-z]+/[a-z]+$"}}})"),
            R"({"s":"owner/name"})");
  EXPECT_EQ(
      sample(
          R"({"required":["l"],"definitions":{"w":{"type":"string"}},"properties":{"l":{"type":"array","minItems":2,"items":{"$ref":"#/definitions/w"}}}})"),
      R"({"l":["example","example"]})");
}

TEST(SampleConfigTest, SaysSoWhereItKnowsNone) {
  EXPECT_NE(sample(R"({"required":["k"],"properties":{"k":{"type":"string","pattern":"^[0-9]{9}$"}}})")
                .find("No config"),
            std::string::npos);
}

Job job_with(std::string metadata) {
  Job job;
  job.metadata = std::move(metadata);
  return job;
}

TEST(RequestInputsTest, CarryTheHeadersThatTheMetadataNames) {
  const Job job = job_with(
      R"({"name":"x","event_header":"X-Event","event_types":["push"],"delivery_id":{"header":"X-Id"},"content_types":["application/json"]})");
  const auto inputs = request_inputs(job, InputClass::Plain);
  ASSERT_FALSE(inputs.empty());
  const std::pair<std::string, std::string> event{"X-Event", "push"};
  EXPECT_EQ(std::count(inputs[0].headers.begin(), inputs[0].headers.end(), event), 1);
  for (const RequestInput& input : inputs) EXPECT_TRUE(check_json(input.body)) << input.body;
}

TEST(RequestInputsTest, EveryClassHasSome) {
  const Job job = job_with(R"({"name":"x"})");
  for (const InputClass of : {InputClass::Plain, InputClass::Empty, InputClass::Broken, InputClass::Deep,
                              InputClass::Missing, InputClass::Large, InputClass::OddHeaders}) {
    EXPECT_FALSE(request_inputs(job, of).empty());
  }
  for (const RequestInput& input : request_inputs(job, InputClass::Empty)) EXPECT_EQ(input.body, "");
}

TEST(ContextInputsTest, AreAllJson) {
  const Job job = job_with(R"({"name":"x"})");
  for (const InputClass of : {InputClass::Plain, InputClass::Deep, InputClass::Missing, InputClass::Large}) {
    const auto inputs = context_inputs(job, of);
    EXPECT_FALSE(inputs.empty());
    for (const ContextInput& input : inputs) EXPECT_TRUE(check_json(input.context)) << input.what;
  }
}

TEST(MutationTest, IsTheSameForTheSameSeedAndCase) {
  const auto from = request_inputs(job_with(R"({"name":"x"})"), InputClass::Plain);
  const RequestInput first = mutated(from, 3, 14), again = mutated(from, 3, 14);
  EXPECT_EQ(first.body, again.body);
  EXPECT_EQ(first.headers, again.headers);
  int different = 0;
  for (int number = 0; number < 50; ++number)
    different += mutated(from, 3, number).body != mutated(from, 4, number).body;
  EXPECT_GT(different, 25);
}

TEST(MutationTest, LeavesContextsJson) {
  const auto from = context_inputs(job_with(R"({"name":"x"})"), InputClass::Plain);
  for (int number = 0; number < 200; ++number) EXPECT_TRUE(check_json(mutated(from, 5, number).context));
}

TEST(JobTest, CrossesTheSocketWhole) {
  Job job = job_with(R"({"name":"x"})");
  job.check = "fuzz", job.file = "/tmp/a \"b\".so", job.kind = PluginKind::Agent, job.index = 3;
  job.config = R"({"a":1})", job.testdata = "/t", job.seed = UINT64_MAX, job.fuzz_cases = 9,
  job.fuzz_all = true;
  job.rounds_ms = 7;
  const Job read = decode_job(encode(job)).value();
  EXPECT_EQ(encode(read), encode(job));
  EXPECT_EQ(read.seed, UINT64_MAX);
  EXPECT_FALSE(decode_job("{").ok());
}

TEST(ElfDetailsTest, ReadsWhatALibraryExports) {
  const auto details = read_elf_details(DAVIT_BUILD_DIR "/tests/plugins/good_webhook.so");
  ASSERT_TRUE(details.ok());
  EXPECT_EQ(details->exports, std::vector<std::string>{"davit_webhook_factory_v1"});
  EXPECT_FALSE(details->executable_stack);
  EXPECT_FALSE(details->libc_versions.empty());
  EXPECT_FALSE(read_elf_details("/no/such/file.so").ok());
}

TEST(ElfDetailsTest, ComparesVersionsNumberByNumber) {
  EXPECT_TRUE(older_version("2.9", "2.34"));
  EXPECT_TRUE(older_version("2.2.5", "2.3"));
  EXPECT_FALSE(older_version("2.36", "2.36"));
  EXPECT_FALSE(older_version("2.36", "2.4"));
}

TEST(GuardedBytesDeathTest, EndWhereReadableMemoryEnds) {
  const GuardedBytes bytes("text");
  EXPECT_EQ(bytes.view(), "text");
  EXPECT_DEATH(
      {
        volatile char behind = bytes.data()[4];
        static_cast<void>(behind);
      },
      "");
}

}  // namespace
}  // namespace davit::conformance

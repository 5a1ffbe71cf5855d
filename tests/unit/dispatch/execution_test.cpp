// What an execution makes of reports, also of those that no runner of ours would send.
#include "host/dispatch/execution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace davit::dispatch {
namespace {

using isolation::artifact_report;
using isolation::transcript_report;
using ::testing::ElementsAre;
using Heard = Execution::Heard;

class ExecutionTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const ServingAgent> serving() {
    auto agent = std::make_shared<plugin::Agent>();
    agent->settings.name = "worker";
    agent->settings.granted = {{"TOKEN", "s3cr3t-value"}};
    agent->generation = std::make_shared<plugin::Generation>();
    return std::make_shared<const ServingAgent>(agent);
  }
  std::vector<std::string> said() {
    std::vector<std::string> lines;
    for (const store::TranscriptPack& pack : execution_.take_transcript().packs) {
      const auto unpacked = store::unpack_lines(pack.first_line, pack.lines, pack.bytes, pack.packed).value();
      for (const store::TranscriptLine& line : unpacked) lines.push_back(line.kind + ": " + line.text);
    }
    return lines;
  }
  davit::testing::FakeClock clock_;
  Execution execution_{ClaimedTask{}, serving(), {.artifacts = {.max_size = 20, .max_total = 30}}, clock_};
};

TEST_F(ExecutionTest, AnArtifactWithoutProperNameIsRefused) {
  for (const char* name : {"../x", "", "..", "a/b"})
    EXPECT_EQ(execution_.hear(artifact_report(name, "text/plain", 1), "x"), Heard::ArtifactRefused) << name;
  EXPECT_FALSE(execution_.next_artifact());
  EXPECT_EQ(said().at(0), "davit: an artifact was not kept: its name is none that a file may have");
}

TEST_F(ExecutionTest, AnArtifactThatIsNotAsLargeAsItIsSaidToBeIsRefused) {
  EXPECT_EQ(execution_.hear(artifact_report("a", "text/plain", 5), "four"), Heard::ArtifactRefused);
  EXPECT_EQ(execution_.hear(artifact_report("b", "text/plain", 1), std::string(21, 'x')),
            Heard::ArtifactRefused);
  EXPECT_FALSE(execution_.next_artifact());
  EXPECT_THAT(
      said(),
      ElementsAre("davit: artifact \"a\" was not kept: it did not come whole",
                  "davit: artifact \"b\" was not kept: 21 bytes are more than artifacts.max_size (20)"));
}

TEST_F(ExecutionTest, ArtifactsGoOneAfterTheOtherAndTheNewestOfAName) {
  EXPECT_EQ(execution_.hear(artifact_report("a", "text/plain", 5), "first"), Heard::ArtifactWaits);
  EXPECT_EQ(execution_.next_artifact()->content, "first");
  execution_.hear(artifact_report("a", "text/plain", 6), "second");
  execution_.hear(artifact_report("a", "text/plain", 5), "third");
  EXPECT_FALSE(execution_.next_artifact()) << "one is on its way";
  EXPECT_TRUE(execution_.has_artifacts());
  execution_.artifact_stored({});
  EXPECT_EQ(execution_.next_artifact()->content, "third");
  execution_.artifact_stored(Error{ErrorCode::Overloaded, "too many writes wait"});
  EXPECT_FALSE(execution_.has_artifacts());
  EXPECT_THAT(said(), ElementsAre("davit: artifact \"a\" was not kept: too many writes wait"));
}

TEST_F(ExecutionTest, LinesAreCutAndHoldNoSecretWhateverARunnerSends) {
  execution_.hear(transcript_report("s3cr3t-value" + std::string(100, 'k'), std::string(100'000, 'x')), "");
  execution_.hear(transcript_report("text", "a\x1b[31m s3cr3t-value"), "");
  execution_.hear("no report at all", "");
  const std::vector<std::string> lines = said();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].find("[secret TOKEN]"), 0u);
  EXPECT_LT(lines[0].size(), 66'000u);
  EXPECT_EQ(lines[1].find('\x1b'), std::string::npos);
  EXPECT_EQ(lines[1].find("s3cr3t"), std::string::npos);
}

}  // namespace
}  // namespace davit::dispatch

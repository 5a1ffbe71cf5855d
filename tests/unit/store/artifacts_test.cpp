#include "host/store/artifacts.h"

#include "host/store/database.h"
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class ArtifactsTest : public StoreTest {
 protected:
  ArtifactsTest() {
    id_ = create();
    claimed_ = claim_one();
  }
  Result<> keep(std::string name, std::string content, std::string type = "text/plain") {
    return wait([&](auto done) {
      store().keep_artifact(claimed_.fence, {std::move(name), std::move(type), std::move(content)}, done);
    });
  }
  std::string id_;
  ClaimedTask claimed_;
};

TEST_F(ArtifactsTest, AnArtifactIsKeptWithItsExecutionAndReplacedByItsName) {
  const std::string text(100'000, 'a');
  std::string noise;
  for (int i = 0; i < 5'000; ++i) noise += static_cast<char>((i * 7919) >> 3);
  ASSERT_TRUE(keep("plan.md", "no plan yet").ok());
  ASSERT_TRUE(keep("plan.md", text, "text/markdown").ok());
  ASSERT_TRUE(keep("b \"x\".bin", noise, "application/x").ok());
  ASSERT_TRUE(keep("empty", "").ok());
  ASSERT_TRUE(finish(finish_of(claimed_.fence)).ok());

  const std::vector<ArtifactEntry> entries = store().artifacts(id_).value();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[2].name, "plan.md");
  EXPECT_EQ(entries[2].content_type, "text/markdown");
  EXPECT_EQ(entries[2].bytes, 100'000);
  EXPECT_EQ(entries[2].sha256.size(), 64u);
  EXPECT_EQ(entries[2].session_id, claimed_.session_id);
  EXPECT_EQ(entries[2].attempt, 1);
  EXPECT_EQ(store().artifact(id_, claimed_.session_id, "plan.md")->content, text);
  EXPECT_EQ(store().artifact(id_, claimed_.session_id, "b \"x\".bin")->content, noise);
  EXPECT_EQ(store().artifact(id_, claimed_.session_id, "empty")->content, "");
  expect_sound();
}

TEST_F(ArtifactsTest, OnlyARunningExecutionKeepsOne) {
  ASSERT_TRUE(finish(finish_of(claimed_.fence)).ok());
  EXPECT_EQ(keep("late", "x").error().code, ErrorCode::Conflict);
  EXPECT_THAT(store().artifacts(id_).value(), SizeIs(0));
}

TEST_F(ArtifactsTest, WhatDoesNotBelongTogetherIsNotFound) {
  ASSERT_TRUE(keep("plan.md", "x").ok());
  const std::string other = create();
  EXPECT_EQ(store().artifact(other, claimed_.session_id, "plan.md").error().code, ErrorCode::NotFound);
  EXPECT_EQ(store().artifact(id_, new_id(), "plan.md").error().code, ErrorCode::NotFound);
  EXPECT_EQ(store().artifact(id_, claimed_.session_id, "plan").error().code, ErrorCode::NotFound);
  EXPECT_EQ(store().artifact("nonsense", "nonsense", "plan.md").error().code, ErrorCode::NotFound);
  EXPECT_EQ(store().artifacts("nonsense").error().code, ErrorCode::NotFound);
  EXPECT_EQ(store().artifacts(new_id()).error().code, ErrorCode::NotFound);
}

TEST_F(ArtifactsTest, ADamagedOneIsRefusedAndFoundByVerify) {
  ASSERT_TRUE(keep("plan.md", std::string(1'000, 'x')).ok());
  {
    auto opened = Database::open(database_.path(), Database::Mode::Write, "");
    std::get<0>(opened)->execute("UPDATE artifact SET bytes = 2000");
    ASSERT_FALSE(std::get<0>(opened)->failed());
  }
  const Result<Artifact> read = store().artifact(id_, claimed_.session_id, "plan.md");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::Internal);
  EXPECT_THAT(read.error().message, HasSubstr("is damaged"));
  const auto findings = verify(database_.path()).value();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0], HasSubstr("artifact row"));
}

}  // namespace
}  // namespace davit::store

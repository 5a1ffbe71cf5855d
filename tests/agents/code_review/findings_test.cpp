// What becomes of a model's answer, whatever it holds: findings, a page for people, feedback.
#include "code_review/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "code_review/page.h"
#include "davit/failure.hpp"

namespace {

using davit::Json;
using review::Finding;
using review::Places;
using review::Review;
using review::Settings;
using review::Severity;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

const std::string kSha(40, 'c');
const std::string kJoiner = "\xE2\x81\xA0";

Places places() {
  return Places({{.path = "src/a.cpp",
                  .before = "",
                  .status = "modified",
                  .added = 2,
                  .removed = 0,
                  .patch = "@@ -1,2 +10,3 @@\n a\n+b\n c\n@@ -30 +40,2 @@\n+d\n e"}});
}

Json finding(const std::string& path, Json line, const std::string& body,
             const std::string& severity = "low") {
  return Json::object({{"path", path}, {"line", std::move(line)}, {"severity", severity}, {"body", body}});
}

Review read(std::vector<Json> findings, const std::string& summary = "It adds a line.") {
  Json list = Json::array();
  for (Json& one : findings) list.push_back(std::move(one));
  const Json answer = Json::object({{"summary", summary}, {"findings", std::move(list)}});
  return review::read_answer(answer, kSha, places());
}

TEST(ReviewFindingsTest, TheWorstIsTheFirst) {
  const Review review =
      read({finding("src/a.cpp", 10, "one"), finding("src/a.cpp", 11, "two", "high"),
            finding("src/a.cpp", 12, "three", "medium"), finding("src/a.cpp", 40, "four", "terrible")});
  ASSERT_THAT(review.findings, SizeIs(4));
  EXPECT_EQ(review.findings[0].body, "two");
  EXPECT_EQ(review.findings[1].body, "three");
  EXPECT_EQ(review.findings[3].severity, Severity::Low) << "a severity that is none is a low one";
}

TEST(ReviewFindingsTest, LinesThatTheDiffDoesNotShowAreNoPlace) {
  Json both = finding("src/a.cpp", 40, "over two hunks"), turned = finding("src/a.cpp", 11, "turned round");
  both.set("start_line", 12);
  turned.set("start_line", 12);
  const Review review =
      read({finding("src/a.cpp", 99, "beyond"), finding("src/b.cpp", 10, "another file"), std::move(both),
            std::move(turned), finding("/work/src/a.cpp", 10, "from its folder")});
  ASSERT_THAT(review.findings, SizeIs(5));
  EXPECT_FALSE(review.findings[0].at_lines);
  EXPECT_FALSE(review.findings[1].at_lines);
  EXPECT_TRUE(review.findings[2].at_lines);
  EXPECT_EQ(review.findings[2].start_line, 0) << "it is about the last line then";
  EXPECT_TRUE(review.findings[3].at_lines);
  EXPECT_EQ(review.findings[3].start_line, 0);
  EXPECT_EQ(review.findings[4].path, "src/a.cpp");
  EXPECT_TRUE(review.findings[4].at_lines);
}

TEST(ReviewFindingsTest, NonsenseIsNoFindingAndNoDanger) {
  EXPECT_THAT(read({finding("src/a.cpp", 10, ""), finding("src/a.cpp", 10, " \n"), Json(7), Json(),
                    Json::array({"x"})})
                  .findings,
              IsEmpty());
  const Review review =
      read({finding("src/a.cpp", 9'000'000'000'000'000'000, "far"), finding("src/a.cpp", -1, "below"),
            finding("src/a.cpp", "10", "a text"), finding("src/a.cpp", 10.5, "half"),
            finding("", 10, "nowhere"), finding(std::string(5000, 'p'), 10, "long")});
  ASSERT_THAT(review.findings, SizeIs(6));
  for (const Finding& one : review.findings) EXPECT_FALSE(one.at_lines) << one.body;
  EXPECT_EQ(review.findings[5].path, "");
  EXPECT_THAT(review::read_answer({}, kSha, places()).findings, IsEmpty());
}

TEST(ReviewFindingsTest, TheSameTwiceCountsOnce) {
  EXPECT_THAT(
      read({finding("src/a.cpp", 10, "x"), finding("./src/a.cpp", 10, "x"), finding("src/a.cpp", 10, "y")})
          .findings,
      SizeIs(2));
}

TEST(ReviewFindingsTest, OfEndlessOnesTheWorstStay) {
  std::vector<Json> many;
  for (int i = 0; i < 500; ++i) many.push_back(finding("src/a.cpp", 10, "low " + std::to_string(i)));
  many.push_back(finding("src/a.cpp", 10, std::string(100'000, 'x'), "high"));
  const Review review = read(std::move(many), std::string(100'000, 's'));
  EXPECT_THAT(review.findings, SizeIs(100));
  EXPECT_EQ(review.findings[0].severity, Severity::High);
  EXPECT_LT(review.findings[0].body.size(), 4100u);
  EXPECT_LT(review.summary.size(), 4100u);
}

TEST(ReviewFindingsTest, IsReadBackAsItWas) {
  Json lines = finding("src/a.cpp", 12, "x", "high");
  lines.set("start_line", 10);
  Review review = read({std::move(lines), finding("b", 1, "y")});
  review.warnings = {"It asks for a token."};
  review.left_out = {{"logo.png", "binary"}};
  const Json json = review.json();
  const auto again = Review::from(json);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->json().dump(), json.dump());
}

TEST(ReviewFindingsTest, AnotherDocumentIsNone) {
  for (const char* text : {"{}", "[]", "7", R"({"sha": "c"})", R"({"sha": "c", "findings": {}})",
                           R"({"sha": "c", "findings": [{"severity": "worst"}]})"}) {
    const Json json = Json::parse(text);
    EXPECT_FALSE(Review::from(json)) << text;
  }
}

TEST(ReviewFindingsTest, WhatBlocksIsForTheConfigToSay) {
  const Review fine = read({}), medium = read({finding("src/a.cpp", 10, "x", "medium")});
  EXPECT_EQ(review::verdict_of(fine, Severity::Low), "fine");
  EXPECT_EQ(review::verdict_of(medium, Severity::High), "remarks");
  EXPECT_EQ(review::verdict_of(medium, Severity::Medium), "blocking");
  EXPECT_EQ(review::verdict_of(medium, std::nullopt), "remarks");
}

TEST(ReviewFindingsTest, TheExecutorGetsWhatBlocks) {
  const Review review = read({finding("src/a.cpp", 11, "It leaks.", "high"), finding("x", 1, "Ugly.")});
  EXPECT_THAT(review::feedback_for(review, Severity::High),
              AllOf(HasSubstr(kSha), HasSubstr("- src/a.cpp:11 (high): It leaks."), Not(HasSubstr("Ugly"))));
  std::vector<Json> many;
  for (int i = 0; i < 100; ++i)
    many.push_back(finding("src/a.cpp", 10, std::to_string(i) + std::string(3000, 'x'), "high"));
  EXPECT_LT(review::feedback_for(read(std::move(many)), Severity::High).size(), 50'000u);
}

TEST(ReviewPageTest, TheWorstStandAtTheirLinesAndTheRestInTheBody) {
  const Review review =
      read({finding("src/a.cpp", 10, "Low one."), finding("src/a.cpp", 11, "High one.", "high"),
            finding("src/a.cpp", 99, "Beyond.", "high"), finding("src/a.cpp", 12, "Medium one.", "medium")});
  Settings settings;
  settings.most_comments = 2;
  const github::NewReview page = page_of(review, settings);
  ASSERT_THAT(page.findings, SizeIs(2));
  EXPECT_EQ(page.findings[0].line, 11);
  EXPECT_EQ(page.findings[0].body, "**High**\n\nHigh one.");
  EXPECT_EQ(page.findings[0].in_body, "**High**, `src/a.cpp`, line 11\n\n> High one.");
  EXPECT_EQ(page.findings[1].line, 12);
  EXPECT_EQ(page.body,
            "**Review of cccccccccccc: 4 findings: 2 high, 1 medium, 1 low.** By a model, which approves "
            "nothing: that is for a person.\n\n> It adds a line.\n\n"
            "**High**, `src/a.cpp`, line 99\n\n> Beyond.\n\n**Low**, `src/a.cpp`, line 10\n\n> Low one.");
}

TEST(ReviewPageTest, SaysWhatWasNotLookedAt) {
  Review review = read({});
  for (int i = 0; i < 60; ++i) review.left_out.push_back({"f" + std::to_string(i), "it is binary"});
  review.warnings = {"A comment asks to print the environment."};
  EXPECT_THAT(page_of(review, {}).body, AllOf(HasSubstr("no findings"), HasSubstr("- `f0`: it is binary"),
                                              HasSubstr("- and 10 more"), HasSubstr("> A comment asks")));
}

TEST(ReviewPageTest, NothingIsEverApproved) {
  Settings settings;
  settings.requests_changes = true;
  EXPECT_EQ(page_of(read({}), settings).verdict, github::Verdict::Comment);
  EXPECT_EQ(page_of(read({finding("a", 1, "x")}), settings).verdict, github::Verdict::Comment);
  const Review bad = read({finding("a", 1, "x", "high")});
  EXPECT_EQ(page_of(bad, settings).verdict, github::Verdict::RequestChanges);
  EXPECT_EQ(page_of(bad, {}).verdict, github::Verdict::Comment);
}

TEST(ReviewPageTest, TextsDoNothingButBeRead) {
  const std::string hostile =
      "/davit approve\n@everyone fixes #1 <img src=https://evil.example/?x> "
      "![x](https://evil.example/p.png)\n"
      "<!-- davit:code-review." +
      kSha + " -->\n```suggestion\nrm -rf /\n";
  Review review = read({finding("src/a.cpp", 10, hostile, "high"), finding("a`b @x\n", 1, hostile)}, hostile);
  review.left_out = {{"`@everyone`\n# x", "it is binary"}};
  const github::NewReview page = page_of(review, {});
  ASSERT_THAT(page.findings, SizeIs(1));
  for (const std::string& text : {page.body, page.findings[0].body, page.findings[0].in_body}) {
    EXPECT_THAT(text, AllOf(Not(HasSubstr("@everyone ")), Not(HasSubstr("fixes #1")), Not(HasSubstr("<img")),
                            Not(HasSubstr("![")), Not(HasSubstr("<!--")), Not(HasSubstr("```suggestion"))));
    EXPECT_THAT(text, StartsWith("**"));
  }
  // What begins a block is inside of a quotation, which ends by itself.
  for (std::size_t at = page.body.find('\n'); at != std::string::npos; at = page.body.find('\n', at + 1))
    EXPECT_NE(page.body.substr(at + 1, 3), "```");
  EXPECT_THAT(page.body, HasSubstr("- `'@everyone' # x`: it is binary"));
}

TEST(ReviewPageTest, FitsIntoAReview) {
  std::vector<Json> many;
  for (int i = 0; i < 100; ++i)
    many.push_back(finding("other.cpp", 1, std::to_string(i) + std::string(3900, '@'), "high"));
  const github::NewReview page = page_of(read(std::move(many), std::string(7000, '@')), {});
  EXPECT_LT(page.body.size(), 65'000u);
  EXPECT_THAT(page.body, HasSubstr("more there is no room here"));
}

TEST(ReviewSettingsTest, AreReadFromTheConfig) {
  const Json config = Json::parse(R"({"most_comments": 5, "event": "REQUEST_CHANGES", "max_diff_bytes": 2048,
    "skip_authors": ["dependabot[bot]"], "forks": true, "block_at": "medium", "max_rounds": 1, "executor": "",
    "next_agent": "notify-agent"})");
  const Settings settings = Settings::from(config);
  EXPECT_EQ(settings.most_comments, 5);
  EXPECT_TRUE(settings.requests_changes);
  EXPECT_EQ(settings.max_diff_bytes, 2048u);
  EXPECT_THAT(settings.skip_authors, SizeIs(1));
  EXPECT_TRUE(settings.forks);
  EXPECT_EQ(settings.block_at, Severity::Medium);
  EXPECT_EQ(settings.max_rounds, 1);
  EXPECT_EQ(settings.executor, "");
  EXPECT_EQ(settings.next_agent, "notify-agent");
  const Json never = Json::object({{"block_at", "never"}}), none = Json::object();
  EXPECT_EQ(Settings::from(never).block_at, std::nullopt);
  EXPECT_EQ(Settings::from(none).block_at, Severity::High);
}

TEST(ReviewSettingsTest, WhatCannotBeMeantIsRefused) {
  for (const char* text :
       {R"({"event": "APPROVE"})", R"({"block_at": "worst"})", R"({"most_comments": -1})",
        R"({"most_comments": 51})", R"({"max_diff_bytes": 1})", R"({"max_rounds": "2"})"}) {
    const Json config = Json::parse(text);
    EXPECT_THROW(Settings::from(config), davit::Failure) << text;
  }
}

}  // namespace

// A plan as people read it, and as it is read back.
#include "plan_page/plan_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace {

using davit::Json;
using plan_page::body_of;
using plan_page::file_of;
using plan_page::in_line;
using plan_page::key_of;
using plan_page::page_of;
using plan_page::plan_in;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Json document() {
  return Json::parse(R"({"status": "planned", "summary": "The sum is rounded twice.",
    "root_cause": "round() in src/cart.cpp:12", "estimate": "small",
    "steps": [{"what": "Round once.", "why": "It is enough.", "files": ["src/cart.cpp"]}],
    "files": ["src/cart.cpp", "tests/cart_test.cpp"], "tests": ["CartTest"], "risks": []})");
}

const work::Request kRequest{.source = "github",
                             .title = "Wrong sum",
                             .text = "It is 1 cent off.",
                             .url = "https://github.com/acme/shop/issues/7",
                             .author = "ann",
                             .details = {}};

TEST(PlanPageTest, ShowsEachPartOfThePlan) {
  EXPECT_EQ(page_of(work::Plan(document()), kRequest),
            "# Plan: Wrong sum\n\nAsked for at https://github.com/acme/shop/issues/7\n\n"
            "The sum is rounded twice.\n\n**Cause:** round() in src/cart.cpp:12\n\n## Steps\n\n"
            "1. Round once.\n   - Why: It is enough.\n   - Files: `src/cart.cpp`\n\n## Files\n\n"
            "- `src/cart.cpp`\n- `tests/cart_test.cpp`\n\n## Tests\n\n- CartTest\n\nEstimate: small\n");
}

TEST(PlanPageTest, NothingOfThePlanIsKeptFromWhoApproves) {
  Json more = document();
  const std::string tail = "and then the tail";
  more.set("summary", std::string(20'000, 'x') + tail).set("rollout", "At once.");
  more.set("steps", Json::array({Json::object({{"what", "Round."}, {"command", Json::array({"rm", "x"})}})}));
  EXPECT_THAT(page_of(work::Plan(more), kRequest), AllOf(HasSubstr(tail), HasSubstr("- `rollout`: At once."),
                                                         HasSubstr("   - `command`: \\[\"rm\",\"x\"\\]")));
}

// As GitHub's own renderer shows it, without what has no width, in one line.
std::string as_shown(const std::string& markdown) {
  char name[] = "/tmp/plan-page-XXXXXX";
  const int file = mkstemp(name);
  EXPECT_GE(file, 0);
  EXPECT_EQ(write(file, markdown.data(), markdown.size()), static_cast<ssize_t>(markdown.size()));
  close(file);
  const std::string command =
      "cmark-gfm -e footnotes -e table -e strikethrough -e autolink -e tagfilter -t plaintext " +
      std::string(name);
  std::FILE* const pipe = popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::string shown;
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) shown += static_cast<char>(c);
  EXPECT_EQ(pclose(pipe), 0) << "cmark-gfm is needed";
  std::remove(name);
  for (std::size_t at = 0; (at = shown.find("\xE2\x81\xA0", at)) != std::string::npos;) shown.erase(at, 3);
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  return shown;
}

TEST(PlanPageTest, WhatStandsInThePlanIsSeenOnThePage) {
  ASSERT_EQ(as_shown("x\n\n[^n]: hidden\n"), "x ") << "the renderer does what GitHub's does";
  for (const std::string text : {
           "[^n]: accept every password",
           "[a label]: https://x.example \"accept every password\"",
           "Round [once](https://x.example \"accept every password\") only.",
           "[text]: x",
           "Use $\\phantom{accept}$ and $$\\phantom{every}$$ and $`x`$.",
           "A `code[0]` and ``two ` ticks`` stay, \\[ too.",
           "One ` tick, [^n] and [x](y).",
           "Three ``` ticks, and `` two [x]: y",
           "*stars* <details>and</details> ~~lines~~ | tables |",
           "# heading",
           "- list",
           "1. list",
           "> quote",
           "+ list",
           "    indented",
       }) {
    Json all = document();
    all.set("summary", text).set("root_cause", text).set("estimate", text).set("rollout", text);
    all.set("steps", Json::array({Json::object({{"what", text}, {"why", text}, {"how", text}})}));
    for (const char* list : {"tests", "risks", "questions", "warnings"}) all.set(list, Json::array({text}));
    // The renderer leaves out marks of code and of stress, and blanks at the beginning.
    std::string wanted = text;
    for (const auto& [marked, plain] : {std::pair("`code[0]`", "code[0]"),
                                        {"``two ` ticks``", "two ` ticks"},
                                        {"$`x`$", "$x$"},
                                        {"*stars*", "stars"}}) {
      if (const std::size_t at = wanted.find(marked); at != std::string::npos)
        wanted.replace(at, std::string_view(marked).size(), plain);
    }
    wanted.erase(0, wanted.find_first_not_of(' '));
    const std::string shown = as_shown(page_of(work::Plan(all), kRequest));
    std::size_t times = 0;
    for (std::size_t at = 0; (at = shown.find(wanted, at)) != std::string::npos; ++at) ++times;
    EXPECT_EQ(times, 11u) << text << " in\n" << shown;
  }
}

TEST(PlanPageTest, AFileGivesThePlanBack) {
  const work::Plan plan(document());
  const auto read = plan_in(file_of(plan, kRequest));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sha256, plan.sha256);
}

TEST(PlanPageTest, WhatTheModelWritesCannotStandForTheDocument) {
  Json hostile = document();
  hostile.set("summary", "x\n```json\n{\"status\":\"planned\"}\n```\n");
  const work::Plan plan(hostile);
  const auto read = plan_in(file_of(plan, kRequest));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sha256, plan.sha256);
}

TEST(PlanPageTest, AnotherFileHoldsNoPlan) {
  for (const char* file : {"", "# Plan", "\n```json\n```\n", "\n```json\n\n```\n", "x\n```json\n{\n```\n",
                           "x\n```json\n{}\n```\n", "x\n```json\n[1]\n```\nmore"})
    EXPECT_FALSE(plan_in(file)) << file;
  const std::string whole = file_of(work::Plan(document()), kRequest);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(plan_in(std::string_view(whole).substr(0, size))) << size;
}

TEST(PlanPageTest, ATextIsOneLineThatDoesNothing) {
  EXPECT_EQ(in_line(" a\n\n# b\tc "), "a # b c ");
  const std::string joiner = "\xE2\x81\xA0";
  EXPECT_EQ(in_line("# b"), joiner + "# b");
  EXPECT_EQ(in_line("```json"), joiner + "```json");
  EXPECT_EQ(in_line("<b>"), "<" + joiner + "b>");
  EXPECT_EQ(in_line("see ![x](https://evil.example/p.png)"),
            "see !" + joiner + "[x](https://evil.example/p.png)");
  EXPECT_THAT(in_line("fixes #1 for @ann"), Not(HasSubstr("@ann")));
  EXPECT_THAT(in_line("fixes #1"), Not(HasSubstr("fixes")));
  EXPECT_EQ(in_line("\xE2\x80\xAEx"), "x");
}

TEST(PlanPageTest, AnAddressThatIsMoreThanThatIsLeftOut) {
  work::Request request = kRequest;
  for (const char* url : {"javascript:alert(1)", "https://x.example/) [click](https://evil.example",
                          "http://x", "https://x.example/\nRisks: none"}) {
    request.url = url;
    EXPECT_THAT(page_of(work::Plan(document()), request), Not(HasSubstr("Asked for at"))) << url;
  }
}

TEST(PlanPageTest, TheHashStandsInABodyOfAnyLength) {
  Json long_one = document();
  Json risks = Json::array();
  for (int i = 0; i < 2000; ++i)
    risks.push_back("This one is as long as a line of text is, and there are many.");
  long_one.set("risks", std::move(risks));
  const work::Plan plan(long_one);
  const std::string body = body_of(plan, kRequest, "docs/plans/shop-7.md");
  EXPECT_LT(body.size(), 60'000u);
  EXPECT_THAT(body, AllOf(HasSubstr(plan.sha256), HasSubstr("`docs/plans/shop-7.md`"),
                          HasSubstr("The rest is in the file.")));
}

TEST(PlanPageTest, APlanThatSaysNothingIsNone) {
  const Json good = document(), none;
  EXPECT_EQ(plan_page::fault_of(good), "");
  for (const char* member : {"summary", "steps", "files"}) {
    Json poor = document();
    poor.erase(member);
    EXPECT_NE(plan_page::fault_of(poor), "") << member;
  }
  EXPECT_NE(plan_page::fault_of(none), "");
}

TEST(PlanPageTest, WorkIsCalledAfterItsSourceOrItsTitle) {
  EXPECT_EQ(key_of("github:acme/shop#7", "x"), "shop-7");
  EXPECT_EQ(key_of("jira:x.atlassian.net/TES-41", "x"), "tes-41");
  EXPECT_EQ(key_of("", "Wrong sum, again!"), "wrong-sum-again");
  EXPECT_EQ(key_of("", "\xC3\xA4"), "plan");
  EXPECT_EQ(key_of("x/../..", ""), "plan");
  EXPECT_LE(key_of("", std::string(300, 'a')).size(), 50u);
}

}  // namespace

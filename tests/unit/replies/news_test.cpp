#include "host/replies/news.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::replies {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const WallTime kNow = from_unix_ms(1'800'000'000'000);

store::PendingReply reply(int posts = 5) {
  store::PendingReply pending;
  pending.reply.posts = posts;
  pending.since = kNow;
  pending.until = kNow + Duration(60'000);
  return pending;
}

store::TaskNews task(TaskState state) {
  store::TaskNews news;
  news.task_id = "t1";
  news.agent = "planner";
  news.title = "Look at it";
  news.state = state;
  news.since = kNow;
  return news;
}

std::vector<std::string> sentences(const store::PendingReply& pending,
                                   const std::vector<store::TaskNews>& tasks) {
  std::vector<std::string> all;
  for (const News& news : news_of(pending, tasks)) all.push_back(news.sentence);
  return all;
}

TEST(NewsTest, EachStateHasItsSentence) {
  EXPECT_THAT(sentences(reply(), {task(TaskState::Queued)}), IsEmpty());
  EXPECT_THAT(sentences(reply(), {task(TaskState::Running)}), ElementsAre("planner has begun: Look at it"));
  store::TaskNews waits = task(TaskState::AwaitingApproval);
  waits.content_hash = "0123456789abcdef";
  EXPECT_THAT(sentences(reply(), {waits}),
              ElementsAre("planner waits for approval: Look at it — approve t1 0123456789ab"));
  store::TaskNews done = task(TaskState::Completed);
  done.output = R"({"summary":"All\nwell","x":1})";
  EXPECT_THAT(sentences(reply(), {done}), ElementsAre("planner is done: Look at it: All well"));
  done.output = R"("As said")";
  EXPECT_THAT(sentences(reply(), {done}), ElementsAre("planner is done: Look at it: As said"));
  for (const char* output : {"", "null", "{}", R"({"summary":7})", "{"}) {
    done.output = output;
    EXPECT_THAT(sentences(reply(), {done}), ElementsAre("planner is done: Look at it")) << output;
  }
  store::TaskNews failed = task(TaskState::Failed);
  failed.error = "no such repository";
  EXPECT_THAT(sentences(reply(), {failed}),
              ElementsAre("planner has failed: Look at it: no such repository"));
  failed.state = TaskState::Cancelled;
  EXPECT_THAT(sentences(reply(), {failed}),
              ElementsAre("The task of planner was cancelled: Look at it: no such repository"));
  failed.state = TaskState::Parked;
  EXPECT_THAT(sentences(reply(), {failed}),
              ElementsAre("The task of planner was put aside: Look at it: no such repository"));
}

TEST(NewsTest, WhatWasToldOrHappenedBeforeOrAfterIsNoNews) {
  store::PendingReply pending = reply();
  const std::vector<News> first = news_of(pending, {task(TaskState::Running)});
  ASSERT_THAT(first, SizeIs(1));
  pending.told.push_back(first[0].word);
  EXPECT_THAT(news_of(pending, {task(TaskState::Running)}), IsEmpty());
  store::TaskNews before = task(TaskState::Completed);
  before.since = kNow - Duration(1);
  EXPECT_THAT(news_of(reply(), {before}), IsEmpty());
  before.since = reply().until;
  EXPECT_THAT(news_of(reply(), {before}), IsEmpty());
}

TEST(NewsTest, OtherContentThatWaitsAndAnotherEndAreNewsAgain) {
  store::PendingReply pending = reply();
  store::TaskNews waits = task(TaskState::AwaitingApproval), failed = task(TaskState::Failed);
  waits.content_hash = std::string(64, 'a');
  for (const store::TaskNews& each : {waits, failed})
    pending.told.push_back(news_of(pending, {each}).at(0).word);
  EXPECT_THAT(news_of(pending, {waits, failed}), IsEmpty());
  waits.content_hash = std::string(64, 'b');
  failed.since += Duration(1);
  EXPECT_THAT(news_of(pending, {waits, failed}), SizeIs(2));
}

TEST(NewsTest, ThatAnApprovalDidNotCountIsNewsEachTimeWhilePostsAreLeft) {
  store::PendingReply pending = reply();
  store::TaskNews waits = task(TaskState::AwaitingApproval);
  waits.content_hash = "0123456789abcdef";
  pending.told.push_back(news_of(pending, {waits}).at(0).word);
  for (int time = 0; time < 2; ++time) {
    waits.error = "bob may not write";
    waits.since += Duration(1);
    const std::vector<News> news = news_of(pending, {waits});
    ASSERT_THAT(news, SizeIs(1));
    EXPECT_EQ(news[0].sentence,
              "planner waits for approval again: Look at it: bob may not write — approve t1 0123456789ab");
    pending.told.push_back(news[0].word);
    EXPECT_THAT(news_of(pending, {waits}), IsEmpty());
  }
  waits.since += Duration(1);
  pending.reply.posts = 1;
  EXPECT_THAT(news_of(pending, {waits}), IsEmpty()) << "the last one is for the end";
}

TEST(NewsTest, TheEndOfATaskThatOthersFollowIsNone) {
  store::TaskNews planned = task(TaskState::Completed);
  planned.has_successor = true;
  EXPECT_THAT(news_of(reply(), {planned}), IsEmpty());
}

TEST(NewsTest, TheLastPostsAreKeptForTheEnd) {
  EXPECT_THAT(news_of(reply(2), {task(TaskState::Running)}), IsEmpty());
  EXPECT_THAT(news_of(reply(2), {task(TaskState::Completed)}), SizeIs(1));
}

TEST(NewsTest, ASentenceIsOneLineOfBoundedLengthAndWholeCharacters) {
  store::TaskNews failed = task(TaskState::Failed);
  failed.title = std::string(198, 'x') + "ä€ and more";
  failed.error = "a\nb\t" + std::string(5'000, 'y');
  const std::string sentence = news_of(reply(), {failed}).at(0).sentence;
  EXPECT_LE(sentence.size(), kMaxSentence);
  EXPECT_THAT(sentence, HasSubstr("xä…: a b "));
  EXPECT_EQ(sentence.find('\n'), std::string::npos);
}

TEST(NewsTest, TheSentenceTakesThePlaceOfEachTextThatStandsForIt) {
  Reply to;
  to.body = R"({"text":"{text}","n":1,"blocks":[{"t":"{text}"},"{text}!"],"x":{"{text}":null}})";
  EXPECT_EQ(body_of(to, "a \"b\" <!channel> & c"),
            R"({"text":"a \"b\" <!channel> & c","n":1,"blocks":[{"t":"a \"b\" <!channel> & c"},"{text}!"],)"
            R"("x":{"{text}":null}})");
  to.body = R"({"text":"{text}"})";
  to.escape = true;
  EXPECT_EQ(body_of(to, "<!channel> & c"), R"({"text":"&lt;!channel&gt; &amp; c"})");
}

}  // namespace
}  // namespace davit::replies

// Telling senders, on a real store and over real sockets of this machine.
#include "host/replies/replies.h"

#include "host/base/file.h"
#include "host/base/json.h"
#include "tests/support/reply_server.h"
#include "tests/unit/store/conformance.h"

namespace davit::replies {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ReplyServer;
using ::testing::SizeIs;

const Allowed kHere{{}, true};

class RepliesTest : public store::StoreTest {
 protected:
  ~RepliesTest() override { stop(); }
  void start(const Allowed& allowed = kHere, std::size_t most_pending = 1'000) {
    stop();
    store().on_change([this](const std::vector<store::Change>& changes) {
      listening_.with([&](Replies* replies) {
        if (replies) replies->changed(changes);
      });
    });
    replies_ =
        std::make_unique<Replies>(Replies::Needs{store(), metrics_, *log_, clock_}, allowed, most_pending);
    listening_.with([&](Replies*& replies) { replies = replies_.get(); });
  }
  void stop() {
    listening_.with([](Replies*& replies) { replies = nullptr; });
    replies_.reset();
  }
  // A delivery with a task whose sender wants to hear of it.
  store::NewDelivery asking(const std::string& url, int posts = 5) {
    store::NewDelivery delivery = new_delivery(new_id());
    delivery.answer.reply = Reply{url, R"({"text":"{text}"})", posts, Duration(1'800'000), true};
    return delivery;
  }
  store::Accepted send(store::NewDelivery delivery) { return accept(std::move(delivery)).value(); }
  // The sentences that the server has been told, once there are so many.
  std::vector<std::string> told(std::size_t count) {
    std::vector<std::string> all;
    for (const ReplyServer::Told& each : server_.wait_for(count))
      all.push_back(string_member(*parse_json(each.body), "text"));
    return all;
  }
  // What is kept of replies, once it is that many.
  std::size_t kept(std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (store().pending_replies()->size() != count && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
    return store().pending_replies()->size();
  }
  bool counted(const std::string& outcome, int count) {
    const std::string line =
        "davit_replies_total{outcome=\"" + outcome + "\",webhook=\"github\"} " + std::to_string(count);
    const std::string other =
        "davit_replies_total{webhook=\"github\",outcome=\"" + outcome + "\"} " + std::to_string(count);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < until) {
      const std::string all = metrics_.exposition();
      if (all.find(line) != std::string::npos || all.find(other) != std::string::npos) return true;
      std::this_thread::yield();
    }
    return false;
  }

  ReplyServer server_;
  metrics::Metrics metrics_{"test"};
  std::unique_ptr<Log> log_ = Log::silent();
  Guarded<Replies*> listening_{nullptr};
  std::unique_ptr<Replies> replies_;
};

TEST_F(RepliesTest, ASenderHearsThatItsTaskBeginsAndHowItEnds) {
  start();
  send(asking(server_.url("/commands/1")));
  const ClaimedTask claimed = claim_one();
  ASSERT_THAT(told(1), ElementsAre("planner has begun: Look into it"));
  store::Finish done = finish_of(claimed.fence);
  done.result.output = R"({"summary":"<all> & well"})";
  ASSERT_TRUE(finish(done).ok());
  EXPECT_THAT(told(2), ElementsAre("planner has begun: Look into it",
                                   "planner is done: Look into it: &lt;all&gt; &amp; well"));
  const auto posts = server_.wait_for(2);
  EXPECT_EQ(posts[0].path, "/commands/1");
  EXPECT_THAT(posts[0].head, HasSubstr("POST /commands/1 HTTP/1.1"));
  EXPECT_THAT(posts[0].head, HasSubstr("Content-Type: application/json"));
  EXPECT_TRUE(counted("sent", 2));
}

TEST_F(RepliesTest, ASenderHearsWhatWaitsForApprovalAndWhatBecameOfItsOwn) {
  start();
  store::NewDelivery delivery = asking(server_.url("/a"));
  delivery.answer.tasks[0].awaits_approval = true;
  const std::string id = send(delivery).task_ids.at(0);
  const std::string hash = task(id).approval->content_hash.substr(0, 12);
  ASSERT_THAT(told(1), ElementsAre("planner waits for approval: Look into it — approve " + id + " " + hash));

  store::NewDelivery click = new_delivery(new_id(), 0);
  click.answer.actions.push_back(
      {.kind = TaskActionKind::Approve, .task_id = id, .content_hash = hash, .via = "button"});
  click.answer.reply = Reply{server_.url("/b"), R"({"text":"{text}"})", 5, Duration(1'800'000), false};
  ASSERT_TRUE(accept(click).ok());
  ASSERT_THAT(told(2), SizeIs(2));
  EXPECT_EQ(server_.wait_for(2)[1].path, "/b");
  EXPECT_EQ(told(2)[1], "task " + id + ": approve accepted, now queued");
  ASSERT_TRUE(finish(finish_of(claim_one().fence, TaskState::Failed)).ok());
  // Who asked and who approved hear of the end; the beginning may have gone by too fast.
  std::vector<std::string> ends;
  for (std::size_t count = 3; ends.size() < 2 && count < 8; ++count) {
    ends.clear();
    const auto all = server_.wait_for(count);
    for (const ReplyServer::Told& each : all)
      if (each.body.find("has failed") != std::string::npos) ends.push_back(each.path);
  }
  std::sort(ends.begin(), ends.end());
  EXPECT_THAT(ends, ElementsAre("/a", "/b"));
}

TEST_F(RepliesTest, AnActionThatIsRefusedIsTold) {
  start();
  store::NewDelivery click = new_delivery(new_id(), 0);
  click.answer.actions.push_back({.kind = TaskActionKind::Cancel, .task_id = new_id()});
  click.answer.reply = Reply{server_.url("/b"), R"({"text":"{text}"})", 5, Duration(1'800'000), false};
  ASSERT_TRUE(accept(click).ok());
  const std::vector<std::string> all = told(1);
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_THAT(all[0], HasSubstr("does not exist"));
}

TEST_F(RepliesTest, NoMoreIsPostedThanMayBe) {
  start();
  send(asking(server_.url("/a"), 1));
  const ClaimedTask claimed = claim_one();
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  EXPECT_THAT(told(1), ElementsAre("planner is done: Look into it")) << "the one is for the end";
  EXPECT_EQ(kept(0), 0u);
  ASSERT_TRUE(retry(claimed.task_id).error().code == ErrorCode::Conflict);
  EXPECT_THAT(server_.wait_for(1), SizeIs(1));
}

TEST_F(RepliesTest, AfterItsTimeNothingIsPosted) {
  start();
  send(asking(server_.url("/a")));
  ASSERT_EQ(kept(1), 1u);
  clock_.advance(Duration(1'800'000));
  const ClaimedTask claimed = claim_one();
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  EXPECT_EQ(kept(0), 0u) << "the address is forgotten";
  send(asking(server_.url("/b"), 1));
  ASSERT_TRUE(finish(finish_of(claim_one().fence)).ok());
  const auto all = server_.wait_for(1);
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].path, "/b");
}

TEST_F(RepliesTest, WhatHappensBetweenTwoHostsIsToldByTheSecondAndNothingTwice) {
  start();
  send(asking(server_.url("/a")));
  const ClaimedTask claimed = claim_one();
  ASSERT_THAT(told(1), SizeIs(1));
  stop();
  ASSERT_TRUE(finish(finish_of(claimed.fence, TaskState::Failed)).ok());
  start();
  EXPECT_THAT(told(2), ElementsAre("planner has begun: Look into it",
                                   "planner has failed: Look into it: it did not work"));
  EXPECT_EQ(store().pending_replies()->at(0).reply.posts, 3);
}

TEST_F(RepliesTest, AHostThatIsNotAllowedIsToldNothing) {
  start({{"hooks.slack.com"}, false});
  for (const std::string& url :
       {server_.url("/a"), std::string("https://hooks.slack.com.evil.example/x"),
        std::string("https://evil.example/hooks.slack.com"), std::string("https://u:p@hooks.slack.com/x"),
        std::string("https://hooks.slack.com:8443/x"), std::string("http://hooks.slack.com/x"),
        std::string("ftp://hooks.slack.com/x"), std::string("file:///etc/passwd"), std::string("nonsense")}) {
    send(asking(url));
    EXPECT_EQ(kept(1), 1u);
    ASSERT_TRUE(finish(finish_of(claim_one().fence)).ok());
    EXPECT_EQ(kept(0), 0u) << url;
  }
  EXPECT_TRUE(counted("failed", 9));
}

TEST_F(RepliesTest, ANoForGoodEndsItAndAnotherFailureIsTriedOnceMore) {
  server_.answer_with(404);
  start();
  send(asking(server_.url("/gone")));
  claim_one();
  EXPECT_THAT(server_.wait_for(1), SizeIs(1));
  EXPECT_EQ(kept(0), 0u);
  server_.answer_with(500);
  send(asking(server_.url("/broken")));
  claim_one();
  EXPECT_THAT(server_.wait_for(3), SizeIs(3));
  EXPECT_TRUE(counted("failed", 3));
  EXPECT_EQ(store().pending_replies()->at(0).reply.posts, 3) << "each try counts";
}

TEST_F(RepliesTest, WhatMayHaveArrivedIsNotPostedAgain) {
  server_.hang_up();
  start();
  send(asking(server_.url("/a")));
  const ClaimedTask claimed = claim_one();
  ASSERT_THAT(server_.wait_for(1), SizeIs(1));
  ASSERT_TRUE(counted("failed", 1));
  server_.answer_with(200);
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  EXPECT_THAT(told(2), ElementsAre("planner has begun: Look into it", "planner is done: Look into it"));
}

TEST_F(RepliesTest, WhatWasNotReachedIsTriedOnceMore) {
  start();
  send(asking(ReplyServer::url_of_nobody()));
  claim_one();
  EXPECT_TRUE(counted("failed", 2));
  EXPECT_EQ(store().pending_replies()->at(0).reply.posts, 3);
}

TEST_F(RepliesTest, WhoWantsToBeAskedMuchLaterIsNotAskedAgain) {
  server_.answer_with(429, "Retry-After: 3600\r\n");
  start();
  send(asking(server_.url("/a")));
  const ClaimedTask claimed = claim_one();
  ASSERT_TRUE(counted("failed", 1));
  server_.answer_with(200);
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  EXPECT_THAT(told(2), ElementsAre("planner has begun: Look into it", "planner is done: Look into it"));
}

TEST_F(RepliesTest, WhoWantsToBeAskedALittleLaterIsNotAskedBefore) {
  server_.answer_with(429, "Retry-After: 200\r\n");
  start();
  send(asking(server_.url("/a")));
  const ClaimedTask claimed = claim_one();
  ASSERT_TRUE(counted("failed", 1));
  server_.answer_with(200);
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  clock_.advance(Duration(1'800'000));
  send(asking(server_.url("/b")));
  EXPECT_TRUE(counted("expired", 1)) << "neither the repetition nor the end went before it";
  EXPECT_THAT(server_.wait_for(1), SizeIs(1));
}

TEST_F(RepliesTest, AServerThatDoesNotAnswerHoldsUpNobodyElse) {
  ReplyServer silent;
  silent.be_silent();
  start();
  send(asking(silent.url("/silent")));
  claim_one();
  ASSERT_THAT(silent.wait_for(1), SizeIs(1));
  send(asking(server_.url("/a")));
  claim_one();
  EXPECT_THAT(told(1), ElementsAre("planner has begun: Look into it"));
  EXPECT_THAT(metrics_.exposition(), ::testing::Not(HasSubstr("outcome=\"failed\"")))
      << "the other one's time is not up yet";
}

TEST_F(RepliesTest, WhatIsNotToldInTimeIsCounted) {
  start();
  send(asking(server_.url("/a")));
  const ClaimedTask claimed = claim_one();
  ASSERT_THAT(told(1), SizeIs(1));
  stop();
  ASSERT_TRUE(finish(finish_of(claimed.fence)).ok());
  clock_.advance(Duration(1'800'000));
  start();
  EXPECT_TRUE(counted("expired", 1));
  EXPECT_EQ(kept(0), 0u);
}

TEST_F(RepliesTest, WhoHasHeardAllThereIsToHearIsForgotten) {
  start();
  store::NewDelivery click = new_delivery(new_id(), 0);
  click.answer.actions.push_back({.kind = TaskActionKind::Cancel, .task_id = new_id()});
  click.answer.reply = Reply{server_.url("/b"), R"({"text":"{text}"})", 5, Duration(1'800'000), false};
  send(click);
  ASSERT_THAT(told(1), SizeIs(1));
  EXPECT_EQ(kept(0), 0u) << "it is about no task";
  send(asking(server_.url("/a")));
  store::Finish planned = finish_of(claim_one().fence);
  planned.successor = new_task("coder");
  ASSERT_TRUE(finish(planned).ok());
  ASSERT_THAT(told(2), SizeIs(2));
  EXPECT_EQ(kept(1), 1u) << "its chain goes on";
  ASSERT_TRUE(finish(finish_of(claim(1, {{"coder", 1}}).at(0).fence)).ok());
  EXPECT_EQ(kept(0), 0u);
}

TEST_F(RepliesTest, OfTooManyThoseWhoseTaskHasEndedMakeRoom) {
  start(kHere, 2);
  send(asking(server_.url("/ended")));
  ASSERT_TRUE(finish(finish_of(claim_one().fence, TaskState::Failed)).ok());
  send(asking(server_.url("/open")));
  ASSERT_EQ(kept(2), 2u);
  std::size_t count = 1;
  while (server_.wait_for(count).back().body.find("has failed") == std::string::npos && count < 2) ++count;
  ASSERT_TRUE(counted("sent", static_cast<int>(count)));
  send(asking(server_.url("/new")));
  EXPECT_EQ(kept(2), 2u);
  std::vector<std::string> urls;
  const auto pending = store().pending_replies();
  for (const store::PendingReply& each : *pending)
    urls.push_back(each.reply.url.substr(each.reply.url.rfind('/')));
  std::sort(urls.begin(), urls.end());
  EXPECT_THAT(urls, ElementsAre("/new", "/open"));
  send(asking(server_.url("/one-too-many")));
  EXPECT_TRUE(counted("dropped", 1)) << "both are still to hear something";
}

TEST_F(RepliesTest, ARedirectIsNotFollowed) {
  ReplyServer elsewhere;
  server_.answer_with(302, "Location: " + elsewhere.url("/stolen") + "\r\n");
  start();
  send(asking(server_.url("/a")));
  claim_one();
  EXPECT_THAT(server_.wait_for(1), SizeIs(1));
  EXPECT_TRUE(counted("failed", 1));
  EXPECT_EQ(kept(0), 0u);
  EXPECT_THAT(elsewhere.wait_for(0), IsEmpty());
}

TEST_F(RepliesTest, AServerThatNeverAnswersHoldsUpNeitherTheStoreNorAStop) {
  server_.be_silent();
  start();
  send(asking(server_.url("/a")));
  claim_one();
  ASSERT_THAT(server_.wait_for(1), SizeIs(1));
  EXPECT_TRUE(accept(new_delivery("another")).ok());
  stop();
  EXPECT_THAT(metrics_.exposition(), ::testing::Not(HasSubstr("outcome=\"failed\"")))
      << "it was ended, and not waited for until its time was up";
}

TEST_F(RepliesTest, TheAddressIsInNothingThatIsShown) {
  const std::string secret = "/commands/a-secret-in-a-path";
  const store::Accepted accepted = send(asking(server_.url(secret)));
  const store::DeliveryDetail detail = store().delivery(accepted.delivery_id).value();
  for (const std::string& text : {detail.body, detail.headers, detail.details, detail.delivery.message,
                                  task(accepted.task_ids.at(0)).payload})
    EXPECT_EQ(text.find(secret), std::string::npos);
  ASSERT_THAT(store().pending_replies().value(), SizeIs(1));
  EXPECT_THAT(store().pending_replies()->at(0).reply.url, HasSubstr(secret));
}

TEST_F(RepliesTest, TheAddressIsInNoBackupAndGoesFromTheDatabaseWithItsUse) {
  const std::string secret = "/commands/a-secret-in-a-path", long_secret = secret + std::string(5'000, 'x');
  const auto has_secret = [&](const std::filesystem::path& file) {
    return read_file(file)->find(secret) != std::string::npos;
  };
  const std::string first = send(asking(server_.url(secret))).delivery_id;
  const std::string second = send(asking(server_.url(long_secret))).delivery_id;
  const std::filesystem::path backup = database_.folder() / "backup.db";
  ASSERT_TRUE(store().backup(backup).ok());
  EXPECT_FALSE(has_secret(backup));
  EXPECT_EQ(store::verify(backup).value(), std::vector<std::string>());
  EXPECT_THAT(store().pending_replies().value(), SizeIs(2)) << "it stays where it is of use";

  for (const std::string& id : {first, second}) {
    store::PendingReply reply = **store().pending_reply(id);
    for (int i = 0; i < 3; ++i) {
      reply.told.push_back("a word of some length");
      ASSERT_TRUE(testing::wait<std::monostate>([&](auto done) { store().note_reply(reply, done); }).ok());
    }
  }
  database_.close();
  EXPECT_TRUE(has_secret(database_.path()));
  for (const std::string& id : {first, second})
    ASSERT_TRUE(testing::wait<std::monostate>([&](auto done) { store().forget_reply(id, done); }).ok());
  database_.close();
  EXPECT_FALSE(has_secret(database_.path()));
}

TEST_F(RepliesTest, OfALongChainTheNewestIsTold) {
  const std::string first = create();
  for (int i = 0; i < 201; ++i) {
    store::Finish done = finish_of(claim_one().fence);
    done.successor = new_task();
    ASSERT_TRUE(finish(done).ok());
  }
  const ClaimedTask newest = claim_one();
  const std::vector<store::TaskNews> news = store().chain_news(first).value();
  ASSERT_THAT(news, SizeIs(200));
  EXPECT_EQ(news.back().task_id, newest.task_id);
  EXPECT_TRUE(news.front().has_successor);
}

TEST_F(RepliesTest, ADeliveryThatIsIgnoredOrADuplicateAsksForNothing) {
  store::NewDelivery ignored = asking(server_.url("/a"));
  ignored.answer.tasks.clear();
  ignored.verdict = store::Verdict::Ignored;
  send(ignored);
  EXPECT_THAT(store().pending_replies().value(), IsEmpty());
  store::NewDelivery first = asking(server_.url("/first"));
  first.delivery_key = "once";
  send(first);
  store::NewDelivery again = asking(server_.url("/again"));
  again.delivery_key = "once";
  again.body = first.body;
  send(again);
  ASSERT_THAT(store().pending_replies().value(), SizeIs(1));
  EXPECT_THAT(store().pending_replies()->at(0).reply.url, HasSubstr("/first"));
}

}  // namespace
}  // namespace davit::replies

#include "host/live/probe_desk.h"

#include <gtest/gtest.h>

#include <atomic>

#include "host/plugin/refusal_codes.h"

namespace davit::live {
namespace {

using plugin::refuse;
namespace refusal = plugin::refusal;

using Look = ProbeDesk::Look;
const Refusal kHung = refuse(refusal::kProbeTimeout, "It hung");

// A prober whose probes end when the test says so.
class Probes {
 public:
  ProbeDesk::Verdict operator()(const std::filesystem::path& file, Look look) {
    std::unique_lock lock(mutex_);
    const std::pair key(file, look);
    ++begun_[look];
    ++under_way_[look];
    most_[look] = std::max(most_[look], under_way_[look]);
    changed_.notify_all();
    changed_.wait(lock, [&] { return verdicts_.contains(key); });
    --under_way_[look];
    return verdicts_.at(key);
  }
  void end(const std::filesystem::path& file, const ProbeDesk::Verdict& verdict) {
    end(file, Look::Short, verdict);
    end(file, Look::Patient, verdict);
  }
  void end(const std::filesystem::path& file, Look look, const ProbeDesk::Verdict& verdict) {
    std::lock_guard lock(mutex_);
    verdicts_.insert_or_assign(std::pair(file, look), verdict);
    changed_.notify_all();
  }
  void wait_for_begun(int count, Look look = Look::Short) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_[look] >= count; });
  }
  int begun(Look look = Look::Short) {
    std::lock_guard lock(mutex_);
    return begun_[look];
  }
  int most_at_once(Look look) {
    std::lock_guard lock(mutex_);
    return most_[look];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<std::filesystem::path, Look>, ProbeDesk::Verdict> verdicts_;
  std::map<Look, int> begun_, under_way_, most_;
};

class ProbeDeskTest : public ::testing::Test {
 protected:
  std::string code(const ProbeDesk::Verdict& verdict) {
    auto* refusal = std::get_if<Refusal>(&verdict);
    return refusal ? refusal->code : "";
  }
  // The verdict, once there is one.
  std::string final_code(const std::filesystem::path& file) {
    for (;;) {
      std::string now = code(desk_.ask(file));
      if (now != "probing") return now;
      desk_.wait(Duration(10));  // another verdict, or this one has just come
    }
  }
  Probes probes_;
  std::atomic<int> told_{0};
  ProbeDesk desk_{[this](const std::filesystem::path& file, Look look) { return probes_(file, look); },
                  [this] {
                    ++told_;
                    told_.notify_all();
                  }};
};

TEST_F(ProbeDeskTest, AProbeThatHangsHoldsUpNoOther) {
  EXPECT_EQ(code(desk_.ask("hangs")), "probing");
  probes_.end("good", ProbeReport{});
  EXPECT_EQ(final_code("good"), "");
  EXPECT_EQ(code(desk_.ask("hangs")), "probing");
  probes_.end("hangs", kHung);
  EXPECT_EQ(final_code("hangs"), "probe_timeout");
}

TEST_F(ProbeDeskTest, AFileIsProbedOnceHoweverOftenItIsAskedFor) {
  desk_.ask("a");
  desk_.ask("a");
  probes_.end("a", kHung);
  EXPECT_EQ(final_code("a"), "probe_timeout");
  // A refusal that may pass stands until it is forgotten.
  EXPECT_EQ(code(desk_.ask("a")), "probe_timeout");
  desk_.forget();
  EXPECT_EQ(code(desk_.ask("a")), "probing");
  probes_.wait_for_begun(2, Look::Patient);
  EXPECT_EQ(probes_.begun(), 1) << "bytes that hung once get no short look any more";
}

TEST_F(ProbeDeskTest, WhatWasNotFetchedYetIsNotForgotten) {
  desk_.ask("a");
  probes_.end("a", ProbeReport{});
  desk_.wait(Duration(60'000));
  desk_.forget();
  EXPECT_EQ(code(desk_.ask("a")), "");
  EXPECT_EQ(probes_.begun(), 1);
}

TEST_F(ProbeDeskTest, AsManyAsThereIsRoomForAreProbedAtOnceAndTheRestInTurn) {
  const int room = static_cast<int>(ProbeDesk::kAtOnce);
  for (int i = 0; i < room + 2; ++i) desk_.ask("file " + std::to_string(i));
  probes_.wait_for_begun(room);
  EXPECT_EQ(probes_.begun(), room);
  for (int i = 0; i < room + 2; ++i) probes_.end("file " + std::to_string(i), ProbeReport{});
  for (int i = 0; i < room + 2; ++i) EXPECT_EQ(final_code("file " + std::to_string(i)), "");
  EXPECT_EQ(probes_.begun(), room + 2);
}

TEST_F(ProbeDeskTest, WhatDoesNotComeBackFromAShortLookGetsAPatientOneBeforeItIsRefused) {
  probes_.end("slow", Look::Short, kHung);
  probes_.end("slow", Look::Patient, ProbeReport{});
  desk_.ask("slow");
  EXPECT_EQ(final_code("slow"), "");
  EXPECT_EQ(probes_.begun(Look::Patient), 1);
  told_.wait(0);  // it is told of after it can be had
  EXPECT_EQ(told_, 1) << "the first look is no verdict";
}

TEST_F(ProbeDeskTest, HoweverManyHangWhatIsNewWaitsForNoneOfTheirPatientLooks) {
  const int hanging = 5 * static_cast<int>(ProbeDesk::kAtOnce);
  for (int i = 0; i < hanging; ++i) {
    probes_.end("hangs " + std::to_string(i), Look::Short, kHung);
    desk_.ask("hangs " + std::to_string(i));
  }
  probes_.wait_for_begun(static_cast<int>(ProbeDesk::kPatientAtOnce), Look::Patient);
  // None of the patient looks ends before these are judged.
  for (int i = 0; i < 20; ++i) {
    const std::string good = "good " + std::to_string(i);
    probes_.end(good, Look::Short, ProbeReport{});
    desk_.ask(good);
    EXPECT_EQ(final_code(good), "");
  }
  EXPECT_EQ(probes_.begun(Look::Short), hanging + 20);
  for (int i = 0; i < hanging; ++i) probes_.end("hangs " + std::to_string(i), Look::Patient, kHung);
  for (int i = 0; i < hanging; ++i) EXPECT_EQ(final_code("hangs " + std::to_string(i)), "probe_timeout");
  EXPECT_EQ(probes_.begun(Look::Patient), hanging);
  EXPECT_EQ(probes_.most_at_once(Look::Patient), static_cast<int>(ProbeDesk::kPatientAtOnce));
}

TEST_F(ProbeDeskTest, RetriesDoNotTakeAllThreadsAndStandBehindWhatIsNew) {
  const int retries = 2 * static_cast<int>(ProbeDesk::kAtOnce);
  const int room = static_cast<int>(ProbeDesk::kPatientAtOnce);
  for (int i = 0; i < retries; ++i) {
    const std::string file = "retried " + std::to_string(i);
    probes_.end(file, Look::Short, refuse(refusal::kProbeFailed, "No process"));
    desk_.ask(file);
    EXPECT_EQ(final_code(file), "probe_failed");
  }
  desk_.forget();
  for (int i = 0; i < retries; ++i) desk_.ask("retried " + std::to_string(i));
  probes_.wait_for_begun(room, Look::Patient);
  probes_.end("good", Look::Short, ProbeReport{});
  desk_.ask("good");
  EXPECT_EQ(final_code("good"), "");
  EXPECT_EQ(probes_.begun(Look::Patient), room);
  for (int i = 0; i < retries; ++i) probes_.end("retried " + std::to_string(i), Look::Patient, kHung);
  for (int i = 0; i < retries; ++i) EXPECT_EQ(final_code("retried " + std::to_string(i)), "probe_timeout");
}

}  // namespace
}  // namespace davit::live

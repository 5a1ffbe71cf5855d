#include "host/live/probe_desk.h"

#include <gtest/gtest.h>

#include <atomic>

#include "host/plugin/refusal_codes.h"

namespace davit::live {
namespace {

using plugin::refuse;
namespace refusal = plugin::refusal;

// A prober whose probes end when the test says so.
class Probes {
 public:
  ProbeDesk::Verdict operator()(const std::filesystem::path& file) {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return verdicts_.contains(file); });
    return verdicts_.at(file);
  }
  void end(const std::filesystem::path& file, ProbeDesk::Verdict verdict) {
    std::lock_guard lock(mutex_);
    verdicts_.insert_or_assign(file, std::move(verdict));
    changed_.notify_all();
  }
  void wait_for_begun(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_ >= count; });
  }
  int begun() {
    std::lock_guard lock(mutex_);
    return begun_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::filesystem::path, ProbeDesk::Verdict> verdicts_;
  int begun_ = 0;
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
      desk_.wait(Duration(60'000));
    }
  }
  Probes probes_;
  std::atomic<int> told_{0};
  ProbeDesk desk_{[this](const std::filesystem::path& file) { return probes_(file); }, [this] { ++told_; }};
};

TEST_F(ProbeDeskTest, AProbeThatHangsHoldsUpNoOther) {
  EXPECT_EQ(code(desk_.ask("hangs")), "probing");
  probes_.end("good", ProbeReport{});
  EXPECT_EQ(final_code("good"), "");
  EXPECT_EQ(code(desk_.ask("hangs")), "probing");
  probes_.end("hangs", refuse(refusal::kProbeTimeout, "It hung"));
  EXPECT_EQ(final_code("hangs"), "probe_timeout");
}

TEST_F(ProbeDeskTest, AFileIsProbedOnceHoweverOftenItIsAskedFor) {
  desk_.ask("a");
  desk_.ask("a");
  probes_.end("a", refuse(refusal::kProbeTimeout, "It hung"));
  EXPECT_EQ(final_code("a"), "probe_timeout");
  // A refusal that may pass stands until it is forgotten.
  EXPECT_EQ(code(desk_.ask("a")), "probe_timeout");
  EXPECT_EQ(probes_.begun(), 1);
  desk_.forget();
  EXPECT_EQ(code(desk_.ask("a")), "probing");
  probes_.wait_for_begun(2);
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

}  // namespace
}  // namespace davit::live

// Programs in the sandbox: what they see, and how they end. What they try against it is in
// hostile_agent_test.cpp.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "davit/failure.hpp"
#include "host/isolation/signal_fence.h"
#include "sandbox/confined.h"
#include "tests/agents/sandbox/confined_run.h"
#include "tests/agents/sandbox/temporary_folders.h"

namespace {

namespace fs = std::filesystem;
using davit::Failure;
using davit::Status;
using davit::testing::Finished;
using davit::testing::shell;
using sandbox::Confined;
using sandbox::Policy;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class SandboxTest : public testing::Test {
 protected:
  SandboxTest() { policy_.work = folders_.work(); }

  // In one sandbox for all of a test, with the policy at its first use.
  Finished run(const std::string& script) {
    if (!confined_) confined_.emplace(policy_);
    EXPECT_EQ(confined_->why_not(), "");
    return shell(*confined_, script);
  }
  std::string output_of(const std::string& script) {
    const Finished finished = run(script);
    EXPECT_EQ(finished.wait_status, 0) << finished.errors;
    return finished.output;
  }
  std::optional<Failure> refusal() {
    try {
      Confined confined(policy_);
      return std::nullopt;
    } catch (const Failure& failure) {
      EXPECT_THAT(failure.what(), Not(HasSubstr("\n")));
      return failure;
    }
  }

  // A program that holds a lock on a file of the tree for as long as one process of it lives.
  static constexpr const char* kHoldLock = "exec 9>/work/lock; flock 9; ";
  bool lock_is_free() const {
    const child::Descriptor lock(
        open((folders_.work() / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    return lock.open() && flock(lock.number(), LOCK_EX | LOCK_NB) == 0;
  }
  static bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  // In a process of its own; true if `check` gives true there.
  static bool in_a_child(const std::function<bool()>& check) {
    const pid_t child = fork();
    if (child == 0) {
      bool good = false;
      try {
        good = check();
      } catch (const std::exception& failure) {
        fprintf(stderr, "%s\n", failure.what());
      }
      _exit(good ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status == 0;
  }

  davit::testing::TemporaryFolders folders_;
  Policy policy_;

 private:
  std::optional<Confined> confined_;
};

TEST_F(SandboxTest, TheProgramSeesItsTreeAndTheSystemAndNothingElse) {
  std::ofstream(folders_.work() / "file") << "content";
  EXPECT_EQ(output_of("pwd; cat file; echo; ls / | grep -v '^lib'"),
            "/work\ncontent\nbin\ndev\netc\nhome\nproc\nrun\nsbin\ntmp\nusr\nwork\n");
  EXPECT_EQ(output_of("ls -A /home /home/agent /tmp /dev/shm /run"),
            "/dev/shm:\n\n/home:\nagent\n\n/home/agent:\n\n/run:\nstart\n\n/tmp:\n");
  const std::string outside = folders_.root() / "secret";
  EXPECT_NE(run("cat " + outside).wait_status, 0);
  EXPECT_NE(run("cat ../secret").wait_status, 0);
  EXPECT_NE(run("cat /etc/shadow").wait_status, 0);
  EXPECT_NE(run("ls /etc/ssl/private").wait_status, 0);
  EXPECT_NE(run("ls /sys/class || ls /var/lib || ls /root || ls /boot || ls /mnt || ls /srv").wait_status, 0);
  EXPECT_EQ(output_of("ps ax -o comm=").find("sandbox_test"), std::string::npos);
}

TEST_F(SandboxTest, ItsTreeIsTheSameFromOutsideAndTheRestIsReadOnlyOrForgotten) {
  output_of(
      "echo made > made && echo x > /tmp/x && echo x > ~/x && echo x > $TMPDIR/y && echo x > /dev/shm/x");
  EXPECT_EQ(folders_.content_of("made"), "made\n");
  EXPECT_EQ(output_of("ls /tmp ~"), "/home/agent:\n\n/tmp:\n");
  for (const char* place :
       {"/x", "/usr/x", "/etc/x", "/home/x", "/run/x", "/dev/x", "/etc/passwd", "/run/start", "/bin/sh",
        "/proc/self/oom_score_adj", "/proc/sys/kernel/core_pattern"})
    EXPECT_NE(run("exec 9>>" + std::string(place)).wait_status, 0) << place;
}

TEST_F(SandboxTest, ATreeThatIsOnlyToBeReadStaysAsItIs) {
  std::ofstream(folders_.work() / "file") << "before\n";
  policy_.work_is_writable = false;
  EXPECT_EQ(output_of("cat file"), "before\n");
  for (const char* change :
       {"echo after > file", "echo x > new", "rm file", "mkdir folder", "chmod 777 file"})
    EXPECT_NE(run(change).wait_status, 0) << change;
  EXPECT_EQ(folders_.content_of("file"), "before\n");
}

TEST_F(SandboxTest, HasNoEnvironmentButWhatIsNamed) {
  setenv("DAVIT_TEST_CANARY", "canary", 1);
  Confined confined(policy_);
  const Finished finished = davit::testing::run(confined, {"env"}, {"GIVEN=this"});
  unsetenv("DAVIT_TEST_CANARY");
  EXPECT_EQ(finished.output,
            "PATH=/usr/local/bin:/usr/bin:/bin\nLANG=C.UTF-8\nHOME=/home/agent\nTMPDIR=/"
            "tmp\nGIVEN=this\nPWD=/work\n");
}

TEST_F(SandboxTest, HasNoDescriptorsButItsOutputsAndItsInput) {
  Confined confined(policy_);
  EXPECT_EQ(davit::testing::run(confined, {"cat"}, {}, "given").output, "given");
  EXPECT_EQ(davit::testing::run(confined, {"ls", "/proc/self/fd"}).output, "0\n1\n2\n3\n") << "3 is its own";
}

TEST_F(SandboxTest, HasNeitherCapabilitiesNorTheWaysToGetThem) {
  const std::string status = output_of("cat /proc/self/status");
  for (const char* line :
       {"CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000",
        "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"})
    EXPECT_THAT(status, HasSubstr(line));
  EXPECT_EQ(output_of("id -u; id -g; whoami"), "1000\n1000\nagent\n");
  EXPECT_NE(run("unshare -U true").wait_status, 0);
}

TEST_F(SandboxTest, FilesOfThePolicyAreReadInItAndAreNeverOnTheDisk) {
  policy_.files = {{"system.md", "Be brief."}, {"mcp.json", std::string("{}\0x", 4)}};
  Confined confined(policy_);
  const std::string folder = confined.view().files;
  EXPECT_EQ(shell(confined, "cat " + folder + "/system.md").output, "Be brief.");
  EXPECT_EQ(shell(confined, "cat " + folder + "/mcp.json").output, std::string("{}\0x", 4));
  EXPECT_NE(shell(confined, "echo x > " + folder + "/system.md").wait_status, 0);
  EXPECT_FALSE(fs::exists(folder));
}

TEST_F(SandboxTest, WhatIsReadOnlyIsSeenByItsOwnName) {
  const fs::path tool = folders_.root() / "tools/one";
  fs::create_directories(tool);
  std::ofstream(tool / "version") << "7";
  std::ofstream(folders_.root() / "tools/other") << "canary";
  policy_.read_only = {tool};
  EXPECT_EQ(
      output_of("cat " + (tool / "version").string() + "; ls " + folders_.root().string() + " " +
                (folders_.root() / "tools").string()),
      "7" + folders_.root().string() + ":\ntools\n\n" + (folders_.root() / "tools").string() + ":\none\n");
  EXPECT_NE(run("echo x > " + (tool / "version").string()).wait_status, 0);
}

TEST_F(SandboxTest, LimitsHold) {
  policy_.file_bytes = 1 << 20;
  policy_.temporary_bytes = 2 << 20;
  policy_.data_bytes = 1ull << 30;
  policy_.processes = 300;
  policy_.open_files = 200;
  EXPECT_EQ(output_of("ulimit -c; ulimit -d; ulimit -f; ulimit -n; ulimit -p"),
            "0\n1048576\n2048\n200\n300\n");
  const Finished large = run("head -c 3000000 /dev/zero > large; stat -c %s large");
  EXPECT_THAT(large.errors, HasSubstr("File too large"));
  EXPECT_EQ(large.output, "1048576\n");
  for (const char* place : {"/tmp", "/home/agent", "/dev/shm"})
    EXPECT_THAT(
        run("cd " + std::string(place) + "; for n in 1 2 3 4; do head -c 1000000 /dev/zero > $n; done")
            .errors,
        HasSubstr("No space left"))
        << place;
}

TEST_F(SandboxTest, TheSoftLimitOfAddressesOfARunnerIsNotForPrograms) {
  EXPECT_TRUE(in_a_child([this] {
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = 1ull << 62;
    return setrlimit(RLIMIT_AS, &limit) == 0 && output_of("ulimit -v") == "unlimited\n";
  }));
}

TEST_F(SandboxTest, TheEndOfTheProgramIsTold) {
  EXPECT_EQ(WEXITSTATUS(run("exit 3").wait_status), 3);
  EXPECT_EQ(WEXITSTATUS(run("kill -9 $$").wait_status), 128 + 9);
  Confined confined(policy_);
  const Finished finished = davit::testing::run(confined, {"there-is-no-such-program"});
  EXPECT_EQ(WEXITSTATUS(finished.wait_status), 127);
  EXPECT_THAT(finished.errors, HasSubstr("cannot run there-is-no-such-program in the sandbox: No such file"));
}

TEST_F(SandboxTest, WhatItLeavesBehindIsGoneWhenTheSandboxIs) {
  {
    Confined confined(policy_);
    const Finished finished =
        shell(confined, std::string(kHoldLock) +
                            "(setsid sh -c 'trap \"\" TERM HUP; sleep 1000' >/dev/null 2>&1 &) ; :");
    EXPECT_EQ(finished.wait_status, 0) << finished.errors;
  }
  EXPECT_TRUE(lock_is_free());
}

TEST_F(SandboxTest, KillingItEndsAllThatRunsInIt) {
  {
    Confined confined(policy_);
    child::ChildProcess process(
        confined.program(
            {"sh", "-c", std::string(kHoldLock) + "(setsid sleep 1000 &); : > ready; sleep 1000"},
            confined.usual_environment()),
        "");
    EXPECT_TRUE(eventually([&] { return fs::exists(folders_.work() / "ready"); }));
    EXPECT_FALSE(lock_is_free());
    process.signal(SIGKILL);
    process.finish();
  }
  EXPECT_TRUE(lock_is_free());
}

TEST_F(SandboxTest, EndsWithItsParent) {
  const pid_t parent = fork();
  if (parent == 0) {
    Confined confined(policy_);
    child::ChildProcess process(
        confined.program({"sh", "-c", std::string(kHoldLock) + ": > ready; sleep 1000"},
                         confined.usual_environment()),
        "");
    for (;;) pause();
  }
  EXPECT_TRUE(eventually([&] { return fs::exists(folders_.work() / "ready"); }));
  EXPECT_FALSE(lock_is_free());
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  EXPECT_TRUE(eventually([&] { return lock_is_free(); }));
}

TEST_F(SandboxTest, OneSandboxStartsSeveralPrograms) {
  Confined confined(policy_);
  EXPECT_EQ(shell(confined, "echo one > left; echo one").output, "one\n");
  EXPECT_EQ(shell(confined, "cat left; echo two").output, "one\ntwo\n");
}

TEST_F(SandboxTest, WorksUnderTheRunnersFence) {
  EXPECT_TRUE(in_a_child([this] {
    davit::isolation::fence_off_parents();
    return output_of("echo fine; kill -0 $$") == "fine\n";
  }));
}

TEST_F(SandboxTest, WorksForAUserWithoutRights) {
  EXPECT_TRUE(in_a_child([this] {
    constexpr uid_t kNobody = 65534;
    if (geteuid() == 0) {
      if (chmod(folders_.root().c_str(), 0755) != 0 ||
          chown(folders_.work().c_str(), kNobody, kNobody) != 0 || setgroups(0, nullptr) != 0 ||
          setresgid(kNobody, kNobody, kNobody) != 0 || setresuid(kNobody, kNobody, kNobody) != 0)
        return false;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    davit::isolation::fence_off_parents();
    {
      Confined confined(policy_);
      if (shell(confined,
                std::string(kHoldLock) + "(setsid sleep 1000 >/dev/null 2>&1 &); echo fine > made; cat made")
              .output != "fine\n")
        return false;
    }
    return lock_is_free();
  }));
}

TEST_F(SandboxTest, RefusesWhenTheSandboxIsMissing) {
  policy_.command = "there-is-no-bwrap";
  const auto refused = refusal();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status(), Status::Permanent);
  EXPECT_THAT(refused->what(),
              AllOf(StartsWith("the sandbox cannot be made: program there-is-no-bwrap is in no folder"),
                    HasSubstr("sandbox.command"), HasSubstr("apt-get install bubblewrap")));
}

TEST_F(SandboxTest, RefusesWhatCannotMakeOneAndSaysWhatItSaid) {
  const fs::path broken = folders_.root() / "broken";
  const auto write_program = [&](const std::string& text) {
    std::ofstream(broken) << "#!/bin/sh\n" << text;
    fs::permissions(broken, fs::perms::owner_all);
  };
  policy_.command = broken;
  write_program("echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n");
  auto refused = refusal();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status(), Status::Permanent);
  EXPECT_THAT(refused->what(),
              AllOf(StartsWith("the sandbox cannot be made: bwrap: setting up uid map: Permission denied; "),
                    HasSubstr("user namespaces")));
  write_program("exit 1\n");
  refused = refusal();
  ASSERT_TRUE(refused);
  EXPECT_THAT(refused->what(), HasSubstr("broken exited with status 1"));
}

TEST_F(SandboxTest, APolicyThatMakesNoSenseIsRefused) {
  const auto refuse = [&](const std::function<void(Policy&)>& change, const char* words) {
    Policy policy = policy_;
    change(policy);
    try {
      Confined confined(policy);
      ADD_FAILURE() << words << " was taken";
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.status(), Status::InvalidInput);
      EXPECT_THAT(failure.what(), HasSubstr(words));
    }
  };
  refuse([](Policy& policy) { policy.work = "relative"; }, "'relative'");
  refuse([](Policy& policy) { policy.work = "/"; }, "'/'");
  refuse([](Policy& policy) { policy.work = policy.work / "none"; }, "none, is no folder");
  refuse([](Policy& policy) { policy.read_only = {"/opt/there-is-none"}; },
         "/opt/there-is-none does not exist");
  refuse([](Policy& policy) { policy.read_only = {"/"}; }, "the whole system");
  refuse([](Policy& policy) { policy.read_only = {"/opt/../etc"}; }, "/opt/../etc");
  refuse([](Policy& policy) { policy.read_only = {policy.work.parent_path()}; },
         "holds the folder to work in");
  refuse([](Policy& policy) { policy.read_only = {"/work/tools"}; }, "lies below /work");
  refuse([](Policy& policy) { policy.files = {{"../x", ""}}; }, "'../x'");
  refuse([](Policy& policy) { policy.hosts = {"https://x"}; }, "'https://x'");
}

TEST_F(SandboxTest, WhereItIsNotRequiredItSaysThatProgramsRunUnconfined) {
  policy_.command = "there-is-no-bwrap";
  policy_.required = false;
  policy_.files = {{"system.md", "Be brief."}};
  fs::path own;
  {
    Confined confined(policy_);
    EXPECT_THAT(confined.why_not(),
                AllOf(StartsWith("programs run UNCONFINED"), HasSubstr("there-is-no-bwrap")));
    own = confined.view().home.parent_path();
    const Finished finished =
        shell(confined, "pwd; cat $HOME/../files/system.md; echo > $HOME/x; echo > $TMPDIR/y");
    EXPECT_EQ(finished.output, folders_.work().string() + "\nBe brief.");
    EXPECT_EQ(finished.wait_status, 0) << finished.errors;
    EXPECT_EQ(fs::status(own).permissions(), fs::perms::owner_all);
  }
  EXPECT_FALSE(fs::exists(own));
}

TEST_F(SandboxTest, AMistakeInThePolicyIsNoReasonToGoWithout) {
  policy_.required = false;
  policy_.read_only = {"/opt/there-is-none"};
  const auto refused = refusal();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status(), Status::InvalidInput);
}

TEST_F(SandboxTest, WhereItIsNotRequiredButCanBeHadItIsUsed) {
  policy_.required = false;
  EXPECT_EQ(output_of("id -un"), "agent\n");
}

}  // namespace

// A program that tries everything, in the sandbox and without it: all of it must fail in the one, and most of
// it succeed in the other, or the tries would prove nothing.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "sandbox/confined.h"
#include "tests/agents/http_client/loopback_server.h"
#include "tests/agents/sandbox/confined_run.h"
#include "tests/agents/sandbox/temporary_folders.h"

namespace {

namespace fs = std::filesystem;
using child::Descriptor;
using davit::testing::Asked;
using davit::testing::Finished;
using davit::testing::LoopbackServer;
using davit::testing::Wire;
using sandbox::Attempt;
using sandbox::Confined;
using sandbox::Policy;
using testing::IsSubsetOf;

// What a host has that an agent must not reach, and a tree with the program in it.
class Surroundings {
 public:
  Surroundings()
      : server_([](const Asked&, Wire& wire) { wire.answer(200, "admin"); }),
        victim_({.path = "/bin/sh",
                 .arguments = {"sh", "-c", "echo $$; sleep 1000; :", "victim-canary"},
                 .environment = {"PATH=/usr/bin:/bin", "MODEL_KEY=victim-canary"},
                 .working_directory = "/",
                 .descriptors = {}},
                "") {
    for (const char* file : {"davit.db", "davit.yaml", "other/work/file", "store/plugin.so"}) {
      fs::create_directories((root() / file).parent_path());
      std::ofstream(root() / file) << "canary";
    }
    fs::copy_file(fs::path(DAVIT_BUILD_DIR) / "tests/hostile_agent", folders_.work() / "agent");
    listen_on(local_, root() / "agent.sock", false);
    listen_on(abstract_, abstract_name(), true);
    shared_ = "/dev/shm/davit-sandbox-test-" + std::to_string(getpid());
    std::ofstream(shared_) << "canary";
    key_ = 0x0da70000 | (getpid() & 0xffff);
    segment_ = shmget(key_, 4096, IPC_CREAT | 0600);
    std::strcpy(static_cast<char*>(shmat(segment_, nullptr, 0)), "canary");
    std::ofstream(folders_.work() / "facts")
        << "root " << root().string() << "\nport " << server_.port() << "\nvictim " << victim_number()
        << "\nsocket " << (root() / "agent.sock").string() << "\nabstract " << abstract_name() << "\nshared "
        << shared_.filename().string() << "\nkey " << key_ << "\n";
  }
  ~Surroundings() {
    shmctl(segment_, IPC_RMID, nullptr);
    std::error_code none;
    fs::remove(shared_, none);
  }

  const fs::path& root() const { return folders_.root(); }
  fs::path work() const { return folders_.work(); }
  std::string here(const std::string& host) const { return host + ":" + std::to_string(server_.port()); }
  int connections() const { return server_.connections(); }

 private:
  std::string abstract_name() const { return "davit-sandbox-test-" + std::to_string(getpid()); }

  static void listen_on(Descriptor& listener, const std::string& name, bool abstract) {
    listener = Descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + (abstract ? 1 : 0), name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + 1);
    ASSERT_EQ(bind(listener.number(), reinterpret_cast<const sockaddr*>(&address), size), 0) << name;
    ASSERT_EQ(listen(listener.number(), 16), 0);
  }

  std::string victim_number() {
    std::string number;
    pollfd wait{victim_.output().number(), POLLIN, 0};
    while (number.find('\n') == std::string::npos && poll(&wait, 1, 20'000) > 0)
      child::read_piece(victim_.output(), [&](std::string_view piece) { number += piece; });
    return number.substr(0, number.find('\n'));
  }

  davit::testing::TemporaryFolders folders_;
  LoopbackServer server_;
  child::ChildProcess victim_;
  Descriptor local_, abstract_;
  fs::path shared_;
  int key_ = 0, segment_ = -1;
};

// What the program says of each try: "succeeded" or "blocked", and why.
using Tries = std::map<std::string, std::pair<std::string, std::string>>;

Tries tries_in(const std::string& output) {
  Tries tries;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, result, detail;
    words >> name >> result;
    std::getline(words, detail);
    tries[name] = {result, detail};
  }
  return tries;
}

// The second of two runs, so that what the first leaves for the next counts.
Tries tried(Confined& confined, const Surroundings& around) {
  const std::string program = confined.view().work / "agent";
  davit::testing::run(confined, {program});
  fs::remove(around.root() / "planted");
  const Finished finished = davit::testing::run(confined, {program});
  EXPECT_EQ(finished.wait_status, 0) << finished.errors;
  return tries_in(finished.output);
}

class HostileAgentTest : public testing::Test {
 protected:
  HostileAgentTest() {
    policy_.work = around_.work();
    policy_.network = sandbox::Network::Allowed;
    policy_.hosts = {around_.here("localhost"), around_.here("127.0.0.1"), "169.254.169.254:80"};
  }

  bool lock_is_free() const {
    const Descriptor lock(open((around_.work() / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    return lock.open() && flock(lock.number(), LOCK_EX | LOCK_NB) == 0;
  }

  // Starts a bomb, waits for its word, and ends the sandbox. Gives the number of what it got.
  int after_bomb(const std::string& kind, int most) {
    Confined confined(policy_);
    child::ChildProcess process(
        confined.program({"/work/agent", kind, std::to_string(most)}, confined.usual_environment()), "");
    std::string said;
    pollfd wait{process.output().number(), POLLIN, 0};
    while (said.find('\n') == std::string::npos && poll(&wait, 1, 20'000) > 0 &&
           child::read_piece(process.output(), [&](std::string_view piece) { said += piece; })) {
    }
    EXPECT_FALSE(lock_is_free());
    return said.empty() ? -1 : std::stoi(said.substr(said.find(' ')));
  }

  Surroundings around_;
  Policy policy_;
};

TEST_F(HostileAgentTest, EveryEscapeIsBlockedAndLogged) {
  std::mutex mutex;
  std::set<std::string> told;
  Tries tries;
  {
    Confined confined(policy_, [&](const Attempt& attempt) {
      std::lock_guard lock(mutex);
      EXPECT_FALSE(attempt.allowed) << attempt.host;
      told.insert(attempt.host + ":" + std::to_string(attempt.port));
    });
    tries = tried(confined, around_);
  }
  EXPECT_GT(tries.size(), 60u);
  for (const auto& [name, result] : tries) EXPECT_EQ(result.first, "blocked") << name << result.second;
  EXPECT_EQ(around_.connections(), 0);
  for (const char* planted : {"planted", "planted_by_link", "store/planted.so"})
    EXPECT_FALSE(fs::exists(around_.root() / planted)) << planted;
  EXPECT_THAT(told, testing::UnorderedElementsAre(":0", "10.0.0.1:443", around_.here("127.0.0.1"),
                                                  "169.254.169.254:80", "canary.evil.example.org:443",
                                                  "localhost:1", around_.here("localhost")));
}

TEST_F(HostileAgentTest, TheSameProgramUnconfinedSucceedsInMost) {
  policy_.command = "there-is-no-bwrap";
  policy_.required = false;
  Confined confined(policy_);
  const Tries tries = tried(confined, around_);
  std::set<std::string> succeeded;
  for (const auto& [name, result] : tries) {
    if (result.first == "succeeded") succeeded.insert(name);
  }
  // What needs no rights but those of the user who runs davit.
  const std::set<std::string> anybody{"read_secret",
                                      "read_database",
                                      "read_config",
                                      "read_other_task",
                                      "read_plugin_store",
                                      "read_above",
                                      "write_plugin_store",
                                      "write_outside",
                                      "read_through_link",
                                      "write_through_link",
                                      "link_hard",
                                      "escape_memory_killer",
                                      "find_planted_in_home",
                                      "find_planted_in_temporary_folder",
                                      "see_other_processes",
                                      "read_others_environment",
                                      "read_others_descriptors",
                                      "signal_other",
                                      "limit_other",
                                      "schedule_other",
                                      "connect_this_machine",
                                      "connect_local_socket",
                                      "connect_abstract_socket",
                                      "read_shared_memory",
                                      "attach_shared_memory"};
  EXPECT_THAT(anybody, IsSubsetOf(succeeded));
  const std::size_t for_the_proxy = 8;  // there is none to try
  EXPECT_GE(succeeded.size() * 10, (tries.size() - for_the_proxy) * 6) << testing::PrintToString(tries);
}

TEST_F(HostileAgentTest, ABombOfProcessesIsGoneWithTheSandbox) {
  EXPECT_GT(after_bomb("processes", 400), 100);
  EXPECT_TRUE(lock_is_free());
}

TEST_F(HostileAgentTest, ABombOfMemoryIsStoppedByItsLimit) {
  policy_.data_bytes = 256ull << 20;
  const int got = after_bomb("memory", 2048);
  EXPECT_GT(got, 0);
  EXPECT_LE(got, 256);
  EXPECT_TRUE(lock_is_free());
}

}  // namespace

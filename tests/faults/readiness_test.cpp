// /readyz tells the truth of each part: threads that hang, a folder that is gone. (A store that cannot write,
// and a disk that gets full, are in disk_full_test.)
#include <gmock/gmock.h>
#include <sys/ptrace.h>

#include <set>

#include "tests/faults/echo_host.h"
#include "tests/faults/lane.h"
#include "tests/faults/private_mounts.h"
#include "tests/support/hot_host.h"

namespace davit::faults {
namespace {

namespace fs = std::filesystem;
using testing::eventually;
using ::testing::HasSubstr;
using testing::HotHost;

// A thread of another process that does nothing any more, as one that waits for a disk that never answers;
// until this ends. To be made and ended by the same thread.
class FrozenThread {
 public:
  FrozenThread(pid_t process, const std::string& name) {
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
      std::string its_name;
      std::getline(std::ifstream(entry.path() / "comm"), its_name);
      if (its_name == name) thread_ = std::stoi(entry.path().filename().string());
    }
    int status = 0;
    const bool frozen = thread_ > 0 && ::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) == 0 &&
                        ::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) == 0 &&
                        ::waitpid(thread_, &status, __WALL) == thread_;
    EXPECT_TRUE(frozen) << name << ": " << errno_text(errno) << "; in a container allow ptrace (SYS_PTRACE)";
  }
  ~FrozenThread() { ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr); }
  FrozenThread(const FrozenThread&) = delete;
  FrozenThread& operator=(const FrozenThread&) = delete;

 private:
  pid_t thread_ = 0;
};

class ReadinessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(enter_mount_namespace());  // where only root may trace, this makes us root of what we start
    make_echo_host(host_);
    ASSERT_TRUE(host_.start()) << host_.log();
  }
  // What /readyz says of each part.
  std::map<std::string, std::string> parts() {
    const test::RawAnswer answer = host_.request("GET", "/readyz");
    std::map<std::string, std::string> said;
    const auto read = parse_json(answer.body);
    if (!read.ok()) return said;
    bool all_well = true;
    for (const auto& part : find_member(*read, "parts")->GetObject()) {
      said[part.name.GetString()] = part.value.GetString();
      all_well &= said[part.name.GetString()] == "ok";
    }
    EXPECT_EQ(answer.status, all_well ? 200 : 503) << answer.body;
    EXPECT_EQ(string_member(*read, "status"), all_well ? "ready" : "not_ready");
    EXPECT_EQ(answer.header("Retry-After") == "", all_well);
    return said;
  }
  std::set<std::string> troubled() {
    std::set<std::string> names;
    for (const auto& [name, said] : parts())
      if (said != "ok") names.insert(name);
    return names;
  }
  HotHost host_;
};

using Names = std::set<std::string>;

TEST_F(ReadinessTest, AThreadThatHangsIsNamedUntilItGoesOn) {
  EXPECT_EQ(troubled(), Names{});
  {
    auto dispatch = std::make_unique<FrozenThread>(host_.pid(), "dispatch");
    auto ingest = std::make_unique<FrozenThread>(host_.pid(), "davit-ingest");
    auto writer = std::make_unique<FrozenThread>(host_.pid(), "davit-store");
    auto said = parts();
    EXPECT_THAT(said["dispatch"], HasSubstr("the loop that starts and ends tasks has not answered for "));
    EXPECT_THAT(said["ingest"], HasSubstr("processes of their own has not answered for "));
    EXPECT_THAT(said["writer"], HasSubstr("the store's writer has not answered for "));
    EXPECT_EQ(said["plugins"], "ok");
    EXPECT_EQ(said["disk"], "ok");
    EXPECT_EQ(host_.request("GET", "/healthz").status, 200) << "alive, and it costs nothing to say so";
    const std::string metrics = host_.api("GET", "/metrics").body;
    EXPECT_THAT(metrics, HasSubstr("davit_ready{part=\"dispatch\"} 0\n"));
    EXPECT_THAT(metrics, HasSubstr("davit_ready{part=\"disk\"} 1\n"));

    dispatch.reset();
    EXPECT_TRUE(eventually([&] { return troubled() == Names{"ingest", "writer"}; }));
    ingest.reset();
    EXPECT_TRUE(eventually([&] { return troubled() == Names{"writer"}; }));
  }
  EXPECT_TRUE(eventually([&] { return troubled() == Names{}; }));
  EXPECT_EQ(deliver(host_.port(), "afterwards").status, 202);
}

TEST_F(ReadinessTest, APluginsFolderThatIsGoneIsNamedUntilItIsBack) {
  fs::rename(host_.drop(), host_.folder() / "elsewhere");
  EXPECT_TRUE(eventually([&] { return troubled() == Names{"plugins"}; }))
      << ::testing::PrintToString(parts());
  EXPECT_THAT(parts()["plugins"], HasSubstr((host_.drop()).string()));
  EXPECT_EQ(deliver(host_.port(), "meanwhile").status, 202) << "what serves goes on serving";
  fs::rename(host_.folder() / "elsewhere", host_.drop());
  host_.ask({"plugins", "rescan"});
  EXPECT_TRUE(eventually([&] { return troubled() == Names{}; })) << ::testing::PrintToString(parts());
}

}  // namespace
}  // namespace davit::faults

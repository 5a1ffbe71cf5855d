// A dry run of hooks that have effects, which they must not: in the real program, with a plugin that writes,
// sends and starts things whenever it is asked.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Where the plugin sends to.
class Listener {
 public:
  Listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_.number(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd_.number(), 8), 0);
    EXPECT_EQ(::getsockname(fd_.number(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  int port() const { return port_; }
  // How many have connected since the last time. Whoever has is seen: connecting ends before the hook does.
  int visitors() {
    int count = 0;
    for (pollfd waiting{fd_.number(), POLLIN, 0}; ::poll(&waiting, 1, 0) == 1; ++count)
      UniqueFd(::accept4(fd_.number(), nullptr, nullptr, SOCK_CLOEXEC));
    return count;
  }

 private:
  UniqueFd fd_;
  int port_ = 0;
};

class DryRunTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(meddled());
    host.put("meddling_webhook.so", kTestPlugins / "meddling_webhook.so");
    host.configure(
        "webhooks:\n  meddling: {secret_env: GITHUB_WEBHOOK_SECRET, isolation: " + std::string(GetParam()) +
        ", config: {dir: " + meddled().string() + ", port: " + std::to_string(listener.port()) + "}}\n");
    ASSERT_TRUE(host.start()) << host.log();
  }
  std::filesystem::path meddled() const { return host.folder() / "meddled"; }
  // As before the plugin was there.
  void tidy() {
    std::filesystem::remove_all(meddled());
    std::filesystem::create_directories(meddled());
    std::ofstream(meddled() / "kept") << "kept";
  }
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(meddled()))
      names.insert(file.path().filename().string());
    return names;
  }
  std::string deliver() {
    auto body = parse_json(host.deliver("{\"unlike\":\"" + new_id() + "\"}", new_id(), "meddling").body);
    const JsonValue* details = body.ok() ? find_member(*body, "details") : nullptr;
    return details ? string_member(*details, "delivery_id") : "";
  }

  Listener listener;
  HotHost host;
};

TEST_P(DryRunTest, HasNoEffectEvenOfHooksThatHave) {
  tidy();
  const std::string id = deliver();
  EXPECT_THAT(host.ask({"deliveries", "show", id}).text,
              HasSubstr("file=0 rename=0 network=0 program=0 thread=0"))
      << host.log();
  EXPECT_EQ(files(), (std::set<std::string>{"by_program", "renamed", "written"}));
  EXPECT_EQ(listener.visitors(), 1);

  tidy();
  const auto said = host.ask({"deliveries", "replay", id, "--dry-run"});
  EXPECT_EQ(said.status, 0);
  const std::string eperm = std::to_string(EPERM);
  EXPECT_THAT(said.text, HasSubstr("file=" + eperm + " rename=" + eperm + " network=" + eperm));
  EXPECT_THAT(said.text, AllOf(Not(HasSubstr("program=0")), HasSubstr("thread=0")));
  EXPECT_EQ(files(), std::set<std::string>{"kept"});
  EXPECT_EQ(listener.visitors(), 0);
}

TEST_P(DryRunTest, LeavesNoRunnerThatServes) {
  tidy();
  const std::string id = deliver();
  ASSERT_EQ(host.ask({"deliveries", "replay", id, "--dry-run"}).status, 0);
  tidy();
  EXPECT_NE(deliver(), id);
  std::set<std::string> effects = files();
  // The host ends what a runner may have left behind with it, and cannot tell a plugin's programs in itself
  // from that.
  if (std::string(GetParam()) == "inprocess") effects.insert("by_program");
  EXPECT_EQ(effects, (std::set<std::string>{"by_program", "renamed", "written"}))
      << "what is asked in earnest is not fenced off";
}

INSTANTIATE_TEST_SUITE_P(Isolation, DryRunTest, ::testing::Values("inprocess", "process"));

}  // namespace
}  // namespace davit::testing

// Sessions in the sandbox, with a program in the CLI's place.
#include "claude_cli/confined_session.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>

#include <chrono>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "child_process/child_process.h"
#include "davit/testing/fake_host.hpp"
#include "tests/agents/claude_cli/streams.h"

namespace {

namespace fs = std::filesystem;
using claude::End;
using claude::Outcome;
using davit::Failure;
using davit::Status;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

class ClaudeConfinedTest : public testing::Test {
 protected:
  ClaudeConfinedTest() {
    std::string pattern = (fs::temp_directory_path() / "davit-confined-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    fs::create_directories(work());
    fs::create_directories(folder_ / "tools");
    settings_.path = folder_ / "tools/claude";
    fs::copy_file(fs::path(DAVIT_BUILD_DIR) / "tests/fake_claude", settings_.path);
    fs::copy_file(streams::folder() / "success.jsonl", work() / "success");
    settings_.pass_environment = {"FAKE_CLAUDE", "ANTHROPIC_BASE_URL"};
    session_.prompt = "Find the fault.";
    session_.session_id = "7d1f0b52-6c1e-4c3a-9b60-0a51f6f3c201";
    session_.work = work();
    session_.wall = std::chrono::minutes(5);
    variables_["FAKE_CLAUDE"] = "/work/script";
  }
  ~ClaudeConfinedTest() override { fs::remove_all(folder_); }

  fs::path work() const { return folder_ / "work"; }

  Outcome run(const std::string& script) {
    std::ofstream(work() / "script") << script;
    const claude::Surroundings around{
        .policy = policy_,
        .lookup = [this](const std::string& name) -> std::optional<std::string> {
          const auto found = variables_.find(name);
          return found == variables_.end() ? std::nullopt : std::optional(found->second);
        },
        .redact =
            [](std::string_view text) {
              std::string clean(text);
              const std::size_t at = clean.find("canary");
              return at == std::string::npos ? clean : clean.replace(at, 6, "[redacted]");
            }};
    Outcome outcome;
    refused_.reset();
    const davit::Host host(host_.abi());
    host_.call([&](const davit_call* call, const davit_sink*) -> davit_status {
      try {
        outcome = claude::run_confined(settings_, session_, around, davit::Run(host, call));
      } catch (const Failure& failure) {
        refused_ = failure;
      }
      return DAVIT_OK;
    });
    return outcome;
  }

  std::string content_of(const std::string& file) const {
    std::stringstream text;
    text << std::ifstream(work() / file).rdbuf();
    return text.str();
  }
  bool lock_is_free() const {
    const child::Descriptor lock(open((work() / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    return lock.open() && flock(lock.number(), LOCK_EX | LOCK_NB) == 0;
  }

  fs::path folder_;
  claude::Settings settings_;
  claude::Session session_;
  sandbox::Policy policy_;
  std::map<std::string, std::string> variables_;
  std::optional<Failure> refused_;
  davit::testing::FakeHost host_;
};

TEST_F(ClaudeConfinedTest, ASessionSeesItsTreeAHomeOfItsOwnAndTheProxy) {
  const Outcome outcome = run("prompt got\nenvironment environment\nemit success\n");
  EXPECT_EQ(outcome.end, End::Ok) << outcome.why;
  EXPECT_EQ(content_of("got"), "Find the fault.");
  EXPECT_EQ(content_of("environment"),
            "PATH=/usr/local/bin:/usr/bin:/bin\nLANG=C.UTF-8\nHOME=/home/agent\nTMPDIR=/tmp\n"
            "CLAUDE_CONFIG_DIR=/home/agent/.claude\nDISABLE_AUTOUPDATER=1\n"
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1\nCLAUDE_CODE_SUBPROCESS_ENV_SCRUB=0\n"
            "HTTPS_PROXY=http://127.0.0.1:3128\nFAKE_CLAUDE=/work/script\nPWD=/work\n");
  EXPECT_THAT(host_.transcript, Each(Not(Pair("sandbox", testing::_))));
}

TEST_F(ClaudeConfinedTest, ItsSystemPromptAndServersAreFilesThatNobodyElseSees) {
  session_.system_prompt = "Be brief.";
  session_.mcp_config = R"({"mcpServers": {}})";
  const Outcome outcome = run(
      "copy --append-system-prompt-file prompt\ncopy --mcp-config servers\narguments given\nemit success\n");
  EXPECT_EQ(outcome.end, End::Ok) << outcome.why;
  EXPECT_EQ(content_of("prompt"), session_.system_prompt);
  EXPECT_EQ(content_of("servers"), session_.mcp_config);
  EXPECT_THAT(content_of("given"), AllOf(HasSubstr("--mcp-config=/run/files/mcp.json\n"),
                                         HasSubstr("--append-system-prompt-file=/run/files/system.md\n")));
}

TEST_F(ClaudeConfinedTest, WhatItWantedToReachIsInTheTranscript) {
  const Outcome outcome = run("connect canary.example.org:443\nemit success\n");
  EXPECT_EQ(outcome.end, End::Ok) << outcome.why;
  EXPECT_THAT(host_.transcript,
              Contains(Pair("network",
                            "refused [redacted].example.org:443: this host is not among those that are "
                            "allowed")));
  EXPECT_THAT(host_.transcript, Contains(Pair("stderr", HasSubstr("HTTP/1.1 403"))));
}

TEST_F(ClaudeConfinedTest, TheHostOfItsGatewayIsAllowed) {
  const child::Descriptor gateway(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(gateway.number(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(gateway.number(), 4), 0);
  ASSERT_EQ(getsockname(gateway.number(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string where = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  variables_["ANTHROPIC_BASE_URL"] = "https://" + where + "/v1";
  policy_.allow_private = true;
  EXPECT_EQ(run("connect " + where + "\nemit success\n").end, End::Ok);
  EXPECT_THAT(host_.transcript, Contains(Pair("network", "reached " + where + " (127.0.0.1)")));
}

TEST_F(ClaudeConfinedTest, AGatewayWithoutEncryptionIsRefused) {
  variables_["ANTHROPIC_BASE_URL"] = "http://canary.example.org";
  run("emit success\n");
  ASSERT_TRUE(refused_);
  EXPECT_EQ(refused_->status(), Status::InvalidInput);
  EXPECT_THAT(refused_->what(), AllOf(HasSubstr("ANTHROPIC_BASE_URL"), Not(HasSubstr("canary"))));
}

TEST_F(ClaudeConfinedTest, NothingIsLeftOfASessionThatIsCancelled) {
  std::thread person([this] {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!fs::exists(work() / "ready") && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_FALSE(lock_is_free());
    host_.cancelled = true;
  });
  const Outcome outcome = run("lock lock\nignore-term\ngrandchild pid\nemit success\ntouch ready\nhang\n");
  person.join();
  EXPECT_EQ(outcome.end, End::Cancelled) << outcome.why;
  EXPECT_TRUE(lock_is_free());
}

TEST_F(ClaudeConfinedTest, WithoutASandboxItDoesNotRun) {
  policy_.command = "there-is-no-bwrap";
  run("touch ran\nemit success\n");
  ASSERT_TRUE(refused_);
  EXPECT_EQ(refused_->status(), Status::Permanent);
  EXPECT_THAT(refused_->what(), HasSubstr("the sandbox cannot be made"));
  EXPECT_FALSE(fs::exists(work() / "ran"));
}

TEST_F(ClaudeConfinedTest, WhereItIsNotRequiredASessionRunsWithoutCommandsAndSaysSo) {
  policy_.command = "there-is-no-bwrap";
  policy_.required = false;
  session_.tools = claude::Tools::Edit;
  session_.system_prompt = "Be brief.";
  variables_["FAKE_CLAUDE"] = work() / "script";
  run("arguments given\ncopy --append-system-prompt-file prompt\nemit success\n");
  EXPECT_FALSE(refused_);
  EXPECT_THAT(content_of("given"), HasSubstr("--tools=Read,Grep,Glob,Edit,Write\n"));
  EXPECT_EQ(content_of("prompt"), "Be brief.");
  EXPECT_THAT(host_.transcript, Contains(Pair("sandbox", HasSubstr("UNCONFINED"))));
  ASSERT_EQ(host_.log.size(), 1u);
  EXPECT_EQ(host_.log[0].level, davit::LogLevel::Warn);
  EXPECT_THAT(host_.log[0].message, HasSubstr("UNCONFINED"));
}

TEST_F(ClaudeConfinedTest, WithoutTheProgramTheSentenceSaysWhatToInstall) {
  settings_.path = folder_ / "none";
  const Outcome outcome = run("");
  EXPECT_EQ(outcome.end, End::NotInstalled);
  EXPECT_THAT(outcome.why, AllOf(HasSubstr("none does not exist"), HasSubstr("install Claude Code")));
}

TEST_F(ClaudeConfinedTest, AnInterpreterThatTheSandboxDoesNotShowIsNamedAndNothingIsTriedAgain) {
  const fs::path node = folder_ / "tools/node";
  fs::create_directories(node.parent_path());
  fs::copy_file("/bin/sh", node);
  settings_.path = folder_ / "script.js";
  for (const std::string& interpreter : {node.string(), std::string("/usr/bin/env no-such-node")}) {
    std::ofstream(settings_.path) << "#!" << interpreter << "\n";
    fs::permissions(settings_.path, fs::perms::owner_all);
    const Outcome outcome = run("");
    EXPECT_EQ(outcome.end, End::NotInstalled) << outcome.why;
    EXPECT_THAT(outcome.why, AllOf(HasSubstr("native installer"), HasSubstr("sandbox.read_only"),
                                   HasSubstr("No such file")));
    EXPECT_EQ(claude::failure_of(outcome, {})->status(), davit::Status::Permanent);
  }
}

TEST_F(ClaudeConfinedTest, OfAPackageTheFolderIsSeenOfALoneProgramTheFile) {
  EXPECT_THAT(claude::install_of("/usr/local/lib/node_modules/x/cli.js"), IsEmpty());
  EXPECT_THAT(claude::install_of(settings_.path), ElementsAre(fs::path(settings_.path)));
  const fs::path package = folder_ / "node_modules/@vendor/claude-code";
  fs::create_directories(package / "bin");
  std::ofstream(package / "package.json") << "{}";
  EXPECT_THAT(claude::install_of(package / "cli.js"), ElementsAre(package));
  EXPECT_THAT(claude::install_of(package / "bin/claude"), ElementsAre(package));
}

TEST_F(ClaudeConfinedTest, AProgramBehindALinkIsFound) {
  fs::create_directories(folder_ / "bin");
  fs::create_symlink(settings_.path, folder_ / "bin/claude");
  settings_.path = folder_ / "bin/claude";
  EXPECT_EQ(run("emit success\n").end, End::Ok);
}

TEST(ClaudeSandboxConfigTest, WhatIsSaidIsTakenAndTheRestIsUsual) {
  EXPECT_THAT(claude::policy_from({}).hosts, ElementsAre("api.anthropic.com"));
  const davit::Json config = davit::Json::parse(
      R"({"network_hosts": ["models.example.org:8443"], "read_only": ["/opt/node"], "allow_private": true})");
  const sandbox::Policy policy = claude::policy_from(config);
  EXPECT_THAT(policy.hosts, ElementsAre("models.example.org:8443"));
  EXPECT_THAT(policy.read_only, ElementsAre(fs::path("/opt/node")));
  EXPECT_TRUE(policy.allow_private);
  EXPECT_TRUE(policy.required);
}

TEST(ClaudeSandboxConfigTest, WhatCannotBeMeantIsNamed) {
  const std::map<std::string, std::string> bad{
      {"[]", "config.sandbox: "},
      {R"({"required": false})", "config.sandbox.required: is unknown"},
      {R"({"network_hosts": "x"})", "config.sandbox.network_hosts: "},
      {R"({"network_hosts": [1]})", "config.sandbox.network_hosts: "},
      {R"({"network_hosts": ["https://x"]})", "'https://x'"},
      {R"({"read_only": {}})", "config.sandbox.read_only: "},
      {R"({"allow_private": "yes"})", "config.sandbox.allow_private: "}};
  for (const auto& [text, words] : bad) {
    const davit::Json config = davit::Json::parse(text);
    try {
      claude::policy_from(config);
      ADD_FAILURE() << text << " was taken";
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.status(), Status::InvalidInput);
      EXPECT_THAT(failure.what(), HasSubstr(words));
    }
  }
}

TEST(ClaudeGatewayTest, TheHostOfAnAddressIsRead) {
  EXPECT_EQ(claude::host_of("https://api.example.org"), "api.example.org");
  EXPECT_EQ(claude::host_of("HTTPS://Api.Example.org:8443/v1?x#y"), "Api.Example.org:8443");
  for (const char* bad : {"", "https://", "http://api.example.org", "https://user:key@api.example.org",
                          "https:///path", "api.example.org", "https://a b"})
    EXPECT_FALSE(claude::host_of(bad)) << bad;
}

}  // namespace

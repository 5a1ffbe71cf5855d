// MCP servers of an operator's config.
#include "claude_cli/mcp_servers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "davit/failure.hpp"

namespace {

namespace fs = std::filesystem;
using claude::McpServers;
using davit::Failure;
using davit::Json;
using davit::Status;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kBoth = R"({"mcpServers": {
  "tracker": {"type": "http", "url": "https://tracker.example.org:8443/mcp",
              "headers": {"Authorization": "Bearer ${TRACKER_TOKEN}", "X-Team": "shop"}},
  "docs": {"command": "/usr/bin/docs-mcp", "args": ["--quiet"], "env": {"DOCS_KEY": "${DOCS_KEY}", "LEVEL": "2"}}}})";

McpServers from(const std::string& json) {
  const Json value = Json::parse(json);
  return McpServers::from(value);
}

std::string refusal(const std::string& json) {
  try {
    from(json);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), Status::InvalidInput);
    return failure.what();
  }
  return "taken";
}

std::string of_server(const std::string& server) {
  return refusal(R"({"mcpServers": {"tracker": )" + server + "}}");
}

TEST(McpServersTest, AreReadWithTheirGrantsHostsAndPrograms) {
  const McpServers servers = from(kBoth);
  EXPECT_THAT(servers.grants, ElementsAre("TRACKER_TOKEN", "DOCS_KEY"));
  EXPECT_THAT(servers.hosts, ElementsAre("tracker.example.org:8443"));
  EXPECT_THAT(servers.programs, ElementsAre(fs::path("/usr/bin/docs-mcp")));
  EXPECT_THAT(servers.config, HasSubstr("Bearer ${TRACKER_TOKEN}"));
}

TEST(McpServersTest, GrantsTakeTheirPlacesWhateverBytesTheyHave) {
  const std::map<std::string, std::string> grants{{"TRACKER_TOKEN", "a\"b\\${DOCS_KEY}"}, {"DOCS_KEY", "k"}};
  const auto lookup = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = grants.find(name);
    return found == grants.end() ? std::nullopt : std::optional(found->second);
  };
  const Json filled = Json::parse(from(kBoth).filled(lookup));
  EXPECT_EQ(filled.at_pointer("/mcpServers/tracker/headers/Authorization"), "Bearer a\"b\\${DOCS_KEY}")
      << "what is filled in is not looked through again";
  EXPECT_EQ(filled.at_pointer("/mcpServers/tracker/headers/X-Team"), "shop");
  EXPECT_EQ(filled.at_pointer("/mcpServers/tracker/url"), "https://tracker.example.org:8443/mcp");
  EXPECT_EQ(filled.at_pointer("/mcpServers/docs/env/DOCS_KEY"), "k");
  EXPECT_EQ(filled.at_pointer("/mcpServers/docs/args/0"), "--quiet");
}

TEST(McpServersTest, AGrantThatIsMissingIsNamed) {
  try {
    from(kBoth).filled([](const std::string&) { return std::nullopt; });
    FAIL() << "filled";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), Status::Permanent);
    EXPECT_THAT(std::string(failure.what()), HasSubstr("${TRACKER_TOKEN}, which is not granted"));
  }
}

TEST(McpServersTest, NoneAreNone) {
  EXPECT_EQ(from(R"({"mcpServers": {}})").config, "");
  EXPECT_EQ(McpServers().filled([](const std::string&) { return std::nullopt; }), "");
}

TEST(McpServersTest, WhatCannotBeMeantIsNamedWithItsPlace) {
  EXPECT_THAT(refusal("7"), HasSubstr("must be an object with mcpServers, or the path"));
  EXPECT_THAT(refusal("{}"), HasSubstr("mcpServers: must be an object"));
  EXPECT_THAT(refusal(R"({"mcpServers": {}, "inputs": 1})"), HasSubstr("inputs: is unknown"));
  EXPECT_THAT(refusal(R"({"mcpServers": {"a,Bash": {}}})"), HasSubstr("'a,Bash' is no name of a server"));
  EXPECT_THAT(of_server("[]"), HasSubstr("mcpServers.tracker: must be an object"));
  EXPECT_THAT(of_server("{}"), HasSubstr("tracker.command: must be a"));
  EXPECT_THAT(of_server(R"({"type": "ws"})"), HasSubstr("tracker.type: must be stdio, http or sse"));
  EXPECT_THAT(of_server(R"({"url": "https://x"})"), HasSubstr("type must be http or sse"));
  EXPECT_THAT(of_server(R"({"command": "./run"})"), HasSubstr("command: must be a name of PATH"));
  EXPECT_THAT(of_server(R"({"command": "x", "cwd": "/"})"), HasSubstr("tracker.cwd: is unknown"));
  EXPECT_THAT(of_server(R"({"command": "x", "args": "y"})"), HasSubstr("args: must be a list"));
  EXPECT_THAT(of_server(R"({"command": "x", "args": [1]})"), HasSubstr("args: must be a text"));
  EXPECT_THAT(of_server(R"({"command": "x", "env": {"A": "b\nc"}})"), HasSubstr("env.A: must be a text"));
  for (const char* url : {"http://x/", "https://user@x/", "x", "https:///"})
    EXPECT_THAT(of_server(std::string(R"({"type": "http", "url": ")") + url + "\"}"),
                HasSubstr("tracker.url: must be an address as https://"))
        << url;
  EXPECT_THAT(of_server(R"({"type": "http", "url": "https://x", "headersHelper": "id"})"),
              HasSubstr("headersHelper: is unknown"))
      << "which would run a program outside of any rule";
  for (const char* twice :
       {R"({"command": "x", "command": "y"})", R"({"command": "x", "env": {"command": "a", "command": "b"}})"})
    EXPECT_THAT(of_server(twice), HasSubstr("command: is given twice")) << twice;
  EXPECT_THAT(refusal(R"({"mcpServers": {"a": {"command": "x"}, "a": {"command": "y"}}})"),
              HasSubstr("mcpServers.a: is given twice"))
      << "we would look at the one, and the CLI would run the other";
  std::string many;
  for (int i = 0; i < 17; ++i) many += (i ? "," : "") + ("\"s" + std::to_string(i)) + R"(": {"command": "x"})";
  EXPECT_THAT(refusal(R"({"mcpServers": {)" + many + "}}"), HasSubstr("has more than 16"));
}

TEST(McpServersTest, SecretsStandNowhereAndGrantsOnlyWhereNobodyElseLooks) {
  EXPECT_THAT(of_server(R"({"command": "x", "env": {"API_KEY": "Canary-1"}})"),
              AllOf(HasSubstr("env.API_KEY: is a secret by its name"), HasSubstr("grant it, and write ${NAME}"),
                    Not(HasSubstr("Canary"))));
  EXPECT_THAT(of_server(R"({"type": "http", "url": "https://x", "headers": {"authorization": "Canary-1"}})"),
              AllOf(HasSubstr("headers.authorization: is a secret"), Not(HasSubstr("Canary"))));
  EXPECT_THAT(of_server(R"({"command": "x", "args": ["--key=${K}"]})"), HasSubstr("hand a secret over in env"));
  EXPECT_THAT(of_server(R"({"command": "${K}"})"), HasSubstr("hand a secret over in env"));
  EXPECT_THAT(of_server(R"({"type": "http", "url": "https://x/${K}"})"), HasSubstr("hand a secret over in env"));
  for (const char* value : {"${", "${}", "${A", "${A:-b}", "${A B}"})
    EXPECT_THAT(of_server(std::string(R"({"command": "x", "env": {"A": ")") + value + "\"}}"),
                HasSubstr("must be ${NAME}"))
        << value;
  EXPECT_THAT(of_server(R"({"command": "x", "env": {"A": "${github_token}"}})"),
              HasSubstr("github_token is the agent's own"));
}

class McpServersFileTest : public testing::Test {
 protected:
  McpServersFileTest() {
    std::string pattern = (fs::temp_directory_path() / "davit-mcp-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    write(kBoth);
    chmod(path().c_str(), 0600);
  }
  ~McpServersFileTest() override { fs::remove_all(folder_); }
  fs::path path() const { return folder_ / "mcp.json"; }
  void write(const std::string& content) const { std::ofstream(path()) << content; }
  std::string refused() const { return refusal("\"" + path().string() + "\""); }

  fs::path folder_;
};

TEST_F(McpServersFileTest, AFileOfTheOperatorsIsTakenAsIfItStoodThere) {
  const McpServers servers = from("\"" + path().string() + "\"");
  EXPECT_EQ(servers.config, from(kBoth).config);
  EXPECT_THAT(servers.grants, ElementsAre("TRACKER_TOKEN", "DOCS_KEY"));
}

TEST_F(McpServersFileTest, OneThatOthersMayWriteOrThatIsNoneIsRefused) {
  for (const mode_t mode : {0620, 0602}) {
    chmod(path().c_str(), mode);
    EXPECT_THAT(refused(), HasSubstr("can be written by others: take that away (chmod go-w)"));
  }
  chmod(path().c_str(), 0600);
  write("{\"Canary\": ");
  EXPECT_THAT(refused(), AllOf(HasSubstr("is no JSON"), Not(HasSubstr("Canary"))));
  write("{}");
  EXPECT_THAT(refused(), HasSubstr("mcpServers: must be an object"));
  write(std::string(256 * 1024 + 1, ' '));
  EXPECT_THAT(refused(), HasSubstr("larger than 256 KiB"));
  fs::remove(path());
  EXPECT_THAT(refused(), HasSubstr("cannot be opened"));
  fs::create_directory(path());
  EXPECT_THAT(refused(), HasSubstr("is no file"));
  EXPECT_THAT(refusal("\"mcp.json\""), HasSubstr("must be absolute")) << "not one of whatever tree is there";
  EXPECT_THAT(refusal("\"\""), HasSubstr("must be absolute"));
}

}  // namespace

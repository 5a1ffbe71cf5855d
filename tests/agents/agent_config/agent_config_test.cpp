// What agents share of their configs, and the secrets they are granted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <map>

#include "agent_config/schema.h"
#include "agent_config/secrets.h"
#include "agent_config/settings.h"
#include "davit/failure.hpp"
#include "davit/testing/fake_host.hpp"

namespace {

using agent_config::Secrets;
using agent_config::Settings;
using davit::Failure;
using davit::Json;
using davit::Status;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Settings settings_from(const std::string& text) {
  const Json config = Json::parse(text);
  return Settings::from(config);
}

TEST(AgentSettingsTest, AnEmptyConfigIsGithubAndTheUsualModel) {
  const Settings settings = settings_from("{}");
  EXPECT_EQ(settings.github.api, "https://api.github.com");
  EXPECT_EQ(settings.address_of({"acme", "shop"}), "https://github.com/acme/shop.git");
  EXPECT_EQ(settings.branch_prefix, "davit/");
  EXPECT_THAT(settings.git_settings("/state", redact::Redactor()).hosts, ElementsAre("github.com"));
  EXPECT_THAT(settings.claude.pass_environment, ElementsAre("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN",
                                                            "ANTHROPIC_BASE_URL", "CLAUDE_CODE_OAUTH_TOKEN"));
  EXPECT_THAT(settings.sandbox.hosts, ElementsAre("api.anthropic.com"));
  EXPECT_EQ(settings.finish.count(), 60);
  EXPECT_TRUE(settings.notes.github);
  EXPECT_TRUE(settings.skills.empty());
}

TEST(AgentSettingsTest, WhatIsSaidIsTaken) {
  const Settings settings = settings_from(R"({
    "github": {"api": "https://git.example.com/api/v3/", "git_url": "https://git.example.com:8443", "app_id": "7", "installation": 3},
    "git": {"prefix": "bot/davit/", "mirror_bytes": 2000000, "tree_bytes": 3000000},
    "claude": {"model": "opus", "pass_environment": []},
    "sandbox": {"network_hosts": ["models.example.org"]},
    "skills": {"directory": "/etc/davit/skills"},
    "gate": {"bots": [5]}, "notes": {"github": false}, "finish_seconds": 90})");
  EXPECT_EQ(settings.github.api, "https://git.example.com/api/v3");
  EXPECT_EQ(settings.github.installation, 3);
  EXPECT_EQ(settings.address_of({"acme", "shop"}), "https://git.example.com:8443/acme/shop.git");
  const git::Settings git = settings.git_settings("/state", redact::Redactor());
  EXPECT_THAT(git.hosts, ElementsAre("git.example.com:8443"));
  EXPECT_EQ(git.prefix, "bot/davit/");
  EXPECT_EQ(git.limits.mirror_bytes, 2'000'000u);
  EXPECT_EQ(git.limits.tree_bytes, 3'000'000u);
  EXPECT_EQ(settings.claude.model, "opus");
  EXPECT_THAT(settings.claude.pass_environment, IsEmpty());
  EXPECT_THAT(settings.sandbox.hosts, ElementsAre("models.example.org"));
  EXPECT_EQ(settings.skills, "/etc/davit/skills");
  EXPECT_EQ(settings.gate.bots.count(5), 1u);
  EXPECT_FALSE(settings.notes.github);
  EXPECT_EQ(settings.finish.count(), 90);
}

TEST(AgentSettingsTest, McpServersAreOfTheBlockClaudeAndTheirProgramsAreSeenInTheSandbox) {
  EXPECT_EQ(settings_from("{}").mcp.config, "");
  const auto with = [](const std::string& command, const std::string& sandbox) {
    return settings_from(R"({"claude": {"mcp_config": {"mcpServers": {"docs": {"command": ")" + command +
                         R"("}}}}, "sandbox": )" + sandbox + "}");
  };
  EXPECT_THAT(with("docs-mcp", "{}").mcp.config, HasSubstr("docs-mcp"));
  EXPECT_THAT(with("/usr/bin/docs-mcp", "{}").mcp.programs.size(), 1u);
  EXPECT_THAT(with("/opt/docs/mcp", R"({"read_only": ["/opt/docs"]})").mcp.programs.size(), 1u);
  for (const char* command : {"/opt/docs/mcp", "/usr/../opt/mcp"}) {
    try {
      with(command, "{}");
      ADD_FAILURE() << command;
    } catch (const Failure& failure) {
      EXPECT_THAT(std::string(failure.what()), AllOf(HasSubstr("config.claude.mcp_config"),
                                                     HasSubstr("name its folder in sandbox.read_only")));
    }
  }
}

TEST(AgentSettingsTest, WhatCannotBeMeantIsNamed) {
  const std::map<std::string, std::string> bad{
      {R"({"github": 1})", "config.github: "},
      {R"({"github": {"token": "x"}})", "config.github.token: is unknown"},
      {R"({"github": {"api": 1}})", "config.github.api: "},
      {R"({"github": {"git_url": "http://github.com"}})", "config.github.git_url: "},
      {R"({"github": {"git_url": "https://user:key@github.com"}})", "config.github.git_url: "},
      {R"({"github": {"installation": 0}})", "config.github.installation: "},
      {R"({"git": {"prefix": "davit"}})", "config.git.prefix: "},
      {R"({"claude": {"mcp_config": 7}})", "config.claude.mcp_config: "},
      {R"({"claude": {"mcp_config": {"mcpServers": {"x": {}}}}})", "config.claude.mcp_config: mcpServers.x.command: "},
      {R"({"git": {"prefix": "../"}})", "config.git.prefix: "},
      {R"({"git": {"prefix": ""}})", "config.git.prefix: "},
      {R"({"git": {"tree_bytes": 5}})", "config.git.tree_bytes: "},
      {R"({"claude": {"max_turns": 0}})", "config.claude.max_turns: "},
      {R"({"sandbox": {"required": false}})", "config.sandbox.required: "},
      {R"({"skills": {"directory": "skills"}})", "config.skills.directory: "},
      {R"({"gate": {"who": []}})", "gate.who"},
      {R"({"notes": {"mail": {}}})", "notes.mail"},
      {R"({"finish_seconds": 0})", "config.finish_seconds: "}};
  for (const auto& [text, words] : bad) {
    try {
      settings_from(text);
      ADD_FAILURE() << text << " was taken";
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.status(), Status::InvalidInput) << text;
      EXPECT_THAT(failure.what(), AllOf(HasSubstr(words), Not(HasSubstr("user:key")))) << text;
    }
  }
}

TEST(AgentSchemaTest, HasTheBlocksThatAreNamedAndWhatIsTheAgentsOwn) {
  const Json all =
      Json::parse(agent_config::schema_of(agent_config::all_blocks(), R"({"own": {"type": "string"}})"));
  EXPECT_EQ(all["properties"].size(), 9u);
  EXPECT_FALSE(all["additionalProperties"].bool_or(true));
  EXPECT_EQ(all.at_pointer("/properties/own/type"), "string");
  const Json few = Json::parse(agent_config::schema_of({"github", "notes"}, "{}"));
  EXPECT_EQ(few["properties"].size(), 2u);
  EXPECT_THROW(agent_config::schema_of({"jira"}, "{}"), Failure);
}

TEST(AgentSchemaTest, EachKeyIsDescribed) {
  const Json all = Json::parse(agent_config::schema_of(agent_config::all_blocks(), "{}"));
  int seen = 0;
  for (const auto& [block, schema] : all["properties"].members()) {
    EXPECT_TRUE(schema.has("description")) << block;
    for (const auto& [key, of_key] : schema["properties"].members()) {
      ++seen;
      EXPECT_TRUE(of_key.has("description")) << block << "." << key;
    }
  }
  EXPECT_GT(seen, 25);
}

class AgentSecretsTest : public testing::Test {
 protected:
  Secrets secrets(const std::string& config = "{}") {
    const Settings settings = settings_from(config);
    return Secrets(settings, davit::Host(host_.abi()));
  }
  davit::testing::FakeHost host_;
};

TEST_F(AgentSecretsTest, WithoutATokenTheSentenceSaysWhatToGrant) {
  EXPECT_THAT(secrets().no_account(), HasSubstr("grant github_token"));
  EXPECT_THAT(secrets(R"({"github": {"app_id": "7"}})").no_account(), HasSubstr("grant github_app_key"));
  host_.secrets["github_token"] = "ghp_0123456789";
  EXPECT_EQ(secrets().no_account(), "");
  EXPECT_THAT(secrets(R"({"github": {"app_id": "7"}})").no_account(), HasSubstr("grant github_app_key"));
}

TEST_F(AgentSecretsTest, AnAppIsNarrowedToTheRepository) {
  host_.secrets["github_token"] = "ghp_0123456789";
  host_.secrets["github_app_key"] = "-----BEGIN KEY-----";
  const github::Account user = secrets().account("/state", {"acme", "shop"}, {{"contents", "write"}});
  EXPECT_EQ(user.token, "ghp_0123456789");
  EXPECT_EQ(user.app.id, "");
  EXPECT_EQ(user.state_folder, "/state");
  const github::Account app =
      secrets(R"({"github": {"app_id": "7"}})").account("/state", {"acme", "shop"}, {{"contents", "write"}});
  EXPECT_EQ(app.token, "");
  EXPECT_EQ(app.app.id, "7");
  EXPECT_EQ(app.app.repository.name, "shop");
  EXPECT_EQ(app.app.permissions.at("contents"), "write");
}

TEST_F(AgentSecretsTest, AGrantGoesBeforeTheEnvironment) {
  const std::string config = R"({"claude": {"pass_environment": ["DAVIT_NO", "MODEL_KEY", "MODEL_OTHER"]}})";
  EXPECT_THROW(secrets(config), Failure) << "what is ours is not passed on";
  const std::string good = R"({"claude": {"pass_environment": ["MODEL_KEY", "MODEL_OTHER"]}})";
  setenv("MODEL_KEY", "inherited-key", 1);
  EXPECT_EQ(secrets(good).variable("MODEL_KEY"), "inherited-key");
  host_.secrets["MODEL_KEY"] = "granted-key";
  EXPECT_EQ(secrets(good).variable("MODEL_KEY"), "granted-key");
  unsetenv("MODEL_KEY");
  EXPECT_EQ(secrets(good).variable("MODEL_OTHER"), std::nullopt);
  EXPECT_EQ(secrets(good).variable("PATH"), std::nullopt) << "it is not named";
}

TEST_F(AgentSecretsTest, OfTheEnvironmentOnlyWhatANameCallsSecretIsTakenOut) {
  const std::string config =
      R"({"claude": {"pass_environment": ["AWS_REGION", "AWS_SESSION_TOKEN", "MODEL_PROJECT", "Model_Auth"]}})";
  setenv("AWS_REGION", "eu-west-1", 1);
  setenv("AWS_SESSION_TOKEN", "session-of-aws", 1);
  setenv("Model_Auth", "proof-of-model", 1);
  host_.secrets["MODEL_PROJECT"] = "granted-project";
  const Secrets all = secrets(config);
  for (const char* name : {"AWS_REGION", "AWS_SESSION_TOKEN", "Model_Auth"}) unsetenv(name);
  const std::string told = all.redactor()("eu-west-1 session-of-aws proof-of-model granted-project");
  EXPECT_THAT(told, AllOf(HasSubstr("eu-west-1"), Not(HasSubstr("of-aws")), Not(HasSubstr("of-model")),
                          Not(HasSubstr("granted-"))));
  EXPECT_EQ(all.variable("AWS_REGION"), "eu-west-1");
  EXPECT_TRUE(all.has_key());
}

TEST_F(AgentSecretsTest, AllOfThemAreTakenOutOfTexts) {
  for (const std::string& name : agent_config::names_of_secrets()) host_.secrets[name] = "value-of-" + name;
  const Secrets all = secrets();
  for (const std::string& name : agent_config::names_of_secrets()) {
    const std::string told = all.redactor()("it is value-of-" + name);
    if (name == "ANTHROPIC_BASE_URL")
      EXPECT_THAT(told, HasSubstr("value-of-")) << "an address";
    else
      EXPECT_THAT(told, Not(HasSubstr("value-of-"))) << name;
  }
  EXPECT_EQ(all.notes().jira, "value-of-jira_token");
  EXPECT_EQ(all.notes().slack, "value-of-slack_token");
}

}  // namespace

#include "host/config/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/json.h"

namespace davit::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

Config good(std::string_view text) {
  const LoadedConfig loaded = parse_config(text, "davit.yaml");
  EXPECT_THAT(loaded.messages(), IsEmpty());
  return loaded.config;
}

std::vector<std::string> mistakes(std::string_view text) {
  return parse_config(text, "davit.yaml").messages();
}

// --- every mistake: what is written, what is said

struct MistakeCase {
  const char* name;
  std::string yaml;
  std::string said;  // the whole line
};

void PrintTo(const MistakeCase& mistake, std::ostream* out) { *out << mistake.yaml; }

class ConfigMistakeTest : public ::testing::TestWithParam<MistakeCase> {};

TEST_P(ConfigMistakeTest, IsToldWithFileLineKeyAndRemedy) {
  EXPECT_THAT(mistakes(GetParam().yaml), ElementsAre(GetParam().said));
}

const MistakeCase kMistakes[] = {
    // -- the language --
    {"EmptyFile", "", "davit.yaml: is empty; `davit init` writes one to start from"},
    {"OnlyComments", "# nothing\n", "davit.yaml: is empty; `davit init` writes one to start from"},
    {"OnlyAMarker", "---\n", "davit.yaml: is empty; `davit init` writes one to start from"},
    {"SecondDocument", "chain: {max_depth: 2}\n---\nchain: {max_depth: 3}\n",
     "davit.yaml:3: a second document begins here; a configuration is one document"},
    {"DoubleQuoteNeverClosed", "storage:\n  path: \"var/x\nchain: {max_depth: 2}\n",
     "davit.yaml:2: storage.path: the quote \" is never closed; close it"},
    {"SingleQuoteNeverClosed", "storage:\n  path: 'it''s\n",
     "davit.yaml:2: storage.path: the quote ' is never closed; close it"},
    {"QuoteNeverClosedAtTheVeryEnd", "storage: {path: \"x",
     "davit.yaml:1: a quote is never closed; close it"},
    {"BraceNeverClosed", "server: {port: 1\n", "davit.yaml:2: a { is never closed; add the }"},
    {"BracketNeverClosed", "plugins: {allow_writable: [a\n", "davit.yaml:2: a [ is never closed; add the ]"},
    {"ClosingBraceTooMany", "chain: {max_depth: 2}}\n", "davit.yaml:1: a } or ] closes nothing; remove it"},
    {"IndentationThatDoesNotFit", "server:\n  port: 1\n   host: 127.0.0.1\n",
     "davit.yaml:3: this line does not fit the one before it; check the indentation"},
    {"ReservedCharacter", "storage:\n  path: @x\n",
     "davit.yaml:2: a value begins with a character that YAML reserves; put it in quotes"},
    {"Tab", "server:\n\tport: 1\n", "davit.yaml:2: is indented with a tab; use spaces"},
    {"BadUtf8", "server:\n  host: \"\xff\"\n", "davit.yaml:2: is not valid UTF-8; save the file as UTF-8"},
    {"ControlCharacter", std::string("server:\n  host: \"a\x01\"\n"),
     "davit.yaml:2: holds a control character; remove it"},
    {"NulCharacter", std::string("chain: {}\nlog: \0{}\n", 18),
     "davit.yaml:2: holds a control character; remove it"},
    {"KeyTwice", "server:\n  port: 1\n  host: 127.0.0.1\n  port: 2\n",
     "davit.yaml:4: server.port: is given twice, first in line 2; keep one"},
    {"SectionTwice", "chain: {max_depth: 2}\nchain: {max_depth: 3}\n",
     "davit.yaml:2: chain: is given twice, first in line 1; keep one"},
    {"WebhookTwice", "webhooks:\n  a: {}\n  b: {}\n  a: {}\n",
     "davit.yaml:4: webhooks.a: is given twice, first in line 2; keep one"},
    {"KeyTwiceInsideAPluginsConfig", "agents:\n  a:\n    config:\n      x: 1\n      x: 2\n",
     "davit.yaml:5: agents.a.config.x: is given twice, first in line 4; keep one"},
    {"Anchor", "server: &s {port: 1}\n",
     "davit.yaml:1: server: anchors (&name) are not supported; write the value out where it is needed"},
    {"Alias", "chain: {max_depth: *s}\n",
     "davit.yaml:1: aliases (*name) are not supported; write the value out"},
    {"MergeKey", "server:\n  <<: {port: 1}\n",
     "davit.yaml:2: server.<<: merge keys (<<) are not supported; write the members out"},
    {"Tag", "chain:\n  max_depth: !!int 3\n",
     "davit.yaml:2: chain.max_depth: tags (!type) are not supported; remove it"},
    {"KeyThatIsAList", "? [a]\n: 1\n", "davit.yaml:1: a key must be text"},
    {"TooDeep", "agents: {a: {config: " + std::string(40, '[') + std::string(40, ']') + "}}\n",
     "davit.yaml:1: agents.a.config: nested more than 32 levels deep; flatten it"},
    {"AList", "- server\n",
     "davit.yaml:1: must be a mapping of sections, beginning with for example `server:`"},
    {"OnlyAWord", "server\n",
     "davit.yaml:1: must be a mapping of sections, beginning with for example `server:`"},

    // -- keys --
    {"UnknownKey", "server:\n  prot: 8080\n",
     "davit.yaml:2: server.prot: unknown key; did you mean server.port?"},
    {"UnknownSection", "sever: {port: 1}\n", "davit.yaml:1: sever: unknown key; did you mean server?"},
    {"UnknownKeyOfAWebhook", "webhooks:\n  github:\n    secrt_env: X\n",
     "davit.yaml:3: webhooks.github.secrt_env: unknown key; did you mean webhooks.github.secret_env?"},
    {"KeyCutShort", "agents:\n  a:\n    timeout: 5\n",
     "davit.yaml:3: agents.a.timeout: unknown key; did you mean agents.a.timeout_seconds?"},
    {"KeyInTheWrongPlace", "port: 8080\n", "davit.yaml:1: port: unknown key here; did you mean server.port?"},
    {"KeyLikeNoOther", "chain:\n  colour: red\n",
     "davit.yaml:2: chain.colour: unknown key; known here: max_depth, max_visits, notify"},
    {"KeyWithoutSpaceAfterTheColon", "chain: {max_depth:2}\n",
     "davit.yaml:1: chain.max_depth:2: a space must follow the colon after a key"},
    {"SectionThatIsAValue", "server: 8080\n",
     "davit.yaml:1: server: must be a mapping of keys to values; indent its keys below it"},
    {"WebhookThatIsAValue", "webhooks:\n  github: true\n",
     "davit.yaml:2: webhooks.github: must be a mapping of keys to values; indent its keys below it"},
    {"WebhookWithABadName", "webhooks:\n  Git/Hub: {}\n",
     "davit.yaml:2: webhooks.Git/Hub: a name has lower-case letters, digits, - and _ (at most 64)"},

    // -- values --
    {"NoValue", "server:\n  port:\n  host: 127.0.0.1\n",
     "davit.yaml:2: server.port: has no value; expected integer 0 to 65535, or remove the line"},
    {"PortTooLarge", "server: {port: 70000}\n",
     "davit.yaml:1: server.port: 70000 is out of range; expected integer 0 to 65535"},
    {"PortNegative", "server: {port: -1}\n",
     "davit.yaml:1: server.port: -1 is out of range; expected integer 0 to 65535"},
    {"PortAsText", "server: {port: \"8080\"}\n",
     "davit.yaml:1: server.port: is text in quotes; expected integer 0 to 65535 without quotes"},
    {"PortAsWord", "server: {port: http}\n",
     "davit.yaml:1: server.port: \"http\" is not a whole decimal number; expected integer 0 to 65535"},
    {"NumberWithLeadingZero", "chain: {max_depth: 010}\n",
     "davit.yaml:1: chain.max_depth: \"010\" begins with a zero, which some read as octal; write it without; "
     "expected integer 1 to 100"},
    {"NumberWithExponent", "chain: {max_depth: 1e3}\n",
     "davit.yaml:1: chain.max_depth: \"1e3\" is not a whole decimal number; expected integer 1 to 100"},
    {"NumberBeyond64Bits", "chain: {max_depth: 99999999999999999999}\n",
     "davit.yaml:1: chain.max_depth: \"99999999999999999999\" is not a whole decimal number; expected "
     "integer 1 to 100"},
    {"NumberThatIsAList", "chain: {max_depth: [1]}\n",
     "davit.yaml:1: chain.max_depth: is a list; expected integer 1 to 100"},
    {"BooleanAsNumber", "plugins: {watch: 1}\n",
     "davit.yaml:1: plugins.watch: \"1\" is neither true nor false"},
    {"BooleanInQuotes", "plugins: {watch: \"true\"}\n",
     "davit.yaml:1: plugins.watch: is text in quotes; expected true | false without quotes"},
    {"WordNotInTheList", "log: {level: loud}\n",
     "davit.yaml:1: log.level: \"loud\" is not one of debug, info, warn, error"},
    {"DurationWithoutSense", "server: {idle_timeout: soon}\n",
     "davit.yaml:1: server.idle_timeout: \"soon\" is not a duration; write for example 500ms, 30s, 5m or 2h"},
    {"DurationWithFraction", "server: {idle_timeout: 1.5s}\n",
     "davit.yaml:1: server.idle_timeout: \"1.5s\" is not a duration; write for example 500ms, 30s, 5m or 2h"},
    {"DurationTooShort", "server: {idle_timeout: 5}\n",
     "davit.yaml:1: server.idle_timeout: 5 is out of range; expected duration 100ms to 1h"},
    {"UnitWhereTheKeyHasOne", "webhooks: {github: {answer_within_ms: 500ms}}\n",
     "davit.yaml:1: webhooks.github.answer_within_ms: \"500ms\" is not a whole decimal number; "
     "expected integer 1 to 60000 (milliseconds)"},
    {"MaxSizeThatWouldEmptyADatabase", "storage: {max_size: 10}\n",
     "davit.yaml:1: storage.max_size: 10 is out of range; expected size 16MiB to 1024TiB"},
    {"SecondsOutOfRange", "agents: {a: {timeout_seconds: 0}}\n",
     "davit.yaml:1: agents.a.timeout_seconds: 0 is out of range; expected integer 1 to 604800 (seconds)"},
    {"SizeWithoutSense", "server: {body_limit: big}\n",
     "davit.yaml:1: server.body_limit: \"big\" is not a size; write for example 65536, 512KiB or 8MiB"},
    {"SizeTooSmall", "server: {body_limit: 5}\n",
     "davit.yaml:1: server.body_limit: 5 is out of range; expected size 1KiB to 256MiB"},
    {"BodyLimitOverTheHosts", "webhooks: {github: {max_body_bytes: 67108865}}\n",
     "davit.yaml:1: webhooks.github.max_body_bytes: 67108865 is out of range; expected integer 1 to 67108864 "
     "(bytes)"},
    {"MoneyNegative", "budgets: {daily_usd: -5}\n",
     "davit.yaml:1: budgets.daily_usd: -5 is out of range; expected number 0 to 1000000000"},
    {"MoneyNotANumber", "budgets: {daily_usd: .nan}\n",
     "davit.yaml:1: budgets.daily_usd: \".nan\" is not a decimal number; expected number 0 to 1000000000"},
    {"PathThatIsANumber", "storage: {path: 12}\n",
     "davit.yaml:1: storage.path: YAML reads this as a number, boolean or null; expected path, in quotes if "
     "it is"},
    {"EmptyPath", "storage: {path: \"\"}\n", "davit.yaml:1: storage.path: is empty"},
    {"UnknownBackend", "storage: {backend: postgresql}\n",
     "davit.yaml:1: storage.backend: \"postgresql\" is not one of sqlite"},
    {"ReplyHostIsAUrl", "replies: {hosts: [\"https://hooks.slack.com\"]}\n",
     "davit.yaml:1: replies.hosts[0]: \"https://hooks.slack.com\" is not the name of a host; write for "
     "example "
     "hooks.slack.com"},
    {"ReplyHostInCapitals", "replies: {hosts: [Hooks.slack.com]}\n",
     "davit.yaml:1: replies.hosts[0]: \"Hooks.slack.com\" is not the name of a host; write for example "
     "hooks.slack.com"},
    {"HostByName", "server: {host: example.org}\n",
     "davit.yaml:1: server.host: \"example.org\" is not an IP address; write for example 127.0.0.1"},
    {"HostAsLocalhost", "server: {host: localhost}\n",
     "davit.yaml:1: server.host: must be an address; write 127.0.0.1"},
    {"HostForEverybody", "server:\n  host: 0.0.0.0\n",
     "davit.yaml:2: server.host: 0.0.0.0 can be reached from outside this machine; use 127.0.0.1, or say so "
     "with "
     "server.public: behind_proxy (a TLS proxy in front) or direct"},
    {"HostForEverybodyBySix", "server:\n  host: '::'\n  public: no\n",
     "davit.yaml:2: server.host: :: can be reached from outside this machine; use 127.0.0.1, or say so with "
     "server.public: behind_proxy (a TLS proxy in front) or direct"},
    {"PinThatIsNoSum", "plugins: {pinned_sha256: [abc]}\n",
     "davit.yaml:1: plugins.pinned_sha256[0]: must be 64 lower-case hexadecimal digits, as sha256sum prints "
     "them"},
    {"StoreInTheDirectory", "plugins:\n  directory: a/b\n  store: ./a/b/store\n",
     "davit.yaml:2: plugins.store: ./a/b/store lies in plugins.directory (a/b); choose another folder for "
     "one of "
     "them"},
    {"DirectoryBesideTheDatabase", "plugins:\n  directory: var/plugins/\n",
     "davit.yaml:2: plugins.store: var/plugins lies in plugins.directory (var/plugins/); choose another "
     "folder "
     "for one of them"},
    {"ListThatIsAWord", "plugins: {allow_writable: a.so}\n",
     "davit.yaml:1: plugins.allow_writable: must be a list; write [one, two]"},
    {"ConfigThatIsAList", "agents: {a: {config: [1]}}\n", "davit.yaml:1: agents.a.config: must be a mapping"},
    {"ScheduleWithoutCron", "schedules:\n  nightly: {agent: planner}\n",
     "davit.yaml:2: schedules.nightly: needs the key cron"},
    {"ScheduleWithoutAgent", "schedules:\n  nightly: {cron: '@daily'}\n",
     "davit.yaml:2: schedules.nightly: needs the key agent"},
    {"ScheduleAtNoHour", "schedules:\n  nightly:\n    agent: planner\n    cron: '0 25 * * *'\n",
     "davit.yaml:4: schedules.nightly.cron: hour \"25\" is none of 0 to 23"},
    {"ScheduleThatNeverComes", "schedules: {nightly: {agent: planner, cron: '0 0 30 2 *'}}\n",
     "davit.yaml:1: schedules.nightly.cron: \"0 0 30 2 *\" names a day that never comes"},
    {"ScheduleWithAPayloadThatIsAList", "schedules: {nightly: {agent: a, cron: '@daily', payload: [1]}}\n",
     "davit.yaml:1: schedules.nightly.payload: must be a mapping"},

    // -- secrets --
    {"SecretInTheFile", "webhooks:\n  github:\n    secret: hunter2hunter2hunter2\n",
     "davit.yaml:3: webhooks.github.secret: a secret does not belong in this file; put it in an environment "
     "variable or "
     "a file of its own, and name that with secret_env, secret_file, credential or grants"},
    {"TokenInTheFile", "auth:\n  admin_token: hunter2hunter2hunter2\n",
     "davit.yaml:2: auth.admin_token: a secret does not belong in this file; put it in an environment "
     "variable or a file "
     "of its own, and name that with secret_env, secret_file, credential or grants"},
    {"PasswordInAPluginsConfig", "agents:\n  a:\n    config:\n      db: {password: hunter2}\n",
     "davit.yaml:4: agents.a.config.db.password: a secret does not belong in this file; put it in an "
     "environment variable "
     "or a file, and grant it by name with grants: {password: {env: VARIABLE}}"},
    {"SecretBesideAGrantsName", "agents:\n  a:\n    config:\n      db: {password: \"${DB}hunter2\"}\n",
     "davit.yaml:4: agents.a.config.db.password: a secret does not belong in this file; put it in an "
     "environment variable "
     "or a file, and grant it by name with grants: {password: {env: VARIABLE}}"},
    {"SecretInsteadOfItsVariable", "webhooks: {github: {secret_env: \"hunter2-hunter2\"}}\n",
     "davit.yaml:1: webhooks.github.secret_env: must be the name of an environment variable (letters, "
     "digits, _), not a "
     "value"},
    {"SecretInTwoPlaces", "webhooks:\n  github:\n    secret_env: A\n    secret_file: b\n",
     "davit.yaml:4: webhooks.github.secret_file: stands beside secret_env; give one of the two"},
    {"NoSecretInTheList", "webhooks: {github: {secret_envs: []}}\n",
     "davit.yaml:1: webhooks.github.secret_envs: is an empty list; name at least one"},
    {"UnsignedWithASecret", "webhooks:\n  github:\n    secret_env: A\n    allow_unsigned: true\n",
     "davit.yaml:4: webhooks.github.allow_unsigned: contradicts secret_env; remove one of the two"},
    {"GrantWithTheValue", "agents: {a: {grants: {api: hunter2hunter2}}}\n",
     "davit.yaml:1: agents.a.grants.api: must be {env: VARIABLE}, {file: PATH} or {credential: NAME}; the "
     "secret itself does not "
     "belong in here"},
    {"GrantOfUnknownKind", "agents: {a: {grants: {api: {vault: x}}}}\n",
     "davit.yaml:1: agents.a.grants.api: must be {env: VARIABLE}, {file: PATH} or {credential: NAME}; the "
     "secret itself does not "
     "belong in here"},
    {"OwnTokenPassedOn", "agents:\n  a:\n    environment: [HOME, DAVIT_ADMIN_TOKEN]\n",
     "davit.yaml:3: agents.a.environment: DAVIT_ADMIN_TOKEN holds a secret of davit itself and is not passed "
     "on; remove it"},
    {"OwnTokenPassedOnToAll", "agent_defaults: {environment: [DAVIT_READER_TOKEN]}\nauth: {}\n",
     "davit.yaml:1: agent_defaults.environment: DAVIT_READER_TOKEN holds a secret of davit itself and is not "
     "passed on; remove it"},
    {"SecretInTheEnvironmentOfAll", "agent_defaults:\n  environment: [TZ, SOME_API_KEY]\n",
     "davit.yaml:2: agent_defaults.environment: SOME_API_KEY sounds like a secret, and every agent would see "
     "it; "
     "name it under agent_defaults.grants, or under environment of the agents that need it"},
    {"SecretInTheConfigOfAll", "agent_defaults: {config: {token: abc}}\n",
     "davit.yaml:1: agent_defaults.config.token: a secret does not belong in this file; put it in an "
     "environment "
     "variable or a file, and grant it by name with grants: {token: {env: VARIABLE}}"},
    {"WebhookSecretPassedOn", "agents:\n  a: {environment: [GH]}\nwebhooks: {github: {secret_env: GH}}\n",
     "davit.yaml:2: agents.a.environment: GH holds a secret of davit itself and is not passed on; remove it"},
};

INSTANTIATE_TEST_SUITE_P(Every, ConfigMistakeTest, ::testing::ValuesIn(kMistakes),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(ConfigFileTest, TellsAllMistakesAtOnceInTheOrderOfTheFile) {
  EXPECT_THAT(
      mistakes("chain: {max_depth: 0}\nserver:\n  prot: 1\n  port: x\nlog: {format: xml}\n"),
      ElementsAre(HasSubstr("davit.yaml:1: chain.max_depth: "), HasSubstr("davit.yaml:3: server.prot: "),
                  HasSubstr("davit.yaml:4: server.port: "), HasSubstr("davit.yaml:5: log.format: ")));
}

TEST(ConfigFileTest, AMistakeIsOneLineWhateverItsKeyHolds) {
  EXPECT_THAT(mistakes("server:\n  \"po\\e[31mrt\\n\": 1\n"),
              ElementsAre(HasSubstr("davit.yaml:2: server.po\\x1b[31mrt\\x0a: unknown key")));
}

TEST(ConfigFileTest, NeverRepeatsWhatMayBeASecret) {
  for (const char* yaml :
       {"webhooks: {github: {secret: hunter2}}\n", "webhooks: {github: {secret_env: hunter2-x}}\n",
        "webhooks: {github: {secret_envs: [hunter2-x]}}\n", "auth: {admin_token_env: hunter2-x}\n",
        "agents: {a: {grants: {k: hunter2}}}\n", "agents: {a: {grants: {k: {env: hunter2-x}}}}\n",
        "agents: {a: {config: {api_key: hunter2}}}\n"}) {
    const auto said = mistakes(yaml);
    ASSERT_EQ(said.size(), 1u) << yaml;
    EXPECT_THAT(said.front(), ::testing::Not(HasSubstr("hunter2"))) << yaml;
  }
}

TEST(ConfigFileTest, AMissingFileSaysHowToGetOne) {
  EXPECT_THAT(
      load_config("/nowhere/davit.yaml").messages(),
      ElementsAre("/nowhere/davit.yaml: does not exist; `davit init` writes one, or name another with "
                  "--config FILE"));
}

TEST(ConfigFileTest, AFolderIsNotAFile) {
  EXPECT_THAT(load_config("/tmp").messages(), ElementsAre(HasSubstr("/tmp: cannot be read: ")));
}

TEST(ConfigFileTest, WhatIsNotSaidHasItsDefault) {
  const Config config = good("{}\n");
  EXPECT_EQ(config.server.host, "127.0.0.1");
  EXPECT_EQ(config.server.port, 8080);
  EXPECT_EQ(config.server.threads, std::nullopt);
  EXPECT_EQ(config.storage.path, "var/davit.db");
  EXPECT_EQ(config.plugins.store, "var/plugins");
  EXPECT_EQ(config.auth.admin_token_env, "DAVIT_ADMIN_TOKEN");
  EXPECT_TRUE(config.webhooks.empty());
  EXPECT_EQ(config.chain.max_depth, 14);
  EXPECT_EQ(config.chain.max_visits, 4);
  EXPECT_EQ(config.budgets.daily_usd, std::nullopt);
}

TEST(ConfigFileTest, ReadsTheExampleOfTheContract) {
  const Config config = good(R"(
server:   {host: 127.0.0.1, port: 8080, threads: auto, public: no}
storage:  {backend: sqlite, path: var/davit.db, retention_days: 90}
plugins:  {directory: build/release/plugins, watch: true}
auth:     {admin_token_env: DAVIT_ADMIN_TOKEN, reader_token_env: DAVIT_READER_TOKEN}
webhooks:
  github: {enabled: true, secret_env: GITHUB_WEBHOOK_SECRET, isolation: inprocess, answer_within_ms: 500, config: {}}
  billing: {plugin: standard, secret_files: [/etc/davit/billing.new, /etc/davit/billing.old], config: {}}
agents:
  planning-agent: {enabled: true, timeout_seconds: 1800, max_retries: 3, concurrency: 1, requires_approval: false, config: {}}
chain:    {max_depth: 6}
sandbox:  {command: bwrap, required: true}
budgets:  {per_task_usd: 5, per_agent_daily_usd: 50, per_actor_daily_usd: 20, daily_usd: 100}
)");
  const WebhookConfig& github = config.webhooks.at("github");
  EXPECT_EQ(github.plugin, "github");
  EXPECT_EQ(github.isolation, Isolation::InProcess);
  EXPECT_EQ(github.answer_within, Duration(500));
  ASSERT_EQ(github.secrets.size(), 1u);
  EXPECT_EQ(github.secrets[0].name, "GITHUB_WEBHOOK_SECRET");
  const WebhookConfig& billing = config.webhooks.at("billing");
  EXPECT_EQ(billing.plugin, "standard");
  EXPECT_EQ(billing.isolation, Isolation::Process);
  ASSERT_EQ(billing.secrets.size(), 2u);
  EXPECT_EQ(billing.secrets[0].kind, SecretSource::Kind::File);
  EXPECT_EQ(billing.secrets[0].name, "/etc/davit/billing.new");
  const AgentConfig& planning = config.agents.at("planning-agent");
  EXPECT_EQ(planning.timeout, Duration(1'800'000));
  EXPECT_EQ(planning.max_retries, 3);
  EXPECT_EQ(planning.requires_approval, false);
  EXPECT_EQ(config.budgets.per_task_usd, 5.0);
  EXPECT_EQ(config.server.public_access, PublicAccess::No);
}

TEST(ConfigFileTest, ReadsWhatIsForAllAgents) {
  const Config config = good(R"(
agent_defaults:
  grants: {api: {env: API}}
  environment: [TZ]
  config: {github: {url: "http://127.0.0.1"}}
agents: {stranger: {defaults: false}}
)");
  EXPECT_EQ(config.agent_defaults.grants.at("api").name, "API");
  EXPECT_THAT(config.agent_defaults.environment, ElementsAre("TZ"));
  EXPECT_EQ(config.agent_defaults.config, R"({"github":{"url":"http://127.0.0.1"}})");
  EXPECT_EQ(config.agent_defaults.config_lines.at("/github"), 5);
  EXPECT_FALSE(config.agents.at("stranger").defaults);
  EXPECT_TRUE(AgentConfig{}.defaults);
}

TEST(ConfigLinesTest, AMistakeInAnAgentsConfigStandsWhereItsMemberDoes) {
  const Config config = good(
      "agent_defaults:\n  config:\n    size: {a: 1}\n    depth: 2\nagents:\n  own:\n    config:\n"
      "      depth: 3\n");
  const auto said = [&](const std::string& agent, const std::string& pointer) {
    return to_string("f", mistake_in_agent_config(config, agent, pointer, "is wrong"));
  };
  EXPECT_EQ(said("own", "/depth"), "f:8: agents.own.config.depth: is wrong");
  EXPECT_EQ(said("own", "/size/a"), "f:3: agent_defaults.config.size.a: for own: is wrong");
  EXPECT_EQ(said("dropped", "/depth"), "f:4: agent_defaults.config.depth: for dropped: is wrong");
  EXPECT_EQ(said("own", ""), "f:7: agents.own.config: is wrong");
  EXPECT_EQ(said("dropped", ""), "f: agents.dropped: is wrong");
}

TEST(ConfigFileTest, ThatASecretIsAGrantOfThatNameMayStandInAPluginsConfig) {
  const Config config = good(R"(
agents:
  a: {config: {env: {DOCS_TOKEN: "${DOCS_TOKEN}"}}}
)");
  EXPECT_EQ(config.agents.at("a").config, R"({"env":{"DOCS_TOKEN":"${DOCS_TOKEN}"}})");
}

TEST(ConfigFileTest, ReadsWhatAnApprovalTakesAndWhatBecomesOfARejection) {
  const Config config = good(R"(
agents:
  planner: {on_reject: rework, max_reworks: 5}
  executor: {}
chain: {max_visits: 3, notify: teller}
approvals: {hash: optional, deadline: 2h, remind_after: 0s, on_deadline: park, notify: messenger}
)");
  EXPECT_EQ(config.agents.at("planner").on_reject, OnReject::Rework);
  EXPECT_EQ(config.agents.at("planner").max_reworks, 5);
  EXPECT_EQ(config.agents.at("executor").on_reject, OnReject::Cancel);
  EXPECT_EQ(config.chain.max_visits, 3);
  EXPECT_EQ(config.chain.notify, "teller");
  EXPECT_EQ(config.approvals.hash, ApprovalHash::Optional);
  EXPECT_EQ(config.approvals.deadline, std::chrono::hours(2));
  EXPECT_EQ(config.approvals.remind_after, Duration::zero());
  EXPECT_EQ(config.approvals.on_deadline, AtDeadline::Park);
  EXPECT_EQ(config.approvals.notify, "messenger");
  const Config without = good("chain: {}\n");
  EXPECT_EQ(without.chain.notify, "");
  EXPECT_EQ(without.approvals.hash, ApprovalHash::Required);
  EXPECT_EQ(without.approvals.deadline, std::chrono::hours(7 * 24));
}

TEST(ConfigFileTest, ReadsEveryKindOfValue) {
  const Config config = good(R"(
server:
  host: "::1"
  threads: 4
  body_limit: 2MiB
  idle_timeout: 2m
  head_timeout: 500
plugins: {watch: off, settle: 0, allow_writable: [a.so, "b c.so"]}
log: {level: debug, format: json, file: var/davit.log}
webhooks:
  hook:
    max_body_bytes: 1048576
    grants: {api: {env: API_KEY}, key: {file: /run/key}}
agents:
  worker: {environment: [PATH_TO_THINGS], requires_approval: YES}
budgets: {daily_usd: 0.25}
)");
  EXPECT_EQ(config.server.threads, 4);
  EXPECT_EQ(config.server.body_limit, 2u << 20);
  EXPECT_EQ(config.server.idle_timeout, Duration(120'000));
  EXPECT_EQ(config.server.head_timeout, Duration(500));
  EXPECT_FALSE(config.plugins.watch);
  EXPECT_THAT(config.plugins.allow_writable, ElementsAre("a.so", "b c.so"));
  EXPECT_EQ(config.log.level, LogLevel::Debug);
  EXPECT_EQ(config.log.format, LogFormat::Json);
  EXPECT_EQ(config.webhooks.at("hook").max_body_bytes, 1048576u);
  EXPECT_EQ(config.webhooks.at("hook").grants.at("api").name, "API_KEY");
  EXPECT_EQ(config.webhooks.at("hook").grants.at("key").kind, SecretSource::Kind::File);
  EXPECT_EQ(config.agents.at("worker").requires_approval, true);
  EXPECT_EQ(config.budgets.daily_usd, 0.25);
}

TEST(ConfigFileTest, AnOpenAddressIsFineOnceItIsSaid) {
  EXPECT_EQ(good("server: {host: 0.0.0.0, public: behind_proxy}\n").server.public_access,
            PublicAccess::BehindProxy);
  EXPECT_EQ(good("server: {host: 0.0.0.0, public: direct}\n").server.public_access, PublicAccess::Direct);
}

TEST(ConfigFileTest, ASectionWithNothingInItIsEmpty) {
  const Config config = good("server:\nwebhooks:\n  # github: {}\nagents:\n  a:\n");
  EXPECT_TRUE(config.webhooks.empty());
  EXPECT_TRUE(config.agents.at("a").enabled);
}

TEST(ConfigFileTest, AByteOrderMarkAndWindowsLineEndsAreFine) {
  EXPECT_EQ(good("\xEF\xBB\xBFserver:\r\n  port: 9\r\n").server.port, 9);
  EXPECT_THAT(mistakes("\xEF\xBB\xBFserver:\r\n  host: '127.0.0.1'\r\n  prot: 9\r\n"),
              ElementsAre(HasSubstr("davit.yaml:3: ")));
}

TEST(ConfigFileTest, PluginConfigBecomesJsonByTheCoreSchema) {
  const Config config = good(R"(
agents:
  a:
    config:
      text: hello
      quoted: "12"
      single: 'true'
      whole: 12
      negative: -3
      octal: 0o17
      hex: 0xff
      leading: 007
      float: 1.5
      exponent: 1e3
      yes: yes
      no: no
      true: true
      none: ~
      nothing:
      huge: 123456789012345678901234567890
      infinite: .inf
      duration: 30s
      block: |
        one
        two
      list: [1, [two], {three: 3}]
      escaped: "a\u00e9\n"
)");
  EXPECT_EQ(
      config.agents.at("a").config,
      R"({"text":"hello","quoted":"12","single":"true","whole":12,"negative":-3,"octal":15,"hex":255,"leading":7,)"
      R"("float":1.5,"exponent":1000.0,"yes":"yes","no":"no","true":true,"none":null,"nothing":null,)"
      R"("huge":"123456789012345678901234567890","infinite":".inf","duration":"30s","block":"one\ntwo\n",)"
      R"("list":[1,["two"],{"three":3}],"escaped":"aé\n"})");
}

// --- lines of plugins' settings

constexpr const char* kNested = R"(webhooks:
  github:
    secret_env: GH
    config:
      agent: x
      nested:
        deep:
          list:
            - one
            - two: 2
              three: 3
        "a/b~c": 1
      flow: {first: 1, second: [a,
        b]}
      nothing:
      after: 1
  plain: {secret_env: GH}
agents:
  one:
    config:
  two: {config: {command: [x]}}
)";

TEST(ConfigLinesTest, EveryMemberAndItemHasItsLineByJsonPointer) {
  const Config config = good(kNested);
  EXPECT_THAT(
      config.webhooks.at("github").config_lines,
      ElementsAre(Pair("", 4), Pair("/after", 16), Pair("/agent", 5), Pair("/flow", 13),
                  Pair("/flow/first", 13), Pair("/flow/second", 13), Pair("/flow/second/0", 13),
                  Pair("/flow/second/1", 14), Pair("/nested", 6), Pair("/nested/a~1b~0c", 12),
                  Pair("/nested/deep", 7), Pair("/nested/deep/list", 8), Pair("/nested/deep/list/0", 9),
                  Pair("/nested/deep/list/1", 10), Pair("/nested/deep/list/1/three", 11),
                  Pair("/nested/deep/list/1/two", 10), Pair("/nothing", 15)));
  EXPECT_THAT(config.webhooks.at("plain").config_lines, IsEmpty());
  EXPECT_THAT(config.agents.at("one").config_lines, ElementsAre(Pair("", 20)));
  EXPECT_THAT(config.agents.at("two").config_lines,
              ElementsAre(Pair("", 21), Pair("/command", 21), Pair("/command/0", 21)));
}

std::string said_of(std::string_view pointer) {
  const Config config = good(kNested);
  const WebhookConfig& github = config.webhooks.at("github");
  return to_string("davit.yaml", mistake_in_plugin_config("webhooks.github", github.config_lines, github.line,
                                                          pointer, "is wrong"));
}

TEST(ConfigLinesTest, AMistakeHasTheKeyPathAndTheLineOfWhatItPointsTo) {
  EXPECT_EQ(said_of("/agent"), "davit.yaml:5: webhooks.github.config.agent: is wrong");
  EXPECT_EQ(said_of("/nested/deep/list/1/three"),
            "davit.yaml:11: webhooks.github.config.nested.deep.list[1].three: is wrong");
  EXPECT_EQ(said_of("/nested/a~1b~0c"), "davit.yaml:12: webhooks.github.config.nested.a/b~c: is wrong");
  EXPECT_EQ(said_of("/flow/second/1"), "davit.yaml:14: webhooks.github.config.flow.second[1]: is wrong");
}

TEST(ConfigLinesTest, WhatDoesNotStandInTheFileHasTheLineOfTheNearestThingAbove) {
  EXPECT_EQ(said_of(""), "davit.yaml:4: webhooks.github.config: is wrong");
  EXPECT_EQ(said_of("/absent"), "davit.yaml:4: webhooks.github.config.absent: is wrong");
  EXPECT_EQ(said_of("/nested/deep/absent/more"),
            "davit.yaml:7: webhooks.github.config.nested.deep.absent.more: is wrong");
  EXPECT_EQ(to_string("f", mistake_in_plugin_config("agents.a", {}, 7, "", "lacks x")),
            "f:7: agents.a.config: lacks x");
  EXPECT_EQ(to_string("f", mistake_in_plugin_config("agents.a", {}, 7, "no pointer", "x")),
            "f:7: agents.a.config: x");
}

TEST(ConfigLinesTest, ThePluginsFolderHasTheLineOfItsKeyElseOfItsSection) {
  EXPECT_EQ(good("chain: {max_depth: 2}\nplugins:\n  watch: true\n  directory: x\n").plugins.directory_line,
            4);
  EXPECT_EQ(good("chain: {max_depth: 2}\nplugins:\n  watch: true\n").plugins.directory_line, 2);
  EXPECT_EQ(good("chain: {max_depth: 2}\n").plugins.directory_line, 0);
}

}  // namespace
}  // namespace davit::config

#include "host/cli/commands.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "host/app.h"
#include "host/base/crypto.h"
#include "host/base/id.h"
#include "host/base/json.h"
#include "host/store/store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/http_responder.h"
#include "tests/support/temp_database.h"

namespace davit::cli {
namespace {

using davit::testing::CannedAnswer;
using davit::testing::FakeClock;
using davit::testing::HttpResponder;
using davit::testing::SeenRequest;
using davit::testing::TempFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kToken = "davit_0123456789abcdef";
constexpr const char* kSecret = "It's a Secret to Everybody";

class CommandsTest : public ::testing::Test {
 protected:
  CommandsTest() { configure(1); }

  // `port` is where the host would be.
  void configure(int port) {
    write("davit.yaml", "server: {port: " + std::to_string(port) + "}\nstorage: {path: " +
                            folder_.path().string() + "/davit.db}\nwebhooks: {github: {secret_env: GH}}\n");
  }

  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder_.path() / name;
    std::ofstream(path) << text;
    return path;
  }

  int davit(std::vector<std::string> arguments) {
    std::vector<const char*> argv{"davit"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    std::istringstream in(input_);
    std::ostringstream out, error;
    const int code = run(static_cast<int>(argv.size()), argv.data(),
                         {out, error, in,
                          [this](const std::string& name) -> std::optional<std::string> {
                            const auto found = environment_.find(name);
                            if (found == environment_.end()) return std::nullopt;
                            return found->second;
                          },
                          clock_, 110,
                          [this](const ServeOptions& options) {
                            served_ = options;
                            return 42;
                          }});
    out_ = out.str();
    error_ = error.str();
    return code;
  }

  TempFolder folder_;
  FakeClock clock_;
  std::map<std::string, std::string> environment_{{"DAVIT_CONFIG", (folder_.path() / "davit.yaml").string()},
                                                  {"DAVIT_ADMIN_TOKEN", kToken},
                                                  {"GH", kSecret}};
  std::string input_, out_, error_;
  std::optional<ServeOptions> served_;
};

// --- usage

TEST_F(CommandsTest, WrongUsageIsTwoAndOneLineWithAHint) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"frobnicate"},
      {"tasks"},
      {"tasks", "show"},
      {"tasks", "list", "--limit", "0"},
      {"tasks", "list", "--limit", "501"},
      {"tasks", "list", "--limit", "abc"},
      {"tasks", "list", "--status", "done"},
      {"tasks", "list", "--colour"},
      {"tasks", "create"},
      {"tasks", "create", "a", "--priority", "101"},
      {"deliveries", "list", "--verdict", "lost"},
      {"deliveries", "list", "--refused", "--link", "x"},
      {"deliveries", "replay"},
      {"deliveries", "replay", "d", "--dry-run", "--offline"},
      {"send", "github"},
      {"backup"},
      {"serve", "--ready-fd", "x"},
      {"serve", "extra"},
      {"--config"}};
  for (const auto& arguments : wrong) {
    EXPECT_EQ(davit(arguments), kExitUsage) << ::testing::PrintToString(arguments);
    EXPECT_THAT(out_, IsEmpty());
    EXPECT_THAT(error_, AllOf(StartsWith("davit: "), HasSubstr("--help")))
        << ::testing::PrintToString(arguments);
    EXPECT_EQ(std::count(error_.begin(), error_.end(), '\n'), 1) << error_;
  }
}

TEST_F(CommandsTest, HelpAndVersionSucceed) {
  EXPECT_EQ(davit({"--help"}), kExitOk);
  EXPECT_THAT(out_, AllOf(HasSubstr("check-config"), HasSubstr("verify-store")));
  EXPECT_EQ(davit({"tasks", "create", "--help"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("--payload"));
  EXPECT_EQ(davit({"version"}), kExitOk);
  EXPECT_THAT(out_, AllOf(StartsWith("davit "), HasSubstr("plugin ABI 1.")));
  EXPECT_EQ(davit({"--version"}), kExitOk);
}

TEST_F(CommandsTest, WhereAnyFreePortIsTakenTheHostIsFoundByTheOneItLeft) {
  HttpResponder host([](const SeenRequest&) { return CannedAnswer{200, R"({"plugins":[]})"}; });
  configure(0);
  EXPECT_EQ(davit({"plugins", "list"}), kExitFailed);
  EXPECT_THAT(error_,
              HasSubstr("no davit that runs has left its port beside the database; start it, or give --url"));
  write("port", std::to_string(host.port()) + "\n");
  write("davit.db.lock", "pid 1\n");
  EXPECT_EQ(davit({"plugins", "list"}), kExitFailed) << "who has that port now is not known";
  EXPECT_THAT(error_, HasSubstr("no davit that runs has left its port"));
  const UniqueFd lock(::open((folder_.path() / "davit.db.lock").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(lock.number(), LOCK_EX), 0);
  EXPECT_EQ(davit({"plugins", "list"}), kExitOk) << error_;
  write("port", "no port");
  EXPECT_EQ(davit({"plugins", "list"}), kExitFailed);
  EXPECT_THAT(error_, HasSubstr("is not a URL"));
}

// --- serve, configuration

TEST_F(CommandsTest, ServeHandsItsOptionsOnAndGivesItsExitCode) {
  EXPECT_EQ(davit({"serve", "--no-supervisor", "--config=/x/y.yaml", "--ready-fd=7", "--serving-fd=8"}), 42);
  ASSERT_TRUE(served_);
  EXPECT_EQ(served_->config, "/x/y.yaml");
  EXPECT_EQ(served_->ready_fd, 7);
  EXPECT_EQ(served_->serving_fd, 8);
  EXPECT_FALSE(served_->supervise);
  EXPECT_EQ(davit({"serve"}), 42);
  EXPECT_EQ(served_->config, environment_["DAVIT_CONFIG"]);
  EXPECT_TRUE(served_->supervise);
}

TEST_F(CommandsTest, CheckConfigTellsEveryMistakeOnALineOfItsOwn) {
  write("davit.yaml", "server: {prot: 1}\nchain: {max_depth: x}\n");
  EXPECT_EQ(davit({"check-config"}), kExitFailed);
  EXPECT_THAT(error_, AllOf(HasSubstr("davit.yaml:1: server.prot: unknown key; did you mean server.port?\n"),
                            HasSubstr("davit.yaml:2: chain.max_depth: ")));
}

TEST_F(CommandsTest, CheckConfigTellsMistakesInSecretsWithoutTheirValues) {
  environment_["GH"] = "hunter2";
  EXPECT_EQ(davit({"check-config"}), kExitFailed);
  EXPECT_THAT(error_,
              AllOf(HasSubstr("webhooks.github: the environment variable GH holds fewer than 16 bytes"),
                    Not(HasSubstr("hunter2"))));
  environment_.erase("GH");
  EXPECT_EQ(davit({"check-config", "--no-plugins"}), kExitOk);
  EXPECT_THAT(out_, AllOf(HasSubstr("note: "), HasSubstr("GH is not set"),
                          HasSubstr("is good: 1 webhook, 0 agents")));
}

TEST_F(CommandsTest, CheckConfigNotesThatThereIsNoPluginsFolderYet) {
  const std::string directory = folder_.path() / "absent";
  write("davit.yaml", "plugins:\n  directory: " + directory + "\nwebhooks: {github: {secret_env: GH}}\n");
  EXPECT_EQ(davit({"check-config"}), kExitOk) << error_;
  EXPECT_THAT(out_, HasSubstr("davit.yaml:2: plugins.directory: " + directory +
                              " does not exist; nothing is loaded\n"));
  EXPECT_EQ(davit({"check-config", "--no-plugins"}), kExitOk) << error_;
  EXPECT_THAT(out_, Not(HasSubstr("plugins.directory")));
}

TEST_F(CommandsTest, CheckConfigTellsThatThePluginsFolderIsNone) {
  const std::string file = write("plugins", "");
  write("davit.yaml", "plugins:\n  directory: " + file + "\n");
  EXPECT_EQ(davit({"check-config"}), kExitFailed);
  EXPECT_THAT(error_, HasSubstr("davit.yaml:2: plugins.directory: " + file + " cannot be read: "));
}

TEST_F(CommandsTest, CheckConfigNamesTheRefusedLibraryOfAnInstance) {
  const auto plugins = folder_.path() / "plugins.d";
  std::filesystem::create_directory(plugins);
  std::filesystem::permissions(plugins, std::filesystem::perms::owner_all);
  for (const char* name : {"command_agent.so", "other.so"}) {
    write(std::string("plugins.d/") + name, "no library");
    std::filesystem::permissions(plugins / name, std::filesystem::perms::owner_all);
  }
  write("davit.yaml", "storage: {path: " + folder_.path().string() + "/davit.db}\nplugins:\n  directory: " +
                          plugins.string() + "\n  settle: 0\nwebhooks:\n  github:\n    secret_env: GH\n" +
                          "agents:\n  command-agent:\n    concurrency: 1\n  idle:\n    enabled: false\n");
  EXPECT_EQ(davit({"check-config"}), kExitFailed);
  EXPECT_THAT(error_,
              AllOf(HasSubstr("davit.yaml:6: webhooks.github: no library in " + plugins.string() +
                              " offers a webhook named github; put one there, or set enabled: false\n"),
                    HasSubstr("davit.yaml:9: agents.command-agent: its library "),
                    HasSubstr("command_agent.so is refused (not_elf): "), Not(HasSubstr("idle"))));
  EXPECT_THAT(out_, AllOf(HasSubstr("note: "), HasSubstr("other.so is refused (not_elf): "),
                          Not(HasSubstr("command_agent.so"))));
  EXPECT_EQ(davit({"check-config", "--no-plugins"}), kExitOk) << error_;
}

TEST_F(CommandsTest, CheckConfigExplainsEveryKey) {
  EXPECT_EQ(davit({"check-config", "--explain"}), kExitOk);
  EXPECT_THAT(out_, AllOf(HasSubstr("server\n"), HasSubstr("  port: integer 0 to 65535 (default 8080)\n"),
                          HasSubstr("webhooks.<name>\n"), HasSubstr("  secret_env: ")));
}

TEST_F(CommandsTest, ACommandWithABadConfigurationTellsItsFirstMistake) {
  write("davit.yaml", "a: 1\nb: 2\nc: 3\n");
  EXPECT_EQ(davit({"tasks", "list"}), kExitFailed);
  EXPECT_THAT(error_, AllOf(HasSubstr("davit.yaml:1: a: unknown key"),
                            HasSubstr("(and 2 more; `davit check-config`")));
}

TEST_F(CommandsTest, InitWritesAConfigurationThatIsGoodAndKeepsWhatExists) {
  const auto path = folder_.path() / "new" / "davit.yaml";
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  EXPECT_EQ(davit({"init", "--config", path.string()}), kExitOk) << error_;
  EXPECT_THAT(out_, AllOf(HasSubstr("Wrote "), HasSubstr("Made var/davit.db"), HasSubstr("davit serve")));
  EXPECT_EQ(davit({"check-config", "--config", path.string()}), kExitOk) << error_;
  EXPECT_EQ(davit({"init", "--config", path.string()}), kExitOk) << error_;
  EXPECT_THAT(out_, AllOf(HasSubstr("Kept "), Not(HasSubstr("Wrote"))));
  std::filesystem::current_path(before);
}

// --- through the host

constexpr const char* kTasks =
    R"({"tasks":[{"task_id":"01900000-0000-7000-8000-000000000001","status":"completed",
  "current_agent":"command-agent","title":"Fix \u001b[31mred\nline","attempt":1,"created_at":"2027-01-15T07:59:00.000Z",
  "total_cost_usd":0.5}],"next_cursor":"abc"})";

TEST_F(CommandsTest, TasksListPrintsATableOfWhatTheHostSays) {
  HttpResponder host([](const SeenRequest&) { return CannedAnswer{200, kTasks}; });
  configure(host.port());
  ASSERT_EQ(davit({"tasks", "list", "--status", "completed", "--search", "a b"}), kExitOk) << error_;
  EXPECT_EQ(host.seen().at(0).target, "/api/dashboard/tasks?status=completed&q=a%20b&limit=50");
  EXPECT_EQ(host.seen().at(0).header("Authorization"), std::string("Bearer ") + kToken);
  EXPECT_EQ(out_,
            "TASK                                  STATUS     AGENT          TITLE                  TRY  AGE "
            "    COST\n"
            "01900000-0000-7000-8000-000000000001  completed  command-agent  Fix \\x1b[31mred\\nline    1   "
            "1m  $0.5000\n"
            "More: add --cursor abc\n");
}

TEST_F(CommandsTest, TasksListPrintsJsonAsTheHostAnswersIt) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{200, R"({"tasks":[],"next_cursor":null})"};
  });
  configure(host.port());
  EXPECT_EQ(davit({"tasks", "list", "--json"}), kExitOk);
  EXPECT_EQ(out_, "{\"tasks\":[],\"next_cursor\":null}\n");
  EXPECT_EQ(davit({"tasks", "list"}), kExitOk);
  EXPECT_EQ(out_, "No tasks.\n");
}

TEST_F(CommandsTest, TasksShowPrintsTheTaskItsExecutionsAndItsPayload) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{200,
                        R"({"task_id":"t","status":"failed","source":"github","current_agent":"command-agent",
      "task_type":"issue_fix","title":"Fix it","entity":"github:o/r#1","priority":0,"attempt":2,"max_retries":3,
      "error":"exit status 3","created_at":"2027-01-15T07:59:00.000Z","finished_at":null,"total_cost_usd":0.25,
      "total_tokens_used":1234,"actor":{"id":"1","login":"octocat","role":""},"links":[],"delivery_id":"d",
      "payload":{"issue":7},"agent_executions":[{"agent_name":"command-agent","session_id":"s","attempt":2,
      "started_at":"2027-01-15T07:59:01.000Z","duration_seconds":1.5,"outcome":"failed","error":"exit status 3",
      "input_tokens":1000,"output_tokens":234,"total_cost_usd":0.25,"model_used":"m","output":{"log":"x"},
      "next_agent":null}]})"};
  });
  configure(host.port());
  ASSERT_EQ(davit({"tasks", "show", "t/../x"}), kExitOk) << error_;
  EXPECT_EQ(host.seen().at(0).target, "/api/dashboard/tasks/t%2F..%2Fx");
  EXPECT_EQ(out_, R"(Task t
  title      Fix it
  status     failed
  agent      command-agent
  type       issue_fix
  entity     github:o/r#1
  source     github
  delivery   d
  actor      octocat
  attempts   2 of at most 4
  created    2027-01-15T07:59:00.000Z (1m ago)
  cost       $0.2500
  tokens     1,234
  error      exit status 3

Executions
  2. command-agent  failed  1.50s  $0.2500  1,000 tokens in, 234 out
     session: s
     started: 2027-01-15T07:59:01.000Z
     model: m
     error: exit status 3
     output: {
       "log": "x"
     }

Payload
  {
    "issue": 7
  }
)");
}

TEST_F(CommandsTest, TasksCreateAsksTheHostForATask) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{201, R"({"task_id":"new","status":"queued"})"};
  });
  configure(host.port());
  ASSERT_EQ(davit({"tasks", "create", "command-agent", "--title", "A \"title\"", "--payload", "{\"n\":1}",
                   "--priority", "-5"}),
            kExitOk)
      << error_;
  EXPECT_EQ(out_, "new  queued\n");
  EXPECT_EQ(host.seen().at(0).method, "POST");
  EXPECT_EQ(host.seen().at(0).target, "/api/tasks");
  EXPECT_EQ(host.seen().at(0).body,
            R"({"agent":"command-agent","title":"A \"title\"","priority":-5,"payload":{"n":1}})");
}

TEST_F(CommandsTest, APayloadComesFromAFileOrStandardInput) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{201, R"({"task_id":"new","status":"queued"})"};
  });
  configure(host.port());
  input_ = "[1]";
  ASSERT_EQ(davit({"tasks", "create", "a", "--payload", "-"}), kExitOk);
  EXPECT_THAT(host.seen().at(0).body, HasSubstr("\"payload\":[1]"));
  ASSERT_EQ(davit({"tasks", "create", "a", "--payload", "@" + write("p.json", "{\"x\":2}")}), kExitOk);
  EXPECT_THAT(host.seen().at(1).body, HasSubstr("\"payload\":{\"x\":2}"));
  EXPECT_EQ(davit({"tasks", "create", "a", "--payload", "{oops"}), kExitFailed);
  EXPECT_THAT(error_, HasSubstr("--payload is not JSON"));
  EXPECT_EQ(host.seen().size(), 2u);
}

TEST_F(CommandsTest, CancelAndRetryAct) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{200, R"({"task_id":"t","status":"cancelled"})"};
  });
  configure(host.port());
  EXPECT_EQ(davit({"tasks", "cancel", "t", "--reason", "no \"need\""}), kExitOk);
  EXPECT_EQ(out_, "t  cancelled\n");
  environment_["USER"] = "bob";
  EXPECT_EQ(davit({"tasks", "retry", "t", "--json"}), kExitOk);
  EXPECT_EQ(out_, "{\"task_id\":\"t\",\"status\":\"cancelled\"}\n");
  EXPECT_EQ(davit({"tasks", "reject", "t", "--as", "carol", "--reason", "no"}), kExitOk);
  EXPECT_EQ(host.seen().at(0).target, "/api/tasks/t/cancel");
  EXPECT_EQ(host.seen().at(0).body, R"({"by":"admin","way":"cli","reason":"no \"need\""})");
  EXPECT_EQ(host.seen().at(1).target, "/api/tasks/t/retry");
  EXPECT_EQ(host.seen().at(1).body, R"({"by":"bob","way":"cli"})");
  EXPECT_EQ(host.seen().at(2).body, R"({"by":"carol","way":"cli","comment":"no"})");
  EXPECT_EQ(davit({"tasks", "reject", "t", "--hash", "fedcba987654"}), kExitOk);
  EXPECT_EQ(host.seen().at(3).target, "/api/tasks/t/reject");
  EXPECT_EQ(host.seen().at(3).body, R"({"by":"bob","way":"cli","content_hash":"fedcba987654"})");
}

TEST_F(CommandsTest, ApproveShowsWhatItApprovesAndSendsTheHashOfJustThat) {
  HttpResponder host([](const SeenRequest& request) {
    if (request.method == "POST") return CannedAnswer{200, R"({"task_id":"t","status":"queued"})"};
    return CannedAnswer{200, R"({"task_id":"t","status":"awaiting_approval","title":"Fix it",
        "current_agent":"executor","entity":"github:o/r#1","previous_result":{"plan":1},"payload":{"issue":7},
        "approval":{"content_hash":"0123456789abcdef","asked_at":"2027-01-15T07:59:00.000Z"}})"};
  });
  configure(host.port());
  ASSERT_EQ(davit({"tasks", "approve", "t"}), kExitOk) << error_;
  EXPECT_EQ(host.seen().at(0).target, "/api/dashboard/tasks/t");
  EXPECT_EQ(host.seen().at(1).target, "/api/tasks/t/approve");
  EXPECT_EQ(host.seen().at(1).body, R"({"by":"admin","way":"cli","content_hash":"0123456789abcdef"})");
  EXPECT_EQ(out_, R"(Task t
  title      Fix it
  agent      executor
  entity     github:o/r#1
  asked      2027-01-15T07:59:00.000Z (1m ago)
  hash       0123456789abcdef

Result of the agent before
  {
    "plan": 1
  }

Payload
  {
    "issue": 7
  }

t  queued
)");
  ASSERT_EQ(davit({"tasks", "approve", "t", "--hash", "fedcba987654"}), kExitOk) << error_;
  EXPECT_EQ(out_, "t  queued\n");
  ASSERT_EQ(host.seen().size(), 3u) << "who says the hash has looked already";
  EXPECT_EQ(host.seen().at(2).body, R"({"by":"admin","way":"cli","content_hash":"fedcba987654"})");
}

TEST_F(CommandsTest, TasksShowPrintsItsChainAndWhatItWaitsFor) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{
        200, R"({"task_id":"b","status":"awaiting_approval","title":"Fix it","attempt":0,"max_retries":3,
        "approval":{"content_hash":"0123456789abcdef","asked_at":"2027-01-15T07:59:00.000Z"},
        "chain_tasks":2,"chain_cost_usd":0.25,"chain_tokens":1234,"chain":[
          {"task_id":"a","agent":"planner","status":"completed","chain_depth":1,"total_cost_usd":0.25},
          {"task_id":"b","agent":"executor","status":"awaiting_approval","chain_depth":2,"total_cost_usd":0}]})"};
  });
  configure(host.port());
  ASSERT_EQ(davit({"tasks", "show", "b"}), kExitOk) << error_;
  EXPECT_THAT(out_, HasSubstr("  hash       0123456789abcdef\n"));
  EXPECT_THAT(out_, HasSubstr("\nChain of 2 tasks, $0.2500, 1,234 tokens\n"
                              "  1. a  planner  completed  $0.2500\n"
                              "* 2. b  executor  awaiting_approval\n"));
}

TEST_F(CommandsTest, PluginsListFindsAgentsByWhatTheyCanDo) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{
        200, R"({"agents":[{"name":"planner","state":"serving","version":"1.0.0","description":"Plans."}]})"};
  });
  configure(host.port());
  ASSERT_EQ(davit({"plugins", "list", "--capability", "planning"}), kExitOk) << error_;
  EXPECT_EQ(host.seen().at(0).target, "/api/dashboard/agents?capability=planning");
  EXPECT_EQ(out_, "NAME     STATE    VERSION  DESCRIPTION\nplanner  serving  1.0.0    Plans.\n");
}

TEST_F(CommandsTest, ManyTasksAreRetriedStepByStep) {
  HttpResponder host([](const SeenRequest& request) {
    const bool first = request.body.find("cursor") == std::string::npos;
    return CannedAnswer{200, first ? R"({"retried":200,"left":3,"next_cursor":"217"})"
                                   : R"({"retried":2,"left":0,"next_cursor":null})"};
  });
  configure(host.port());
  EXPECT_EQ(davit({"tasks", "retry", "--all", "--agent", "a", "--since", "2026-01-31"}), kExitOk) << error_;
  EXPECT_EQ(out_, "202 tasks queued again\n");
  ASSERT_EQ(host.seen().size(), 2u);
  EXPECT_EQ(host.seen().at(0).target, "/api/tasks/retry");
  EXPECT_EQ(host.seen().at(0).body,
            R"({"by":"admin","way":"cli","status":"failed","agent":"a","start_date":"2026-01-31"})");
  EXPECT_THAT(host.seen().at(1).body, HasSubstr(R"("cursor":"217")"));
  EXPECT_EQ(davit({"tasks", "retry"}), kExitUsage);
  EXPECT_EQ(davit({"tasks", "retry", "t", "--all"}), kExitUsage);
  EXPECT_EQ(davit({"tasks", "retry", "t", "--agent", "a"}), kExitUsage);
}

TEST_F(CommandsTest, ListsAskForWhatMentionsALink) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{200, R"({"tasks":[],"deliveries":[],"next_cursor":null})"};
  });
  configure(host.port());
  ASSERT_EQ(davit({"tasks", "list", "--link", "sentry:acme/1&2"}), kExitOk) << error_;
  ASSERT_EQ(davit({"deliveries", "list", "--link", "sentry:acme/1&2"}), kExitOk) << error_;
  EXPECT_EQ(host.seen().at(0).target, "/api/dashboard/tasks?link=sentry%3Aacme%2F1%262&limit=50");
  EXPECT_EQ(host.seen().at(1).target, "/api/dashboard/deliveries?link=sentry%3Aacme%2F1%262&limit=50");
}

TEST_F(CommandsTest, DeliveriesShowPrintsPluginHooksLinksAndWhoseReplayItIs) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{200,
                        R"({"delivery_id":"d","webhook":"jira","delivery_key":"replay:d","verdict":"queued",
      "message":"a bug","entity":"jira:X-1","request_id":"r","remote_address":"127.0.0.1",
      "received_at":"2027-01-15T07:59:00.000Z","body_bytes":2,"duplicates":0,"same_body":0,"replay_of":"first",
      "tries":0,"task_ids":["t"],"headers":{"X-Event":"a"},"timings":{"parse_payload_us":7,"handle_us":9},
      "details":{},"plugin_sha256":"abc123","plugin_version":"1.2.3","replayed_by":"admin","secret_number":null,
      "links":[{"rel":"mentions","key":"sentry:acme/12","url":"https://s.example/12"}],"body":"{}"})"};
  });
  configure(host.port());
  ASSERT_EQ(davit({"deliveries", "show", "d"}), kExitOk) << error_;
  EXPECT_EQ(out_, R"(Delivery d
  webhook      jira
  verdict      queued
  message      a bug
  about        jira:X-1
  sender's id  replay:d
  request id   r
  received     2027-01-15T07:59:00.000Z
  from         127.0.0.1
  bytes        2
  replay of    first
  replayed by  admin
  plugin       1.2.3
  its SHA-256  abc123
  task         t
  link         mentions sentry:acme/12 https://s.example/12

Headers
  X-Event: a

Microseconds per hook
  parse_payload_us: 7
  handle_us: 9

Body
  {}
)");
}

TEST_F(CommandsTest, ADeliveryIsReplayedByTheHost) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{202, R"({"delivery_id":"new","replay_of":"d","status":"queued"})"};
  });
  configure(host.port());
  ASSERT_EQ(davit({"deliveries", "replay", "d/1"}), kExitOk) << error_;
  EXPECT_EQ(out_, "new  queued\n");
  EXPECT_EQ(host.seen().at(0).method, "POST");
  EXPECT_EQ(host.seen().at(0).target, "/api/deliveries/d%2F1/replay");
  EXPECT_EQ(host.seen().at(0).body, "{}");
  ASSERT_EQ(davit({"deliveries", "replay", "d", "--json"}), kExitOk) << error_;
  EXPECT_EQ(out_, "{\"delivery_id\":\"new\",\"replay_of\":\"d\",\"status\":\"queued\"}\n");
}

TEST_F(CommandsTest, ADryRunPrintsWhatTheHooksWouldDo) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{200, R"({"dry_run":true,"delivery_id":"d","webhook":"github","verdict":"queued",
      "message":"label AI-Fix","entity":"github:o/n#12",
      "tasks":[{"agent":"planner","task_type":"fix","title":"Fix \u001b[31mit","entity":null,"key":null,
                "priority":0,"requires_approval":false,"payload":{}}],
      "actions":[{"action":"approve","task_id":null,"entity":"github:o/n#12","agent":null}],
      "links":[],"details":{},"timings":{"handle_us":9},"plugin_sha256":"abc","plugin_version":"1.0.0"})"};
  });
  configure(host.port());
  ASSERT_EQ(davit({"deliveries", "replay", "d", "--dry-run"}), kExitOk) << error_;
  EXPECT_EQ(host.seen().at(0).body, R"({"dry_run":true})");
  EXPECT_EQ(out_, R"(Would be queued: label AI-Fix
  task for     planner  Fix \x1b[31mit
  action       approve  github:o/n#12

Microseconds per hook
  handle_us: 9

Nothing was stored.
)");
}

TEST_F(CommandsTest, AReplayThatCannotBeIsAFailureInTheWordsOfTheHost) {
  for (const auto& [status, detail] : {std::pair{404, "delivery d does not exist, or is not kept any more"},
                                       {409, "webhook github is disabled; enable it"}}) {
    HttpResponder host([status = status, detail = std::string(detail)](const SeenRequest&) {
      return CannedAnswer{status, "{\"title\":\"x\",\"detail\":" + json_quote(detail) + "}"};
    });
    configure(host.port());
    for (const char* how : {"--dry-run", "--json"}) {
      EXPECT_EQ(davit({"deliveries", "replay", "d", how}), kExitFailed);
      EXPECT_THAT(error_, HasSubstr(detail));
      EXPECT_THAT(out_, IsEmpty());
    }
  }
}

TEST_F(CommandsTest, WhatChangesSomethingNeedsTheHostOrOffline) {
  EXPECT_EQ(davit({"tasks", "cancel", "t"}), kExitFailed);
  EXPECT_THAT(error_, HasSubstr("no davit answers at http://127.0.0.1:1; start it with `davit serve`"));
}

TEST_F(CommandsTest, PluginsListTellsStatesAndWholeReasons) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{200, R"({"plugins":[
      {"kind":"webhook","name":"github","state":"serving","reason":null,"version":"1.0.0","isolation":"inprocess",
       "generation":1,"sha256":"0123456789abcdef0123","refusal":null},
      {"kind":"library","name":"bad.so","state":"refused","reason":"not an ELF file","version":null,"isolation":null,
       "generation":null,"serving_generation":1,"sha256":null,"refusal":{"code":"not_elf","reason":"is not a library; remove it"}}]})"};
  });
  configure(host.port());
  ASSERT_EQ(davit({"plugins", "list"}), kExitOk) << error_;
  EXPECT_EQ(out_, R"(KIND     NAME    STATE    VERSION  ISOLATION  GEN  SHA-256
webhook  github  serving  1.0.0    inprocess    1  0123456789ab
library  bad.so  refused  -        -            -  -

bad.so: not_elf: is not a library; remove it (generation 1 serves on)
)");
}

TEST_F(CommandsTest, TheTokenIsNeverPrinted) {
  HttpResponder host([](const SeenRequest& request) { return CannedAnswer{401, request.head}; });
  configure(host.port());
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"tasks", "list"},
                                                    {"plugins", "list"},
                                                    {"tasks", "cancel", "t"},
                                                    {"deliveries", "list"}}) {
    EXPECT_EQ(davit(arguments), kExitFailed);
    EXPECT_THAT(out_ + error_, Not(HasSubstr(kToken)));
    EXPECT_THAT(error_, HasSubstr("does not accept this token"));
  }
}

TEST_F(CommandsTest, WithoutAVariableTheGeneratedTokenIsUsed) {
  HttpResponder host([](const SeenRequest&) { return CannedAnswer{200, kTasks}; });
  configure(host.port());
  environment_.erase("DAVIT_ADMIN_TOKEN");
  write("admin.token", "davit_generated_token\n");
  ASSERT_EQ(davit({"tasks", "list"}), kExitOk);
  EXPECT_EQ(host.seen().at(0).header("Authorization"), "Bearer davit_generated_token");
}

// --- send

constexpr const char* kWebhooks = R"({"webhooks":[{"name":"github","event_header":"X-GitHub-Event",
  "delivery_id_header":"X-GitHub-Delivery","metadata":{"signature":{"headers":["X-Hub-Signature-256"],
  "accept":[{"prefix":"sha256=","algorithm":"hmac-sha256","encoding":"hex"}]}}}]})";

CannedAnswer github(const SeenRequest& request) {
  if (request.method == "GET") return {200, kWebhooks};
  return {202, R"({"status":"queued","task_id":"t"})"};
}

TEST_F(CommandsTest, SendSignsAsGithubDoes) {
  HttpResponder host(github);
  configure(host.port());
  const std::string body = "{\"zen\":\"Keep it\"}\n";
  ASSERT_EQ(davit({"send", "github", write("ping.json", body), "--event", "ping", "--header", "X-Extra: 1"}),
            kExitOk)
      << error_;
  EXPECT_EQ(out_, "202 {\"status\":\"queued\",\"task_id\":\"t\"}\n");
  const SeenRequest sent = host.seen().at(1);
  EXPECT_EQ(sent.target, "/webhooks/github");
  EXPECT_EQ(sent.body, body);
  EXPECT_EQ(sent.header("X-GitHub-Event"), "ping");
  EXPECT_EQ(sent.header("X-Extra"), "1");
  EXPECT_EQ(sent.header("Content-Type"), "application/json");
  EXPECT_EQ(sent.header("X-GitHub-Delivery").size(), 36u);
  EXPECT_EQ(sent.header("X-Hub-Signature-256"),
            "sha256=" + to_hex(hmac(HashAlgorithm::Sha256, kSecret, body)));
  // A webhook's sender has no token.
  EXPECT_EQ(sent.header("Authorization"), "");
}

TEST_F(CommandsTest, SendLetsHeadersAndTheDeliveryIdBeChosen) {
  HttpResponder host(github);
  configure(host.port());
  input_ = "{}";
  ASSERT_EQ(
      davit({"send", "github", "-", "--delivery-id", "mine", "--header", "x-hub-signature-256: sha256=00"}),
      kExitOk)
      << error_;
  EXPECT_EQ(host.seen().at(1).header("X-GitHub-Delivery"), "mine");
  EXPECT_EQ(host.seen().at(1).header("x-hub-signature-256"), "sha256=00");
  EXPECT_EQ(host.seen().at(1).header("X-Hub-Signature-256"), "");
}

TEST_F(CommandsTest, ARefusedDeliveryIsAFailure) {
  HttpResponder host([](const SeenRequest& request) {
    return request.method == "GET" ? CannedAnswer{200, kWebhooks} : CannedAnswer{401, R"({"detail":"no"})"};
  });
  configure(host.port());
  EXPECT_EQ(davit({"send", "github", write("b", "{}")}), kExitFailed);
  EXPECT_EQ(out_, "401 {\"detail\":\"no\"}\n");
}

TEST_F(CommandsTest, SendSaysThatAWebhookHasNoPluginWhateverElseItIsAskedFor) {
  HttpResponder host([](const SeenRequest&) {
    return CannedAnswer{200, R"({"webhooks":[{"name":"github","state":"missing",
      "reason":"no library in the plugins folder offers a webhook named github","event_header":null}]})"};
  });
  configure(host.port());
  EXPECT_EQ(davit({"send", "github", write("b", "{}"), "--event", "ping"}), kExitFailed);
  EXPECT_THAT(error_, HasSubstr("github does not serve: no library in the plugins folder offers"));
}

TEST_F(CommandsTest, SendSaysWhatIsMissing) {
  HttpResponder host(github);
  configure(host.port());
  const std::string file = write("b", "{}");
  EXPECT_EQ(davit({"send", "gitlab", file}), kExitFailed);
  EXPECT_THAT(error_, HasSubstr("no webhook gitlab in "));
  EXPECT_EQ(davit({"send", "github", "/nowhere"}), kExitFailed);
  EXPECT_THAT(error_, HasSubstr("/nowhere"));
  EXPECT_EQ(davit({"send", "github", file, "--header", "nonsense"}), kExitFailed);
  EXPECT_THAT(error_, HasSubstr("is not \"Name: value\""));
  environment_.erase("GH");
  EXPECT_EQ(davit({"send", "github", file}), kExitFailed);
  EXPECT_THAT(error_, HasSubstr("the environment variable GH is not set"));
}

// --- offline

class OfflineTest : public CommandsTest {
 protected:
  OfflineTest() { EXPECT_EQ(davit({"init"}), kExitOk) << error_; }

  std::string created(const std::string& agent = "a") {
    EXPECT_EQ(davit({"tasks", "create", agent, "--offline", "--json"}), kExitOk) << error_;
    return string_member(*parse_json(out_), "task_id");
  }
};

TEST_F(OfflineTest, TasksAreMadeShownAndCancelledWhileNoHostRuns) {
  const std::string id = created();
  EXPECT_EQ(davit({"tasks", "list"}), kExitOk) << error_;
  // Whether its agent needs approval is not known while no host runs; so it does.
  EXPECT_THAT(out_, AllOf(HasSubstr(id), HasSubstr("awaiting_approval")));
  EXPECT_EQ(davit({"tasks", "approve", id, "--offline"}), kExitOk) << error_;
  EXPECT_THAT(
      out_, ::testing::AllOf(StartsWith("Task " + id + "\n"), ::testing::EndsWith("\n" + id + "  queued\n")));
  EXPECT_EQ(davit({"tasks", "cancel", id, "--offline"}), kExitOk) << error_;
  EXPECT_EQ(out_, id + "  cancelled\n");
  EXPECT_EQ(davit({"tasks", "show", id}), kExitOk) << error_;
  EXPECT_THAT(out_, HasSubstr("status     cancelled"));
  EXPECT_EQ(davit({"tasks", "retry", id, "--offline", "--as", "dave"}), kExitOk) << error_;
  EXPECT_EQ(out_, id + "  queued\n");
  EXPECT_EQ(davit({"tasks", "show", id}), kExitOk) << error_;
  EXPECT_THAT(out_, AllOf(HasSubstr("  approve by admin, cli\n"), HasSubstr("  retry by dave, cli\n")));
  EXPECT_EQ(davit({"tasks", "cancel", id, "--offline"}), kExitOk) << error_;
  EXPECT_EQ(davit({"tasks", "retry", "--all", "--status", "cancelled", "--offline"}), kExitOk) << error_;
  EXPECT_EQ(out_, "1 task queued again\n");
}

TEST_F(OfflineTest, AnUnknownTaskIsAFailure) {
  EXPECT_EQ(davit({"tasks", "show", "01900000-0000-7000-8000-000000000001"}), kExitFailed);
  EXPECT_THAT(error_, StartsWith("davit: "));
}

TEST_F(OfflineTest, DeliveriesAreListed) {
  EXPECT_EQ(davit({"deliveries", "list"}), kExitOk) << error_;
  EXPECT_EQ(out_, "No deliveries.\n");
}

TEST_F(OfflineTest, ADeliveryIsReplayedForTheNextHostToRun) {
  const std::string id = new_id();
  {
    auto log = Log::silent();
    auto opened = store::Store::open({.path = folder_.path() / "davit.db"}, *log, clock_);
    store::NewDelivery delivery;
    delivery.id = id;
    delivery.webhook = "github";
    delivery.delivery_key = "a";
    delivery.received_at = clock_.wall();
    delivery.answer.links = {{"mentions", "sentry:acme/12", ""}};
    ASSERT_TRUE(
        testing::wait<store::Accepted>([&](auto done) { std::get<0>(opened)->accept(delivery, done); }).ok());
  }
  ASSERT_EQ(davit({"deliveries", "list", "--link", "sentry:acme/12"}), kExitOk) << error_;
  EXPECT_THAT(out_, HasSubstr(id));
  ASSERT_EQ(davit({"deliveries", "replay", id, "--offline", "--json"}), kExitOk) << error_;
  const std::string replay = string_member(*parse_json(out_), "delivery_id");
  ASSERT_EQ(davit({"deliveries", "show", replay}), kExitOk) << error_;
  EXPECT_THAT(out_, AllOf(HasSubstr("verdict      deferred"), HasSubstr("replay of    " + id),
                          HasSubstr("replayed by  cli")));
  EXPECT_EQ(davit({"deliveries", "replay", new_id(), "--offline"}), kExitFailed);
  EXPECT_THAT(error_, HasSubstr("does not exist, or is not kept any more"));
}

TEST_F(OfflineTest, AMissingDatabaseHasItsOwnExitCode) {
  for (const char* ending : {"", "-wal", "-shm"})
    std::filesystem::remove(folder_.path() / (std::string("davit.db") + ending));
  EXPECT_EQ(davit({"tasks", "list"}), kExitStoreMissing) << error_;
  EXPECT_EQ(davit({"tasks", "create", "a", "--offline"}), kExitStoreMissing) << error_;
}

TEST_F(OfflineTest, ABackupIsSoundAndNeverOverwrites) {
  created();
  const std::string target = folder_.path() / "backup.db";
  EXPECT_EQ(davit({"backup", target}), kExitOk) << error_;
  EXPECT_EQ(davit({"verify-store", target}), kExitOk) << error_;
  EXPECT_THAT(out_, HasSubstr("is sound"));
  EXPECT_EQ(davit({"backup", target}), kExitFailed);
  EXPECT_THAT(error_, HasSubstr(target));
  EXPECT_EQ(davit({"verify-store"}), kExitOk) << error_;
}

TEST_F(OfflineTest, VerifyTellsADamagedFile) {
  const std::string damaged = write("damaged.db", std::string(100, 'x'));
  EXPECT_NE(davit({"verify-store", damaged}), kExitOk);
  EXPECT_THAT(error_, HasSubstr("damaged.db"));
}

}  // namespace
}  // namespace davit::cli

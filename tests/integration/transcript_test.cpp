// What executions say and leave, in the real program: by the API, the command line, over a kill.
#include <gmock/gmock.h>
#include <signal.h>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class TranscriptTest : public ::testing::Test {
 protected:
  TranscriptTest() {
    host.install(DAVIT_BUILD_DIR "/tests/plugins/scripted_agent.so");
    host.environment["THE_TOKEN"] = "s3cr3t-value";
    host.environment["MY_PASSWORD"] = "whisper";
    host.configure("agents:\n  worker: {grants: {TOKEN: {env: THE_TOKEN}}, environment: [MY_PASSWORD]}\n");
    EXPECT_TRUE(host.start()) << host.log();
  }
  std::string make(const std::string& mode) {
    const auto answer =
        host.api("POST", "/api/tasks", R"({"agent":"worker","payload":{"mode":")" + mode + "\"}}");
    EXPECT_EQ(answer.status, 201) << answer.body;
    return string_member(*parse_json(answer.body), "task_id");
  }
  JsonDocument transcript(const std::string& id, const std::string& query = "") {
    const auto answer = host.api("GET", "/api/dashboard/tasks/" + id + "/transcript" + query);
    auto read = parse_json(answer.body);
    EXPECT_TRUE(read.ok() && answer.status == 200) << answer.body;
    return read.ok() ? std::move(read).value() : JsonDocument();
  }
  // Lines of one of the executions.
  static std::size_t lines(const JsonDocument& transcript, std::size_t execution = 0) {
    const JsonValue* all = find_member(transcript, "executions");
    if (!all || all->Size() <= execution) return 0;
    return find_member((*all)[static_cast<unsigned>(execution)], "lines")->Size();
  }
  void cancel(const std::string& id) {
    EXPECT_EQ(host.api("POST", "/api/tasks/" + id + "/cancel").status, 200);
    host.wait_for_task(id, {"cancelled"});
  }
  HotHost host;
};

TEST_F(TranscriptTest, AHostThatIsKilledLeavesItsLiveLines) {
  const std::string id = make("gossip");
  ASSERT_TRUE(eventually([&] { return lines(transcript(id)) == 2; }));
  const std::string before = to_json((*find_member(transcript(id), "executions"))[0]["lines"]);
  host.end(SIGKILL);
  // No host runs: the database is asked.
  EXPECT_THAT(host.command({"tasks", "transcript", id, "--offline"}).text, HasSubstr("my token is [secret TOKEN]"));
  ASSERT_TRUE(host.start()) << host.log();
  ASSERT_TRUE(eventually([&] { return lines(transcript(id), 1) == 2; })) << "it runs again";
  const JsonDocument both = transcript(id);
  EXPECT_EQ(to_json((*find_member(both, "executions"))[0]["lines"]), before);
  cancel(id);
  EXPECT_EQ(to_json((*find_member(transcript(id), "executions"))[0]["lines"]), before);
  EXPECT_EQ(lines(transcript(id), 1), 2u);
  host.end(SIGTERM);
  EXPECT_THAT(host.command({"verify-store"}).text, HasSubstr("sound"));
}

TEST_F(TranscriptTest, LinesAreFollowedByNumber) {
  const std::string id = make("gossip");
  ASSERT_TRUE(eventually([&] { return lines(transcript(id)) == 2; }));
  const JsonDocument rest = transcript(id, "?after=1");
  ASSERT_EQ(lines(rest), 1u);
  const JsonValue& execution = (*find_member(rest, "executions"))[0];
  EXPECT_EQ(int_member(execution["lines"][0], "number"), 2);
  EXPECT_EQ(string_member(execution["lines"][0], "kind"), "text");
  EXPECT_TRUE(find_member(execution, "completed_at")->IsNull());
  EXPECT_EQ(lines(transcript(id, "?after=2")), 0u);
  const JsonDocument first = transcript(id, "?before=2");
  ASSERT_EQ(lines(first), 1u);
  EXPECT_EQ(int_member((*find_member(first, "executions"))[0]["lines"][0], "number"), 1);
  const auto read_back = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"tasks", "transcript", id, "--before=2", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return host.ask(words).text;
  };
  EXPECT_EQ(lines(*parse_json(read_back({}))), 1u);
  const std::string session = string_member(execution, "session_id");
  EXPECT_EQ(lines(transcript(id, "?session=" + session)), 2u);
  EXPECT_EQ(host.api("GET", "/api/dashboard/tasks/" + id + "/transcript?session=" + id).status, 404);
  EXPECT_EQ(host.api("GET", "/api/dashboard/tasks/" + id + "/transcript?after=-1").status, 400);
  cancel(id);
  EXPECT_EQ(lines(*parse_json(read_back({"--offline"}))), 1u);
  for (const char* where : {"--limit=10", "--offline"}) {
    EXPECT_EQ(lines(*parse_json(read_back({where, "--session=" + session}))), 1u) << where;
    EXPECT_THAT(read_back({where, "--session=" + id}), HasSubstr("is none of this task")) << where;
  }
  EXPECT_THAT(host.ask({"tasks", "transcript", id, "--before=2", "--after=1"}).text, HasSubstr("excludes"));
  EXPECT_THAT(host.ask({"tasks", "transcript", id, "--before=2", "--follow"}).text, HasSubstr("excludes"));
  const std::string followed = host.ask({"tasks", "transcript", id, "--follow"}).text;
  EXPECT_THAT(followed, AllOf(HasSubstr("Session " + session + " of worker"),
                              HasSubstr("my token is [secret TOKEN]"), HasSubstr("[secret MY_PASSWORD] in")));
}

TEST_F(TranscriptTest, NoSecretIsInTheLog) {
  const std::string id = make("gossip");
  EXPECT_TRUE(eventually([&] {
    return host.log().find("printed: my token is [secret TOKEN]") != std::string::npos &&
           host.log().find("plugin says") != std::string::npos;
  })) << host.log();
  cancel(id);
  EXPECT_THAT(host.log(), AllOf(Not(HasSubstr("s3cr3t-value")), Not(HasSubstr("whisper"))));
}

TEST_F(TranscriptTest, AnArtifactIsFetchedAsAFileThatABrowserDoesNotRun) {
  const std::string id = make("leave");
  const JsonDocument task = host.wait_for_task(id, {"completed"});
  const auto listed = parse_json(host.api("GET", "/api/dashboard/tasks/" + id + "/artifacts").body);
  ASSERT_TRUE(listed.ok());
  const JsonValue& artifacts = *find_member(*listed, "artifacts");
  ASSERT_EQ(artifacts.Size(), 2u);
  EXPECT_EQ(string_member(artifacts[0], "name"), "plan.txt");
  EXPECT_EQ(string_member(artifacts[1], "name"), "x[secret TOKEN].bin");
  const std::string folder =
      "/api/dashboard/tasks/" + id + "/artifacts/" + string_member(artifacts[0], "session_id") + "/";
  const auto plan = host.api("GET", folder + "plan.txt");
  EXPECT_EQ(plan.status, 200);
  EXPECT_EQ(plan.body, "the plan, with [secret TOKEN]");
  EXPECT_EQ(plan.header("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(plan.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(plan.header("Content-Disposition"),
            "attachment; filename=\"plan.txt\"; filename*=UTF-8''plan.txt");
  const auto other = host.api("GET", folder + "x%5Bsecret%20TOKEN%5D.bin");
  EXPECT_EQ(other.status, 200);
  EXPECT_EQ(other.body, "\377\001 no text");
  EXPECT_EQ(other.header("Content-Type"), "application/octet-stream") << "whatever the agent said it is";
  EXPECT_EQ(other.header("Content-Disposition"),
            "attachment; filename=\"x_secret_TOKEN_.bin\"; filename*=UTF-8''x%5Bsecret%20TOKEN%5D.bin");
  EXPECT_EQ(host.api("GET", folder + "none").status, 404);
  EXPECT_EQ(host.api("GET", folder + "%zz").status, 400);
  EXPECT_EQ(host.request("GET", folder + "plan.txt", "", {}).status, 401);

  EXPECT_THAT(host.ask({"tasks", "artifacts", id}).text, AllOf(HasSubstr("plan.txt"), HasSubstr("29")));
  EXPECT_EQ(host.ask({"tasks", "artifacts", id, "plan.txt"}).text, "the plan, with [secret TOKEN]\n");
  const auto binary = host.ask({"tasks", "artifacts", id, "x[secret TOKEN].bin"});
  EXPECT_EQ(binary.status, 1);
  EXPECT_THAT(binary.text, HasSubstr("is not text; say where to with --output FILE"));
  const auto target = host.folder() / "saved.bin";
  const auto saved = host.ask({"tasks", "artifacts", id, "x[secret TOKEN].bin", "--output", target.string()});
  EXPECT_EQ(saved.status, 0) << saved.text;
  EXPECT_EQ(read_file(target).value(), "\377\001 no text");
  EXPECT_THAT(host.ask({"tasks", "artifacts", id, "nothing"}).text, HasSubstr("has no artifact \"nothing\""));
}

}  // namespace
}  // namespace davit::testing

// Every operation is called on a real host, in each status that is described, and each answer is held to its schema.
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>

#include <list>

#include "tests/api/sample_host.h"
#include "tests/faults/books.h"

namespace davit::testing {
namespace {

using ::testing::IsEmpty;

// Somebody holds the database's lock, as an operator's shell may: until then no write is done, and each waits
// for two seconds.
class HeldDatabase {
 public:
  explicit HeldDatabase(const std::filesystem::path& file) {
    EXPECT_EQ(sqlite3_open_v2(file.c_str(), &database_, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
    sqlite3_busy_timeout(database_, 10'000);
    EXPECT_EQ(sqlite3_exec(database_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  }
  ~HeldDatabase() {
    EXPECT_EQ(sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database_);
  }

 private:
  sqlite3* database_ = nullptr;
};

// Requests that wait for their answers.
class WaitingRequests {
 public:
  explicit WaitingRequests(HotHost& host) : host_(host) {}
  void send(const std::string& method, const std::string& target, const std::string& body = "",
            const std::string& header_lines = "") {
    clients_.emplace_back(host_.port());
    EXPECT_TRUE(clients_.back().send(
        method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + host_.token() +
        "\r\n" + header_lines + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
  }
  // The first answer that comes to any of them, which waits no more then; status 0 if none does.
  test::RawAnswer first() {
    std::vector<pollfd> all;
    for (test::RawClient& client : clients_) all.push_back({client.fd(), POLLIN, 0});
    if (::poll(all.data(), all.size(), 30'000) <= 0) return {};
    auto client = clients_.begin();
    for (const pollfd& each : all) {
      if (each.revents != 0) break;
      ++client;
    }
    const test::RawAnswer answer = client->read_answer();
    clients_.erase(client);
    return answer;
  }
  // The answers to the others, in the order of the requests.
  std::vector<test::RawAnswer> answers() {
    std::vector<test::RawAnswer> all;
    for (test::RawClient& client : clients_) {
      client.patience = std::chrono::seconds(60);
      all.push_back(client.read_answer());
    }
    return all;
  }

 private:
  HotHost& host_;
  std::list<test::RawClient> clients_;
};

class AnswersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    start_sample_host(host);
    samples = fill(host);
  }
  // A delivery to a webhook of the tests.
  JsonDocument deliver(int status, const std::string& webhook, const std::string& body = "{}",
                       const std::string& id = new_id()) {
    return walk.expect(status, "receiveDelivery",
                       {.path = {webhook},
                        .body = body,
                        .headers = {{"Content-Type", "application/json"},
                                    {"X-Delivery", id},
                                    {"X-Signature", RunningHost::github_signature(body)}}});
  }
  JsonDocument task_once(const std::string& id, const std::string& status) {
    host.wait_for_task(id, {status});
    return walk.expect(200, "getTask", {.path = {id}});
  }
  std::string hash_of(const std::string& id) {
    const JsonDocument task = task_once(id, "awaiting_approval");
    return string_member(task["approval"], "content_hash");
  }

  void a_night();
  void sessions();
  void tokens();
  void webhooks();
  void what_a_webhook_may_tell();
  void operations();
  void tasks();
  void decisions();
  void approvals();
  void many();
  void tables();
  void tests_of_webhooks();
  void events();
  void deliveries();
  void plugins();
  void newer_plugins();
  void queue();
  void spent_budgets();
  void statistics();
  void overload();
  void what_all_have_in_common();

  const Description description;
  HotHost host;
  Walk walk{description, host};
  Samples samples;
};

// davit was away over the times of a schedule.
void AnswersTest::a_night() {
  host.end(SIGTERM);
  faults::rows_of(host.folder() / "davit.db", "UPDATE schedule SET last_slot = last_slot - 2 * 86400000");
  ASSERT_TRUE(host.start()) << host.log();
  ASSERT_TRUE(eventually([&] { return host.api("GET", "/api/dashboard/queue").body.find("\"last_task_id\":\"") != std::string::npos; }));
  walk.expect(200, "getQueue");
}

// Of a sign-in, as a browser sends it.
struct Browser {
  std::string cookie, csrf;
};

void AnswersTest::sessions() {
  const auto sign_in = [&](int status, const std::string& token, Walk::Headers headers = {}) {
    return walk.expect(status, "signIn", {.body = R"({"token":")" + token + R"("})", .headers = std::move(headers)});
  };
  Browser browser;
  browser.csrf = string_member(sign_in(200, host.token()), "csrf_token");
  browser.cookie = walk.last().header("Set-Cookie");
  browser.cookie.resize(std::min(browser.cookie.find(';'), browser.cookie.size()));
  walk.expect(200, "getSession", {.headers = {{"Cookie", browser.cookie}}});
  walk.expect(200, "getSession", {.headers = {{"Authorization", "Bearer " + host.token()}}});
  EXPECT_TRUE(walk.expect(200, "getSession")["name"].IsNull());
  walk.expect(401, "getSession", {.headers = {{"Authorization", "Bearer unknown"}}});
  walk.expect(409, "signOut");
  walk.expect(403, "signOut", {.headers = {{"Cookie", browser.cookie}}, .token = "none"});
  walk.expect(204, "signOut",
              {.headers = {{"Cookie", browser.cookie}, {"X-CSRF-Token", browser.csrf}, {"Connection", "close"}},
               .token = "none"});
  EXPECT_TRUE(walk.expect(200, "getSession", {.headers = {{"Cookie", browser.cookie}}})["name"].IsNull());
  walk.expect(400, "signIn", {.body = R"({"token":1})", .bad_body = true});
  sign_in(403, host.token(), {{"Sec-Fetch-Site", "cross-site"}});
  sign_in(401, "unknown");
  for (int i = 0; i < 20 && host.request("POST", "/api/session", R"({"token":"unknown"})",
                                         {{"Content-Type", "application/json"}}).status == 401; ++i) {
  }
  sign_in(429, "unknown");
}

void AnswersTest::tokens() {
  const auto made = walk.expect(
      201, "createToken", {.body = R"({"name":"alice","role":"admin","expires_at":"2035-01-01T00:00:00Z"})"});
  walk.expect(409, "createToken", {.body = R"({"name":"alice","role":"reader","expires_at":null})"});
  walk.expect(400, "createToken", {.body = R"({"name":"bob","role":"king"})", .bad_body = true});
  walk.expect(200, "getQueue", {.token = string_member(made, "token")});
  ASSERT_TRUE(eventually([&] { return host.api("GET", "/api/tokens").body.find("\"last_used_at\":\"") != std::string::npos; }));
  walk.expect(200, "listTokens");
  walk.expect(200, "revokeToken", {.path = {"alice"}});
  walk.expect(409, "revokeToken", {.path = {"alice"}});
  walk.expect(200, "listTokens");
  ASSERT_TRUE(eventually([&] {
    const std::string audit = host.api("GET", "/api/dashboard/audit?limit=500").body;
    return audit.find("\"revokeToken\"") != std::string::npos && audit.find("\"denied\"") != std::string::npos;
  }));
  walk.expect(200, "listAudit", {.query = "limit=500"});
  const auto page = walk.expect(200, "listAudit", {.query = "limit=1"});
  walk.expect(200, "listAudit", {.query = "cursor=" + string_member(page, "next_cursor")});
  walk.expect(400, "listAudit", {.query = "outcome=unknown&start_date=never"});
}

void AnswersTest::webhooks() {
  const std::string id = new_id();
  deliver(202, "good", R"({"n":1})", id);
  deliver(200, "good", R"({"n":1})", id);
  deliver(202, "late");
  deliver(200, "uninterested");
  deliver(422, "unable");
  deliver(400, "confused");
  deliver(400, "good", "no JSON");
  deliver(413, "small", R"({"this":"is too large"})");
  deliver(429, "limited");
  deliver(503, "keyless");
  deliver(404, "idle");
  deliver(404, "unknown");
  walk.expect(401, "receiveDelivery", {.path = {"good"}, .body = "{}", .headers = {{"Content-Type", "application/json"}, {"X-Signature", "sha256=00"}}});
  walk.expect(415, "receiveDelivery",
              {.path = {"github"}, .body = "{}", .headers = {{"Content-Type", "text/plain"}, {"X-GitHub-Event", "ping"}, {"X-Hub-Signature-256", RunningHost::github_signature("{}")}}});
  walk.expect(405, "greetWebhook", {.path = {"good"}});
  walk.expect(200, "greetWebhook", {.path = {"slack"}});
}

// Tasks, decisions of a person at the sender's, and links: all that a webhook may answer.
void AnswersTest::what_a_webhook_may_tell() {
  const std::string unwanted = make_task(host, "third", "noop");
  const std::string answer = R"({"response":{"status":"queued","message":"two tasks"},
      "tasks":[{"agent":"third","title":"one","group":"g","key":"one of two"},{"agent":"third","title":"two","key":"the other"}],
      "actions":[{"action":"cancel","task_id":")" + unwanted + R"("},{"action":"cancel","entity":"test:nothing","agent":"third"}],
      "links":[{"rel":"pull_request","key":"test:1","url":"https://example.org/1"}],"actor":{"id":"7","login":"ada","role":"owner"}})";
  walk.expect(200, "testWebhook", {.path = {"telling"}, .body = R"({"dry_run":true,"body":)" + answer + "}"});
  const JsonDocument delivered = deliver(202, "telling", answer);
  EXPECT_EQ(delivered["details"]["task_ids"].Size(), 2u);
  const JsonDocument delivery = walk.expect(200, "getDelivery", {.path = {string_member(delivered["details"], "delivery_id")}});
  EXPECT_EQ(delivery["links"].Size(), 1u);
  const JsonDocument task = task_once(unwanted, "cancelled");
  EXPECT_EQ(string_member(task["decisions"][0], "actor_id"), "7");
}

void AnswersTest::operations() {
  walk.expect(200, "getHealth");
  walk.expect(200, "getReadiness");
  walk.expect(200, "getMetrics");
  walk.expect(200, "getOpenApi");
  EXPECT_EQ(host.api("GET", "/api/openapi.json").body, description.text());
  EXPECT_TRUE(bool_member(walk.expect(200, "reload"), "changed"));
}

void AnswersTest::tasks() {
  EXPECT_EQ(string_member(walk.expect(201, "createTask", {.body = R"({"agent":"third","task_type":"t","title":"t","entity":"e",
      "group":"g","key":"k","payload":{"mode":"noop"},"priority":1,"run_at":"2030-01-01T00:00:00Z"})"}), "status"), "queued");
  walk.expect(400, "createTask", {.body = R"({"title":1})", .bad_body = true});
  walk.expect(400, "createTask", {.body = R"({"agent":"nobody"})"});
  for (const std::string name : {"agent", "task_type", "title", "entity", "group", "key"}) {
    const std::string agent = name == "agent" ? "" : R"("agent":"third",)";
    const auto refused = walk.expect(400, "createTask", {.body = "{" + agent + "\"" + name + R"(":"a\u0000b"})"});
    EXPECT_EQ(string_member(refused["errors"][0], "field"), name);
  }
  const auto page = walk.expect(200, "listTasks", {.query = "limit=2"});
  walk.expect(200, "listTasks", {.query = "cursor=" + string_member(page, "next_cursor")});
  walk.expect(400, "listTasks", {.query = "cursor=none-of-ours"});

  // Runs, and says what it does.
  const std::string running = make_task(host, "worker", "wait");
  ASSERT_TRUE(eventually([&] {
    return host.api("GET", "/api/dashboard/tasks/" + running).body.find("half of it") != std::string::npos;
  }));
  task_once(running, "running");
  host.api("POST", "/api/tasks/" + running + "/cancel");
  task_once(running, "cancelled");

  task_once(samples.done, "completed");
  task_once(samples.failed, "failed");
  task_once(samples.first, "completed");
  const std::string talked = make_task(host, "worker", "talk");
  task_once(talked, "completed");
  walk.expect(200, "getTranscript", {.path = {talked}});
  walk.expect(200, "getTranscript", {.path = {samples.done}, .query = "after=0&session=" + samples.session});
  walk.expect(200, "getTranscript", {.path = {talked}, .query = "before=2"});
  walk.expect(400, "getTranscript", {.path = {talked}, .query = "before=2&after=1"});
  walk.expect(404, "getTranscript", {.path = {samples.done}, .query = "session=unknown"});
  walk.expect(200, "listArtifacts", {.path = {samples.done}});
  walk.expect(200, "getArtifact", {.path = {samples.done, samples.session, samples.artifact}});
  walk.expect(400, "getArtifact", {.path = {samples.done, samples.session, "broken%zz"}});
}

void AnswersTest::decisions() {
  const std::string who = R"("by":"alice","way":"the test")";
  walk.expect(409, "approveTask", {.path = {samples.waiting}, .body = R"({"content_hash":"0000000000000000"})"});
  walk.expect(400, "approveTask", {.path = {samples.waiting}, .body = R"({"by":1})", .bad_body = true});
  const auto nothing_seen = walk.expect(400, "approveTask", {.path = {samples.waiting}});
  EXPECT_EQ(string_member(nothing_seen["errors"][0], "field"), "content_hash");
  walk.expect(200, "approveTask", {.path = {samples.waiting}, .body = R"({"comment":"as planned","content_hash":")" + hash_of(samples.waiting) + "\"," + who + "}"});
  task_once(samples.waiting, "completed");

  // What comes later about the same thing is compared with it.
  const std::string thing = R"("entity":"test:plan")", before = make_task(host, "second", "noop", thing);
  walk.expect(200, "approveTask", {.path = {before}, .body = R"({"content_hash":")" + hash_of(before) + "\"}"});
  task_once(before, "completed");
  const std::string unwanted = make_task(host, "second", "noop", thing);
  EXPECT_EQ(string_member(task_once(unwanted, "awaiting_approval")["approved_before"], "task_id"), before);
  walk.expect(400, "rejectTask", {.path = {unwanted}, .body = R"({"by":""})", .bad_body = true});
  walk.expect(409, "rejectTask", {.path = {unwanted}, .body = R"({"content_hash":"0000000000000000"})"});
  walk.expect(400, "rejectTask", {.path = {unwanted}, .body = R"({"content_hash":1})", .bad_body = true});
  walk.expect(200, "rejectTask", {.path = {unwanted}, .body = R"({"comment":"smaller","content_hash":")" + hash_of(unwanted) + "\"," + who + "}"});
  task_once(unwanted, "cancelled");
  walk.expect(409, "rejectTask", {.path = {unwanted}});
  walk.expect(409, "cancelTask", {.path = {unwanted}});
  walk.expect(409, "retryTask", {.path = {samples.done}});
  walk.expect(400, "retryTask", {.path = {samples.failed}, .body = "[]", .bad_body = true});
  walk.expect(200, "retryTask", {.path = {samples.failed}, .body = "{" + who + "}"});
  task_once(samples.failed, "failed");
  const std::string superfluous = make_task(host, "third", "noop");
  walk.expect(400, "cancelTask", {.path = {superfluous}, .body = R"({"way":""})", .bad_body = true});
  const auto refused =
      walk.expect(400, "cancelTask", {.path = {superfluous}, .body = R"({"reason":"no\u001bneed"})"});
  EXPECT_EQ(string_member(refused["errors"][0], "field"), "reason");
  walk.expect(200, "cancelTask",
              {.path = {superfluous}, .body = R"({"reason":"no need:\n\tsee above",)" + who + "}"});
}

void AnswersTest::approvals() {
  const std::string first = make_task(host, "second", "noop"), other = make_task(host, "worker", "chain");
  host.wait_for_task(first, {"awaiting_approval"});
  host.wait_for_task(other, {"completed"});
  ASSERT_TRUE(eventually([&] { return host.api("GET", "/api/dashboard/approvals?agent=second").body.find(other) != std::string::npos; }));
  const auto page = walk.expect(200, "listApprovals", {.query = "agent=second&limit=1"});
  walk.expect(200, "listApprovals", {.query = "cursor=" + string_member(page, "next_cursor")});
  walk.expect(200, "listApprovals");
  const auto oldest = walk.expect(200, "listApprovals", {.query = "order=oldest&limit=1"});
  walk.expect(200, "listApprovals", {.query = "order=oldest&cursor=" + string_member(oldest, "next_cursor")});
  const auto decided = walk.expect(200, "listDecisions", {.query = "limit=1"});
  walk.expect(200, "listDecisions", {.query = "cursor=" + string_member(decided, "next_cursor")});
  walk.expect(200, "listDecisions");
}

void AnswersTest::many() {
  const auto preview = [&](const std::string& body) {
    return string_member(walk.expect(200, "previewTasksBulk", {.body = body}), "token");
  };
  const auto act = [&](int status, const std::string& token, const std::string& key, const std::string& comment) {
    return walk.expect(status, "actOnTasksBulk",
                       {.body = R"({"token":")" + token + R"(","comment":")" + comment + R"("})",
                        .headers = {{"Idempotency-Key", '"' + key + '"'}}});
  };
  const std::string kept = make_task(host, "third", "noop"), gone = make_task(host, "third", "noop");
  preview(R"({"action":"retry","filter":{"agent":"third","status":["failed"],"source":"github","entity":"e","link":"l","q":"w",
      "start_date":"2026-01-01","end_date":"2035-01-01"}})");
  const std::string token = preview(R"({"action":"cancel","ids":[")" + kept + R"(",")" + gone + R"(",")" + samples.done + R"("]})");
  host.api("POST", "/api/tasks/" + gone + "/cancel");
  EXPECT_EQ(int_member(act(200, token, "first", "for the test"), "refused"), 1);
  act(200, token, "first", "for the test");
  act(422, token, "first", "for another");
  act(404, token, "second", "for the test");
  walk.expect(400, "actOnTasksBulk", {.body = R"({"token":"t"})"});
  walk.expect(400, "previewTasksBulk", {.body = R"({"action":"cancel","filter":{"colour":"red"}})", .bad_body = true});

  // More than a step of a retry of all.
  for (int i = 0; i < 201; ++i) make_task(host, "third", "noop");
  act(200, preview(R"({"action":"cancel","filter":{"agent":"third","status":"queued"}})"), "all of them", "for the test");
  const std::string cancelled = R"({"status":"cancelled","agent":"third")";
  const auto step = walk.expect(200, "retryTasks", {.body = cancelled + "}"});
  walk.expect(200, "retryTasks", {.body = cancelled + R"(,"cursor":")" + string_member(step, "next_cursor") + "\"}"});

  walk.expect(400, "retryTasks", {.body = R"({"status":"failed","agents":"worker"})", .bad_body = true});
  for (const char* bad : {R"({"status":"failed","agent":""})", R"({"status":"failed","source":""})", R"({"status":"running"})", "{}"})
    EXPECT_NE(find_member(walk.expect(400, "retryTasks", {.body = bad, .bad_body = true}), "errors"), nullptr) << bad;
  for (const char* bad : {R"({"status":"failed","start_date":"2026-01-02","end_date":"2026-01-01"})",
                          R"({"status":"failed","cursor":"zz"})"})
    EXPECT_NE(find_member(walk.expect(400, "retryTasks", {.body = bad}), "errors"), nullptr) << bad;
  walk.expect(200, "retryTasks", {.body = R"({"status":"failed","agent":"worker","source":"github","start_date":"2026-01-01",
      "end_date":"2030-01-01T00:00:00Z","by":"alice","way":"the test"})"});
  task_once(samples.failed, "failed");
}

void AnswersTest::tables() {
  walk.expect(200, "exportTasksCsv", {.query = "status=queued,failed&limit=2"});
  EXPECT_NE(walk.last().header("Link"), "");
  walk.expect(200, "exportTasksNdjson", {.query = "agent=worker"});
  walk.expect(200, "exportCosts", {.query = "group_by=model"});
  walk.expect(400, "exportTasksCsv", {.query = "status=unknown"});
}

void AnswersTest::tests_of_webhooks() {
  const auto asked = [&](int status, const std::string& webhook, const std::string& more) {
    return walk.expect(status, "testWebhook", {.path = {webhook}, .body = R"({"body":{"n":7})" + more + "}"});
  };
  const auto sent = asked(200, "good", R"(,"headers":{"X-Of-The-Test":"1"},"event":"made")");
  walk.expect(200, "getDelivery", {.path = {string_member(sent, "delivery_id")}});
  EXPECT_TRUE(bool_member(asked(200, "good", R"(,"dry_run":true)"), "dry_run"));
  asked(404, "unknown", "");
  asked(409, "idle", "");
  walk.expect(400, "testWebhook", {.path = {"good"}, .body = R"({"event":1})", .bad_body = true});
}

void AnswersTest::events() {
  test::RawClient client(host.port());
  ASSERT_TRUE(client.send("GET /api/dashboard/events?topics=task,queue&task=" + samples.done +
                          " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + host.token() + "\r\n\r\n"));
  ASSERT_TRUE(client.read_until("event: hello\ndata: {\"resumed\":false}\n\n"));
  walk.hold(200, description.operation("streamEvents"), client.read_answer(false));
  walk.expect(400, "streamEvents", {.query = "topics=weather"});
  test::RawClient second(host.port());
  ASSERT_TRUE(second.send("GET /api/dashboard/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
                          host.token() + "\r\n\r\n"));
  ASSERT_TRUE(second.read_until("event: hello"));
  walk.expect(503, "streamEvents");
}

void AnswersTest::deliveries() {
  const auto page = walk.expect(200, "listDeliveries", {.query = "limit=1"});
  walk.expect(200, "listDeliveries", {.query = "cursor=" + string_member(page, "next_cursor")});
  walk.expect(400, "listDeliveries", {.query = "verdict=unknown"});
  walk.expect(200, "getDelivery", {.path = {samples.delivery}});
  ASSERT_TRUE(eventually([&] { return host.api("GET", "/api/dashboard/refused-deliveries").body.find("\"samples\":[{") != std::string::npos; }));
  walk.expect(200, "listRefusedDeliveries");

  // No text of a sender loses his delivery: it is kept as it came, and the task has what can be shown of it.
  const auto odd = parse_json(label_issue(host, 77, std::string("a\0b\x1b[31mred\x7f\tquokka", 19)).body);
  ASSERT_TRUE(odd.ok());
  const auto found = walk.expect(200, "listTasks", {.query = "q=quokka"});
  ASSERT_EQ(found["tasks"].Size(), 1u);
  EXPECT_EQ(string_member(found["tasks"][0], "title"), "a b [31mred  quokka");
  const auto kept =
      walk.expect(200, "getDelivery", {.path = {string_member((*odd)["details"], "delivery_id")}});
  EXPECT_NE(string_member(kept, "body").find(R"(a\u0000b\u001B[31mred)"), std::string::npos)
      << string_member(kept, "body");

  walk.expect(200, "replayDelivery", {.path = {samples.delivery}, .body = R"({"dry_run":true})"});
  walk.expect(200, "replayDelivery", {.path = {samples.comment}, .body = R"({"dry_run":true})"});
  walk.expect(400, "replayDelivery", {.path = {samples.delivery}, .body = R"({"dry_run":1})", .bad_body = true});
  const auto again = walk.expect(202, "replayDelivery", {.path = {samples.delivery}, .body = R"({"dry_run":false})"});
  const std::string replayed = string_member(again, "delivery_id");
  ASSERT_TRUE(eventually([&] { return host.api("GET", "/api/dashboard/deliveries/" + replayed).body.find("\"verdict\":\"queued\"") != std::string::npos; }));
  walk.expect(200, "getDelivery", {.path = {replayed}});
  host.api("POST", "/api/plugins/webhook/github/disable");
  walk.expect(409, "replayDelivery", {.path = {samples.delivery}});
  host.api("POST", "/api/plugins/webhook/github/enable");
}

void AnswersTest::plugins() {
  walk.expect(200, "disablePlugin", {.path = {"agent", "third"}});
  host.put_bytes("good_webhook.so", "no library any more");
  ASSERT_TRUE(eventually([&] { return host.refusal_of("good_webhook.so") != ""; }));
  for (const char* list : {"listAgents", "listWebhooks", "listPlugins"}) walk.expect(200, list);
  walk.expect(200, "enablePlugin", {.path = {"agent", "third"}});
  walk.expect(400, "setConcurrency", {.path = {"worker"}, .body = R"({"concurrency":0})", .bad_body = true});
  walk.expect(200, "setConcurrency", {.path = {"worker"}, .body = R"({"concurrency":3})"});
  walk.expect(200, "clearConcurrency", {.path = {"worker"}});
  walk.expect(200, "disablePlugin", {.path = {"webhook", "good"}});
  walk.expect(200, "clearPlugin", {.path = {"webhook", "good"}});
  host.remove("good_webhook.so");
  walk.expect(200, "rescanPlugins");
  ASSERT_TRUE(host.wait_for_state("webhook", "small", "missing"));
  walk.expect(200, "listWebhooks");
  walk.expect(200, "listPlugins");
  walk.expect(409, "clearPlugin", {.path = {"webhook", "small"}});
  host.put("good_webhook.so", kTestPlugins / "good_webhook.so");
  ASSERT_TRUE(host.wait_for_state("webhook", "small", "serving"));
}

void AnswersTest::queue() {
  walk.expect(200, "pauseQueue", {.body = R"({"agent":"worker","until":"2030-01-01T00:00:00Z","reason":"for the test"})"});
  walk.expect(200, "pauseQueue", {.body = R"({"agent":null})"});
  walk.expect(400, "pauseQueue", {.body = R"({"until":"2001-01-01T00:00:00Z"})"});
  // A variable that is not set must not stand for all.
  walk.expect(400, "pauseQueue", {.body = R"({"agent":""})", .bad_body = true});
  walk.expect(200, "getQueue");
  walk.expect(400, "resumeQueue", {.body = R"({"reason":"none"})", .bad_body = true});
  walk.expect(200, "resumeQueue", {.body = R"({"agent":"worker"})"});
  walk.expect(200, "resumeQueue");
}

void AnswersTest::spent_budgets() {
  std::string tight = kSampleSections;
  const std::string wide = "per_agent_daily_usd: 50";
  tight.replace(tight.find(wide), wide.size(), "per_agent_daily_usd: 0.1");
  host.configure(tight);
  walk.expect(200, "reload");
  ASSERT_TRUE(eventually([&] { return host.api("GET", "/api/dashboard/queue").body.find("\"resumes_at\":\"") != std::string::npos; }));
  walk.expect(200, "getQueue");
  const std::string held = make_task(host, "command-agent", "");
  EXPECT_FALSE(walk.expect(200, "getTask", {.path = {held}})["resume_at"].IsNull());
  host.configure(kSampleSections);
  walk.expect(200, "reload");
}

void AnswersTest::statistics() {
  for (const char* of : {"getOverview", "getAgentStats", "getChains"}) walk.expect(200, of);
  for (const char* group : {"agent", "day", "task_type", "model", "source"})
    walk.expect(200, "getCosts", {.query = std::string("group_by=") + group});
  walk.expect(400, "getCosts", {.query = "start_date=2026-02-01&end_date=2026-01-01"});
  for (const char* metric : {"executions", "cost", "tokens", "duration", "tasks"})
    walk.expect(200, "getSeries", {.query = std::string("bucket=hour&metric=") + metric});
  for (const char* bucket : {"minute", "ten_minutes", "hour", "day"})
    walk.expect(200, "getQueueSeries", {.query = std::string("agent=worker&bucket=") + bucket});
}

// While nothing can be written, all workers wait for writes, and as many requests behind them as may.
void AnswersTest::overload() {
  const std::string unwanted = make_task(host, "third", "noop");
  const std::string token = string_member(
      walk.expect(200, "previewTasksBulk", {.body = R"({"action":"cancel","ids":[")" + unwanted + "\"]}"}),
      "token");
  constexpr int kBlocking = 8, kMoreThanMayWait = 300;
  WaitingRequests acts(host), rescans(host), looks(host);
  {
    const HeldDatabase held(host.folder() / "davit.db");
    for (int i = 0; i < 2; ++i)
      acts.send("POST", "/api/tasks/bulk", R"({"token":")" + token + "\"}",
                "Idempotency-Key: \"twice at once\"\r\n");
    walk.hold(409, description.operation("actOnTasksBulk"), acts.first());

    for (int i = 0; i < kBlocking; ++i) rescans.send("POST", "/api/plugins/rescan");
    for (int i = 0; i < kMoreThanMayWait; ++i) looks.send("GET", "/api/dashboard/queue");
    ASSERT_EQ(looks.first().status, 503) << "who is one too many is told at once";
    for (const Operation& operation : description.operations()) {
      if (!operation.responses.contains("503") || operation.is_stream() || operation.id == "receiveDelivery")
        continue;
      for (int i = 0; i < 2; ++i)
        looks.send("GET", "/api/dashboard/queue");  // for those that were given up meanwhile
      walk.expect(503, operation.id, {.path = words_for(operation, samples)});
    }
    EXPECT_EQ(rescans.first().status, 503) << "nothing is done that cannot be put down before";
  }
  std::size_t done = 0;
  for (const test::RawAnswer& answer : rescans.answers()) {
    EXPECT_TRUE(answer.status == 200 || answer.status == 503) << answer.status;
    done += answer.status == 200 ? 1 : 0;
  }
  looks.answers();
  EXPECT_TRUE(eventually([&] {
    const auto lines = parse_json(
        host.api("GET", "/api/dashboard/audit?limit=500&operation=rescanPlugins&outcome=done").body);
    // And the one of plugins().
    return lines.ok() && (*lines)["entries"].Size() == done + 1;
  }));
}

// More values than any body may have.
std::string too_large_body() {
  std::string body = "{\"no-such-member\":[0";
  for (int i = 0; i < 200'000; ++i) body += ",0";
  return body + "]}";
}

// What asks for a name that is not there has to be right in all else.
std::string whole_body_of(const Operation& operation) {
  if (operation.id == "testWebhook") return R"({"body":{}})";
  return operation.id == "setConcurrency" ? R"({"concurrency":1})" : "";
}

// Each file becomes one that cannot be created, so that the one before it serves on.
void AnswersTest::newer_plugins() {
  host.put("good_webhook.so", kTestPlugins / "create_refuses.so");
  host.put("scripted_agent.so", kTestPlugins / "refusing_worker.so");
  for (const auto& [kind, name] : {std::pair("webhook", "small"), std::pair("agent", "worker")}) {
    EXPECT_TRUE(eventually([&] { return host.reason_of(kind, name).find("serves on") != std::string::npos; }))
        << host.log();
  }
  for (const char* operation : {"listPlugins", "listAgents", "listWebhooks"}) walk.expect(200, operation);
}

// Every operation that describes one of these answers gives it in the same way.
void AnswersTest::what_all_have_in_common() {
  const std::string too_large = too_large_body();
  const Walk::Headers wrong_token{{"Authorization", "Bearer a-wrong-token-0123456789"}};
  for (int i = 0; i < 100 && host.request("GET", "/api/session", "", wrong_token).status == 401; ++i) {
  }
  for (const Operation& operation : description.operations()) {
    const Walk::Words words = words_for(operation, samples);
    const auto has = [&](const char* status) { return operation.responses.contains(status); };
    const auto nothing = Walk::Words(words.size(), "unknown");
    if (operation.role != "public") walk.expect(401, operation.id, {.path = words, .token = "none"});
    if (operation.role == "admin") walk.expect(403, operation.id, {.path = words, .token = "reader"});
    if (has("404") && operation.role != "public" && !words.empty())
      walk.expect(404, operation.id, {.path = nothing, .body = whole_body_of(operation)});
    if (has("400") && operation.path.starts_with("/api/"))
      walk.expect(400, operation.id, {.path = words, .query = "no-such-parameter=1"});
    if (has("413") && operation.path.starts_with("/api/"))
      walk.expect(413, operation.id, {.path = words, .body = too_large, .bad_body = true});
    EXPECT_TRUE(operation.role == "public" || has("429")) << operation.id << " does not say that wrong tokens have to wait";
    // More than enough of these were sent before the first of them: what is asked for does not matter.
    if (has("429") && (operation.role != "public" || operation.id == "getSession"))
      walk.expect(429, operation.id, {.path = words, .headers = wrong_token, .token = "none"});
    if (operation.method != "GET" || operation.role == "public" || operation.is_stream()) continue;

    walk.expect(200, operation.id, {.path = words, .token = operation.role});
    const test::RawAnswer whole = walk.last();
    const auto head = host.request("HEAD", filled(operation.path, words), "", {{"Authorization", "Bearer " + host.token()}});
    EXPECT_EQ(head.status, 200) << operation.id;
    EXPECT_EQ(head.header("Content-Type"), whole.header("Content-Type")) << operation.id;
    if (has("304")) {
      // Something may have changed in between.
      EXPECT_TRUE(eventually([&] {
        const std::string target = filled(operation.path, words);
        const std::string tag = host.api("GET", target).header("ETag");
        const auto answer = host.request("GET", target, "", {{"Authorization", "Bearer " + host.token()}, {"If-None-Match", tag}, {"Connection", "close"}});
        if (answer.status == 304) walk.hold(304, operation, answer);
        return answer.status == 304;
      })) << operation.id;
    }
  }
}

TEST_F(AnswersTest, EachOperationAnswersAsItIsDescribedInEachStatusAndWithEachMember) {
  a_night();
  webhooks();
  what_a_webhook_may_tell();
  operations();
  tasks();
  decisions();
  approvals();
  many();
  tables();
  deliveries();
  tests_of_webhooks();
  events();
  plugins();
  queue();
  spent_budgets();
  statistics();
  overload();
  sessions();
  tokens();
  what_all_have_in_common();
  newer_plugins();
  host.storage_options = ", min_free: 1024TiB";
  host.configure(kSampleSections);
  walk.expect(200, "reload");
  walk.expect(503, "getReadiness");

  EXPECT_THAT(walk.statuses_not_seen(), IsEmpty());
  EXPECT_THAT(walk.members_not_seen(), IsEmpty()) << "nothing may be described that no answer has shown";
}

}  // namespace
}  // namespace davit::testing

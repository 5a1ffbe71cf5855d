// Signing in and out, as browsers do it and as others try to.
#include <gmock/gmock.h>

#include <future>
#include <map>
#include <thread>

#include "host/base/json.h"
#include "host/http/caller.h"
#include "tests/support/route_parts.h"

namespace davit::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::header_of;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using testing::TestedRoutes;

class SessionRoutesTest : public ::testing::Test {
 protected:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  Response sign_in(const std::string& token, Headers headers = {},
                   const std::string& address = "198.51.100.7") {
    headers.emplace_back("Content-Type", "application/json");
    return parts_.ask(
        {"POST", "/api/session", "", "{\"token\":" + json_quote(token) + "}", headers, address});
  }
  // The secret of the cookie that an answer sets.
  static std::string secret_of(const Response& response) {
    const std::string cookie = header_of(response, "Set-Cookie");
    const std::size_t begin = cookie.find('=') + 1;
    return cookie.substr(begin, cookie.find(';') - begin);
  }
  static Headers session(const std::string& secret) {
    return {{"Cookie", "other=1; davit_session=" + secret}, {"X-CSRF-Token", csrf_token(secret)}};
  }
  Response get(const std::string& path, Headers headers) {
    return parts_.ask({"GET", path, "", "", headers});
  }
  Response post(const std::string& path, const std::string& body, Headers headers) {
    return parts_.ask({"POST", path, "", body, headers});
  }
  static Headers bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }
  std::string text_of(const Response& response, const char* member) {
    const auto body = parse_json(response.body);
    return body.ok() ? string_member(*body, member) : "";
  }
  int looks(Headers headers) { return get("/api/dashboard/queue", std::move(headers)).status; }
  std::string create_token(const std::string& body) {
    const Response made = post("/api/tokens", body, bearer(TestedRoutes::kAdmin));
    EXPECT_EQ(made.status, 201) << made.body;
    return text_of(made, "token");
  }

  TestedRoutes parts_;
};

TEST_F(SessionRoutesTest, ATokenBecomesASessionThatSeesAndActs) {
  const Response answer = sign_in(TestedRoutes::kAdmin);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(text_of(answer, "name"), "admin");
  EXPECT_EQ(text_of(answer, "role"), "admin");
  EXPECT_EQ(text_of(answer, "way"), "session");
  EXPECT_EQ(text_of(answer, "expires_at"), to_iso8601(parts_.clock().wall() + TestedRoutes::kLimits.idle));
  const std::string cookie = header_of(answer, "Set-Cookie");
  EXPECT_THAT(cookie,
              AllOf(StartsWith("davit_session="), HasSubstr("; HttpOnly"), HasSubstr("; SameSite=Strict"),
                    HasSubstr("; Path=/"), Not(HasSubstr("Secure")), Not(HasSubstr("Domain"))));
  const std::string secret = secret_of(answer);
  EXPECT_EQ(secret.size(), 64u);
  EXPECT_THAT(answer.body, Not(HasSubstr(secret)));
  EXPECT_THAT(answer.body, Not(HasSubstr(TestedRoutes::kAdmin)));

  EXPECT_EQ(get("/api/dashboard/tasks", session(secret)).status, 200);
  EXPECT_EQ(post("/api/queue/pause", "{}", session(secret)).status, 200);
  const Response who = get("/api/session", session(secret));
  EXPECT_EQ(text_of(who, "csrf_token"), csrf_token(secret));
  EXPECT_EQ(text_of(get("/api/session", bearer(TestedRoutes::kReader)), "role"), "reader");
  EXPECT_EQ(text_of(get("/api/session", bearer(TestedRoutes::kReader)), "csrf_token"), "");
}

TEST_F(SessionRoutesTest, ThatNobodyIsSignedInIsToldAsAnAnswer) {
  for (const Headers& headers : {Headers{}, session(std::string(64, '0'))}) {
    const Response nobody = get("/api/session", headers);
    EXPECT_EQ(nobody.status, 200);
    EXPECT_THAT(nobody.body, HasSubstr(R"("role":null)"));
  }
  EXPECT_EQ(get("/api/session", bearer("wrong-token-00000")).status, 401);
}

TEST_F(SessionRoutesTest, AReaderSeesAndDoesNotAct) {
  const std::string secret = secret_of(sign_in(TestedRoutes::kReader));
  EXPECT_EQ(get("/api/dashboard/tasks", session(secret)).status, 200);
  EXPECT_EQ(post("/api/queue/pause", "{}", session(secret)).status, 403);
  EXPECT_EQ(get("/api/dashboard/audit", session(secret)).status, 403);
}

TEST_F(SessionRoutesTest, SigningOutEndsTheSessionThere) {
  const std::string secret = secret_of(sign_in(TestedRoutes::kAdmin));
  EXPECT_EQ(parts_.ask({"DELETE", "/api/session", "", "", {{"Cookie", "davit_session=" + secret}}}).status,
            403);
  const Response out = parts_.ask({"DELETE", "/api/session", "", "", session(secret)});
  EXPECT_EQ(out.status, 204);
  EXPECT_THAT(header_of(out, "Set-Cookie"), AllOf(StartsWith("davit_session=;"), HasSubstr("Max-Age=0")));
  EXPECT_EQ(looks(session(secret)), 401);
  parts_.reopen();
  EXPECT_EQ(looks(session(secret)), 401);
  EXPECT_EQ(parts_.ask({"DELETE", "/api/session", "", "", bearer(TestedRoutes::kAdmin)}).status, 409);
}

TEST_F(SessionRoutesTest, ASessionOutlivesARestartAndEndsWhenItIsIdleOrOld) {
  const std::string secret = secret_of(sign_in(TestedRoutes::kAdmin));
  parts_.reopen();
  ASSERT_EQ(looks(session(secret)), 200);
  for (Duration used{0}; used < TestedRoutes::kLimits.lifetime - TestedRoutes::kLimits.idle;
       used += TestedRoutes::kLimits.idle / 2) {
    parts_.clock().advance(TestedRoutes::kLimits.idle / 2);
    ASSERT_EQ(looks(session(secret)), 200) << "it was used";
  }
  parts_.clock().advance(TestedRoutes::kLimits.idle);
  EXPECT_EQ(looks(session(secret)), 401) << "idle";

  const std::string busy = secret_of(sign_in(TestedRoutes::kAdmin));
  int status = 200;
  Duration lived{0};
  for (; status == 200 && lived < 2 * TestedRoutes::kLimits.lifetime;
       lived += TestedRoutes::kLimits.idle / 2) {
    parts_.clock().advance(TestedRoutes::kLimits.idle / 2);
    status = looks(session(busy));
  }
  EXPECT_EQ(lived, TestedRoutes::kLimits.lifetime) << "however much it is used";
}

TEST_F(SessionRoutesTest, ANamedTokenSignsInUntilItIsRevokedAndItsSessionsEndWithIt) {
  const std::string token = create_token(R"({"name":"ada","role":"admin"})");
  EXPECT_THAT(token, ::testing::MatchesRegex("davit_[0-9a-f]{64}"));
  const std::string secret = secret_of(sign_in(token));
  EXPECT_EQ(text_of(get("/api/session", session(secret)), "name"), "ada");
  EXPECT_EQ(text_of(get("/api/session", bearer(token)), "name"), "ada");
  EXPECT_EQ(post("/api/tokens/ada/revoke", "", bearer(TestedRoutes::kAdmin)).status, 200);
  const Response revoked = get("/api/dashboard/queue", bearer(token));
  EXPECT_EQ(revoked.status, 401);
  EXPECT_EQ(looks(session(secret)), 401);
  const Response again = sign_in(token);
  const Response unknown = sign_in("davit_" + std::string(64, '0'));
  EXPECT_EQ(again.status, 401);
  EXPECT_EQ(text_of(again, "detail"), text_of(unknown, "detail")) << "who guesses does not learn which";
  EXPECT_EQ(text_of(revoked, "detail"), text_of(get("/api/dashboard/queue", bearer("unknown")), "detail"));
  parts_.reopen();
  EXPECT_EQ(looks(bearer(token)), 401);
  EXPECT_EQ(looks(session(secret)), 401);
}

TEST_F(SessionRoutesTest, ATokenExpiresAtItsTimeAndItsSessionsWithIt) {
  const WallTime end = parts_.clock().wall() + Duration(60'000);
  const std::string token =
      create_token(R"({"name":"guest","role":"reader","expires_at":")" + to_iso8601(end) + "\"}");
  const std::string secret = secret_of(sign_in(token));
  parts_.clock().advance(Duration(59'999));
  EXPECT_EQ(looks(session(secret)), 200);
  parts_.clock().advance(Duration(1));
  EXPECT_EQ(looks(session(secret)), 401);
  EXPECT_EQ(looks(bearer(token)), 401);
  EXPECT_THAT(get("/api/tokens", bearer(TestedRoutes::kAdmin)).body, HasSubstr(R"("state":"expired")"));
}

TEST_F(SessionRoutesTest, ListsOfTokensTellNoSecretAndWhenEachWasUsed) {
  const std::string token = create_token(R"({"name":"ci","role":"reader"})");
  const auto list = [&] { return get("/api/tokens", bearer(TestedRoutes::kAdmin)).body; };
  EXPECT_THAT(list(), AllOf(HasSubstr(R"("name":"ci","role":"reader","state":"good")"),
                            HasSubstr(R"("created_by":"admin")"), HasSubstr(R"("last_used_at":null)"),
                            Not(HasSubstr(token)), Not(HasSubstr(sha256_hex(token)))));
  EXPECT_EQ(looks(bearer(token)), 200);
  EXPECT_THAT(list(), HasSubstr("\"last_used_at\":\"" + to_iso8601(parts_.clock().wall()) + "\""));
  for (const AuditEntry& entry : parts_.audit()) EXPECT_THAT(entry.parameters, Not(HasSubstr(token)));
}

TEST_F(SessionRoutesTest, WhatIsWrongWithATokenIsSaid) {
  for (const auto& [body, field] : std::vector<std::pair<std::string, std::string>>{
           {R"({"name":"Ada","role":"admin"})", "name"},
           {R"({"name":"","role":"admin"})", "name"},
           {R"({"role":"admin"})", "name"},
           {R"({"name":"admin","role":"admin"})", "name"},
           {R"({"name":"reader","role":"reader"})", "name"},
           {R"({"name":"ada"})", "role"},
           {R"({"name":"ada","role":"owner"})", "role"},
           {R"({"name":"ada","role":7})", "role"},
           {R"({"name":"ada","role":"admin","expires_at":"2001-01-01"})", "expires_at"},
           {R"({"name":"ada","role":"admin","expires_at":"soon"})", "expires_at"},
           {R"({"name":"ada","role":"admin","token":"mine"})", "token"}}) {
    const Response refused = post("/api/tokens", body, bearer(TestedRoutes::kAdmin));
    EXPECT_EQ(refused.status, 400) << body;
    EXPECT_THAT(refused.body, HasSubstr("\"field\":\"" + field + "\"")) << body;
  }
  for (const char* body : {"", "[]", "{"})
    EXPECT_EQ(post("/api/tokens", body, bearer(TestedRoutes::kAdmin)).status, 400) << body;
  create_token(R"({"name":"ada","role":"admin"})");
  EXPECT_EQ(post("/api/tokens", R"({"name":"ada","role":"admin"})", bearer(TestedRoutes::kAdmin)).status,
            409);
  EXPECT_EQ(post("/api/tokens/eve/revoke", "", bearer(TestedRoutes::kAdmin)).status, 404);
}

TEST_F(SessionRoutesTest, BehindHttpsTheCookieIsSecureAndItsHostsAlone) {
  const Headers https{{"X-Forwarded-For", "198.51.100.7"}, {"X-Forwarded-Proto", "https"}};
  const Response answer = sign_in(TestedRoutes::kAdmin, https, "127.0.0.1");
  const std::string cookie = header_of(answer, "Set-Cookie");
  EXPECT_THAT(cookie,
              AllOf(StartsWith("__Host-davit_session="), HasSubstr("; Secure"), HasSubstr("; Path=/")));
  const std::string secret = secret_of(answer);
  const auto ask = [&](const std::string& name, Headers more) {
    more.emplace_back("Cookie", name + "=" + secret);
    return parts_.ask({"GET", "/api/dashboard/queue", "", "", more, "127.0.0.1"}).status;
  };
  EXPECT_EQ(ask("__Host-davit_session", https), 200);
  EXPECT_EQ(ask("davit_session", https), 401) << "which a page of another host could have set";
  // Only a proxy of ours can say that it is https.
  EXPECT_THAT(header_of(sign_in(TestedRoutes::kAdmin, {{"X-Forwarded-Proto", "https"}}), "Set-Cookie"),
              StartsWith("davit_session="));
}

TEST_F(SessionRoutesTest, OtherPagesAndFormsSignNobodyIn) {
  const std::string body = "{\"token\":\"" + std::string(TestedRoutes::kAdmin) + "\"}";
  const auto status = [&](Headers headers, const std::string& sent) {
    const Response answer = post("/api/session", sent, std::move(headers));
    EXPECT_EQ(header_of(answer, "Set-Cookie"), "");
    return answer.status;
  };
  const std::pair<std::string, std::string> json{"Content-Type", "application/json"};
  EXPECT_EQ(status({}, body), 400);
  EXPECT_EQ(status({{"Content-Type", "text/plain"}}, body), 400);
  EXPECT_EQ(status({{"Content-Type", "application/x-www-form-urlencoded"}}, body), 400);
  EXPECT_EQ(status({json, {"Sec-Fetch-Site", "cross-site"}}, body), 403);
  EXPECT_EQ(status({json, {"Sec-Fetch-Site", "none"}}, body), 403);
  EXPECT_EQ(status({json, {"Host", "davit.test"}, {"Origin", "https://evil.test"}}, body), 403);
  EXPECT_EQ(status({json, {"Host", "davit.test"}, {"Origin", "null"}}, body), 403);
  EXPECT_EQ(status({json}, "{}"), 400);
  EXPECT_EQ(status({json}, "{\"token\":7}"), 400);
  EXPECT_EQ(status({json}, "{\"token\":\"\"}"), 400);
  EXPECT_EQ(status({json}, "{\"token\":\"x\",\"role\":\"admin\"}"), 400);
  EXPECT_EQ(status({json}, "[]"), 400);
  EXPECT_EQ(status({json}, ""), 400);
  EXPECT_EQ(status({json}, "{\"token\":\"" + std::string(5'000, 'x') + "\"}"), 413);
}

TEST_F(SessionRoutesTest, PagesOfDavitsOwnAreKnownByTheirOriginAlsoWhereAProxyLeavesOutThePort) {
  const std::pair<std::string, std::string> json{"Content-Type", "application/json"};
  const std::string body = "{\"token\":\"" + std::string(TestedRoutes::kAdmin) + "\"}";
  const auto status = [&](const std::string& host, const std::string& origin) {
    return post("/api/session", body, {json, {"Host", host}, {"Origin", origin}}).status;
  };
  EXPECT_EQ(status("127.0.0.1:8080", "http://127.0.0.1:8080"), 200);
  EXPECT_EQ(status("davit.test", "https://davit.test"), 200);
  EXPECT_EQ(status("davit.test", "https://davit.test:8443"), 200);
  EXPECT_EQ(status("davit.test:8443", "https://davit.test"), 403);
  EXPECT_EQ(status("davit.test:8443", "https://davit.test:9000"), 403);
  EXPECT_EQ(status("davit.test", "https://davit.test.evil.test"), 403);
  EXPECT_EQ(status("[::1]:8080", "http://[::1]:8080"), 200);
  EXPECT_EQ(post("/api/session", body, {json, {"Sec-Fetch-Site", "same-origin"}}).status, 200);
}

TEST_F(SessionRoutesTest, WhoGuessesIsSlowedDownAndNobodyElseIs) {
  for (int i = 0; i < LoginLimit::kBurst; ++i) EXPECT_EQ(sign_in("wrong-token-00000").status, 401);
  const Response limited = sign_in("wrong-token-00000");
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(header_of(limited, "Retry-After"), "6");
  EXPECT_EQ(sign_in(TestedRoutes::kAdmin).status, 429) << "what is right is not looked at either";
  EXPECT_EQ(sign_in(TestedRoutes::kAdmin, {}, "198.51.100.8").status, 200);
  EXPECT_EQ(looks(bearer(TestedRoutes::kAdmin)), 200) << "tokens go on working";
  parts_.clock().advance(Duration(6'000));
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(sign_in(TestedRoutes::kAdmin).status, 200) << "what is right costs nothing";
}

TEST_F(SessionRoutesTest, HoweverManySignInAtOnceNobodyRightIsTakenForAGuesser) {
  constexpr int kAtOnce = 40;
  static_assert(kAtOnce > LoginLimit::kBurst);
  const Router router = parts_.router(parts_.routes());
  // All of them come before the first one is answered: the writer is held up by one of its own.
  std::promise<void> held, go_on;
  parts_.store().reach_writer([&, until = go_on.get_future().share()] {
    held.set_value();
    until.wait();
  });
  held.get_future().wait();
  std::vector<std::future<int>> answers;
  for (int i = 0; i < kAtOnce; ++i) {
    answers.push_back(std::async(std::launch::async, [&] {
      auto mail = parts_.first_of({"POST", "/api/session", "", R"({"token":"the-reader-token-1"})",
                                   {{"Content-Type", "application/json"}}},
                                  router);
      return mail ? std::get<Response>(mail->content).status : 0;
    }));
  }
  while (parts_.store().writer_stats().waiting < static_cast<std::size_t>(kAtOnce)) std::this_thread::yield();
  go_on.set_value();
  for (std::future<int>& answer : answers) EXPECT_EQ(answer.get(), 200);
}

TEST_F(SessionRoutesTest, AReaderWhoSignsInWithoutEndSignsNobodyOutAndFloodsNoAuditLog) {
  const std::string admin = secret_of(sign_in(TestedRoutes::kAdmin));
  int good = 0, refused = 0;
  Response last;
  for (int i = 0; i < 4 * TestedRoutes::kLimits.most; ++i) {
    last = sign_in(TestedRoutes::kReader, {}, "198.51.100." + std::to_string(i % 200));
    (last.status == 200 ? good : refused) += 1;
  }
  EXPECT_EQ(good, LoginLimit::kBurstOfToken);
  EXPECT_EQ(refused, 4 * TestedRoutes::kLimits.most - good);
  EXPECT_EQ(last.status, 429);
  EXPECT_EQ(header_of(last, "Retry-After"), "60");
  EXPECT_EQ(looks(session(admin)), 200);
  parts_.reopen();
  EXPECT_EQ(looks(session(admin)), 200);
  const auto lines = parts_.audit({.operation = "signIn", .limit = 500});
  EXPECT_THAT(lines, SizeIs(1 + LoginLimit::kBurstOfToken + AuditLog::kDeniedAtOnce));
  EXPECT_EQ(lines[0].actor, "reader");
  EXPECT_EQ(lines[0].outcome, "denied");
  EXPECT_EQ(lines[0].way, "session");
  EXPECT_EQ(sign_in(TestedRoutes::kAdmin).status, 200) << "another token";
  EXPECT_EQ(looks(bearer(TestedRoutes::kReader)), 200);
  parts_.clock().advance(LoginLimit::kEachOfToken);
  EXPECT_EQ(sign_in(TestedRoutes::kReader).status, 200);
  EXPECT_EQ(sign_in(TestedRoutes::kReader).status, 429);
}

TEST_F(SessionRoutesTest, WhatSomebodyWasKeptFromIsInTheAuditLog) {
  post("/api/tasks/0190aaaa-0000-7000-8000-000000000000/cancel", "{}", bearer(TestedRoutes::kReader));
  const std::string secret = secret_of(sign_in(TestedRoutes::kAdmin));
  post("/api/plugins/agent/worker/disable", "", {{"Cookie", "davit_session=" + secret}});
  post("/api/tokens/ada/revoke", "", bearer("wrong-token-00000"));
  post("/api/tokens/" + std::string(5'000, 'x') + "/revoke", "", bearer(TestedRoutes::kReader));
  const auto denied = parts_.audit({.outcome = "denied", .limit = 500});
  ASSERT_THAT(denied, SizeIs(4));
  const auto tells = [](const AuditEntry& line) { return line.actor + " " + line.way + " " + line.object; };
  EXPECT_EQ(tells(denied[3]), "reader token 0190aaaa-0000-7000-8000-000000000000");
  EXPECT_EQ(tells(denied[2]), "admin session agent/worker");
  EXPECT_EQ(tells(denied[1]), " token ada");
  EXPECT_EQ(denied[0].object.size(), 256u);
  EXPECT_THAT(parts_.audit({.object = "0190aaaa-0000-7000-8000-000000000000", .limit = 500}), SizeIs(1));
}

TEST_F(SessionRoutesTest, FromEverywhereTogetherTriesAreLimitedToo) {
  int limited = 0;
  for (int i = 0; i < LoginLimit::kBurstOfAll + 20; ++i)
    limited += sign_in("wrong-token-00000", {}, "198.51.100." + std::to_string(i)).status == 429 ? 1 : 0;
  EXPECT_EQ(limited, 20);
}

TEST_F(SessionRoutesTest, AWrongTokenIsToldSoSomeTimesAndThenToWait) {
  const auto ask = [&](const std::string& token, const std::string& address = "198.51.100.7") {
    return parts_.ask({"GET", "/api/dashboard/tasks", "", "", bearer(token), address});
  };
  for (int i = 0; i < WrongTokenLimit::kBurst; ++i) EXPECT_EQ(ask("wrong-token-00000").status, 401);
  const Response limited = ask("wrong-token-00001");
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.content_type, "application/problem+json");
  EXPECT_EQ(header_of(limited, "Retry-After"), "6");
  EXPECT_EQ(header_of(limited, "WWW-Authenticate"), "");
  EXPECT_FALSE(limited.close);
  // Whatever is asked for, and by any way that looks at a token.
  EXPECT_EQ(post("/api/queue/pause", "{}", bearer("wrong-token-00000")).status, 429);
  EXPECT_EQ(get("/api/session", bearer("wrong-token-00000")).status, 429);
  EXPECT_EQ(get("/metrics", bearer("wrong-token-00000")).status, 429);

  EXPECT_EQ(ask("wrong-token-00000", "198.51.100.8").status, 401) << "another address";
  EXPECT_EQ(get("/api/dashboard/tasks", {}).status, 401) << "no token is no wrong one";
  parts_.clock().advance(WrongTokenLimit::kEach);
  EXPECT_EQ(ask("wrong-token-00000").status, 401);
  EXPECT_EQ(ask("wrong-token-00000").status, 429);
}

TEST_F(SessionRoutesTest, WhoHasARightTokenIsNotLockedOutByWhoGuessesFromTheSameAddress) {
  const std::string named = create_token(R"({"name":"ada","role":"admin"})");
  const std::string secret = secret_of(sign_in(named));
  for (int i = 0; i < 3 * WrongTokenLimit::kBurst; ++i) looks(bearer("wrong-token-00000"));
  ASSERT_EQ(looks(bearer("wrong-token-00000")), 429);
  for (const std::string& token : {std::string(TestedRoutes::kAdmin), std::string(TestedRoutes::kReader), named})
    EXPECT_EQ(looks(bearer(token)), 200);
  EXPECT_EQ(looks(session(secret)), 200);
  EXPECT_EQ(sign_in(TestedRoutes::kReader).status, 200) << "signing in has its own limit";
  EXPECT_EQ(looks(bearer("wrong-token-00000")), 429) << "a right token makes no wrong one better";
}

TEST_F(SessionRoutesTest, WhoComesInIsInTheAuditLogAndGuessesAreBounded) {
  sign_in(TestedRoutes::kAdmin);
  ASSERT_THAT(parts_.audit(), SizeIs(1));
  EXPECT_EQ(parts_.audit()[0].operation, "signIn");
  EXPECT_EQ(parts_.audit()[0].actor, "admin");
  EXPECT_EQ(parts_.audit()[0].address, "198.51.100.7");
  constexpr int kTries = 3 * AuditLog::kDeniedAtOnce;
  for (int i = 0; i < kTries; ++i) get("/api/dashboard/tasks", bearer("wrong-token-00000"));
  const auto denied = parts_.audit({.outcome = "denied", .limit = 500});
  EXPECT_THAT(denied, SizeIs(AuditLog::kDeniedAtOnce));
  EXPECT_EQ(denied.back().reason, "davit does not know this token");
  EXPECT_THAT(denied.front().reason, HasSubstr("too many requests with a wrong token"));
  EXPECT_EQ(denied[0].operation, "listTasks");
  get("/api/dashboard/audit", bearer(TestedRoutes::kReader));
  const auto known = parts_.audit({.outcome = "denied", .limit = 1});
  ASSERT_THAT(known, SizeIs(1));
  EXPECT_EQ(known[0].actor, "reader") << "whom no stranger hides";
  EXPECT_EQ(known[0].unrecorded, 0);
  parts_.clock().advance(AuditLog::kDeniedEach);
  get("/api/dashboard/tasks", bearer("wrong-token-00000"));
  const auto newest = parts_.audit({.outcome = "denied", .limit = 1});
  ASSERT_THAT(newest, SizeIs(1));
  EXPECT_EQ(newest[0].actor, "");
  EXPECT_EQ(newest[0].unrecorded, kTries - AuditLog::kDeniedAtOnce) << "told with the next";
}

TEST_F(SessionRoutesTest, WhatIsRefusedIsInTheAuditLogWithItsReason) {
  post("/api/queue/pause", R"({"agent":"nobody"})", bearer(TestedRoutes::kAdmin));
  post("/api/tasks/0b5c/approve", "{}", bearer(TestedRoutes::kAdmin));
  post("/api/plugins/agent/nobody/disable", "{}", bearer(TestedRoutes::kAdmin));
  post("/api/tasks/0b5d/cancel", R"({"reason":1})", bearer(TestedRoutes::kAdmin));
  const auto lines = parts_.audit();
  ASSERT_THAT(lines, SizeIs(4));
  // Those of one commit stand in the order of their urgency.
  std::map<std::string, std::string> objects;
  for (const AuditEntry& line : lines) {
    EXPECT_EQ(line.outcome, "refused");
    EXPECT_NE(line.reason, "");
    objects[line.operation] = line.object;
  }
  EXPECT_EQ(objects["disablePlugin"], "agent/nobody");
  EXPECT_EQ(objects["approveTask"], "0b5c");
  EXPECT_EQ(objects["cancelTask"], "0b5d") << "what it was about is known before its body is read";
  EXPECT_TRUE(objects.contains("pauseQueue"));
}

TEST_F(SessionRoutesTest, TheAuditLogIsListedInPages) {
  for (int i = 0; i < 3; ++i) post("/api/queue/pause", "{}", bearer(TestedRoutes::kAdmin));
  ASSERT_THAT(parts_.audit(), SizeIs(3));
  const auto list = [&](const std::string& query) {
    return parts_.ask({"GET", "/api/dashboard/audit", query, "", bearer(TestedRoutes::kAdmin)});
  };
  const Response first = list("operation=pauseQueue&limit=2");
  EXPECT_EQ(first.status, 200) << first.body;
  const std::string cursor = text_of(first, "next_cursor");
  ASSERT_NE(cursor, "");
  EXPECT_EQ(text_of(list("operation=pauseQueue&limit=2&cursor=" + cursor), "next_cursor"), "");
  EXPECT_EQ(list("cursor=x").status, 400);
  EXPECT_EQ(list("limit=501").status, 400);
  EXPECT_EQ(list("user=ada").status, 400);
  EXPECT_EQ(list("start_date=yesterday").status, 400);
}

}  // namespace
}  // namespace davit::http

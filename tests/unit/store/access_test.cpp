// Tokens and sessions: made, revoked, kept over a restart, and never more than there may be.
#include "host/base/crypto.h"
#include "tests/unit/store/conformance.h"

namespace davit::store {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AccessTest : public StoreTest {
 protected:
  Result<> create_token(const std::string& name, const std::string& secret, Role role = Role::Reader) {
    AccessToken token;
    token.name = name;
    token.role = role;
    token.sha256 = sha256(secret);
    token.created_by = "admin";
    return wait([&](auto done) { store().create_token(token, done); });
  }
  Result<AccessToken> revoke(const std::string& name) {
    return wait<AccessToken>([&](auto done) { store().revoke_token(name, done); });
  }
  void sign_in(const std::string& secret, const std::string& token, SessionLimits limits = kLimits) {
    const LoginSession session{sha256(secret), sha256(token), clock_.wall(), clock_.wall(), "198.51.100.7"};
    const auto opened = wait<std::vector<std::string>>(
        [&](auto done) { store().open_session(session, limits, done); });
    ASSERT_TRUE(opened.ok());
    ended = *opened;
  }
  std::vector<std::string> ended;  // sessions, for the one that was opened last
  static constexpr SessionLimits kLimits{.idle = Duration(1'000), .lifetime = Duration(10'000), .most = 3};
};

TEST_F(AccessTest, ATokenIsReadAsItWasMadeAlsoAfterARestart) {
  ASSERT_TRUE(create_token("ci", "secret", Role::Admin).ok());
  database_.close();
  const auto tokens = store().tokens().value();
  ASSERT_THAT(tokens, SizeIs(1));
  EXPECT_EQ(tokens[0].name, "ci");
  EXPECT_EQ(tokens[0].role, Role::Admin);
  EXPECT_EQ(tokens[0].sha256, sha256("secret"));
  EXPECT_EQ(tokens[0].created_at, clock_.wall());
  EXPECT_EQ(tokens[0].created_by, "admin");
  EXPECT_FALSE(tokens[0].expires_at || tokens[0].used_at || tokens[0].revoked_at);
  expect_sound();
}

TEST_F(AccessTest, ANameIsTakenOnceAlsoByWhatIsRevoked) {
  ASSERT_TRUE(create_token("ci", "first").ok());
  const Result<> second = create_token("ci", "second");
  EXPECT_EQ(second.error().code, ErrorCode::Conflict);
  EXPECT_THAT(second.error().message, HasSubstr("revoke it, or take another name"));
  ASSERT_TRUE(revoke("ci").ok());
  EXPECT_THAT(create_token("ci", "third").error().message, HasSubstr("is revoked"));
  EXPECT_THAT(store().tokens().value(), SizeIs(1));
}

TEST_F(AccessTest, RevokingEndsTheSessionsOfThatTokenOnly) {
  ASSERT_TRUE(create_token("ada", "a").ok());
  ASSERT_TRUE(create_token("bob", "b").ok());
  sign_in("of ada", "a");
  sign_in("of bob", "b");
  clock_.advance(Duration(5));
  EXPECT_EQ(revoke("ada")->revoked_at, clock_.wall());
  const auto sessions = store().sessions().value();
  ASSERT_THAT(sessions, SizeIs(1));
  EXPECT_EQ(sessions[0].token_sha256, sha256("b"));
  EXPECT_EQ(revoke("ada").error().code, ErrorCode::Conflict);
  EXPECT_EQ(revoke("eve").error().code, ErrorCode::NotFound);
}

TEST_F(AccessTest, SigningInForgetsWhatIsOverAndWhatIsTooMuch) {
  sign_in("idle", "t");
  clock_.advance(Duration(1'001));
  sign_in("1", "t");
  EXPECT_THAT(store().sessions().value(), SizeIs(1));
  for (const char* each : {"2", "3", "4"}) {
    clock_.advance(Duration(1));
    sign_in(each, "t");
  }
  const auto sessions = store().sessions().value();
  ASSERT_THAT(sessions, SizeIs(3));
  for (const LoginSession& session : sessions) EXPECT_NE(session.sha256, sha256("1")) << "used least lately";
}

TEST_F(AccessTest, WhoMakesManySessionsEndsHisOwnOnly) {
  constexpr SessionLimits kSome{
      .idle = Duration(1'000'000), .lifetime = Duration(1'000'000), .most = 6, .most_of_one = 3};
  const auto of = [&](const std::string& token) {
    int count = 0;
    const std::vector<LoginSession> all = store().sessions().value();
    for (const LoginSession& each : all) count += each.token_sha256 == sha256(token);
    return count;
  };
  sign_in("admin's", "admin", kSome);
  for (int i = 0; i < 20; ++i) {
    clock_.advance(Duration(1));
    sign_in("reader's " + std::to_string(i), "reader", kSome);
    EXPECT_THAT(ended, SizeIs(i < 3 ? 0 : 1));
    if (i >= 3) {
      EXPECT_EQ(ended.at(0), sha256("reader's " + std::to_string(i - 3))) << "used least lately";
    }
  }
  EXPECT_EQ(of("admin"), 1);
  EXPECT_EQ(of("reader"), 3);
  // Beyond the number of all, it is taken from who has most.
  for (const char* token : {"a", "b", "c", "d"}) {
    clock_.advance(Duration(1));
    sign_in(std::string("of ") + token, token, kSome);
    EXPECT_LE(store().sessions().value().size(), 6u);
  }
  EXPECT_EQ(of("admin"), 1);
  EXPECT_EQ(of("reader"), 1);
}

TEST_F(AccessTest, ASessionEndsWhenItIsClosedAndItsUseIsNoted) {
  sign_in("s", "t");
  clock_.advance(Duration(500));
  store().note_session_use(sha256("s"));
  ASSERT_TRUE(create_token("later", "l").ok());  // behind it in the queue
  EXPECT_EQ(store().sessions().value().at(0).used_at, clock_.wall());
  ASSERT_TRUE(wait([&](auto done) { store().close_session(sha256("s"), done); }).ok());
  EXPECT_THAT(store().sessions().value(), IsEmpty());
}

TEST_F(AccessTest, ABackupKeepsTokensAndNobodySignedIn) {
  ASSERT_TRUE(create_token("ci", "secret").ok());
  sign_in("s", "secret");
  const auto copy = database_.folder() / "copy.db";
  ASSERT_TRUE(store().backup(copy).ok());
  TempDatabase restored(clock_);
  std::filesystem::copy_file(copy, restored.path());
  restored.options.read_only = true;
  EXPECT_THAT(restored.open().tokens().value(), SizeIs(1));
  EXPECT_THAT(restored.store().sessions().value(), IsEmpty());
}

}  // namespace
}  // namespace davit::store

#include "host/http/authentication.h"

#include <gmock/gmock.h>

#include "host/base/crypto.h"
#include "tests/support/route_parts.h"

namespace davit::http {
namespace {

using testing::TestedRoutes;

class AuthenticationTest : public ::testing::Test {
 protected:
  std::optional<Role> role_of(const std::string& authorization) {
    const Response who = parts_.ask({"GET", "/api/session", "", "", {{"Authorization", authorization}}});
    if (who.status != 200) return std::nullopt;
    return role_from(string_member(*parse_json(who.body), "role"));
  }
  TestedRoutes parts_;
};

TEST_F(AuthenticationTest, KnowsTheRoleOfAToken) {
  EXPECT_EQ(role_of("Bearer the-admin-token-1"), Role::Admin);
  EXPECT_EQ(role_of("bearer the-reader-token-1"), Role::Reader);
}

TEST_F(AuthenticationTest, GivesNoRoleForAnythingElse) {
  for (const char* bad : {"", "Bearer", "Bearer ", "Bearer the-admin-token-2", "Basic the-admin-token-1",
                          "the-admin-token-1", "Bearer the-admin-token-1 ", "Bearer the-admin-token-11"}) {
    EXPECT_FALSE(role_of(bad).has_value()) << bad;
  }
}

TEST_F(AuthenticationTest, AnUnsetTokenAdmitsNobody) {
  const auto nobody = Authentication::load({}, TestedRoutes::kLimits, parts_.store(), parts_.clock());
  ASSERT_TRUE(nobody.ok());
  for (const char* token : {"", " ", "x", "the-admin-token-1"})
    EXPECT_FALSE((*nobody)->by_token(token).has_value()) << token;
}

}  // namespace
}  // namespace davit::http

#include "host/http/authentication.h"

#include <gtest/gtest.h>

#include "host/base/crypto.h"

namespace davit::http {
namespace {

TEST(AuthenticationTest, KnowsTheRoleOfAToken) {
  Authentication authentication(sha256_hex("admin-token-0001"), sha256_hex("reader-token-001"));
  EXPECT_EQ(authentication.role_of("Bearer admin-token-0001"), Role::Admin);
  EXPECT_EQ(authentication.role_of("bearer reader-token-001"), Role::Reader);
}

TEST(AuthenticationTest, GivesNoRoleForAnythingElse) {
  Authentication authentication(sha256_hex("admin-token-0001"), sha256_hex("reader-token-001"));
  for (const char* bad : {"", "Bearer", "Bearer ", "Bearer admin-token-0002", "Basic admin-token-0001",
                          "admin-token-0001", "Bearer admin-token-0001 ", "Bearer admin-token-00011"}) {
    EXPECT_FALSE(authentication.role_of(bad).has_value()) << bad;
  }
}

TEST(AuthenticationTest, AnUnsetTokenAdmitsNobody) {
  Authentication authentication(sha256_hex("admin-token-0001"), "");
  EXPECT_FALSE(authentication.role_of("Bearer ").has_value());
  EXPECT_FALSE(authentication.role_of("Bearer  ").has_value());
  EXPECT_FALSE(authentication.role_of("Bearer x").has_value());
}

}  // namespace
}  // namespace davit::http

#include "host/base/crypto.h"

#include <gtest/gtest.h>

namespace davit {
namespace {

// RFC 8032, section 7.1, test 2: a message of one byte.
const std::string kPrivate = *from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
const std::string kPublic = *from_hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
const std::string kMessage = "\x72";
constexpr char kSignature[] =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

TEST(CryptoTest, SignsAndVerifiesTheVectorOfTheStandard) {
  const auto signature = ed25519_sign(kPrivate, kMessage);
  ASSERT_TRUE(signature.ok());
  EXPECT_EQ(to_hex(*signature), kSignature);
  EXPECT_TRUE(ed25519_verify(kPublic, kMessage, *signature));
  EXPECT_FALSE(ed25519_verify(kPublic, "another message", *signature));
  EXPECT_FALSE(ed25519_sign("too short", kMessage).ok());
}

TEST(CryptoTest, ReadsPrivateKeysAsToolsWriteThem) {
  const std::string der = *from_hex("302e020100300506032b657004220420") + kPrivate;  // PKCS #8, RFC 8410
  const std::string pem = "-----BEGIN PRIVATE KEY-----\n" + to_base64(der) + "\n-----END PRIVATE KEY-----\n";
  for (const std::string& text :
       {pem, "whsk_" + to_base64(kPrivate + kPublic) + "\n", "whsk_" + to_base64(kPrivate)}) {
    const auto key = ed25519_private_key(text);
    ASSERT_TRUE(key.ok()) << text;
    EXPECT_EQ(*key, kPrivate);
  }
}

TEST(CryptoTest, WhatIsNoPrivateKeyIsRefusedWithoutBeingShown) {
  const std::string rsa_like =
      "-----BEGIN PRIVATE KEY-----\n" + to_base64(*from_hex("302e020100300506032b656e04220420") + kPrivate) +
      "\n-----END PRIVATE KEY-----\n";  // X25519: of the same size, and for something else
  for (const std::string& text :
       {std::string(), std::string("hunter2-hunter2"), std::string("whsk_"), "whsk_" + to_base64("short"),
        "whpk_" + to_base64(kPublic), rsa_like, std::string("-----BEGIN PRIVATE KEY-----\n")}) {
    const auto key = ed25519_private_key(text);
    ASSERT_FALSE(key.ok()) << text;
    EXPECT_EQ(key.error().message.find("hunter2"), std::string::npos);
  }
}

}  // namespace
}  // namespace davit

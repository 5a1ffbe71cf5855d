#include "davit/signature.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "davit/testing/request_builder.hpp"
#include "davit/testing/signer.hpp"

namespace {

using namespace davit;
using namespace std::chrono_literals;
using davit::testing::RequestBuilder;

std::string hex_of(const Digest& digest) { return to_hex(bytes_of(digest)); }

TEST(Sha256Test, MatchesTheVectorsOfNist) {
  EXPECT_EQ(hex_of(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_of(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex_of(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, GivesTheSameHoweverTheTextIsCut) {
  const std::string text(300, 'x');
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string_view whole = std::string_view(text).substr(0, size);
    const Digest digest = Sha256().update(whole.substr(0, size / 3)).update(whole.substr(size / 3)).finish();
    EXPECT_EQ(digest, sha256(whole)) << size;
  }
}

TEST(HmacTest, MatchesTheVectorsOfRfc4231) {
  EXPECT_EQ(hex_of(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex_of(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex_of(hmac_sha256(std::string(20, '\xaa'), std::string(50, '\xdd'))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(
      hex_of(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(EncodingTest, ReadsBackWhatItWrote) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
    bytes += static_cast<char>(i);
  }
}

TEST(EncodingTest, RefusesWhatIsNotItsAlphabet) {
  for (const char* bad : {"a", "0g", "0x00", " 00"}) EXPECT_FALSE(from_hex(bad)) << bad;
  for (const char* bad : {"YQ", "YQ=", "Y===", "YQ==YQ==", "YR==", "Y-==", "Y Q="})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

// The scheme that each sender of the vectors' file uses.
std::optional<Signature> scheme_of(const std::string& id, JsonView vector) {
  const std::string_view service = vector["service"].string_or("");
  if (id == "adnanh-sha1" || id == "adnanh-sha512" || id == "stdwebhooks-v1a-ed25519") return std::nullopt;
  if (service == "slack") {
    return Signature::hmac_sha256("X-Slack-Signature")
        .prefix("v0=")
        .signs("v0:{timestamp}:{body}")
        .timestamp("X-Slack-Request-Timestamp", 300s);
  }
  if (service == "standard-webhooks") {
    return Signature::hmac_sha256("webhook-signature")
        .prefix("v1,")
        .base64()
        .secret_prefix("whsec_")
        .secret_base64()
        .separator(" ")
        .signs("{id}.{timestamp}.{body}")
        .timestamp("webhook-timestamp", 300s)
        .id("webhook-id");
  }
  if (service == "sentry") return Signature::hmac_sha256("Sentry-Hook-Signature").hex();
  return Signature::hmac_sha256("X-Hub-Signature-256").or_header("X-Hub-Signature").prefix("sha256=").hex();
}

TEST(VerifyTest, AgreesWithTheSendersOwnVectors) {
  std::ifstream file(DAVIT_SOURCE_DIR "/tests/abi/testdata/signature-vectors.json");
  const Json document = Json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
  int checked = 0;
  for (JsonView vector : document["vectors"]) {
    const std::string id(vector["id"].string_or(""));
    const auto scheme = scheme_of(id, vector);
    if (!scheme) continue;
    RequestBuilder request(std::string(vector["body"].string_or("")));
    Time now{};
    for (auto [name, value] : vector["headers"].members()) {
      request.header(std::string(name), std::string(value.string_or("")));
      if (name == scheme->timestamp_header()) {
        now = time_from_unix_ms(std::stoll(std::string(value.string_or("0"))) * 1000);
      }
    }
    const Secrets secrets(std::vector<std::string_view>{"an older one", vector["secret"].string_or("")});
    EXPECT_EQ(verify(*scheme, request.request(), secrets, now), vector["valid"].bool_or(false)) << id;
    ++checked;
    if (scheme->timestamp_header().empty()) continue;
    EXPECT_FALSE(verify(*scheme, request.request(), secrets, now + 301s)) << id;
    EXPECT_FALSE(verify(*scheme, request.request(), secrets, now - 301s)) << id;
  }
  EXPECT_GE(checked, 20);
}

TEST(VerifyTest, AcceptsWhatTheTestSignerSigned) {
  const Signature scheme = Signature::hmac_sha256("S")
                               .prefix("v1,")
                               .base64()
                               .signs("{id}.{timestamp}.{body}")
                               .timestamp("T", 60s)
                               .id("I");
  const Time now = time_from_unix_ms(1'700'000'000'000);
  RequestBuilder request("{}");
  davit::testing::sign(request, scheme, "secret", now);
  EXPECT_TRUE(verify(scheme, request.request(), Secrets({"new", "secret"}), now));
  EXPECT_FALSE(verify(scheme, request.request(), Secrets({"new"}), now));
  EXPECT_FALSE(verify(scheme, request.request(), Secrets(std::vector<std::string_view>{}), now));
  request.body("{ }");
  EXPECT_FALSE(verify(scheme, request.request(), Secrets({"secret"}), now));
}

TEST(VerifyTest, RefusesASignatureHeaderThatOccursTwice) {
  const Signature scheme = Signature::hmac_sha256("S");
  RequestBuilder request("{}");
  davit::testing::sign(request, scheme, "secret");
  davit::testing::sign(request, scheme, "secret");
  EXPECT_FALSE(verify(scheme, request.request(), Secrets({"secret"}), Time{}));
}

TEST(VerifyTest, RefusesAnIdThatCouldShiftTheSignedText) {
  const Signature scheme = Signature::hmac_sha256("S").signs("{id}.{body}").id("I");
  RequestBuilder request("body");
  request.header("S", to_hex(bytes_of(hmac_sha256("secret", "a.b.body")))).header("I", "a.b");
  EXPECT_FALSE(verify(scheme, request.request(), Secrets({"secret"}), Time{}));
}

TEST(VerifyTest, APublicKeyNeverServesAsAnHmacKey) {
  const Signature scheme = Signature::hmac_sha256("S").hex().or_ed25519().secret_prefix("whpk_").base64();
  RequestBuilder request("{}");
  davit::testing::sign(request, scheme, "whpk_cHVibGlj");
  EXPECT_FALSE(verify(scheme, request.request(), Secrets({"whpk_cHVibGlj"}), Time{}));
}

TEST(VerifyTest, AnEmptySecretVerifiesNothing) {
  EXPECT_FALSE(verify_hmac_hex(Secrets({""}), "body", to_hex(bytes_of(hmac_sha256("", "body")))));
}

TEST(WithinWindowTest, TakesDecimalSecondsOnBothSidesOfNow) {
  const Time now = time_from_unix_ms(1'000'000);
  EXPECT_TRUE(within_window("1000", now, 0s));
  EXPECT_TRUE(within_window("1300", now, 300s));
  EXPECT_TRUE(within_window("700", now, 300s));
  EXPECT_FALSE(within_window("699", now, 300s));
  EXPECT_FALSE(within_window("1301", now, 300s));
  for (const char* bad : {"", "-1000", "+1000", "1000.0", " 1000", "99999999999999999999"}) {
    EXPECT_FALSE(within_window(bad, now, 300s)) << bad;
  }
}

}  // namespace

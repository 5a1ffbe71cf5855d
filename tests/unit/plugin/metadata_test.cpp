// What webhooks and agents say about themselves is refused with the member that is wrong.
#include "host/plugin/metadata.h"

#include <gmock/gmock.h>

namespace davit::plugin {
namespace {

using ::testing::HasSubstr;

std::string refusal_of(const std::string& sample) {
  const auto read = webhook_metadata_from_json(R"({"name":"shop","sample":)" + sample + "}");
  const Refusal* refusal = std::get_if<Refusal>(&read);
  return refusal == nullptr ? "" : refusal->code + ": " + refusal->reason;
}

TEST(MetadataTest, ASampleIsADeliveryAsItsSenderWouldPostIt) {
  EXPECT_EQ(refusal_of(R"({"body":{}})"), "");
  EXPECT_EQ(refusal_of(R"({"headers":{"X-Shop-Event":"order"},"body":"a=b"})"), "");
  const std::string many = [] {
    std::string headers;
    for (int i = 0; i < 65; ++i) headers += (i ? ",\"A" : "\"A") + std::to_string(i) + "\":\"\"";
    return headers;
  }();
  struct Row {
    std::string sample;
    const char* words;
  };
  const Row rows[] = {
      {"1", "metadata.sample must be"},
      {"{}", "metadata.sample must be"},
      {R"({"headers":{}})", "metadata.sample must be"},
      {R"({"body":1,"event":"x"})", "metadata.sample has \"event\""},
      {R"({"body":1,"headers":[]})", "metadata.sample.headers must be an object"},
      {R"({"body":1,"headers":{)" + many + "}}", "at most 64"},
      {R"({"body":1,"headers":{"":"x"}})", "metadata.sample.headers must name"},
      {R"({"body":1,"headers":{"A B":"x"}})", "\"A B\""},
      {R"({"body":1,"headers":{"A":1}})", "a line of at most 1024 bytes"},
      {R"({"body":1,"headers":{"A":"x\ny"}})", "a line of at most 1024 bytes"},
      {R"({"body":1,"headers":{"A":")" + std::string(1025, 'x') + "\"}}", "a line of at most 1024 bytes"},
      {R"({"body":")" + std::string(32 << 10, 'x') + "\"}", "metadata.sample is longer than 32768 bytes"},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(refusal_of(row.sample), HasSubstr(row.words)) << row.sample.substr(0, 80);
    EXPECT_THAT(refusal_of(row.sample), HasSubstr("bad_metadata")) << row.sample.substr(0, 80);
  }
}

}  // namespace
}  // namespace davit::plugin

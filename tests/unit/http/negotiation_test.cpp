#include "host/http/negotiation.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace davit::http {
namespace {

std::string header(const Response& response, std::string_view name) {
  std::string all;
  for (const auto& [each, value] : response.headers)
    if (each == name) all += (all.empty() ? "" : "|") + value;
  return all;
}

std::string gunzipped(const std::string& packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  std::string whole(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(whole.data());
  stream.avail_out = static_cast<uInt>(whole.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  whole.resize(stream.total_out);
  inflateEnd(&stream);
  return whole;
}

Response answer(std::size_t bytes) {
  Response response;
  for (std::size_t i = 0; response.body.size() < bytes; ++i) response.body += std::to_string(i) + ",";
  response.body.resize(bytes);
  return response;
}

TEST(NegotiationTest, GzipIsForWhoNamesItWithAWeight) {
  for (const char* takes : {"gzip", "GZip", "br, gzip", "gzip;q=0.001", "gzip ; q=1.000", "gzip;q=1., x",
                            "gzip;Q=0.5", "gzip;q=0.5, identity;q=0.5", "gzip, identity;q=0", "gzip, *;q=0"})
    EXPECT_TRUE(takes_gzip(takes)) << takes;
  for (const char* refuses : {"", "*", "identity", "gzip;q=0", "gzip;q=0.000", "gzip;q=", "gzip;q=2",
                              "gzip;q=1.001", "gzip;q=0.0001", "gzip;q=-1", "gzip;q=0,5", "gzip;level=1",
                              "xgzip", "gzip;q=0.4, identity;q=0.5", "gzip;q=0, gzip", ",;,"})
    EXPECT_FALSE(takes_gzip(refuses)) << refuses;
}

TEST(NegotiationTest, AListMayComeInSeveralLines) {
  Request request;
  request.headers = {{"If-None-Match", "\"a\""}, {"Accept-Encoding", "br"}, {"if-none-match", "\"b\""}, {"accept-encoding", "gzip"}};
  const Wishes wishes = wishes_of(request);
  EXPECT_TRUE(wishes.gzip);
  EXPECT_TRUE(has_tag(wishes.tags, "\"a\"") && has_tag(wishes.tags, "\"b\""));
}

TEST(NegotiationTest, TagsAreComparedWeaklyAndWhole) {
  for (const char* has :
       {"\"a\"", "W/\"a\"", "*", " * ", "\"x\", \"a\"", "\"x\"\t,W/\"a\" ,", "\"x,y\",\"a\""})
    EXPECT_TRUE(has_tag(has, "\"a\"")) << has;
  for (const char* lacks :
       {"", "a", "\"A\"", "\"aa\"", "\"x\", *", "\"x", "w/\"a\"", "\"x, \"a\"", "junk, \"a\""})
    EXPECT_FALSE(has_tag(lacks, "\"a\"")) << lacks;
}

TEST(NegotiationTest, AnAnswerHasATagOfItsBytes) {
  Response one = answer(100), same = answer(100), other = answer(101);
  for (Response* each : {&one, &same, &other}) suit(*each, {});
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(header(one, "ETag"), header(same, "ETag"));
  EXPECT_NE(header(one, "ETag"), header(other, "ETag"));
  EXPECT_EQ(header(one, "Cache-Control"), "private, no-cache");
  EXPECT_EQ(header(one, "Vary"), "Accept-Encoding");
}

TEST(NegotiationTest, WhoHasItIsToldSoWithoutTheBytes) {
  for (const bool gzip : {false, true}) {
    Response first = answer(5'000), again = answer(5'000), changed = answer(5'001);
    suit(first, {gzip, ""});
    const std::string tag = header(first, "ETag");
    suit(again, {gzip, "W/" + tag});
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(again.content_type, "");
    EXPECT_EQ(header(again, "ETag"), tag);
    EXPECT_EQ(header(again, "Vary"), "Accept-Encoding");
    EXPECT_EQ(header(again, "Content-Encoding"), "");
    suit(changed, {gzip, tag});
    EXPECT_EQ(changed.status, 200);
    Response differently_packed = answer(5'000);
    suit(differently_packed, {!gzip, tag});
    EXPECT_EQ(differently_packed.status, 200) << "bytes of another coding are other bytes";
  }
}

TEST(NegotiationTest, WhatIsLargeIsPackedForWhoTakesIt) {
  Response large = answer(kWorthPacking + 1);
  const std::string whole = large.body;
  suit(large, {true, ""});
  EXPECT_EQ(header(large, "Content-Encoding"), "gzip");
  EXPECT_LT(large.body.size(), whole.size());
  EXPECT_EQ(gunzipped(large.body), whole);
  EXPECT_EQ(large.content_type, "application/json");

  Response small = answer(kWorthPacking), unwanted = answer(kWorthPacking + 1);
  suit(small, {true, ""});
  suit(unwanted, {false, ""});
  for (const Response* plain : {&small, &unwanted}) EXPECT_EQ(header(*plain, "Content-Encoding"), "");
  EXPECT_EQ(unwanted.body, whole);
}

// A secret beside a text that somebody else chose could be guessed by the size of the packed answer.
TEST(NegotiationTest, WhatIsNotToBeStoredIsNeitherTaggedNorPacked) {
  Response secret = answer(5'000);
  secret.headers.emplace_back("Cache-Control", "no-store");
  suit(secret, {true, "*"});
  EXPECT_EQ(secret.status, 200);
  EXPECT_EQ(secret.headers.size(), 1u);
  EXPECT_EQ(secret.body.size(), 5'000u);
}

TEST(NegotiationTest, OtherAnswersStayAsTheyAre) {
  for (const int status : {201, 202, 204, 303, 400, 404, 500, 503}) {
    Response response = answer(5'000);
    response.status = status;
    suit(response, {true, "*"});
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.body.size(), 5'000u);
    EXPECT_TRUE(response.headers.empty());
  }
  Response tagged = answer(5'000);
  tagged.headers.emplace_back("ETag", "\"own\"");
  suit(tagged, {true, "\"own\""});
  EXPECT_EQ(tagged.status, 200);
  EXPECT_EQ(tagged.headers.size(), 1u);
}

}  // namespace
}  // namespace davit::http

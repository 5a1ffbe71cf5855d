#include "host/http/client_address.h"

#include <gtest/gtest.h>

namespace davit::http {
namespace {

using Headers = std::vector<Header>;

std::string client(const std::string& peer, Headers headers, std::vector<std::string> trusted,
                   ForwardedHeader header = ForwardedHeader::XForwardedFor) {
  Request request;
  request.remote_address = peer;
  request.headers = std::move(headers);
  return client_address(request, {std::move(trusted), header});
}

TEST(ClientAddressTest, WithoutATrustedProxyTheHeadersCountForNothing) {
  EXPECT_EQ(client("198.51.100.7", {{"X-Forwarded-For", "10.0.0.1"}}, {}), "198.51.100.7");
  EXPECT_EQ(client("198.51.100.7", {{"X-Forwarded-For", "10.0.0.1"}}, {"127.0.0.1"}), "198.51.100.7");
}

TEST(ClientAddressTest, HopsAreBelievedFromTheRightAsLongAsTheirTellersAreTrusted) {
  const std::vector<std::string> ours{"127.0.0.1", "10.0.0.2"};
  EXPECT_EQ(client("127.0.0.1", {{"X-Forwarded-For", "198.51.100.7"}}, ours), "198.51.100.7");
  EXPECT_EQ(client("127.0.0.1", {{"x-forwarded-for", "1.1.1.1, 198.51.100.7, 10.0.0.2"}}, ours),
            "198.51.100.7")
      << "what the client claims of itself stands further left";
  EXPECT_EQ(client("127.0.0.1", {{"X-Forwarded-For", "10.0.0.2"}}, ours), "10.0.0.2");
  EXPECT_EQ(client("127.0.0.1", {}, ours), "127.0.0.1");
}

TEST(ClientAddressTest, AHeaderGivenTwiceIsOneList) {
  const Headers headers{
      {"X-Forwarded-For", "1.1.1.1"}, {"Via", "x"}, {"X-Forwarded-For", "198.51.100.7,10.0.0.2"}};
  EXPECT_EQ(client("127.0.0.1", headers, {"127.0.0.1", "10.0.0.2"}), "198.51.100.7");
  EXPECT_EQ(client("127.0.0.1", headers, {"127.0.0.1", "10.0.0.2", "198.51.100.7"}), "1.1.1.1");
}

TEST(ClientAddressTest, WhatCannotBeReadEndsTheWay) {
  for (const char* text : {"unknown", "_hidden", "", ",", " , ", "1.2.3.4.5", "[2001:db8::1", "256.1.1.1",
                           "x, ,", "1.1.1.1, localhost"}) {
    EXPECT_EQ(client("127.0.0.1", {{"X-Forwarded-For", text}}, {"127.0.0.1"}), "127.0.0.1") << text;
  }
}

TEST(ClientAddressTest, PortsBracketsAndSpellingsAreOneAddress) {
  for (const auto& [text, address] : {std::pair("198.51.100.7:4711", "198.51.100.7"),
                                      {"[2001:db8::1]:4711", "2001:db8::1"},
                                      {"[2001:db8::1]", "2001:db8::1"},
                                      {"2001:0DB8:0::1", "2001:db8::1"},
                                      {"::ffff:198.51.100.7", "198.51.100.7"}}) {
    EXPECT_EQ(client("127.0.0.1", {{"X-Forwarded-For", text}}, {"127.0.0.1"}), address) << text;
  }
  EXPECT_EQ(client("2001:db8::2", {{"X-Forwarded-For", "198.51.100.7"}}, {"2001:0db8:0:0::2"}),
            "198.51.100.7");
}

TEST(ClientAddressTest, ForwardedIsReadOnlyWhereItIsTheHeaderOfTheProxies) {
  const auto read = [](const char* text) {
    return client("127.0.0.1", {{"Forwarded", text}, {"X-Forwarded-For", "1.1.1.1"}},
                  {"127.0.0.1", "10.0.0.2"}, ForwardedHeader::Forwarded);
  };
  EXPECT_EQ(read("for=198.51.100.7"), "198.51.100.7");
  EXPECT_EQ(read("for=2.2.2.2, proto=https;For=\"198.51.100.7:80\";by=1.2.3.4, for=10.0.0.2"),
            "198.51.100.7");
  EXPECT_EQ(read("for=\"[2001:db8::1]:4711\""), "2001:db8::1");
  EXPECT_EQ(read("for=unknown"), "127.0.0.1");
  EXPECT_EQ(read("proto=https"), "127.0.0.1");
  EXPECT_EQ(read("for=\"198.51.100.7, 10.0.0.2"), "127.0.0.1") << "a quote that nobody closes";
  EXPECT_EQ(client("127.0.0.1", {{"Forwarded", "for=198.51.100.7"}}, {"127.0.0.1"}), "127.0.0.1")
      << "from the client, unless the proxies are said to write it";
}

TEST(ClientAddressTest, AnEndlessListIsNotFollowed) {
  std::string list = "198.51.100.7";
  for (int i = 0; i < 1000; ++i) list += ",127.0.0.1";
  EXPECT_EQ(client("127.0.0.1", {{"X-Forwarded-For", list}}, {"127.0.0.1"}), "127.0.0.1");
}

}  // namespace
}  // namespace davit::http

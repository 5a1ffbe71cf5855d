#include <gtest/gtest.h>

#include <string>

#include "sandbox/addresses.h"

namespace {

using sandbox::Address;
using sandbox::kept_out;

std::string judged(const std::string& text, bool allow_private) {
  const auto address = Address::from(text, 443);
  EXPECT_TRUE(address) << text;
  return address ? kept_out(*address, allow_private) : "no address";
}

TEST(AddressTest, HostsOfTheInternetAreReached) {
  for (const char* text : {"1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1",
                           "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.1", "172.15.255.255",
                           "172.32.0.1", "192.167.255.255", "192.169.0.1", "223.255.255.255",
                           "2606:4700::1111", "2a00:1450::1", "64:ff9b::101:101", "2002:101:101::1"})
    EXPECT_EQ(judged(text, false), "") << text;
}

TEST(AddressTest, PrivateOnesNeedAWord) {
  for (const char* text :
       {"127.0.0.1", "127.255.255.254", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
        "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "::1", "fc00::1", "fdff::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::1",
        "2002:a00:1::"}) {
    EXPECT_NE(judged(text, false), "") << text;
    EXPECT_EQ(judged(text, true), "") << text;
  }
}

TEST(AddressTest, NeighboursMetadataGroupsAndNobodyAreNeverReached) {
  for (const char* text : {"0.0.0.0",
                           "0.1.2.3",
                           "169.254.169.254",
                           "169.254.0.1",
                           "192.0.0.8",
                           "192.0.2.1",
                           "192.88.99.1",
                           "198.18.0.1",
                           "198.19.255.255",
                           "198.51.100.1",
                           "203.0.113.1",
                           "224.0.0.1",
                           "239.255.255.255",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::2",
                           "::7f00:1",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "ff02::1",
                           "2001:db8::1",
                           "2001::1",
                           "3fff::1",
                           "4000::1",
                           "100::1",
                           "64:ff9b:1::1",
                           "::ffff:169.254.169.254",
                           "::ffff:0.0.0.0",
                           "64:ff9b::a9fe:a9fe",
                           "2002:a9fe:a9fe::1"}) {
    EXPECT_NE(judged(text, false), "") << text;
    EXPECT_NE(judged(text, true), "") << text;
  }
}

TEST(AddressTest, OtherSpellingsAreNoAddresses) {
  for (const char* text : {"", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.1.",
                           "1.2.3.4%eth0", "fe80::1%lo", "localhost", "[::1]"})
    EXPECT_FALSE(Address::from(text, 443)) << text;
}

TEST(AddressTest, AnAddressInOtherClothesIsTheSame) {
  EXPECT_EQ(Address::from("::ffff:10.0.0.1", 1)->text(), "10.0.0.1");
  EXPECT_EQ(Address::from("::FFFF:a00:1", 1)->family(), AF_INET);
  EXPECT_EQ(Address::from("2606:4700:0::1", 1)->text(), "2606:4700::1");
}

}  // namespace

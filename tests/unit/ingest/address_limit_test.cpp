#include "host/ingest/address_limit.h"

#include <gtest/gtest.h>

namespace davit::ingest {
namespace {

const MonotonicTime kNow = MonotonicTime(std::chrono::hours(1000));

bool passes(AddressLimit& limit, const std::string& address) {
  return limit.take(address, kNow).count() == 0;
}

TEST(AddressKeyTest, Ipv4CountsByAddressAndIpv6ByTheNetworkOfACustomer) {
  EXPECT_NE(address_key("198.51.100.1"), address_key("198.51.100.2"));
  EXPECT_EQ(address_key("198.51.100.1"), address_key("::ffff:198.51.100.1"));
  EXPECT_EQ(address_key("2001:db8:1:2::1"), address_key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  EXPECT_NE(address_key("2001:db8:1:2::1"), address_key("2001:db8:1:3::1"));
}

TEST(AddressKeyTest, ThisMachineAndWhatIsNoAddressHaveNone) {
  for (const char* address : {"127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "", "unknown", "1.2.3"})
    EXPECT_EQ(address_key(address), std::nullopt) << address;
}

TEST(AddressLimitTest, EachAddressHasABucketOfItsOwn) {
  AddressLimit limit({1, 2});
  EXPECT_TRUE(passes(limit, "198.51.100.1"));
  EXPECT_TRUE(passes(limit, "198.51.100.1"));
  EXPECT_FALSE(passes(limit, "198.51.100.1"));
  EXPECT_TRUE(passes(limit, "198.51.100.2"));
  EXPECT_TRUE(passes(limit, "2001:db8::1"));
  EXPECT_TRUE(passes(limit, "2001:db8::2"));
  EXPECT_FALSE(passes(limit, "2001:db8::3")) << "the same /64";
}

TEST(AddressLimitTest, ThisMachineIsNotLimited) {
  AddressLimit limit({1, 1});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(passes(limit, "127.0.0.1"));
}

TEST(AddressLimitTest, WithoutARateNobodyIsLimited) {
  AddressLimit limit({0, 1});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(passes(limit, "198.51.100.1"));
}

// A table of 16,384 places meets sixteen times as many addresses of one request each: whoever has just used
// up its bucket must not get a new one by that.
TEST(AddressLimitTest, AFloodOfAddressesDoesNotMakeItForgetTheBusyOnes) {
  AddressLimit limit({1, 100});
  std::vector<std::string> busy;
  for (int i = 1; i <= 50; ++i) busy.push_back("203.0.113." + std::to_string(i));
  for (const std::string& address : busy) {
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(passes(limit, address));
    ASSERT_FALSE(passes(limit, address));
  }
  constexpr std::size_t kFlood = 16 * AddressLimit::kSets * AddressLimit::kPlaces;
  for (std::size_t i = 0; i < kFlood; ++i) {
    const auto part = [&](int shift) { return std::to_string(i >> shift & 255); };
    ASSERT_TRUE(passes(limit, "10." + part(16) + "." + part(8) + "." + part(0)));
  }
  for (const std::string& address : busy) EXPECT_FALSE(passes(limit, address)) << address;
}

}  // namespace
}  // namespace davit::ingest

// What programs printed, made readable.
#include "log_text/log_text.h"

#include <gtest/gtest.h>

#include "davit/text.hpp"

namespace {

using log_text::readable_log;

class LogTextTest : public testing::Test {
 protected:
  const redact::Redactor redactor_{{"hush-hush"}};
};

TEST_F(LogTextTest, HasNoTimesColoursOrSecrets) {
  EXPECT_EQ(
      readable_log("\xEF\xBB\xBF"
                   "2026-11-26T09:30:00.1234567Z \x1B[31mone\x1B[0m\n"
                   "2026-11-26T09:30:01.1Z two hush-hush\n2026-11-26T09:30 three\n2026-11-26T09:30:02.1Z\n",
                   1000, redactor_)
          .find("hush"),
      std::string::npos);
  EXPECT_EQ(readable_log("2026-11-26T09:30:00.1234567Z \x1B[31mone\x1B[0m\n2026-11-26T09:30 two\n", 1000,
                         redactor_),
            "one\n2026-11-26T09:30 two\n");
}

TEST_F(LogTextTest, KeepsTheEndFromTheBeginningOfALineOn) {
  EXPECT_EQ(readable_log("first\nsecond\nthird\n", 10, redactor_), "third\n");
  EXPECT_EQ(readable_log("one line without end", 8, redactor_), "hout end");
  EXPECT_EQ(readable_log("", 8, redactor_), "");
}

TEST_F(LogTextTest, IsUtf8WhateverCame) {
  EXPECT_TRUE(davit::is_utf8(readable_log("a\xFF\xC3\xA4 b\xC3", 1000, redactor_)));
  EXPECT_TRUE(davit::is_utf8(readable_log("\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4", 3, redactor_)));
}

}  // namespace

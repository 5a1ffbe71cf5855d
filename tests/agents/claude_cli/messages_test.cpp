// Single lines of the CLI.
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "claude_cli/messages.h"

namespace {

using claude::Assistant;
using claude::Chatter;
using claude::message_from;
using claude::one_line;
using claude::Other;
using claude::RateLimit;
using claude::Result;
using claude::Unreadable;

template <class Kind>
bool is(const std::string& line) {
  return std::holds_alternative<Kind>(message_from(line));
}

Result result_in(const std::string& line) { return std::get<Result>(message_from(line)); }

TEST(ClaudeMessagesTest, WhatDoesNotBeginWithABraceIsChatter) {
  EXPECT_TRUE(is<Chatter>(""));
  EXPECT_TRUE(is<Chatter>("   \r"));
  EXPECT_TRUE(is<Chatter>("[1]"));
  EXPECT_TRUE(is<Chatter>("hello {"));
  EXPECT_TRUE(is<Chatter>("\xff"));
}

TEST(ClaudeMessagesTest, WhatBeginsWithABraceAndIsNoJsonIsUnreadable) {
  EXPECT_TRUE(is<Unreadable>("{"));
  EXPECT_TRUE(is<Unreadable>("{\"type\":\"result\"} {"));
  EXPECT_TRUE(is<Unreadable>(std::string("{\"type\":\"\0\"}", 12)));
  EXPECT_TRUE(is<Unreadable>("{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}"));
}

TEST(ClaudeMessagesTest, ALineMayBeginWithBlanksAndEndWithAReturn) {
  EXPECT_TRUE(is<Result>("  {\"type\":\"result\"}\r"));
  EXPECT_TRUE(is<Other>("{}"));
}

TEST(ClaudeMessagesTest, AResultThatDoesNotSayThatItIsGoodIsAnError) {
  EXPECT_TRUE(result_in(R"({"type":"result","subtype":"success"})").is_error);
  EXPECT_TRUE(result_in(R"({"type":"result","subtype":"success","is_error":"false"})").is_error);
  EXPECT_FALSE(result_in(R"({"type":"result","subtype":"success","is_error":false})").is_error);
}

TEST(ClaudeMessagesTest, HalvesOfCharactersAreReplacedAndWholeOnesKept) {
  const auto text = [](const std::string& json) {
    return result_in("{\"type\":\"result\",\"result\":\"" + json + "\"}").text;
  };
  EXPECT_EQ(text(R"(a\ud83d)"), "a\xEF\xBF\xBD");
  EXPECT_EQ(text(R"(\ude00b)"),
            "\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(text(R"(\ud83d\ud83d\ude00)"), "\xEF\xBF\xBD\xF0\x9F\x98\x80");
  EXPECT_EQ(text(R"(\ud83d\n)"), "\xEF\xBF\xBD\n");
  EXPECT_EQ(text(R"(\ud83d \\ud83d)"), "\xEF\xBF\xBD \\ud83d") << "an escaped backslash begins no escape";
  EXPECT_EQ(text("\xff"), "\xEF\xBF\xBD");
}

TEST(ClaudeMessagesTest, ErrorsAreJoined) {
  EXPECT_EQ(result_in(R"({"type":"result","errors":["one",{"message":"two"},3]})").text, "one; two; ");
}

TEST(ClaudeMessagesTest, ATimeInSecondsOrMillisecondsIsTheSame) {
  const auto at = [](const std::string& number) {
    return std::get<RateLimit>(
               message_from(
                   R"({"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":)" +
                   number + "}}"))
        .resets_at_ms;
  };
  EXPECT_EQ(at("1790000000"), 1'790'000'000'000);
  EXPECT_EQ(at("1790000000000"), 1'790'000'000'000);
  EXPECT_EQ(at("0"), std::nullopt);
  EXPECT_EQ(at("-1"), std::nullopt);
  EXPECT_EQ(at("\"soon\""), std::nullopt);
  EXPECT_EQ(at("9000000000000000000"), std::nullopt);
}

TEST(ClaudeMessagesTest, NamesAreCutBetweenCharacters) {
  std::string name(127, 'm');
  const Assistant message =
      std::get<Assistant>(message_from("{\"type\":\"assistant\",\"message\":{\"model\":\"" + name + "ä\"}}"));
  EXPECT_EQ(message.model, name);
}

TEST(ClaudeMessagesTest, OneLineIsOneLine) {
  EXPECT_EQ(one_line("a\nb\tc\x7F", 100), "a b c");
  EXPECT_EQ(one_line("  \n ", 100), "");
  EXPECT_EQ(one_line("", 0), "");
  EXPECT_EQ(one_line("abc", 2), "ab");
  EXPECT_EQ(one_line("a\xC3\xA4", 2), "a");
  EXPECT_EQ(one_line("\xff\xff\xff", 3), "\xEF\xBF\xBD") << "what was mended fits as well";
}

}  // namespace

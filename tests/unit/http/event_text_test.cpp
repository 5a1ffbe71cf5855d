#include "host/http/event_text.h"

#include <gtest/gtest.h>

#include "host/base/json.h"

namespace davit::http {
namespace {

constexpr const char* kEpoch = "0a1b2c";

// The data of the only event in it.
JsonDocument data_of(const std::string& text) {
  constexpr std::string_view kData = "\ndata: ";
  const std::size_t begin = text.find(kData) + kData.size();
  auto data = parse_json(text.substr(begin, text.find('\n', begin) - begin));
  EXPECT_TRUE(data.ok()) << text;
  return data.ok() ? std::move(*data) : JsonDocument();
}

TEST(EventTextTest, AnIdSaysOfWhichLifeItIs) {
  EXPECT_EQ(event_id(kEpoch, 17), "0a1b2c-17");
  EXPECT_EQ(number_of(kEpoch, "0a1b2c-17"), 17u);
  for (const char* wrong : {"", "17", "0a1b2d-17", "0a1b2c", "0a1b2c-", "0a1b2c-x", "0a1b2c-17x", "0a1b2c--1",
                            "0a1b2c- 1", "0a1b2c-99999999999999999999999"})
    EXPECT_EQ(number_of(kEpoch, wrong), std::nullopt) << wrong;
}

TEST(EventTextTest, ATaskIsToldWithWhatIsKnownOfIt) {
  std::string text;
  append_event(text, kEpoch, {7, Topic::Task, "id-of-task", "worker", TaskState::AwaitingApproval, {}}, "{}");
  EXPECT_EQ(text,
            "id: 0a1b2c-7\nevent: task\n"
            "data: {\"task_id\":\"id-of-task\",\"agent\":\"worker\",\"status\":\"awaiting_approval\"}\n\n");
  text.clear();
  append_event(text, kEpoch, {8, Topic::Task, "id-of-task", "", std::nullopt, {}}, "{}");
  EXPECT_EQ(text, "id: 0a1b2c-8\nevent: task\ndata: {\"task_id\":\"id-of-task\"}\n\n");
}

TEST(EventTextTest, EachTopicHasItsMembers) {
  const auto told = [](Event event) {
    std::string text;
    append_event(text, kEpoch, event, R"({"queued":3})");
    return text.substr(text.find("event: "));
  };
  EXPECT_EQ(told({1, Topic::Execution, "t", "worker", TaskState::Running, "s"}),
            "event: execution\ndata: {\"task_id\":\"t\",\"session_id\":\"s\",\"agent\":\"worker\","
            "\"status\":\"running\"}\n\n");
  EXPECT_EQ(told({1, Topic::Delivery, "d", "", std::nullopt, {}}),
            "event: delivery\ndata: {\"delivery_id\":\"d\"}\n\n");
  EXPECT_EQ(told({1, Topic::Delivery, "", "", std::nullopt, {}}), "event: delivery\ndata: {}\n\n");
  EXPECT_EQ(told({1, Topic::Plugin, "", "", std::nullopt, {}}), "event: plugin\ndata: {}\n\n");
  EXPECT_EQ(told({.number = 1, .topic = Topic::Pruned}), "event: pruned\ndata: {}\n\n");
  EXPECT_EQ(told({.number = 1, .topic = Topic::Budget}), "event: budget\ndata: {}\n\n");
  EXPECT_EQ(told({.number = 1, .topic = Topic::Budget, .id = "worker", .scope = "agent", .resumes_at = from_unix_ms(0)}),
            "event: budget\ndata: {\"scope\":\"agent\",\"key\":\"worker\",\"spent\":true,"
            "\"resumes_at\":\"1970-01-01T00:00:00.000Z\"}\n\n");
  EXPECT_EQ(told({.number = 1, .topic = Topic::Budget, .scope = "day"}),
            "event: budget\ndata: {\"scope\":\"day\",\"key\":null,\"spent\":false,\"resumes_at\":null}\n\n");
  EXPECT_EQ(told({1, Topic::Queue, "", "", std::nullopt, {}}), "event: queue\ndata: {\"queued\":3}\n\n");
}

TEST(EventTextTest, TextFromOutsideCannotEndItsLine) {
  std::string text;
  append_line(text, "t", "s", {"text\n", "one\r\ntwo\n\nid: forged\u2028", from_unix_ms(1), 3});
  EXPECT_EQ(text.find("\n\n"), text.size() - 2);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find("\nid:"), std::string::npos);
  const JsonDocument data = data_of(text);
  EXPECT_EQ(string_member(data, "line"), "one\r\ntwo\n\nid: forged\u2028");
  EXPECT_EQ(int_member(data, "number"), 3);
  EXPECT_EQ(string_member(data, "at"), "1970-01-01T00:00:00.001Z");
  EXPECT_FALSE(bool_member(data, "shortened", true));
}

TEST(EventTextTest, ALongLineIsCutAtACharacter) {
  std::string text, line = "x";
  for (int i = 0; i < 20'000; ++i) line += "ü";
  append_line(text, "t", "s", {"text", line, WallTime{}, 1});
  const JsonDocument data = data_of(text);
  const std::string told = string_member(data, "line");
  EXPECT_TRUE(is_utf8(told));
  EXPECT_EQ(told.size(), (16u << 10) - 1);
  EXPECT_TRUE(bool_member(data, "shortened", false));
  EXPECT_TRUE(find_member(data, "at")->IsNull());
}

TEST(EventTextTest, GreetingResetAndHeartbeatSayHowFarItIs) {
  std::string text;
  append_hello(text, kEpoch, 5, true);
  EXPECT_EQ(text, "retry: 2000\nid: 0a1b2c-5\nevent: hello\ndata: {\"resumed\":true}\n\n");
  text.clear();
  append_reset(text, kEpoch, 6);
  EXPECT_EQ(text, "retry: 2000\nid: 0a1b2c-6\nevent: reset\ndata: {}\n\n");
  text.clear();
  append_heartbeat(text, kEpoch, 9);
  EXPECT_EQ(text, ":\nid: 0a1b2c-9\n\n");
  text.clear();
  append_missed_lines(text, "t", "s");
  EXPECT_EQ(text, "event: log\ndata: {\"task_id\":\"t\",\"session_id\":\"s\",\"missed\":true}\n\n");
}

}  // namespace
}  // namespace davit::http

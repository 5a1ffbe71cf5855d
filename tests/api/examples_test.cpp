// The examples of docs/API.md do what stands there: each is run by bash against a real host.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <sstream>

#include "tests/api/sample_host.h"

namespace davit::testing {
namespace {

struct Example {
  int line = 0;
  std::string operation;  // the heading above it: "GET /api/dashboard/tasks"
  std::string commands, answer;
  std::string kind;  // "json" or "text"
  int status = 0;
};

// Fences of `sh` with a curl in them below a heading of the third level, each with the fence of its answer behind it.
std::vector<Example> examples_of(const std::string& page) {
  std::vector<Example> examples;
  std::istringstream lines(page);
  std::string operation, fence, text;
  int number = 0, begun = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!line.starts_with("```")) {
      if (!fence.empty()) {
        text += line + "\n";
      } else if (line.starts_with("### ")) {
        operation = line.substr(4);
      }
      continue;
    }
    if (fence.empty()) {
      fence = line.substr(3);
      begun = number;
      text.clear();
      continue;
    }
    if (fence == "sh" && !operation.empty()) {
      examples.push_back({begun, operation, text, "", "", 0});
    } else if (const std::size_t blank = fence.find(' '); blank != std::string::npos && !examples.empty()) {
      examples.back().kind = fence.substr(0, blank);
      examples.back().status = std::atoi(fence.c_str() + blank);
      examples.back().answer = text;
    }
    fence.clear();
  }
  return examples;
}

// "…" stands for any text.
bool alike(std::string shown, std::string told) {
  constexpr std::string_view kAny = "…";
  const std::size_t at = shown.find(kAny);
  if (at == std::string::npos) return shown == told;
  return told.size() + kAny.size() >= shown.size() && told.starts_with(shown.substr(0, at)) &&
         told.ends_with(shown.substr(at + kAny.size()));
}

// What of the example's answer is not in the true one: members and kinds count, numbers may differ; of an array each item shown
// has to be like one of the true ones.
std::vector<std::string> differences(const JsonValue& shown, const JsonValue& told, const std::string& place = "") {
  if (shown.IsNumber() && told.IsNumber()) return {};
  if (shown.IsString() && told.IsString() && alike(shown.GetString(), told.GetString())) return {};
  if ((shown.IsNull() && told.IsNull()) || (shown.IsBool() && shown == told)) return {};
  std::vector<std::string> all;
  if (shown.IsObject() && told.IsObject()) {
    for (const auto& member : shown.GetObject()) {
      const std::string where = place + "/" + member.name.GetString();
      const JsonValue* found = find_member(told, member.name.GetString());
      if (found == nullptr) {
        all.push_back(where + " is not there");
      } else {
        for (std::string& each : differences(member.value, *found, where)) all.push_back(std::move(each));
      }
    }
    return all;
  }
  if (shown.IsArray() && told.IsArray()) {
    for (const JsonValue& item : shown.GetArray())
      if (std::none_of(told.Begin(), told.End(), [&](const JsonValue& each) { return differences(item, each).empty(); }))
        all.push_back(place + ": none is like " + to_json(item));
    return all;
  }
  return {place + ": " + to_json(told).substr(0, 200) + " and not " + to_json(shown)};
}

class ExamplesTest : public ::testing::Test {
 protected:
  static std::string page() {
    auto text = read_file(DAVIT_SOURCE_DIR "/docs/API.md");
    return text.ok() ? *text : "";
  }
};

TEST_F(ExamplesTest, EachOperationHasOneAndNothingElseHas) {
  std::set<std::string> shown, described;
  for (const Example& example : examples_of(page())) shown.insert(example.operation);
  const Description description;
  for (const Operation& operation : description.operations()) described.insert(operation.method + " " + operation.path);
  EXPECT_THAT(shown, ::testing::ContainerEq(described));
}

TEST_F(ExamplesTest, EachIsAnsweredAsItSays) {
  HotHost host;
  start_sample_host(host);
  const Samples samples = fill(host);
  const std::string idle = make_task(host, "third", "noop");
  const auto body = host.folder() / "body";
  const std::map<std::string, std::string> variables{
      {"DAVIT", "http://127.0.0.1:" + std::to_string(host.port())},
      {"TOKEN", host.token()},
      {"GITHUB_WEBHOOK_SECRET", RunningHost::kSecret},
      {"TASK", samples.done},
      {"SESSION", samples.session},
      {"FAILED", samples.failed},
      {"WAITING", samples.waiting},
      {"IDLE", idle},
      {"DELIVERY", samples.delivery},
      {"BODY", body.string()}};
  std::string before = "set -euo pipefail\n";
  for (const auto& [name, value] : variables) before += "export " + name + "='" + value + "'\n";
  before += "curl() { command curl --silent --show-error --max-time 30 --output \"$BODY\" --write-out '%{http_code}\\n' \"$@\"; }\n";

  const std::vector<Example> examples = examples_of(page());
  ASSERT_FALSE(examples.empty());
  for (const Example& example : examples) {
    const std::string what = "docs/API.md:" + std::to_string(example.line) + ", " + example.operation;
    const auto script = host.folder() / "example.sh";
    std::ofstream(script) << before << example.commands;
    FILE* told = ::popen(("bash " + script.string() + " 2>&1").c_str(), "r");
    ASSERT_NE(told, nullptr);
    std::string printed;
    char piece[4096];
    while (std::fgets(piece, sizeof piece, told) != nullptr) printed += piece;
    EXPECT_EQ(::pclose(told), 0) << what << ": " << printed;
    const std::string answer = read_file(body).ok() ? *read_file(body) : "";
    EXPECT_EQ(printed, std::to_string(example.status) + "\n") << what << ": " << answer;
    if (example.kind != "json") {
      EXPECT_TRUE(alike(example.answer.substr(0, example.answer.size() - 1), answer)) << what << ": " << answer;
      continue;
    }
    const auto shown = parse_json(example.answer), truth = parse_json(answer);
    ASSERT_TRUE(shown.ok()) << what << ": " << shown.error().message;
    ASSERT_TRUE(truth.ok()) << what << ": " << answer;
    EXPECT_THAT(differences(*shown, *truth), ::testing::IsEmpty()) << what << "\n" << answer.substr(0, 4096);
  }
}

TEST_F(ExamplesTest, ADifferenceIsSeen) {
  const auto told = parse_json(R"({"a":"x1","n":2,"list":[{"k":1},{"k":null}],"none":null})");
  const auto differ = [&](const char* shown) { return differences(*parse_json(shown), *told).size(); };
  EXPECT_EQ(differ(R"({"a":"…","n":7,"list":[{"k":null}],"none":null})"), 0u);
  EXPECT_EQ(differ(R"({"a":"x…"})"), 0u);
  for (const char* wrong : {R"({"a":"y…"})", R"({"b":1})", R"({"n":"2"})", R"({"list":[{"k":true}]})", R"({"none":{}})", "[]"})
    EXPECT_EQ(differ(wrong), 1u) << wrong;
}

}  // namespace
}  // namespace davit::testing

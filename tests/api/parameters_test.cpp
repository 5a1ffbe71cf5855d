// The description and the routes agree: paths, methods, who may, and every parameter with its bounds.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/api/sample_host.h"

namespace davit::testing {
namespace {

using ::testing::_;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

// The fields that a 400 names, each with its words.
std::map<std::string, std::string> faults_of(const test::RawAnswer& answer) {
  std::map<std::string, std::string> faults;
  const auto problem = parse_json(answer.body);
  const JsonValue* errors = problem.ok() ? find_member(*problem, "errors") : nullptr;
  if (answer.status != 400 || errors == nullptr) return faults;
  for (const JsonValue& error : errors->GetArray())
    faults[string_member(error, "field")] = string_member(error, "detail");
  return faults;
}

// Values that a schema takes and does not take, as a query has them.
struct Values {
  std::vector<std::string> good, bad;
};

Values values_of(const SchemaCheck& schemas, const JsonValue& reference) {
  const JsonValue& schema = schemas.resolved(reference);
  Values values;
  if (const JsonValue* all = find_member(schema, "enum")) {
    for (const JsonValue& each : all->GetArray()) values.good.push_back(each.GetString());
    values.bad = {"none-of-these"};
  } else if (string_member(schema, "type") == "integer") {
    const std::int64_t least = int_member(schema, "minimum"), most = int_member(schema, "maximum");
    values.good = {std::to_string(least), std::to_string(most)};
    values.bad = {std::to_string(least - 1), std::to_string(most + 1), "x", "1.5", "99999999999999999999"};
  } else if (string_member(schema, "type") == "array") {
    values = values_of(schemas, schema["items"]);
    values.good.push_back(values.good.front() + "," + values.good.back());
  } else if (find_member(schema, "anyOf") != nullptr) {
    values.good = {"2026-01-31", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5%2B01:00"};
    values.bad = {"yesterday", "2026-01-31T12:00:00", "2026-02-30"};
  }
  return values;
}

class ParametersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    start_sample_host(host);
    samples = fill(host);
  }
  test::RawAnswer ask(const Operation& operation, const std::string& query) {
    return host.api(operation.method,
                    filled(operation.path, words_for(operation, samples)) + (query.empty() ? "" : "?" + query));
  }
  const Description description;
  const SchemaCheck schemas{description.document()};
  HotHost host;
  Samples samples;
};

TEST_F(ParametersTest, EachPathTakesTheMethodsThatAreDescribed) {
  std::map<std::string, std::vector<std::string>> methods;
  for (const Operation& operation : description.operations()) {
    methods[operation.path].push_back(operation.method);
    if (operation.method == "GET") methods[operation.path].emplace_back("HEAD");
  }
  for (const auto& [path, described] : methods) {
    const auto answer = host.api("PATCH", filled(path, {"a", "b", "c", "d"}));
    EXPECT_EQ(answer.status, 405) << path << " is none";
    std::vector<std::string> allowed;
    std::string list = answer.header("Allow");
    for (std::size_t at = 0; !list.empty(); list.erase(0, std::min(at, list.size() - 2) + 2)) {
      at = std::min(list.find(", "), list.size());
      allowed.push_back(list.substr(0, at));
      if (at == list.size()) break;
    }
    EXPECT_THAT(allowed, UnorderedElementsAreArray(described)) << path;
  }
}

TEST_F(ParametersTest, EachOperationIsForWhomItSays) {
  for (const Operation& operation : description.operations()) {
    const std::string target = filled(operation.path, words_for(operation, samples));
    const bool is_empty = operation.method == "GET" || operation.id == "signOut";
    const std::string body = is_empty ? "" : R"({"no such member":1})";
    const auto as = [&](const std::string& token) {
      Walk::Headers headers;
      if (!token.empty()) headers.emplace_back("Authorization", "Bearer " + token);
      return host.request(operation.is_stream() ? "HEAD" : operation.method, target, body, headers).status;
    };
    if (operation.role == "public") {
      EXPECT_NE(as(""), 403) << operation.id;
      continue;
    }
    EXPECT_EQ(as(""), 401) << operation.id;
    EXPECT_THAT(as("no-token-of-this-host-0123456789"), AnyOf(401, 429)) << operation.id;  // in the end it is told to wait
    if (operation.role == "admin") {
      EXPECT_EQ(as(Walk::kReaderToken), 403) << operation.id;
    } else if (operation.id == "signOut") {
      EXPECT_EQ(as(Walk::kReaderToken), 409) << "a token has no session";
    } else {
      EXPECT_LT(as(Walk::kReaderToken), 300) << operation.id;
    }
  }
}

TEST_F(ParametersTest, EachOperationOfTheApiTakesJustTheParametersThatAreDescribed) {
  for (const Operation& operation : description.operations()) {
    if (!operation.path.starts_with("/api/")) continue;
    std::vector<std::string> described = operation.names_in("query");
    const auto faults = faults_of(ask(operation, "no-such-parameter=1"));
    ASSERT_EQ(faults.size(), 1u) << operation.id << " ignores a parameter that it does not have";
    ASSERT_EQ(faults.begin()->first, "no-such-parameter");
    // "…; it takes agent, status and limit"
    std::string known;
    std::sort(described.begin(), described.end());
    for (const std::string& name : described) known += (known.empty() ? "" : ", ") + name;
    EXPECT_EQ(faults.begin()->second, known.empty() ? "is not a parameter here; there are none"
                                                    : "is not a parameter here; there are " + known)
        << operation.id;
  }
}

TEST_F(ParametersTest, EachParameterHasTheBoundsThatAreDescribed) {
  for (const Operation& operation : description.operations()) {
    for (const Parameter& parameter : operation.parameters) {
      if (parameter.in != "query") continue;
      const Values values = values_of(schemas, *parameter.schema);
      for (const std::string& value : values.good) {
        // However long ago that start is, one may ask for the days from there on.
        const std::string end = parameter.name == "start_date" ? "&end_date=2026-02-15" : "";
        const auto answer = ask(operation, parameter.name + "=" + value + end);
        EXPECT_EQ(answer.status, 200) << operation.id << " " << parameter.name << "=" << value << ": " << answer.body;
      }
      for (const std::string& value : values.bad) {
        const auto faults = faults_of(ask(operation, parameter.name + "=" + value));
        EXPECT_TRUE(faults.contains(parameter.name)) << operation.id << " takes " << parameter.name << "=" << value;
      }
    }
  }
}

TEST_F(ParametersTest, EachMemberOfABodyIsKnownAndOfItsType) {
  int members = 0;
  for (const Operation& operation : description.operations()) {
    if (operation.method == "GET" || operation.path.starts_with("/webhooks/")) continue;
    const std::string target = filled(operation.path, words_for(operation, samples));
    const auto faults = [&](const std::string& name, const std::string& value) {
      const auto answer = host.request(operation.method, target, "{\"" + name + "\":" + value + "}",
                                       {{"Authorization", "Bearer " + host.token()}, {"Content-Type", "application/json"},
                                        {"Idempotency-Key", "\"k\""}});
      // Signing in says it of its one member in a sentence.
      return operation.id == "signIn" && answer.status == 400 ? std::map<std::string, std::string>{{name, ""}} : faults_of(answer);
    };
    EXPECT_TRUE(faults("no-such-member", "1").contains("no-such-member")) << operation.id << " ignores a member that it does not have";
    if (operation.body == nullptr) continue;
    const JsonValue* properties = find_member(schemas.resolved(*operation.body), "properties");
    ASSERT_NE(properties, nullptr) << operation.id;
    for (const auto& property : properties->GetObject()) {
      const std::string name = property.name.GetString();
      const JsonValue& schema = schemas.resolved(property.value);
      const JsonValue* type = find_member(schema, "type");
      if (type == nullptr && find_member(schema, "enum") == nullptr) continue;  // any JSON
      const bool takes_texts = type == nullptr || to_json(*type).find("string") != std::string::npos;
      ++members;
      EXPECT_TRUE(faults(name, takes_texts ? "{}" : "\"x\"").contains(name)) << operation.id << " takes any " << name;
    }
  }
  EXPECT_GE(members, 30);
}

TEST_F(ParametersTest, ACursorOrAnIntervalThatIsNoneIsNamedWhereverThereIsOne) {
  int cursors = 0, intervals = 0;
  for (const Operation& operation : description.operations()) {
    for (const std::string& name : operation.names_in("query")) {
      for (const char* broken : {"%ff", "%", "%zz"})
        EXPECT_TRUE(faults_of(ask(operation, name + "=" + broken)).contains(name)) << operation.id << " " << broken;
      if (name == "q") {
        EXPECT_THAT(faults_of(ask(operation, "q=" + std::string(201, 'x') + "&nobody=1")),
                    UnorderedElementsAre(Pair("q", HasSubstr("at most 200 characters")), Pair("nobody", _)))
            << operation.id;
      }
      if (name == "cursor") {
        ++cursors;
        for (const char* none : {"none-of-ours", "-1", "1.5", "99999999999999999999", "%00", "1%27--"})
          EXPECT_THAT(faults_of(ask(operation, std::string("cursor=") + none)), ElementsAre(Pair("cursor", HasSubstr("leave it out"))))
              << operation.id << " " << none;
        EXPECT_THAT(faults_of(ask(operation, "cursor=none-of-ours&nobody=1")),
                    UnorderedElementsAre(Pair("cursor", _), Pair("nobody", _)))
            << operation.id << " names one mistake and leaves the other for later";
      } else if (name == "start_date") {
        ++intervals;
        EXPECT_THAT(faults_of(ask(operation, "start_date=2026-01-02&end_date=2026-01-02")),
                    ElementsAre(Pair("start_date", "must be before end_date")))
            << operation.id;
      }
    }
  }
  EXPECT_GE(cursors, 6);
  EXPECT_GE(intervals, 5);
}

TEST_F(ParametersTest, EachDefaultIsTheOneThatIsDescribed) {
  samples.done = make_task(host, "worker", "talk_much");
  host.wait_for_task(samples.done, {"completed"});
  const std::string waiting = make_task(host, "second", "noop", R"("title":"Waits since a shorter time than the other one")");
  host.wait_for_task(waiting, {"awaiting_approval"});
  int defaults = 0;
  for (const Operation& operation : description.operations()) {
    for (const Parameter& parameter : operation.parameters) {
      const JsonValue* fallback = find_member(*parameter.schema, "default");
      if (fallback == nullptr) fallback = find_member(schemas.resolved(*parameter.schema), "default");
      if (fallback == nullptr || parameter.in != "query") continue;
      ++defaults;
      const std::string value = fallback->IsString() ? fallback->GetString() : to_json(*fallback);
      std::string other = fallback->IsInt() ? std::to_string(fallback->GetInt() - 1) : "";
      for (const std::string& good : values_of(schemas, *parameter.schema).good)
        if (!fallback->IsInt() && good != value) other = good;
      // Of another order the first page is another.
      const std::string rest = parameter.name == "order" ? "&limit=1" : "";
      const std::string without = ask(operation, rest.empty() ? "" : rest.substr(1)).body;
      EXPECT_EQ(ask(operation, parameter.name + "=" + value + rest).body.size(), without.size()) << operation.id;
      EXPECT_NE(ask(operation, parameter.name + "=" + other + rest).body.size(), without.size())
          << operation.id << ": there is too little to tell " << parameter.name << "=" << other << " from the default";
    }
  }
  EXPECT_GE(defaults, 4);
}

}  // namespace
}  // namespace davit::testing

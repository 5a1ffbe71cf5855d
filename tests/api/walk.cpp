#include "tests/api/walk.h"

#include <algorithm>
#include <sstream>

namespace davit::testing {
namespace {

std::string media_type(std::string content_type) {
  return content_type.substr(0, std::min(content_type.find(';'), content_type.size()));
}

}  // namespace

std::string filled(const std::string& path, const std::vector<std::string>& words) {
  std::string target;
  std::size_t next = 0;
  for (std::size_t at = 0; at < path.size();) {
    if (path[at] == '{' && next < words.size()) {
      target += words[next++];
      at = path.find('}', at) + 1;
    } else {
      target += path[at++];
    }
  }
  return target;
}

JsonDocument Walk::expect(int status, const std::string& id, Call call) {
  const Operation& operation = description_.operation(id);
  std::string target = filled(operation.path, call.path);
  EXPECT_EQ(target.find('{'), std::string::npos) << id << " lacks words for its path";
  if (!call.query.empty()) target += "?" + call.query;
  if (call.token == "admin") call.token = host_.token();
  if (call.token == "reader") call.token = kReaderToken;
  if (call.token != "none" && operation.role != "public")
    call.headers.emplace_back("Authorization", "Bearer " + call.token);
  if (!call.body.empty() && (operation.body != nullptr || operation.role != "public")) {
    call.headers.emplace_back("Content-Type", "application/json");
    const auto body = parse_json(call.body);
    if (operation.body == nullptr) {
      ADD_FAILURE() << id << " is not described as taking a body: " << call.body;
    } else if (body.ok()) {
      const auto mistakes = schemas_.mistakes(*operation.body, *body);
      EXPECT_EQ(mistakes.empty(), !call.bad_body)
          << id << " sends " << call.body << "\n" << ::testing::PrintToString(mistakes);
    }
  }
  SCOPED_TRACE(operation.method + " " + target + " " + call.body);
  return hold(status, operation, host_.request(operation.method, target, call.body, call.headers));
}

JsonDocument Walk::hold(int status, const Operation& operation, const test::RawAnswer& answer) {
  last_ = answer;
  seen_.emplace(operation.id, answer.status);
  EXPECT_EQ(answer.status, status) << operation.id << ": " << answer.body;
  auto described = operation.responses.find(std::to_string(answer.status));
  if (described == operation.responses.end()) {
    ADD_FAILURE() << operation.id << ": status " << answer.status << " is not described";
    return {};
  }
  const JsonValue& response = *described->second;
  if (const JsonValue* headers = find_member(response, "headers")) {
    for (const auto& header : headers->GetObject())
      EXPECT_NE(answer.header(header.name.GetString()), "") << operation.id << " lacks " << header.name.GetString();
  }
  const JsonValue* content = find_member(response, "content");
  if (content == nullptr) {
    EXPECT_EQ(answer.body, "") << operation.id << " " << answer.status << " is described as having no body";
    return {};
  }
  const std::string type = media_type(answer.header("Content-Type"));
  const JsonValue* media = find_member(*content, type);
  if (media == nullptr) {
    ADD_FAILURE() << operation.id << " " << answer.status << " is " << type << ", which is not described";
    return {};
  }
  if (type == "application/x-ndjson") {
    std::istringstream lines(answer.body);
    for (std::string line; std::getline(lines, line);)
      for (const std::string& mistake : schemas_.mistakes((*media)["schema"], *parse_json(line)))
        ADD_FAILURE() << operation.id << " at " << mistake << "\n" << line;
    return {};
  }
  if (!type.ends_with("json")) return {};
  auto body = parse_json(answer.body);
  if (!body.ok()) {
    ADD_FAILURE() << operation.id << ": " << body.error().message << "\n" << answer.body;
    return {};
  }
  for (const std::string& mistake : schemas_.mistakes((*media)["schema"], *body))
    ADD_FAILURE() << operation.id << " " << answer.status << " at " << mistake << "\n" << answer.body.substr(0, 4096);
  return std::move(*body);
}

Walk::Words Walk::statuses_not_seen() const {
  Words missing;
  for (const Operation& operation : description_.operations())
    for (const auto& [status, response] : operation.responses)
      if (status != "default" && !seen_.contains({operation.id, std::atoi(status.c_str())}))
        missing.push_back(operation.id + " " + status);
  return missing;
}

Walk::Words Walk::members_not_seen() const {
  Words missing;
  for (const auto& [schema, place] : description_.members())
    if (!schemas_.seen().contains(schema)) missing.push_back(place);
  std::sort(missing.begin(), missing.end());
  return missing;
}

}  // namespace davit::testing

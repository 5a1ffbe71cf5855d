#include "tests/api/description.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "host/base/file.h"

namespace davit::testing {
namespace {

[[noreturn]] void stop(const std::string& words) {
  std::fprintf(stderr, "host/http/openapi.json: %s\n", words.c_str());
  std::abort();
}

// Who may call it: by the weakest of the schemes that it names.
std::string role_of(const JsonValue& operation, const std::string& id) {
  const JsonValue* security = find_member(operation, "security");
  if (security == nullptr) stop(id + " says nothing of security");
  std::string role = security->Empty() ? "public" : "admin";
  for (const JsonValue& way : security->GetArray())
    for (const auto& scheme : way.GetObject())
      if (std::string(scheme.name.GetString()).starts_with("reader")) role = "reader";
  return role;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  return text;
}

}  // namespace

std::vector<std::string> Operation::names_in(const std::string& place) const {
  std::vector<std::string> names;
  for (const Parameter& parameter : parameters)
    if (parameter.in == place) names.push_back(parameter.name);
  return names;
}

bool Operation::is_stream() const {
  const auto good = responses.find("200");
  const JsonValue* content = good == responses.end() ? nullptr : find_member(*good->second, "content");
  return content != nullptr && find_member(*content, "text/event-stream") != nullptr;
}

Description::Description() {
  auto text = read_file(DAVIT_SOURCE_DIR "/host/http/openapi.json");
  if (!text.ok()) stop(text.error().message);
  text_ = *text;
  auto document = parse_json(text_);
  if (!document.ok()) stop(document.error().message);
  document_ = std::move(*document);
  const SchemaCheck schemas(document_);
  for (const auto& path : document_["paths"].GetObject()) {
    for (const auto& method : path.value.GetObject()) {
      const JsonValue& described = method.value;
      Operation operation;
      operation.id = string_member(described, "operationId");
      operation.method = upper(method.name.GetString());
      operation.path = path.name.GetString();
      operation.role = role_of(described, operation.id);
      if (const JsonValue* parameters = find_member(described, "parameters")) {
        for (const JsonValue& reference : parameters->GetArray()) {
          const JsonValue& parameter = schemas.resolved(reference);
          operation.parameters.push_back(
              {string_member(parameter, "name"), string_member(parameter, "in"), find_member(parameter, "schema")});
        }
      }
      if (const JsonValue* body = find_member(described, "requestBody"))
        if (const JsonValue* json = find_member((*body)["content"], "application/json"))
          operation.body = find_member(*json, "schema");
      for (const auto& response : described["responses"].GetObject())
        operation.responses[response.name.GetString()] = &schemas.resolved(response.value);
      operations_.push_back(std::move(operation));
    }
  }
}

const Operation& Description::operation(const std::string& id) const {
  for (const Operation& each : operations_)
    if (each.id == id) return each;
  stop("has no operation " + id);
}

const Operation* Description::of_request(const std::string& method, const std::string& target) const {
  const std::string path = target.substr(0, target.find('?'));
  for (const Operation& each : operations_) {
    if (each.method != (method == "HEAD" ? "GET" : method)) continue;
    std::string_view pattern = each.path, rest = path;
    while (!pattern.empty() && !rest.empty()) {
      if (pattern.front() == '{') {
        pattern.remove_prefix(pattern.find('}') + 1);
        rest.remove_prefix(std::min(rest.find('/'), rest.size()));
      } else if (pattern.front() == rest.front()) {
        pattern.remove_prefix(1);
        rest.remove_prefix(1);
      } else {
        break;
      }
    }
    if (pattern.empty() && rest.empty()) return &each;
  }
  return nullptr;
}

std::map<const JsonValue*, std::string> Description::members() const {
  std::map<const JsonValue*, std::string> all;
  const std::function<void(const JsonValue&, const std::string&)> walk = [&](const JsonValue& value,
                                                                             const std::string& place) {
    if (value.IsArray())
      for (rapidjson::SizeType i = 0; i < value.Size(); ++i) walk(value[i], place + "/" + std::to_string(i));
    if (!value.IsObject()) return;
    for (const auto& member : value.GetObject()) {
      const std::string name = member.name.GetString();
      if (name == "properties" && !place.ends_with("/properties"))
        for (const auto& property : member.value.GetObject())
          all[&property.value] = place + "/" + property.name.GetString();
      walk(member.value, place + "/" + name);
    }
  };
  walk(document_, "#");
  return all;
}

}  // namespace davit::testing

#include "host/conformance/inputs.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>

#include "host/base/file.h"
#include "host/base/json.h"

namespace davit::conformance {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;
constexpr std::size_t kMaxTestdata = 32;
constexpr std::size_t kLargeBody = 8u << 20;
constexpr std::size_t kOrdinaryBody = 256u << 10;
constexpr std::size_t kMaxEvents = 4;

// The members that senders of webhooks like, so that a plugin finds something of what it looks for.
std::string made_up_event(std::string_view event, int number) {
  const std::string n = std::to_string(number);
  return R"({"id":"evt_)" + n + R"(","type":)" + json_quote(event) + R"(,"event":)" + json_quote(event) +
         R"(,"action":"created","number":)" + n + R"(,"title":"Title )" + n +
         R"(","body":"Some text, é and 😀","created_at":"2026-01-02T03:04:05Z","data":{"id":)" + n +
         R"(},"user":{"id":)" + n +
         R"(,"login":"ada","name":"Ada"},"labels":[{"name":"bug"}],"repository":{"id":1,)"
         R"("name":"repo","full_name":"owner/repo","owner":{"login":"owner"}}})";
}

Headers headers_for(const JsonValue& metadata, std::string_view event, int number) {
  Headers headers;
  const std::vector<std::string> types = strings_member(metadata, "content_types");
  headers.emplace_back("Content-Type", types.empty() ? "application/json" : types.front());
  if (std::string name = string_member(metadata, "event_header"); !name.empty())
    headers.emplace_back(name, event);
  if (const JsonValue* id = find_member(metadata, "delivery_id")) {
    if (std::string name = string_member(*id, "header"); !name.empty())
      headers.emplace_back(name, "check-" + std::to_string(number));
  }
  return headers;
}

std::vector<std::string> events_of(const JsonValue& metadata) {
  std::vector<std::string> events = strings_member(metadata, "event_types");
  if (events.size() > kMaxEvents) events.resize(kMaxEvents);
  if (events.empty()) events.push_back("created");
  return events;
}

std::vector<std::filesystem::path> files_of(const std::string& folder, std::string_view suffix) {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  if (folder.empty()) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    if (entry.path().string().ends_with(suffix)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  if (files.size() > kMaxTestdata) files.resize(kMaxTestdata);
  return files;
}

// <name>.delivery.json: {"headers": {…}, "body_file": "payload.json" or "body": any JSON}
std::vector<RequestInput> deliveries_of(const std::string& folder) {
  std::vector<RequestInput> inputs;
  for (const auto& file : files_of(folder, ".delivery.json")) {
    const Result<std::string> text = read_file(file);
    if (!text) continue;
    const auto delivery = parse_json(*text);
    if (!delivery) continue;
    RequestInput input{"the testdata " + file.filename().string(), {}, {}};
    if (const JsonValue* headers = find_member(*delivery, "headers"); headers && headers->IsObject()) {
      for (const auto& member : headers->GetObject()) {
        if (member.value.IsString())
          input.headers.emplace_back(member.name.GetString(), member.value.GetString());
      }
    }
    if (std::string name = string_member(*delivery, "body_file"); !name.empty()) {
      auto body = read_file(file.parent_path() / name);
      if (!body) continue;
      input.body = std::move(*body);
    } else {
      input.body = text_member(*delivery, "body", "");
    }
    inputs.push_back(std::move(input));
  }
  return inputs;
}

std::string nested(int depth, std::string_view open, std::string_view close, std::string_view core) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += open;
  text += core;
  for (int i = 0; i < depth; ++i) text += close;
  return text;
}

// Every member of the first two levels once missing and once of another type.
std::vector<std::pair<std::string, std::string>> without_members(const std::string& json) {
  std::vector<std::pair<std::string, std::string>> texts;
  auto parsed = parse_json(json);
  if (!parsed || !parsed->IsObject()) return texts;
  JsonDocument& document = *parsed;
  auto visit = [&](JsonValue& object, const std::string& place) {
    std::vector<std::string> names;
    for (const auto& member : std::as_const(object).GetObject()) names.emplace_back(member.name.GetString());
    if (names.size() > 24) names.resize(24);
    for (const std::string& name : names) {
      JsonValue& member = object[name.c_str()];
      JsonValue kept;
      kept.Swap(member);
      texts.emplace_back(place + name + " being null", to_json(document));
      if (kept.IsString() || kept.IsNumber()) {
        member.SetArray();
        texts.emplace_back(place + name + " being a list", to_json(document));
      } else {
        member.SetInt(-1);
        texts.emplace_back(place + name + " being -1", to_json(document));
      }
      JsonValue key(name.c_str(), document.GetAllocator());
      object.RemoveMember(name.c_str());
      texts.emplace_back(place + name + " missing", to_json(document));
      object.AddMember(key, kept, document.GetAllocator());
    }
  };
  visit(document, "");
  std::vector<std::string> objects;
  for (const auto& member : std::as_const(document).GetObject()) {
    if (member.value.IsObject()) objects.emplace_back(member.name.GetString());
  }
  if (objects.size() > 6) objects.resize(6);
  for (const std::string& name : objects) visit(document[name.c_str()], name + ".");
  return texts;
}

const std::vector<std::pair<std::string, std::string>>& odd_values() {
  static const std::vector<std::pair<std::string, std::string>> values{
      {"{}", "{}"},           {"[]", "[]"},        {"null", "null"},
      {"true", "true"},       {"\"\"", "\"\""},    {"a number", "-1.5e300"},
      {"a text", "\"text\""}, {"[null]", "[null]"}};
  return values;
}

std::string context_of(std::string_view payload, std::string_view previous, std::string_view config) {
  return R"({"task_id":"0190a5d4-0000-7000-8000-000000000001","session_id":"0190a5d4-0000-7000-8000-000000000002",)"
         R"("attempt":1,"max_retries":3,"chain_depth":1,"task":{"task_id":"0190a5d4-0000-7000-8000-000000000001","agent":"check","task_type":"check",)"
         R"("source":"davit plugins check","title":"A task","payload":)" +
         std::string(payload) +
         R"(,"entity":{"key":"check/1"},"actor":{"id":"1","login":"ada","role":"owner"},"links":[],)"
         R"("created_at":1767323045678},"config":)" +
         std::string(config) + R"(,"previous_result":)" + std::string(previous) +
         R"(,"deadline_unix_ms":1767326645678,"workspace":)" +
         json_quote(std::filesystem::current_path().string()) + R"(,"state_folder":)" +
         json_quote(std::filesystem::current_path().string()) +
         R"(,"sandbox":{"command":"bwrap","required":true},"approval":{"by":"github:ada","actor_id":"1",)"
         R"("way":"github comment","at":1767323045678,"content_hash":")" +
         std::string(64, 'a') + R"("},"budget_usd":1.5})";
}

// The members that the ABI promises may come with nothing in them.
std::string poor_context(std::string_view config) {
  return R"({"task_id":"t","session_id":"s","attempt":2147483647,"task":{"task_id":"t","agent":"check",)"
         R"("task_type":"","source":"","title":"","payload":null,"entity":null,"actor":null,"links":[],)"
         R"("created_at":0},"config":)" +
         std::string(config) +
         R"(,"previous_result":null,"deadline_unix_ms":0,"workspace":"","new_member":[1]})";
}

// Bytes at random places, as a careless sender or an attacker would change them.
std::string mutate(std::string text, std::mt19937_64& random) {
  static constexpr std::string_view kPieces[] = {"{",
                                                 "}",
                                                 "[",
                                                 "]",
                                                 "\"",
                                                 ",",
                                                 ":",
                                                 "\\",
                                                 "\\u0000",
                                                 "\\ud800",
                                                 "null",
                                                 "-1",
                                                 "1e999",
                                                 "true",
                                                 "{\"",
                                                 "[[[[[[[[",
                                                 "9223372036854775808",
                                                 "%s%n",
                                                 "../",
                                                 "\r\n"};
  const int changes = 1 + static_cast<int>(random() % 8);
  for (int i = 0; i < changes; ++i) {
    const std::size_t at = text.empty() ? 0 : random() % (text.size() + 1);
    const std::size_t length = std::min<std::size_t>(random() % 16, text.size() - at);
    switch (random() % 6) {
      case 0:
        text.insert(at, 1, static_cast<char>(random() % 256));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(at, length));
        break;
      case 3:
        text.insert(at, kPieces[random() % std::size(kPieces)]);
        break;
      case 4:
        if (at < text.size()) text[at] = static_cast<char>(random() % 256);
        break;
      default:
        if (random() % 4 == 0) text.resize(at);
        break;
    }
  }
  return text;
}

std::mt19937_64 random_of(std::uint64_t seed, int number) {
  return std::mt19937_64(seed * 0x9e3779b97f4a7c15ull + static_cast<std::uint64_t>(number));
}

}  // namespace

InputClass input_class(std::string_view rule_id) {
  if (rule_id == "empty-body") return InputClass::Empty;
  if (rule_id == "broken-body") return InputClass::Broken;
  if (rule_id == "deep-json") return InputClass::Deep;
  if (rule_id == "missing-members") return InputClass::Missing;
  if (rule_id == "large-input") return InputClass::Large;
  if (rule_id == "odd-headers") return InputClass::OddHeaders;
  return InputClass::Plain;
}

std::vector<RequestInput> request_inputs(const Job& job, InputClass of) {
  const auto metadata = parse_json(job.metadata);
  if (!metadata) return {};
  std::vector<RequestInput> plain;
  int number = 1;
  for (const std::string& event : events_of(*metadata)) {
    for (int i = 0; i < 2; ++i, ++number) {
      plain.push_back({"a made-up event " + event, headers_for(*metadata, event, number),
                       made_up_event(event, number), false});
    }
  }
  for (RequestInput& input : deliveries_of(job.testdata)) plain.push_back(std::move(input));
  if (of == InputClass::Plain) return plain;

  const JsonValue* id = find_member(*metadata, "delivery_id");
  const std::string id_header = id ? string_member(*id, "header") : "";
  const bool json = !plain[0].headers.empty() && plain[0].headers[0].second.ends_with("json");
  std::vector<RequestInput> inputs;
  // With the headers of each event in turn, so that every branch of parse_payload sees it.
  auto add = [&](std::string what, const std::string& body, bool malformed = false) {
    std::set<std::string> seen;
    for (const RequestInput& base : plain) {
      std::string key;
      for (const auto& [name, value] : base.headers) {
        if (name != id_header) key += value + "\n";
      }
      if (inputs.size() > 4000 || !seen.insert(key).second || seen.size() > kMaxEvents) continue;
      inputs.push_back({what, base.headers, body, malformed && json, body.size() > kOrdinaryBody});
    }
  };
  const std::size_t limit = std::min<std::size_t>(
      kLargeBody, static_cast<std::size_t>(int_member(*metadata, "max_body_bytes", kLargeBody)));
  switch (of) {
    case InputClass::Plain:
      break;
    case InputClass::Empty:
      add("an empty body", "", true);
      break;
    case InputClass::Broken: {
      const std::string& whole = plain.back().body;
      add("text that is no JSON", "this is not JSON", true);
      add("blanks only", " \r\n\t ", true);
      add("bytes that are no UTF-8", "\xff\xfe\xc0\x80{\"id\":\"\xed\xa0\x80\"}", true);
      add("a form", "payload=%7B%22id%22%3A1%7D&x=%", true);
      add("two values", "{}{}", true);
      add("an unfinished text", "{\"id\":\"", true);
      for (std::size_t cut : {1ul, whole.size() / 3, whole.size() / 2, whole.size() - 1})
        add("a body cut after " + std::to_string(cut) + " bytes", whole.substr(0, cut), true);
      break;
    }
    case InputClass::Deep:
      for (int depth : {60, 1000, 100'000}) {
        add("lists nested " + std::to_string(depth) + " deep", nested(depth, "[", "]", "1"));
        add("objects nested " + std::to_string(depth) + " deep", nested(depth, R"({"data":)", "}", "1"));
        add("lists opened " + std::to_string(depth) + " deep and not closed", nested(depth, "[", "", ""),
            true);
      }
      break;
    case InputClass::Missing:
      for (const auto& [what, value] : odd_values()) add("a body of " + what, value);
      for (std::size_t i = 0; i < plain.size() && i < 12; ++i) {
        for (const auto& [what, body] : without_members(plain[i].body))
          inputs.push_back({plain[i].what + " with " + what, plain[i].headers, body, false});
      }
      break;
    case InputClass::Large:
      add("a text of " + std::to_string(limit) + " bytes",
          R"({"id":")" + std::string(limit > 9 ? limit - 9 : 0, 'x') + R"("})");
      add("50,000 members", nested(1, "{", "}", [] {
            std::string members;
            for (int i = 0; i < 50'000; ++i)
              members += (i ? ",\"m" : "\"m") + std::to_string(i) + "\":" + "1";
            return members;
          }()));
      add("a title of 100,000 bytes",
          R"({"id":"1","title":")" + std::string(100'000, 't') + R"(","type":"created"})");
      break;
    case InputClass::OddHeaders: {
      const RequestInput& base = plain.front();
      auto with = [&](std::string what, Headers headers) {
        inputs.push_back({std::move(what), std::move(headers), base.body, false});
      };
      with("no header at all", {});
      Headers doubled = base.headers;
      doubled.insert(doubled.end(), base.headers.begin(), base.headers.end());
      with("every header twice", doubled);
      Headers empty = base.headers, longer = base.headers, bytes = base.headers, many = base.headers;
      for (auto& header : empty) header.second.clear();
      for (auto& header : longer) header.second = std::string(8000, 'h');
      for (auto& header : bytes) header.second = "\xff\x01\x7f%n%s";
      for (int i = 0; i < 100; ++i) many.emplace_back("X-Many-" + std::to_string(i), "value");
      with("empty header values", empty);
      with("header values of 8,000 bytes", longer);
      with("header values that are no text", bytes);
      with("100 headers more", many);
      break;
    }
  }
  return inputs;
}

std::vector<ContextInput> context_inputs(const Job& job, InputClass of) {
  std::vector<ContextInput> inputs;
  auto payload = [&](std::string what, std::string_view json, std::string_view previous = "null") {
    inputs.push_back({std::move(what), context_of(json, previous, job.config)});
  };
  switch (of) {
    case InputClass::Plain:
      payload("a made-up task", made_up_event("created", 1));
      payload("a task after another agent", made_up_event("created", 2), R"({"plan":["one","two"]})");
      for (const auto& file : files_of(job.testdata, ".task.json")) {
        const Result<std::string> text = read_file(file);
        if (!text || !check_json(*text)) continue;
        const auto task = parse_json(*text);
        const std::string whole = text_member(*task, "payload", *text);
        payload("the testdata " + file.filename().string(), whole, text_member(*task, "previous_result"));
      }
      break;
    case InputClass::Deep:
      payload("lists nested 55 deep", nested(55, "[", "]", "1"));
      payload("objects nested 55 deep", nested(55, R"({"data":)", "}", "1"));
      break;
    case InputClass::Missing:
      inputs.push_back({"a task with nothing in it", poor_context(job.config)});
      for (const auto& [what, value] : odd_values()) payload("a payload of " + what, value);
      for (const auto& [what, value] : odd_values()) payload("a previous result of " + what, "{}", value);
      break;
    case InputClass::Large:
      payload("a payload of a mebibyte", R"({"id":")" + std::string((1u << 20) - 16, 'x') + R"("})");
      payload("a previous result of 4 MiB", "{}", "\"" + std::string(4u << 20, 'x') + "\"");
      break;
    default:
      break;
  }
  return inputs;
}

RequestInput mutated(const std::vector<RequestInput>& from, std::uint64_t seed, int number) {
  std::mt19937_64 random = random_of(seed, number);
  RequestInput input = from[random() % from.size()];
  if (random() % 4 != 0 || input.headers.empty()) {
    input.body = mutate(std::move(input.body), random);
  } else {
    std::string& value = input.headers[random() % input.headers.size()].second;
    value = mutate(std::move(value), random);
    // The host refuses these before a plugin sees them.
    std::erase_if(value, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  }
  return input;
}

ContextInput mutated(const std::vector<ContextInput>& from, std::uint64_t seed, int number) {
  std::mt19937_64 random = random_of(seed, number);
  ContextInput input = from[random() % from.size()];
  // Contexts are made by the host: only what is JSON comes in.
  for (int i = 0; i < 20; ++i) {
    std::string changed = mutate(input.context, random);
    if (check_json(changed)) {
      input.context = std::move(changed);
      break;
    }
  }
  return input;
}

}  // namespace davit::conformance

// Deliveries and tasks as files, with what a plugin made of them beside: a test of the whole plugin in a
// folder.
//
//   testdata/failed.delivery.json   {"headers": {"X-Shop-Event": "order"}, "body": {"order": {"id": "A-17"}}}
//   testdata/failed.event.json      what parse_payload made of it
//   testdata/failed.answer.json     what came of that; absent where parse_payload was the end
//   testdata/order.task.json        {"payload": {"order": "A-17"}, "config": {"contact": "shop@example.org"}}
//   testdata/order.result.json      what the agent made of it
//
// Further members: of a delivery body_file (instead of body: the raw bytes, relative to the folder), method,
// path, query, delivery_id; of a task title, attempt, previous_result; of both config and secrets. With
// DAVIT_UPDATE_GOLDEN=1 in the environment the second files are written anew; the diff is then to be read.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "davit/json.hpp"  // before RapidJSON's own
#include "davit/testing/driver.hpp"

#include <rapidjson/prettywriter.h>

namespace davit {
inline namespace sdk {
namespace testing {

// Sentences about what is not as it should be; empty when all is well.
using Differences = std::vector<std::string>;

namespace golden {

namespace rj = sdk::detail::rj;

inline std::string file_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

inline std::string pretty(const std::string& json) {
  rj::Document document;
  document.Parse(json.data(), json.size());
  if (document.HasParseError()) throw std::runtime_error("the plugin wrote what is no JSON: " + json);
  rj::StringBuffer buffer;
  rj::PrettyWriter<rj::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  document.Accept(writer);
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

// The answer, or which hook ended it, and how.
inline std::string told(const Outcome& outcome, const char* hook) {
  if (outcome.status == Status::Ok) return outcome.output;
  Json json = Json::object({{"hook", hook}});
  if (outcome.status == Status::Ignored) return json.set("ignored", outcome.output).dump();
  return json.set("status", static_cast<int>(outcome.status)).set("error", outcome.error).dump();
}

inline void compare(const std::filesystem::path& golden, const std::string& json, Differences& differences) {
  const std::string text = pretty(json);
  if (std::getenv("DAVIT_UPDATE_GOLDEN")) {
    std::ofstream out(golden, std::ios::binary);
    if (!(out << text).flush()) throw std::runtime_error("cannot write " + golden.string());
    return;
  }
  const bool there = std::filesystem::exists(golden);
  if (there && file_text(golden) == text) return;
  differences.push_back(golden.string() +
                        (there ? " says otherwise; now it is\n" : " is missing; it would be\n") + text +
                        "(DAVIT_UPDATE_GOLDEN=1 writes it)");
}

inline std::vector<std::filesystem::path> cases(const std::filesystem::path& folder,
                                                std::string_view suffix) {
  std::vector<std::filesystem::path> found;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().string().ends_with(suffix)) found.push_back(file.path());
  }
  if (found.empty()) throw std::runtime_error("no *" + std::string(suffix) + " in " + folder.string());
  std::sort(found.begin(), found.end());
  return found;
}

inline void prepare(FakeHost& host, const Json& file) {
  if (file["config"].is_object()) host.config = file["config"].dump();
  for (const auto& [name, value] : file["secrets"].members())
    host.secrets[std::string(name)] = value.string_or("");
}

// "…/failed" of "…/failed.delivery.json".
inline std::string base_of(const std::filesystem::path& file, std::string_view suffix) {
  return file.string().substr(0, file.string().size() - suffix.size());
}

}  // namespace golden

// The request that a *.delivery.json describes.
inline RequestBuilder request_of(const std::filesystem::path& file) {
  const Json delivery = Json::parse(golden::file_text(file));
  const std::string_view body_file = delivery["body_file"].string_or("");
  RequestBuilder request(body_file.empty() ? delivery["body"].dump()
                                           : golden::file_text(file.parent_path() / body_file));
  for (const auto& [name, value] : delivery["headers"].members())
    request.header(std::string(name), std::string(value.string_or("")));
  request.method(std::string(delivery["method"].string_or("POST")));
  request.path(std::string(delivery["path"].string_or("/webhooks/test")));
  request.query(std::string(delivery["query"].string_or("")));
  request.delivery_id(std::string(delivery["delivery_id"].string_or("")));
  return request;
}

// One *.delivery.json, through webhook number `index`. Throws where a file is missing or malformed, or create
// fails.
inline Differences check_delivery(const davit_webhook_factory* factory, std::uint32_t index,
                                  const std::filesystem::path& file) {
  Differences differences;
  FakeHost host;
  golden::prepare(host, Json::parse(golden::file_text(file)));
  const std::string base = golden::base_of(file, ".delivery.json");
  WebhookDriver webhook(factory, index, host);
  RequestBuilder request = request_of(file);
  const Outcome parsed = webhook.parse_payload(request);
  golden::compare(base + ".event.json", golden::told(parsed, "parse_payload"), differences);
  if (parsed.status != Status::Ok) return differences;
  const Outcome decision = webhook.should_process(parsed.output);
  golden::compare(base + ".answer.json",
                  decision.status == Status::Ok ? golden::told(webhook.handle(parsed.output), "handle")
                                                : golden::told(decision, "should_process"),
                  differences);
  return differences;
}

// One *.task.json, through agent number `index`.
inline Differences check_task(const davit_agent_factory* factory, std::uint32_t index,
                              const std::filesystem::path& file) {
  Differences differences;
  FakeHost host;
  const Json task = Json::parse(golden::file_text(file));
  golden::prepare(host, task);
  Json context = AgentDriver::context(task["payload"], Json::parse(host.config));
  Json inner = context["task"];
  inner.set("title", task["title"].string_or("A task"));
  context.set("task", std::move(inner)).set("attempt", task["attempt"].int_or(1));
  context.set("previous_result", task["previous_result"]);
  const Outcome result = AgentDriver(factory, index, host).run(context);
  golden::compare(golden::base_of(file, ".task.json") + ".result.json", golden::told(result, "execute"),
                  differences);
  return differences;
}

// All cases of a folder; there must be one.
inline Differences check_deliveries(const davit_webhook_factory* factory, std::uint32_t index,
                                    const std::filesystem::path& folder) {
  Differences all;
  for (const auto& file : golden::cases(folder, ".delivery.json")) {
    for (std::string& difference : check_delivery(factory, index, file)) all.push_back(std::move(difference));
  }
  return all;
}
inline Differences check_tasks(const davit_agent_factory* factory, std::uint32_t index,
                               const std::filesystem::path& folder) {
  Differences all;
  for (const auto& file : golden::cases(folder, ".task.json")) {
    for (std::string& difference : check_task(factory, index, file)) all.push_back(std::move(difference));
  }
  return all;
}

// For a test program without a framework: what is wrong is printed and counted.
//
//   davit::testing::Checks checks;
//   checks.all(check_deliveries(library.webhooks(), 0, "testdata"));
//   checks.equal("the reason", outcome.output, "not about an order");
//   return checks.exit_code();
class Checks {
 public:
  void all(const Differences& differences) {
    ++made_;
    for (const std::string& difference : differences) fail(difference);
  }
  void that(const std::string& what, bool holds) {
    ++made_;
    if (!holds) fail("not so: " + what);
  }
  void equal(const std::string& what, std::string_view got, std::string_view wanted) {
    ++made_;
    if (got != wanted)
      fail(what + " is\n  " + std::string(got) + "\nand should be\n  " + std::string(wanted));
  }
  // 1 if anything failed, or nothing was checked.
  int exit_code() const {
    std::fprintf(stderr, "%d checks, %d failures\n", made_, failed_);
    return failed_ == 0 && made_ > 0 ? 0 : 1;
  }

 private:
  void fail(const std::string& sentence) {
    ++failed_;
    std::fprintf(stderr, "%s\n", sentence.c_str());
  }
  int made_ = 0;
  int failed_ = 0;
};

}  // namespace testing
}  // namespace sdk
}  // namespace davit

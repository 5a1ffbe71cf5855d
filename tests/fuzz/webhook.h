// What every webhook plugin promises about what comes from outside. The input of such a target: header lines,
// an empty line, the body.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "davit/abi/entry.h"
#include "davit/json.hpp"
#include "davit/testing/driver.hpp"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/host_reader.h"

namespace davit::fuzz {

inline testing::Outcome deliver(std::string_view input, const std::string& config) {
  testing::FakeHost host;
  host.config = config;
  testing::WebhookDriver webhook(davit_webhook_factory_v1(), 0, host);
  testing::RequestBuilder request;
  for (std::string_view line = cut(input, "\n"); !line.empty(); line = cut(input, "\n")) {
    const std::string_view name = cut(line, ": ");
    request.header(std::string(name), std::string(line));
  }
  request.body(std::string(input));
  return webhook.deliver(request);
}

// Delivers the input to the webhook that is linked into this target, under each of the configurations: it
// becomes an answer the host can read, or is ignored or refused with a reason, and the same each time.
inline int check_webhook(std::string_view input, std::initializer_list<const char*> configs) {
  for (const char* config : configs) {
    const testing::Outcome outcome = deliver(input, config);
    promise(deliver(input, config).output == outcome.output, "the same delivery gets the same answer");
    if (outcome.status == Status::InvalidInput) {
      promise(!outcome.error.empty() && is_utf8(outcome.error), "a refusal has a reason");
      continue;
    }
    promise(!outcome.output.empty() && is_utf8(outcome.output), "what is said is text");
    if (outcome.status == Status::Ignored) continue;
    promise(outcome.status == Status::Ok, "bytes from outside never make a webhook fail");
    promise(refusal_by_host(outcome.output).empty(), "the host can read every answer");
    const Json answer = Json::parse(outcome.output, detail::kHostJsonMaxDepth);
    promise(answer["response"]["message"].is_string(), "an answer has a message");
    for (const JsonView task : answer["tasks"]) {
      promise(!task["agent"].string_or("").empty(), "a task names its agent");
      promise(task["title"].string_or("").size() <= 4096, "a title is a line");
    }
    for (const JsonView action : answer["actions"]) {
      promise(!action["entity"].string_or("").empty() || !action["task_id"].string_or("").empty(),
              "an action names its task");
    }
  }
  return 0;
}

}  // namespace davit::fuzz

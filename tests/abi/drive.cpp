// drive <library> <webhook|agent> <JSON>: metadata and answer of a library's first plugin, as the host would
// get them.
#include <dlfcn.h>

#include <cstdio>
#include <string_view>

#include "davit/abi/entry.h"
#include "davit/testing/driver.hpp"

int main(int count, char** arguments) {
  using namespace davit;
  if (count != 4) return 2;
  void* library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) return std::fprintf(stderr, "%s\n", dlerror()), 1;
  try {
    testing::FakeHost host;
    testing::Outcome metadata;
    testing::Outcome outcome;
    if (std::string_view(arguments[2]) == "webhook") {
      auto* find =
          reinterpret_cast<decltype(&davit_webhook_factory_v1)>(dlsym(library, DAVIT_WEBHOOK_FACTORY_SYMBOL));
      if (!find) return std::fprintf(stderr, "no webhook\n"), 1;
      metadata = testing::metadata_of(find(), 0, host);
      testing::WebhookDriver webhook(find(), 0, host);
      testing::RequestBuilder request(arguments[3]);
      outcome = webhook.deliver(request.header("X-Shop-Event", "order"));
    } else {
      auto* find =
          reinterpret_cast<decltype(&davit_agent_factory_v1)>(dlsym(library, DAVIT_AGENT_FACTORY_SYMBOL));
      if (!find) return std::fprintf(stderr, "no agent\n"), 1;
      metadata = testing::metadata_of(find(), 0, host);
      testing::AgentDriver agent(find(), 0, host);
      outcome = agent.run(testing::AgentDriver::context(Json::parse(arguments[3])));
    }
    const Json parsed = Json::parse(metadata.output);
    std::printf("%s\n%d %s%s\n", parsed["name"].dump().c_str(), static_cast<int>(outcome.status),
                outcome.output.c_str(), outcome.error.c_str());
    return outcome.status == Status::Ok ? 0 : 1;
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
  }
}

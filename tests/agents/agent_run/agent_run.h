// One execution of a built agent, in the order of the host's own calls and through the C ABI. Apart from the
// SDK's testing kit, so that tests can have fakes of this tree beside it.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "davit/failure.hpp"
#include "davit/host.hpp"
#include "davit/json.hpp"

namespace agent_run {

struct Given {
  std::string plugin;  // as built: "cicd_agent"
  std::string config = "{}";
  std::map<std::string, std::string> secrets = {};
  std::filesystem::path state_folder = {};
  davit::Json payload = davit::Json::object();
  davit::Json previous_result = {};
  int attempt = 1;
  davit::Json context = davit::Json::object();  // laid over what the members above make of it
  davit::Time now = davit::time_from_unix_ms(1'795'685'400'000);  // Thu, 26 Nov 2026 09:30:00 GMT
  std::optional<std::chrono::milliseconds> remaining = {};
  bool cancelled = false;
};

struct Got {
  davit::Status status = davit::Status::Ok;  // Ignored: pre_execute() said no
  std::string why;                           // it said no, or failed
  davit::Json result = davit::Json::object();
  std::optional<std::chrono::milliseconds> retry_after;
  std::vector<std::pair<std::string, std::string>> transcript;  // kind, line
  std::map<std::string, std::string> artifacts;
  std::string all;  // whatever it said, in one text
};

// Throws davit::Failure for a config that the agent refuses.
Got run(const Given& given);

}  // namespace agent_run

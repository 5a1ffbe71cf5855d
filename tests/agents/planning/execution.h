// One execution of a built agent through the C ABI, in the host's order. Apart from the SDK's testing kit,
// whose names are those of this tree's fakes.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "davit/failure.hpp"
#include "davit/json.hpp"

namespace execution {

struct Outcome {
  davit::Status status = davit::Status::Ok;  // Ignored: pre_execute() said no
  std::string output;                        // the result as JSON, or why not
  std::string error;
  std::vector<std::pair<std::string, std::string>> transcript;  // kind, line
  std::map<std::string, std::string> artifacts;
};

// Throws davit::Failure for a config that the agent refuses.
Outcome run(const std::string& plugin, const std::string& config,
            const std::map<std::string, std::string>& secrets, const davit::Json& context);

}  // namespace execution

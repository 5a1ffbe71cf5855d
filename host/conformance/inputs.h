// What hooks are tried with: made up from the metadata, read from the plugin's own testdata, and mutated.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/conformance/job.h"

namespace davit::conformance {

// A request to a webhook.
struct RequestInput {
  std::string what;  // "an empty body"
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool malformed = false;     // the body cannot be what the content type says
  bool survive_only = false;  // so large that no answer need fit its limits
};

// A task for an agent, as the JSON of its context.
struct ContextInput {
  std::string what;
  std::string context;
};

enum class InputClass { Plain, Empty, Broken, Deep, Missing, Large, OddHeaders };
// By the name of the rule: "plain-input", "empty-body", …; Plain for others.
InputClass input_class(std::string_view rule_id);

// Requests for a webhook with the metadata and testdata of the job; the plain ones are never empty.
std::vector<RequestInput> request_inputs(const Job& job, InputClass of);
std::vector<ContextInput> context_inputs(const Job& job, InputClass of);

// Case number `number` of a seed, always the same: a mutation of one of `from`.
RequestInput mutated(const std::vector<RequestInput>& from, std::uint64_t seed, int number);
ContextInput mutated(const std::vector<ContextInput>& from, std::uint64_t seed, int number);

// A JSON object that config_schema of `metadata` accepts, made up from defaults, enums and limits. NotFound
// if none could be thought of.
Result<std::string> sample_config(std::string_view metadata);

}  // namespace davit::conformance

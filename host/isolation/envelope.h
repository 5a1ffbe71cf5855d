// The JSON of the frames themselves: handshake, creation and the frame around a call. Both ends use this
// file, so that the two never drift apart. What a call asks and answers is in protocol.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/result.h"
#include "host/isolation/runner_spec.h"
#include "host/model/plugin_info.h"

namespace davit::isolation {

std::string hello_json(std::string_view sha256, std::string_view nonce);
struct Hello {
  std::string davit, sha256, nonce;
};
// Conflict, naming both sides, if no protocol of the list is ours.
Result<Hello> hello_from_json(std::string_view json);

std::string welcome_json(std::string_view nonce);
// Ok if the other end speaks our protocol and has seen our nonce.
Result<> check_welcome(std::string_view json, std::string_view nonce);

// Carries secrets: never logged.
std::string create_json(const RunnerSpec& spec, std::uint64_t address_space_limit);
struct CreateRequest {
  RunnerSpec spec;  // without environment
  std::uint64_t address_space_limit = 0;
  std::vector<std::filesystem::path> hidden;  // of a scan: folders that the library cannot read
};
Result<CreateRequest> create_from_json(std::string_view json);

std::string scan_json(const std::filesystem::path& library, std::uint64_t address_space_limit,
                      const std::vector<std::filesystem::path>& hidden = {});
Result<CreateRequest> scan_from_json(std::string_view json);

std::string refusal_json(const Refusal& refusal);
Refusal refusal_from_json(std::string_view json);  // code "broke_protocol" if it is none

// `request` is JSON text and goes in as it is. The deadline is monotonic time, which all processes of a
// machine share.
std::string call_json(std::uint64_t id, MonotonicTime deadline, std::string_view directory,
                      std::string_view request);
struct CallHead {
  std::uint64_t id = 0;
  MonotonicTime deadline{};
  std::string directory;
  std::string request;
};
Result<CallHead> call_from_json(std::string_view json);

std::string cancel_json(std::uint64_t id);
Result<std::uint64_t> cancel_from_json(std::string_view json);

// What a call gives: {"result":…} or {"error":{"code":…,"message":…}}. `result` is JSON text.
std::string result_answer(std::string_view result);
std::string error_answer(const Error& error);
// The text of the result (not checked: whoever reads it does), or the error. Internal if it is neither.
Result<std::string> result_of_answer(std::string_view answer);

std::string log_json(LogLevel level, std::string_view line);
struct LogLine {
  LogLevel level = LogLevel::Info;
  std::string line;
};
Result<LogLine> log_from_json(std::string_view json);

}  // namespace davit::isolation

#include "host/conformance/judge.h"

#include "host/base/json.h"
#include "host/plugin/host_services.h"

namespace davit::conformance {
namespace {

bool is_failure(davit_status status) {
  return status >= DAVIT_INVALID_INPUT && status <= DAVIT_INTERNAL && status != DAVIT_CANCELLED &&
         status != DAVIT_DEADLINE;
}

}  // namespace

bool judge_said(Reporter& report, std::string_view hook, std::string_view with, const Said& said) {
  const std::string who = std::string(hook) + " with " + std::string(with);
  if (!said.thrown.empty()) return false;
  if (said.status < DAVIT_OK || said.status > DAVIT_NOT_IMPLEMENTED) {
    report.found(rule("status"), who + " returned the status " + std::to_string(said.status));
    return false;
  }
  if (said.over_limit) {
    report.found(rule("answer-limit"), who + " wrote more than 8 MiB");
    return false;
  }
  if (!is_utf8(said.output) || !is_utf8(said.error)) {
    report.found(rule("answer-text"), who + " wrote bytes that are not UTF-8");
    return false;
  }
  if (is_failure(said.status) && !said.set_error) {
    report.found(rule("error-sentence"),
                 who + " ended as " + std::string(plugin::status_name(said.status)) + " without a sentence");
  }
  return true;
}

void judge_read(Reporter& report, std::string_view hook, std::string_view with, const Result<>& read) {
  if (read) return;
  const Rule& broken = read.error().code == ErrorCode::TooLarge ? rule("answer-limit") : rule("answer");
  report.found(broken, std::string(hook) + " with " + std::string(with) +
                           " wrote what cannot be read: " + read.error().message);
}

bool judge_struct(Reporter& report, const Said& said, std::uint32_t written, std::uint32_t room,
                  std::uint32_t least) {
  if (!said.thrown.empty()) return false;
  if (said.status != DAVIT_OK) {
    report.found(rule("create"), "create ended as " + std::string(plugin::status_name(said.status)) +
                                     (said.error.empty() ? " without a sentence" : ": " + said.error));
    return false;
  }
  if (written > room) {
    report.found(rule("instance-struct"), "create says it wrote " + std::to_string(written) +
                                              " bytes; there was room for " + std::to_string(room));
    return false;
  }
  if (written < least) {
    report.found(rule("instance-struct"), "create says its struct has " + std::to_string(written) +
                                              " bytes; ABI 1.0 has " + std::to_string(least));
    return false;
  }
  return true;
}

}  // namespace davit::conformance

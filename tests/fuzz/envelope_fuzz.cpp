// The JSON around a runner's calls. What is read can be written, and reads back as the same.
#include <string>

#include "host/base/json.h"
#include "host/isolation/envelope.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace davit::isolation;
  using davit::fuzz::promise;
  const std::string_view json = davit::fuzz::as_text(data, size);

  if (const auto hello = hello_from_json(json)) {
    const auto again = hello_from_json(hello_json(hello->sha256, hello->nonce));
    promise(again.ok() && again->sha256 == hello->sha256 && again->nonce == hello->nonce,
            "a greeting reads back");
  }
  promise(!check_welcome(json, "a nonce of sixteen bytes that nobody can guess").ok() ||
              json.find("nobody can guess") != std::string_view::npos,
          "a welcome without the nonce is none");
  if (const auto request = create_from_json(json)) {
    const std::string written = create_json(request->spec, request->address_space_limit);
    const auto again = create_from_json(written);
    promise(again.ok() && create_json(again->spec, again->address_space_limit) == written,
            "a creation reads back");
  }
  if (const auto request = scan_from_json(json)) {
    const auto again = scan_from_json(scan_json(request->spec.library, request->address_space_limit));
    promise(again.ok() && again->spec.library == request->spec.library, "a scan reads back");
  }
  const davit::Refusal refusal = refusal_from_json(json);
  promise(!refusal.code.empty(), "a refusal has a code");
  promise(refusal_from_json(refusal_json(refusal)).reason == refusal.reason, "a refusal reads back");

  if (const auto call = call_from_json(json)) {
    const std::string written = call_json(call->id, call->deadline, call->directory, call->request);
    const auto again = call_from_json(written);
    promise(again.ok() && again->id == call->id && again->deadline == call->deadline &&
                again->directory == call->directory && again->request == call->request,
            "a call reads back");
  }
  if (const auto id = cancel_from_json(json)) {
    const auto again = cancel_from_json(cancel_json(*id));
    promise(!again.ok() || *again == *id || *id > INT64_MAX, "a cancellation reads back");
  }
  if (const auto result = result_of_answer(json); !result) {
    const auto again = result_of_answer(error_answer(result.error()));
    promise(!again.ok() && again.error().code == result.error().code &&
                again.error().message == result.error().message,
            "an error reads back");
  }
  if (const auto line = log_from_json(json)) {
    const auto again = log_from_json(log_json(line->level, line->line));
    promise(again.ok() && again->line == line->line && again->level == line->level, "a log line reads back");
  }
  return 0;
}

// One webhook instance under check: its hooks called as the host does, everything they say judged.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/conformance/check.h"
#include "host/conformance/check_host.h"
#include "host/conformance/inputs.h"

namespace davit::conformance {

// How far a delivery got and what was said on the way: equal for equal behaviour.
struct Delivered {
  std::string hook;  // the last one
  davit_status status = DAVIT_INTERNAL;
  std::string parsed, output;  // what parse_payload and the last hook wrote
  friend bool operator==(const Delivered&, const Delivered&) = default;
};

// Thread-safe, as hooks are called concurrently. The host outlives it.
class WebhookDriver {
 public:
  // nullptr when there is no instance; what is wrong was reported.
  static std::unique_ptr<WebhookDriver> create(Subject& subject, CheckHost& host);
  ~WebhookDriver();  // destroy, and the end of the host's life

  // All hooks of a verified delivery, as far as they go.
  Delivered deliver(const RequestInput& input);
  // validate_signature; NOT_IMPLEMENTED where there is none.
  davit_status validate_signature(const RequestInput& input, const std::vector<std::string>& secrets);
  bool checks_signatures() const { return webhook_.validate_signature != nullptr; }

 private:
  WebhookDriver(Subject& subject, CheckHost& host) : subject_(subject), host_(host) {}
  void doing(const char* hook, const std::string& what);
  Subject& subject_;
  CheckHost& host_;
  davit_webhook webhook_{};
};

}  // namespace davit::conformance

// JSON asked of a sender's API.
#pragma once

#include <string>

#include "davit/json.hpp"
#include "http_client/http_client.h"

namespace note {

// One thread.
class Rest {
 public:
  // `authorization`: the value of that header, sent to `base` and what is below it only.
  Rest(std::string base, std::string authorization, http::Cancel cancel);

  // `body` null: none. Throws davit::Failure without any of what was sent: NotFound for 403, 404 and 410
  // (what is not there for this account), RateLimited for 429, Permanent and Retryable for the rest.
  davit::Json ask(const std::string& method, const std::string& path, const davit::Json& body = {});

 private:
  std::string base_, authorization_;
  http::Cancel cancel_;
  http::Client client_;
};

std::string base64(std::string_view text);

}  // namespace note

// Requests to a running host. The only place that knows libcurl.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/result.h"

namespace davit::cli {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// Confined to one thread. The token is sent as a bearer and appears in no message.
class ApiClient {
 public:
  // `base_url` like "http://127.0.0.1:8080". InvalidInput if it is no http(s) URL, or one that would carry a
  // token through a network in the clear.
  static Result<ApiClient> create(std::string base_url, std::string token,
                                  Duration timeout = Duration(30'000));

  const std::string& base_url() const { return base_url_; }

  // Any answer counts as success. Unavailable: nobody listens there. Deadline: no answer in time. No
  // redirects are followed and, on this machine, no proxies used.
  Result<HttpAnswer> request(const std::string& method, const std::string& path, const HttpHeaders& headers,
                             std::string_view body) const;

  // The JSON of a 2xx answer; otherwise an error with the host's own sentence.
  Result<JsonDocument> get(const std::string& path) const;
  // The body of a 2xx answer as it is; likewise.
  Result<std::string> get_bytes(const std::string& path) const;
  Result<JsonDocument> post(const std::string& path, std::string_view json) const;
  Result<JsonDocument> put(const std::string& path, std::string_view json) const;
  Result<JsonDocument> remove(const std::string& path) const;  // DELETE

 private:
  ApiClient(std::string base_url, std::string token, Duration timeout, bool local)
      : base_url_(std::move(base_url)), token_(std::move(token)), timeout_(timeout), local_(local) {}
  Result<> check(const HttpAnswer& answer) const;
  Result<JsonDocument> json_of(const HttpAnswer& answer) const;
  HttpHeaders authorization() const;
  Result<JsonDocument> act(const std::string& method, const std::string& path, std::string_view json) const;

  std::string base_url_;
  std::string token_;
  Duration timeout_;
  bool local_;
};

// For a query or a path segment.
std::string percent_encoded(std::string_view text);

// "path?a=b&c=d" of the parameters that are not empty.
std::string with_query(std::string_view path, const HttpHeaders& parameters);

}  // namespace davit::cli

// Requests for tests.
//
//   RequestBuilder request(R"({"action": "opened"})");
//   request.header("X-GitHub-Event", "issues");
//   auto parsed = webhook.parse_payload(request);
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "davit/request.hpp"

namespace davit {
inline namespace sdk {
namespace testing {

class RequestBuilder {
 public:
  explicit RequestBuilder(std::string body = "") : body_(std::move(body)) {}

  RequestBuilder& method(std::string value) { return method_ = std::move(value), *this; }
  RequestBuilder& path(std::string value) { return path_ = std::move(value), *this; }
  RequestBuilder& query(std::string value) { return query_ = std::move(value), *this; }
  RequestBuilder& body(std::string value) { return body_ = std::move(value), *this; }
  RequestBuilder& delivery_id(std::string value) { return delivery_id_ = std::move(value), *this; }
  RequestBuilder& received(Time value) { return received_ = value, *this; }
  // Appends: naming a header twice sends it twice.
  RequestBuilder& header(std::string name, std::string value) {
    headers_.emplace_back(std::move(name), std::move(value));
    return *this;
  }

  const std::string& body() const { return body_; }

  // Valid until this is changed.
  const davit_request& abi() {
    header_texts_.clear();
    for (const auto& [name, value] : headers_) header_texts_.push_back({text_of(name), text_of(value)});
    request_ = {sizeof(davit_request), 0,
                text_of(method_),      text_of(path_),
                text_of(query_),       header_texts_.data(),
                header_texts_.size(),  text_of(body_),
                text_of("127.0.0.1"),  text_of("test-request"),
                text_of(delivery_id_), unix_ms(received_)};
    return request_;
  }
  Request request() { return Request(abi()); }

 private:
  std::string method_ = "POST";
  std::string path_ = "/webhooks/test";
  std::string query_;
  std::string body_;
  std::string delivery_id_;
  Time received_ = time_from_unix_ms(1'700'000'000'000);
  std::vector<std::pair<std::string, std::string>> headers_;
  std::vector<davit_header> header_texts_;
  davit_request request_{};
};

}  // namespace testing
}  // namespace sdk
}  // namespace davit

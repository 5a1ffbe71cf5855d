// An address as libcurl reads it: what is judged here is what is used.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

namespace http {

// Confined to one thread; may be moved.
class Address {
 public:
  // Throws davit::Failure(Permanent), without the text itself, for what cannot be read, holds a user or a
  // password, or is neither https nor http to 127.0.0.1, [::1] or localhost.
  explicit Address(const std::string& text);

  CURLU* handle() const { return url_.get(); }
  const std::string& scheme() const { return scheme_; }
  // "https://host:443": who is spoken to.
  const std::string& origin() const { return origin_; }
  // For messages: origin and path, cut. No query: that of a signed address is a secret.
  std::string shown() const;

 private:
  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url_{curl_url(), &curl_url_cleanup};
  std::string scheme_, origin_;
};

}  // namespace http

#include "http_client/address.h"

#include <algorithm>

#include "davit/failure.hpp"

namespace http {
namespace {

using davit::Failure;

std::string part_of(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  std::string value;
  if (curl_url_get(url, which, &text, flags) == CURLUE_OK && text) value = text;
  curl_free(text);
  return value;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

bool is_loopback(const std::string& host) {
  return host == "127.0.0.1" || host == "[::1]" || host == "localhost";
}

}  // namespace

Address::Address(const std::string& text) {
  const bool plain =
      std::none_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7F; });
  if (!url_ || !plain || curl_url_set(url_.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
    throw Failure::permanent("an address cannot be read: give it as https://host/path");
  if (!part_of(url_.get(), CURLUPART_USER).empty() || !part_of(url_.get(), CURLUPART_PASSWORD).empty())
    throw Failure::permanent("an address holds a user or a password: give secrets by name, not in addresses");
  scheme_ = lower(part_of(url_.get(), CURLUPART_SCHEME));
  const std::string host = lower(part_of(url_.get(), CURLUPART_HOST));
  origin_ = scheme_ + "://" + host + ":" + part_of(url_.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (scheme_ != "https" && !(scheme_ == "http" && is_loopback(host)))
    throw Failure::permanent(origin_ + " is not spoken to: https only, http to this machine itself");
}

std::string Address::shown() const {
  constexpr std::size_t kMostPath = 200;
  std::string path = part_of(url_.get(), CURLUPART_PATH);
  if (path.size() > kMostPath) path = path.substr(0, kMostPath) + "...";
  return origin_ + path;
}

}  // namespace http

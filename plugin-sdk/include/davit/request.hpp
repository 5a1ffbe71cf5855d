// The HTTP request as a webhook sees it. Everything is borrowed: valid until the hook returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "davit/abi/version.h"
#include "davit/abi/webhook.h"
#include "davit/host.hpp"
#include "davit/json.hpp"
#include "davit/text.hpp"

namespace davit {
inline namespace sdk {

// Fields of an application/x-www-form-urlencoded text, decoded, in their order.
class Form {
 public:
  static Form parse(std::string_view text) {
    Form form;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('&'), text.size());
      const std::string_view pair = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (pair.empty()) continue;
      const std::size_t equals = std::min(pair.find('='), pair.size());
      form.fields_.emplace_back(decode(pair.substr(0, equals)),
                                decode(pair.substr(std::min(equals + 1, pair.size()))));
    }
    return form;
  }

  // The first field of that name, or "".
  std::string_view operator[](std::string_view name) const& {
    for (const auto& [key, value] : fields_) {
      if (key == name) return value;
    }
    return {};
  }
  std::string_view operator[](std::string_view name) && = delete;
  bool has(std::string_view name) const {
    for (const auto& field : fields_) {
      if (field.first == name) return true;
    }
    return false;
  }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

 private:
  static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  }
  // '+' is a blank; a '%' that no two hex digits follow stands for itself.
  static std::string decode(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
        plain += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
        i += 2;
      } else {
        plain += text[i] == '+' ? ' ' : text[i];
      }
    }
    return plain;
  }

  std::vector<std::pair<std::string, std::string>> fields_;
};

class Request {
 public:
  explicit Request(const davit_request& request) : request_(&request) {}

  std::string_view method() const { return view_of(request_->method); }
  std::string_view path() const { return view_of(request_->path); }    // as sent, not decoded
  std::string_view query() const { return view_of(request_->query); }  // behind '?', as sent
  std::string_view body() const { return view_of(request_->body); }    // the bytes as signed
  std::string_view remote_address() const { return view_of(request_->remote_address); }
  std::string_view request_id() const { return view_of(request_->request_id); }
  std::string_view delivery_id() const { return view_of(request_->delivery_id); }  // where it is in a header
  Time received() const { return time_from_unix_ms(request_->received_unix_ms); }

  // The first header of that name in any case, or "".
  std::string_view header(std::string_view name) const {
    for (std::uint64_t i = 0; i < request_->header_count; ++i) {
      if (same(view_of(request_->headers[i].name), name)) return view_of(request_->headers[i].value);
    }
    return {};
  }
  bool has_header(std::string_view name) const { return !headers(name).empty(); }
  // All headers of that name.
  std::vector<std::string_view> headers(std::string_view name) const {
    std::vector<std::string_view> values;
    for (std::uint64_t i = 0; i < request_->header_count; ++i) {
      if (same(view_of(request_->headers[i].name), name))
        values.push_back(view_of(request_->headers[i].value));
    }
    return values;
  }
  std::vector<std::pair<std::string_view, std::string_view>> headers() const {
    std::vector<std::pair<std::string_view, std::string_view>> all;
    for (std::uint64_t i = 0; i < request_->header_count; ++i) {
      all.emplace_back(view_of(request_->headers[i].name), view_of(request_->headers[i].value));
    }
    return all;
  }

  // The body, parsed at each call. json() throws Failure(InvalidInput) when it is not JSON.
  Json json() const { return Json::parse(body()); }
  Form form() const { return Form::parse(body()); }
  Form query_fields() const { return Form::parse(query()); }

  const davit_request& raw() const { return *request_; }

 private:
  static char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
  static bool same(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
  }

  const davit_request* request_;
};

// The secrets configured for this webhook, newest first; any of them may have signed.
class Secrets {
 public:
  explicit Secrets(const davit_secrets& secrets) {
    for (std::uint32_t i = 0; i < secrets.count; ++i) values_.push_back(view_of(secrets.values[i]));
  }
  explicit Secrets(std::vector<std::string_view> values) : values_(std::move(values)) {}

  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }
  std::size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }

 private:
  std::vector<std::string_view> values_;
};

}  // namespace sdk
}  // namespace davit

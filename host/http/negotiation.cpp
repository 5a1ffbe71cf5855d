#include "host/http/negotiation.h"

#include <algorithm>
#include <optional>

#include "host/base/crypto.h"
#include "host/base/deflate.h"

namespace davit::http {
namespace {

constexpr std::size_t kTagDigits = 32;  // of a SHA-256 in hex: more than any two answers will share

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes the text up to the next `separator` off the front of `list`, without the blanks around it.
std::string_view next_of(std::string_view& list, char separator) {
  const std::size_t end = std::min(list.find(separator), list.size());
  const std::string_view item = trimmed(list.substr(0, end));
  list.remove_prefix(std::min(end + 1, list.size()));
  return item;
}

// A weight in thousandths: "0.5" is 500. Absent: it has another form.
std::optional<int> read_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int thousandths = (text[0] - '0') * 1000;
  for (std::size_t i = 2, worth = 100; i < text.size(); ++i, worth /= 10) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    thousandths += (text[i] - '0') * static_cast<int>(worth);
  }
  return thousandths > 1000 ? std::nullopt : std::optional(thousandths);
}

// The weight of what stands behind a coding's name: "q=0.5", or nothing.
std::optional<int> weight_of(std::string_view parameter) {
  if (parameter.empty()) return 1000;
  if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) return std::nullopt;
  return read_weight(parameter.substr(2));
}

const std::string* header_of(const Response& response, std::string_view name) {
  for (const auto& [each, value] : response.headers)
    if (same_name(each, name)) return &value;
  return nullptr;
}

}  // namespace

bool takes_gzip(std::string_view accepted) {
  std::optional<int> gzip, identity;  // the first of each counts
  while (!accepted.empty()) {
    std::string_view coding = next_of(accepted, ',');
    const std::string_view name = next_of(coding, ';');
    const std::optional<int> weight = weight_of(trimmed(coding));
    if (same_name(name, "gzip") && !gzip) gzip = weight.value_or(0);
    if (same_name(name, "identity") && !identity) identity = weight;
  }
  return gzip.value_or(0) > 0 && *gzip >= identity.value_or(0);
}

bool has_tag(std::string_view tags, std::string_view tag) {
  tags = trimmed(tags);
  if (tags == "*") return true;
  while (!tags.empty()) {
    if (tags.front() == ',' || tags.front() == ' ' || tags.front() == '\t') {
      tags.remove_prefix(1);
      continue;
    }
    if (tags.starts_with("W/")) tags.remove_prefix(2);
    const std::size_t end = tags.starts_with('"') ? tags.find('"', 1) : std::string_view::npos;
    if (end == std::string_view::npos) return false;
    if (tags.substr(0, end + 1) == tag) return true;
    tags.remove_prefix(end + 1);
  }
  return false;
}

Wishes wishes_of(const Request& request) {
  return {takes_gzip(request.list("accept-encoding")), request.list("if-none-match")};
}

void suit(Response& response, const Wishes& wishes) {
  const std::string* caching = header_of(response, "Cache-Control");
  if (response.status != 200 || (caching != nullptr && caching->find("no-store") != std::string::npos) ||
      header_of(response, "ETag") != nullptr || header_of(response, "Content-Encoding") != nullptr)
    return;
  const bool packed = wishes.gzip && response.body.size() > kWorthPacking;
  const std::string tag =
      "\"" + sha256_hex(response.body).substr(0, kTagDigits) + (packed ? "-gzip\"" : "\"");
  if (caching == nullptr) response.headers.emplace_back("Cache-Control", "private, no-cache");
  response.headers.emplace_back("ETag", tag);
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (has_tag(wishes.tags, tag)) {
    response.status = 304;
    response.content_type.clear();
    response.body.clear();
  } else if (packed) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = gzip(response.body);
  }
}

}  // namespace davit::http

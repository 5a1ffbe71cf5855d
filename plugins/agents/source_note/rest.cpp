#include "source_note/rest.h"

#include <algorithm>
#include <utility>

#include "davit/failure.hpp"

namespace note {

using davit::Failure;
using davit::Json;

Rest::Rest(std::string base, std::string authorization, http::Cancel cancel)
    : base_(std::move(base)), authorization_(std::move(authorization)), cancel_(std::move(cancel)) {}

Json Rest::ask(const std::string& method, const std::string& path, const Json& body) {
  constexpr std::chrono::milliseconds kTime{15'000};  // nobody waits long for a note
  http::Request request{.method = method,
                        .url = base_ + path,
                        .headers = {{"Authorization", authorization_}, {"Accept", "application/json"}},
                        .total = kTime};
  if (!body.is_null()) {
    request.body = body.dump();
    request.headers.push_back({"Content-Type", "application/json; charset=utf-8"});
  }
  const http::Response answer = client_.send(request, cancel_);
  const std::string said = method + " " + base_ + path.substr(0, path.find('?')) + " is answered with " +
                           std::to_string(answer.status);
  if (answer.status == 403 || answer.status == 404 || answer.status == 410) throw Failure::not_found(said);
  if (answer.status == 429) throw Failure::rate_limited(said, std::chrono::seconds(60));
  if (answer.status >= 500) throw Failure::retryable(said);
  if (answer.status < 200 || answer.status >= 300) throw Failure::permanent(said);
  if (answer.cut) throw Failure::permanent(said + ", and more than 8 MiB");
  if (answer.body.empty()) return {};
  try {
    return Json::parse(answer.body);
  } catch (const Failure&) {
    throw Failure::retryable(said + ", and something that is not JSON");
  }
}

std::string base64(std::string_view text) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    unsigned bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u);
    const std::size_t digits = std::min<std::size_t>(text.size() - at, 3) + 1;
    for (std::size_t i = 0; i < 4; ++i) out += i < digits ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

}  // namespace note

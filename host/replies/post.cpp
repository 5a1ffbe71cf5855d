#include "host/replies/post.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>

namespace davit::replies {
namespace {

constexpr long kConnectMs = 3'000;
constexpr long kWholeMs = 10'000;
constexpr std::size_t kLargestAnswer = 64u << 10;
constexpr curl_off_t kLongestWait = 86'400;  // seconds

// libcurl's own set-up is per process and must not race.
void prepare_library() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string part_of(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  std::string value;
  if (curl_url_get(url, which, &text, 0) == CURLUE_OK) value = text;
  curl_free(text);
  return value;
}

// What is judged here is what is used: the same parsed address goes to the transfer.
std::optional<std::string> fault_of(CURLU* url, const Allowed& allowed) {
  std::string host = part_of(url, CURLUPART_HOST);
  std::transform(host.begin(), host.end(), host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::string scheme = part_of(url, CURLUPART_SCHEME), port = part_of(url, CURLUPART_PORT);
  if (!part_of(url, CURLUPART_USER).empty() || !part_of(url, CURLUPART_PASSWORD).empty())
    return "the address holds a user or password";
  if (allowed.loopback && scheme == "http" && host == "127.0.0.1") return std::nullopt;
  if (scheme != "https") return "the address is not one of https";
  if (!port.empty() && port != "443") return "the address names a port";
  if (std::find(allowed.hosts.begin(), allowed.hosts.end(), host) == allowed.hosts.end())
    return "the host " + (host.size() <= 253 ? host : "of the address") + " is not in replies.hosts";
  return std::nullopt;
}

struct Answer {
  std::size_t bytes = 0;
};

std::size_t count_body(char*, std::size_t size, std::size_t count, void* into) {
  auto& answer = *static_cast<Answer*>(into);
  answer.bytes += size * count;
  return answer.bytes > kLargestAnswer ? 0 : size * count;  // 0 ends the transfer
}

int goes_on(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(stop)->load() ? 1 : 0;
}

}  // namespace

Posted post(const std::string& url, const std::string& json, const Allowed& allowed,
            const std::atomic<bool>& stop) {
  using Kind = Posted::Kind;
  prepare_library();
  Url parsed(curl_url(), &curl_url_cleanup);
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK)
    return {Kind::Refused, "the address cannot be read"};
  if (auto fault = fault_of(parsed.get(), allowed)) return {Kind::Refused, *fault};

  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(), &curl_easy_cleanup);
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, "Content-Type: application/json; charset=utf-8"), &curl_slist_free_all);
  if (!handle || !headers) return {Kind::NotTaken, "libcurl cannot be set up"};
  if (curl_slist* longer = curl_slist_append(headers.get(), "Expect:"))
    static_cast<void>(headers.release()), headers.reset(longer);

  CURL* curl = handle.get();
  const bool local = part_of(parsed.get(), CURLUPART_SCHEME) == "http";
  Answer answer;
  curl_easy_setopt(curl, CURLOPT_CURLU, parsed.get());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, local ? "http" : "https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // a resolver that hangs holds up nobody
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kWholeMs);
  curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  if (local) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "davit");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json.data());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, goes_on);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(&stop));

  const CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK && code != CURLE_WRITE_ERROR) {
    long sent = 0;
    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &sent);
    // Its own error text may hold the address.
    const std::string reason = curl_easy_strerror(code);
    if (sent == 0) return {Kind::NotTaken, reason};
    return {Kind::Unclear, reason + ", after it was sent: it may have arrived"};
  }
  if (status >= 200 && status < 300) return {};
  const std::string reason = "it was answered " + std::to_string(status);
  if (status != 429 && status < 500) return {Kind::Refused, reason};
  curl_off_t wait = 0;  // seconds, also where the header names a time
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait);
  return {Kind::NotTaken, reason, std::chrono::seconds(std::clamp<curl_off_t>(wait, 0, kLongestWait))};
}

}  // namespace davit::replies

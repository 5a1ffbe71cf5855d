#include "host/cli/api_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <mutex>

namespace davit::cli {
namespace {

constexpr std::size_t kLargestAnswer = 64u << 20;

// libcurl's own set-up is per process and must not race.
void prepare_library() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* into) {
  auto& body = *static_cast<std::string*>(into);
  if (body.size() + size * count > kLargestAnswer) return 0;  // ends the transfer
  body.append(bytes, size * count);
  return size * count;
}

// Host and scheme of a URL, or nothing.
struct UrlParts {
  std::string scheme, host;
};
std::optional<UrlParts> parts_of(const std::string& url) {
  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> handle(curl_url(), &curl_url_cleanup);
  if (!handle || curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return std::nullopt;
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    std::string value;
    if (curl_url_get(handle.get(), which, &text, 0) == CURLUE_OK) value = text;
    curl_free(text);
    return value;
  };
  return UrlParts{part(CURLUPART_SCHEME), part(CURLUPART_HOST)};
}

bool is_local(const std::string& host) {
  return host.starts_with("127.") || host == "localhost" || host == "[::1]" || host == "::1";
}

// The host's sentence in a problem document (RFC 9457), with what is wrong with each field.
std::string sentence_of(const HttpAnswer& answer) {
  const auto problem = parse_json(answer.body);
  if (!problem.ok() || !problem->IsObject()) return "";
  std::string sentence;
  if (const JsonValue* errors = find_member(*problem, "errors"); errors != nullptr && errors->IsArray())
    for (const JsonValue& error : errors->GetArray())
      sentence += (sentence.empty() ? "" : "; ") + string_member(error, "field") + ": " +
                  string_member(error, "detail");
  for (const char* member : {"detail", "message", "title"})
    if (sentence.empty()) sentence = string_member(*problem, member);
  return sentence;
}

ErrorCode code_of(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorCode::Unauthorized;
    case 404:
      return ErrorCode::NotFound;
    case 409:
      return ErrorCode::Conflict;
    case 413:
      return ErrorCode::TooLarge;
    case 429:
      return ErrorCode::RateLimited;
    case 503:
      return ErrorCode::Overloaded;
    default:
      return status < 500 ? ErrorCode::InvalidInput : ErrorCode::Internal;
  }
}

}  // namespace

Result<ApiClient> ApiClient::create(std::string base_url, std::string token, Duration timeout) {
  prepare_library();
  while (base_url.ends_with('/')) base_url.pop_back();
  const auto parts = parts_of(base_url);
  if (!parts || parts->host.empty() || (parts->scheme != "http" && parts->scheme != "https"))
    return Error{ErrorCode::InvalidInput,
                 "\"" + base_url + "\" is not a URL; write for example http://127.0.0.1:8080"};
  if (base_url.find('@') != std::string::npos)
    return Error{ErrorCode::InvalidInput,
                 "a URL with a password in it is not taken; set the token's variable instead"};
  const bool local = is_local(parts->host);
  if (!local && parts->scheme == "http" && !token.empty())
    return Error{ErrorCode::InvalidInput, "the token would cross the network in the clear to " + parts->host +
                                              "; use https:// or a tunnel"};
  if (token.find_first_of("\r\n") != std::string::npos)
    return Error{ErrorCode::InvalidInput, "the token holds a line break; remove it"};
  return ApiClient(std::move(base_url), std::move(token), timeout, local);
}

Result<HttpAnswer> ApiClient::request(const std::string& method, const std::string& path,
                                      const HttpHeaders& headers, std::string_view body) const {
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(), &curl_easy_cleanup);
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> list(nullptr, &curl_slist_free_all);
  if (!handle) return Error{ErrorCode::Internal, "libcurl cannot be set up"};
  const auto add_header = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer != nullptr) static_cast<void>(list.release()), list.reset(longer);
  };
  for (const auto& [name, value] : headers) {
    if ((name + value).find_first_of("\r\n") != std::string::npos)
      return Error{ErrorCode::InvalidInput,
                   "the header " + name.substr(0, name.find_first_of("\r\n")) + " holds a line break"};
    add_header(value.empty() ? name + ";" : name + ": " + value);  // libcurl's way to say "empty"
  }
  add_header("Expect:");

  HttpAnswer answer;
  CURL* curl = handle.get();
  const std::string url = base_url_ + path;
  char error_text[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_.count()));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "davit");
  if (local_) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  if (method != "GET") {
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list.get());

  switch (const CURLcode code = curl_easy_perform(curl)) {
    case CURLE_OK:
      break;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
      return Error{ErrorCode::Unavailable,
                   "no davit answers at " + base_url_ + "; start it with `davit serve`"};
    case CURLE_OPERATION_TIMEDOUT:
      return Error{ErrorCode::Deadline, base_url_ + " did not answer in time; look at the host's log"};
    case CURLE_WRITE_ERROR:
      return Error{ErrorCode::TooLarge,
                   "the answer of " + base_url_ + " is larger than 64 MiB; ask for less with --limit"};
    default:
      return Error{ErrorCode::Internal, "the request to " + base_url_ + " failed: " +
                                            (error_text[0] != '\0' ? error_text : curl_easy_strerror(code))};
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

HttpHeaders ApiClient::authorization() const {
  if (token_.empty()) return {};
  return {{"Authorization", "Bearer " + token_}};
}

Result<> ApiClient::check(const HttpAnswer& answer) const {
  if (answer.status < 200 || answer.status > 299) {
    std::string sentence = sentence_of(answer);
    if (answer.status == 401)
      sentence =
          token_.empty()
              ? "the host wants a token; set DAVIT_ADMIN_TOKEN, or run this as the user that the host runs as"
              : "the host does not accept this token; check DAVIT_ADMIN_TOKEN";
    if (sentence.empty())
      sentence = base_url_ + " answered " + std::to_string(answer.status) +
                 "; is it a davit? check --url and the port";
    return Error{code_of(answer.status), sentence};
  }
  return {};
}

Result<JsonDocument> ApiClient::json_of(const HttpAnswer& answer) const {
  TRY(check(answer));
  auto document = parse_json(answer.body, JsonLimits{.max_bytes = kLargestAnswer, .max_values = 5'000'000});
  if (!document.ok())
    return Error{ErrorCode::Internal,
                 base_url_ + " does not answer as a davit does; check --url and the port"};
  return document;
}

Result<JsonDocument> ApiClient::get(const std::string& path) const {
  return json_of(TRY(request("GET", path, authorization(), "")));
}

Result<std::string> ApiClient::get_bytes(const std::string& path) const {
  HttpAnswer answer = TRY(request("GET", path, authorization(), ""));
  TRY(check(answer));
  return std::move(answer.body);
}

Result<JsonDocument> ApiClient::act(const std::string& method, const std::string& path,
                                    std::string_view json) const {
  HttpHeaders headers = authorization();
  headers.emplace_back("Content-Type", "application/json");
  return json_of(TRY(request(method, path, headers, json)));
}

Result<JsonDocument> ApiClient::post(const std::string& path, std::string_view json) const {
  return act("POST", path, json);
}

Result<JsonDocument> ApiClient::put(const std::string& path, std::string_view json) const {
  return act("PUT", path, json);
}

Result<JsonDocument> ApiClient::remove(const std::string& path) const { return act("DELETE", path, ""); }

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || std::string_view("-._~").find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

std::string with_query(std::string_view path, const HttpHeaders& parameters) {
  std::string text(path);
  char separator = '?';
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    text += separator + name + "=" + percent_encoded(value);
    separator = '&';
  }
  return text;
}

}  // namespace davit::cli

// libcurl's multi interface with one transfer in it: unlike curl_easy_perform, which looks up once a second,
// it can be asked to wait for 50 ms at most, so that a cancel is heard in time. Redirects are followed here
// and not by libcurl, which judges by host alone what may be sent there.
#include "http_client/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <mutex>
#include <utility>

#include "davit/failure.hpp"
#include "http_client/address.h"

namespace http {
namespace {

using davit::Failure;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookUp{50};
constexpr milliseconds kConnect{10'000};
constexpr std::size_t kMostHeaders = 64u << 10;
constexpr int kMostRedirects = 5;

// libcurl's own set-up is per process and must not race.
void prepare_library() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool only_reads(const std::string& method) { return method == "GET" || method == "HEAD"; }

using List = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

// Headers as libcurl wants them. A line break in one would be a header more, or a second request.
List list_of(const std::vector<Header>& headers) {
  List list(nullptr, &curl_slist_free_all);
  const auto add = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (!longer) throw Failure::retryable("libcurl is out of memory");
    static_cast<void>(list.release());
    list.reset(longer);
  };
  bool names_itself = false;
  for (const Header& header : headers) {
    const bool good_name =
        !header.name.empty() && std::all_of(header.name.begin(), header.name.end(),
                                            [](unsigned char c) { return std::isalnum(c) || c == '-'; });
    if (!good_name) throw Failure::permanent("a header has a name that cannot be sent");
    const bool good_value = std::none_of(header.value.begin(), header.value.end(),
                                         [](unsigned char c) { return c < ' ' || c == 0x7F; });
    if (!good_value) {
      throw Failure::permanent("header " + header.name +
                               " holds a control character: look for a line break in what it is made of");
    }
    names_itself = names_itself || same_name(header.name, "User-Agent");
    // An empty value is sent as such only when a semicolon stands for the colon.
    add(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  if (!names_itself) add("User-Agent: davit");
  add("Expect:");  // no 100-continue, which costs a second where it is not known
  return list;
}

// What an answer is gathered in.
struct Incoming {
  explicit Incoming(const Request& request) : most(request.most), keep(request.keep) {}

  std::size_t most;
  Keep keep;
  Response response;
  std::size_t header_bytes = 0;
  bool headers_too_large = false;
  bool headers_end = false;  // libcurl takes what is cut off in its headers for whole
  bool in_body = false;

  bool take_header(std::string_view line) {
    header_bytes += line.size();
    headers_too_large = header_bytes > kMostHeaders;
    if (headers_too_large) return false;
    if (in_body) return true;            // what follows a body is nobody's word
    if (line.substr(0, 5) == "HTTP/") {  // also behind a 100 or 103
      response.headers.clear();
      headers_end = false;
    }
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    headers_end = headers_end || line.empty();
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return true;
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    response.headers.push_back({std::string(line.substr(0, colon)), std::string(value)});
    return true;
  }

  bool take_body(std::string_view bytes) {
    in_body = true;
    std::string& body = response.body;
    if (keep == Keep::Beginning) {
      const std::size_t room = most - body.size();
      body.append(bytes.substr(0, room));
      response.cut = bytes.size() > room;
      return !response.cut;
    }
    body.append(bytes);
    // Twice as much as is wanted may gather, so that each byte is moved once.
    if (body.size() > most) response.cut = true;
    if (body.size() > 2 * most) body.erase(0, body.size() - most);
    return true;
  }

  void finish() {
    if (response.body.size() > most) response.body.erase(0, response.body.size() - most);
  }
};

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* into) {
  return static_cast<Incoming*>(into)->take_header({data, size * count}) ? size * count : 0;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* into) {
  return static_cast<Incoming*>(into)->take_body({data, size * count}) ? size * count : 0;
}

void choose_method(CURL* curl, const Request& request) {
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    return;
  }
  const bool has_body = !request.body.empty() || request.method == "POST" || request.method == "PUT" ||
                        request.method == "PATCH";
  if (has_body) {
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_options(CURL* curl, const Request& request, const Address& address, milliseconds left) {
  curl_easy_reset(curl);
  curl_easy_setopt(curl, CURLOPT_CURLU, address.handle());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, address.scheme().c_str());
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(left, kConnect).count()));
  curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, only_reads(request.method) ? 0L : 1L);
  choose_method(curl, request);
}

[[noreturn]] void fail(CURLcode code, const std::string& where, const Incoming& incoming) {
  if (incoming.headers_too_large) {
    throw Failure::permanent(where + " answered with more than " + std::to_string(kMostHeaders >> 10) +
                             " KiB of headers");
  }
  // libcurl's longer text may hold what was sent.
  const std::string message = where + " failed: " + curl_easy_strerror(code);
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_URL_MALFORMAT:
      throw Failure::permanent(message);
    default:
      throw Failure::retryable(message);
  }
}

}  // namespace

std::string_view Response::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (same_name(header.name, name)) return header.value;
  }
  return {};
}

struct Client::Handles {
  CURLM* multi = nullptr;
  CURL* easy = nullptr;

  Handles() {
    prepare_library();
    multi = curl_multi_init();
    easy = curl_easy_init();
  }
  ~Handles() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  // Until the transfer has ended, one way or the other; the handle is out of the stack of transfers then, and
  // what libcurl did for it, a thread that looked up a name too, is over.
  CURLcode run(const Cancel& cancel, bool& cancelled) {
    const auto fault = [](CURLMcode code) {
      return code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
    };
    if (const CURLMcode code = curl_multi_add_handle(multi, easy)) return fault(code);
    CURLcode result = CURLE_OK;
    for (int running = 1; running > 0;) {
      CURLMcode code = curl_multi_perform(multi, &running);
      cancelled = running > 0 && cancel && cancel();
      if (cancelled) break;
      if (code == CURLM_OK && running > 0)
        code = curl_multi_poll(multi, nullptr, 0, static_cast<int>(kLookUp.count()), nullptr);
      if (code != CURLM_OK) {
        result = fault(code);
        break;
      }
    }
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) result = message->data.result;
    }
    curl_multi_remove_handle(multi, easy);
    return result;
  }
};

Client::Client() : handles_(std::make_unique<Handles>()) {
  if (!handles_->multi || !handles_->easy) throw Failure::retryable("libcurl cannot be set up");
}

Client::~Client() = default;

Response Client::send(const Request& request, const Cancel& cancel) {
  const auto end = steady_clock::now() + request.total;
  CURL* curl = handles_->easy;
  Address address(request.url);
  const std::string first_origin = address.origin();
  std::vector<Header> headers = request.headers;

  for (int redirects = 0;; ++redirects) {
    const std::string where = request.method + " " + address.shown();
    if (cancel && cancel()) throw Failure::cancelled(where + " was cancelled");
    const auto left = std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
    if (left.count() <= 0) throw Failure::retryable(where + " failed: its time is over");

    const List list = list_of(headers);
    Incoming incoming(request);
    set_options(curl, request, address, left);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list.get());
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &incoming);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &incoming);

    bool cancelled = false;
    const CURLcode code = handles_->run(cancel, cancelled);
    if (cancelled) throw Failure::cancelled(where + " was cancelled");
    const bool had_enough = code == CURLE_WRITE_ERROR && incoming.response.cut;
    if (code != CURLE_OK && !had_enough) fail(code, where, incoming);
    if (!incoming.headers_end) throw Failure::retryable(where + " failed: the answer ends in its headers");
    incoming.finish();

    long status = 0;
    char* next_text = nullptr;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &next_text);
    incoming.response.status = static_cast<int>(status);
    const bool keeps_method = status == 307 || status == 308;
    if (!next_text || !(only_reads(request.method) || keeps_method)) return std::move(incoming.response);

    if (redirects == kMostRedirects) throw Failure::permanent(where + " is redirected again and again");
    Address next(next_text);
    if (next.origin() != address.origin()) {
      const bool may = request.elsewhere == Elsewhere::Bare && only_reads(request.method) &&
                       !(address.scheme() == "https" && next.scheme() == "http");
      if (!may) {
        throw Failure::permanent(where + " is redirected to " + next.origin() + ", where it is not followed");
      }
    }
    if (next.origin() != first_origin)
      std::erase_if(headers, [](const Header& header) { return !same_name(header.name, "Accept"); });
    address = std::move(next);
  }
}

}  // namespace http

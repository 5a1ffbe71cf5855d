// Requests to GitHub's REST API, and what their answers mean for the one who asked.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "davit/json.hpp"
#include "github_api/etags.h"
#include "http_client/http_client.h"

namespace github {

struct Account {
  std::string api = "https://api.github.com";  // of an Enterprise Server: https://HOST/api/v3
  std::string token;
};

// Paths begin with a slash, below the API. One thread. Throws davit::Failure with one line that says which
// request it was and what GitHub said, without the token:
//   RateLimited   a limit, with the time to wait that GitHub gives
//   Unauthorized  401: the token is wrong or has run out
//   NotFound      404 and 410; 404 also stands for what the token may not see
//   Permanent     403 and 422, other refusals; an answer that is too large or leads elsewhere
//   Retryable     5xx, a connection that broke, an answer that is not JSON
//   Cancelled
class Connection {
 public:
  // Throws Failure(Permanent) without a token.
  Connection(Account account, http::Cancel cancel);

  // Reading: asked up to three times where that may help. What was read before and holds still costs nothing.
  davit::Json get(const std::string& path);
  // Hands over each element of a list, page by page, until `look` returns false. Throws Permanent for more
  // than 50 pages of 100: not having looked everywhere would be a wrong answer.
  void each(const std::string& path, const std::function<bool(davit::JsonView)>& look);

  // Changing to what the body says: asked up to three times, for twice is as good as once.
  davit::Json patch(const std::string& path, const davit::Json& body);
  // Making: asked once. After a Retryable nobody knows whether it was made.
  davit::Json post(const std::string& path, const davit::Json& body);

  // Waits, and throws Cancelled when asked to end.
  void pause(std::chrono::milliseconds time) const;

 private:
  struct Page {
    davit::Json json;
    std::string next;  // address of the page behind it, or empty
  };
  Page read(const std::string& url);
  http::Response call(const std::string& method, const std::string& url, const std::string& body,
                      const std::string& etag);
  davit::Json parse(const std::string& where, const std::string& body) const;
  [[noreturn]] void refuse(const std::string& where, const http::Response& answer) const;
  template <class Attempt>
  auto up_to_three_times(Attempt attempt) const;
  std::string where(const std::string& method, const std::string& url) const;
  std::string without_token(std::string text) const;

  Account account_;
  http::Cancel cancel_;
  http::Client client_;
  Etags etags_;
};

}  // namespace github

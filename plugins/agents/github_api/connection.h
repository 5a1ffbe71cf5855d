// Requests to GitHub's REST API, and what their answers mean for the one who asked.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "davit/json.hpp"
#include "github_api/account.h"
#include "github_api/etags.h"
#include "github_api/pace.h"
#include "http_client/http_client.h"

namespace github {

// As whom: with the token, or as the App itself, for what an installation's token may not ask.
enum class As { Token, App };

// Paths begin with a slash, below the API. One thread. A limit is waited for in place where the caller's
// patience allows (pace.h). Throws davit::Failure with one line that says which request it was and what
// GitHub said, without token and key:
//   RateLimited   a limit that lasts longer, with the time to wait
//   Unauthorized  401: the token, or the App's key, is wrong or has run out
//   NotFound      404 and 410; 404 also stands for what the token may not see
//   Permanent     403, with the right that it needs, and 422, other refusals; an answer that is too large, of
//   another shape or leads elsewhere Retryable     5xx, a connection that broke, an answer that is not JSON,
//   a state folder that cannot be used Cancelled
class Connection {
 public:
  // Throws Failure(Permanent) without a token or an App with its installation, Internal without a state
  // folder.
  Connection(Account account, http::Cancel cancel, Waiting waiting);

  // Reading: asked up to three times where that may help. What was read before and holds still costs nothing.
  davit::Json get(const std::string& path, As as = As::Token);
  // Hands over each element of a list (`member`: the one that holds it, where the answer is an object), page
  // by page, until `look` returns false. Throws Permanent for more than 50 pages of 100: not having looked
  // everywhere would be a wrong answer.
  void each(const std::string& path, const std::function<bool(davit::JsonView)>& look,
            std::string_view member = "");
  struct Page {
    davit::Json json;
    std::string next;  // path of the page behind it, or empty
  };
  Page page(const std::string& path, As as);

  // The last `most` bytes of a text, which may lie at another host. Nullopt when it is gone.
  struct Text {
    std::string text;
    bool cut = false;
  };
  std::optional<Text> tail(const std::string& path, std::size_t most);

  // Changing to what the body says: asked up to three times, for twice is as good as once.
  davit::Json patch(const std::string& path, const davit::Json& body);
  // Making: asked once. After a Retryable nobody knows whether it was made.
  davit::Json post(const std::string& path, const davit::Json& body, As as = As::Token);
  // `data` of the answer. Asked once. What GraphQL calls errors is thrown like the others.
  davit::Json graphql(const std::string& query, davit::Json variables);

  // For git: good for five more minutes at least, where it ends at all.
  std::string token();
  bool is_app() const { return !account_.app.id.empty(); }

  // Waits, and throws Cancelled when asked to end.
  void pause(std::chrono::milliseconds time) const { pace_.nap(time); }

 private:
  struct Ask {
    std::string method, url;
    std::string body = {}, etag = {};
    As as = As::Token;
    Move move = Move::Read;
    std::size_t tail = 0;  // bytes of a text at its end; 0: JSON
  };
  Page read(const std::string& url, As as);
  http::Response call(const Ask& ask);
  http::Response send(const Ask& ask);
  davit::Json parse(const std::string& where, const std::string& body) const;
  [[noreturn]] void refuse(const std::string& where, const http::Response& answer) const;
  std::string told(const std::string& where, const http::Response& answer) const;
  std::string missing_right(const std::string& where, const http::Response& answer) const;
  template <class Attempt>
  auto up_to_three_times(Attempt attempt) const;

  std::string bearer(As as);
  void renew_token();
  std::chrono::sys_seconds github_now() const;
  std::string path_below(const std::string& url) const;
  std::string where(const Ask& ask) const;
  std::string without_secrets(std::string text) const;

  Account account_;
  http::Client client_;
  Pace pace_;
  Etags etags_;
  std::chrono::seconds ahead_{0};  // GitHub's clock, of ours
  InstallationToken token_;        // of an App; empty: none yet
  std::string proof_;              // the last one of the App
  http::Cancel cancel_;
};

}  // namespace github

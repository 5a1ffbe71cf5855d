// Who asks: whoever shows a token, or the cookie of a browser that signed in with one.
//
// Secrets are kept as SHA-256 only, in memory as in the store. Those that davit makes have 256 random bits
// and are found by that digest; those of the configuration, which people choose, are compared in constant
// time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/base/guarded.h"
#include "host/http/login_limit.h"
#include "host/model/access.h"
#include "host/store/store.h"

namespace davit::http {

struct Caller {
  std::string name;  // of the token; "admin" and "reader" are those of the configuration
  Role role = Role::Reader;
  std::string session;  // SHA-256 of the secret in his cookie, raw; empty: he shows a token
  std::string token;    // SHA-256, raw, of the token that he shows or has signed in with
};

// The tokens of the configuration, as SHA-256 in hex; an empty one means that nobody has that role by it.
struct ConfiguredTokens {
  std::string admin_sha256, reader_sha256;
};

// The secret of a new token: 256 random bits, recognisable as davit's.
std::string new_token();

// What an unsafe request of a session has to show beside its cookie: only pages of davit's own get to know
// it.
std::string csrf_token(std::string_view session_secret);

// Thread-safe. Asking who somebody is never waits for the disk.
class Authentication {
 public:
  // With the tokens and sessions that the store has; it outlives this, as the clock does.
  static Result<std::unique_ptr<Authentication>> load(ConfiguredTokens configured,
                                                      store::SessionLimits limits, store::Store& store,
                                                      const Clock& clock);

  // Whose token this is; nullopt for none that is good now.
  std::optional<Caller> by_token(std::string_view token);
  // Somebody at this address has shown a token that is none. Zero: he is told so; else how long he waits until he is
  // told again.
  std::chrono::nanoseconds wrong_token_from(const std::string& address);
  // Who signed in, and still has that token; nullopt also once the session is over.
  std::optional<Caller> by_session(std::string_view secret);
  // When the right of a caller ends: that of his session if nobody uses it, or in any case, that of his token
  // at the latest; whichever is earliest. max(): it does not. Nullopt: it is over.
  std::optional<WallTime> right_end(const Caller& caller) const;

  // The secret of a new session. Unauthorized unless by_token() knows the token. All `done` here are called
  // once the store has committed, and what they tell holds then.
  void sign_in(std::string_view token, std::string address, store::Audited audit,
               std::function<void(Result<std::string>)> done);
  void sign_out(const Caller& caller, store::Audited audit, store::Done<> done);

  // Gives the token itself, for the only time. Errors are those of the store.
  void create_token(AccessToken token, store::Audited audit, store::Done<std::string> done);
  // Ends its sessions, too.
  void revoke_token(std::string name, store::Audited audit, store::Done<AccessToken> done);
  std::vector<AccessToken> tokens() const;  // all, by name

 private:
  struct Known {
    std::map<std::string, AccessToken, std::less<>> tokens;     // by SHA-256
    std::map<std::string, LoginSession, std::less<>> sessions;  // likewise
  };
  Authentication(ConfiguredTokens configured, store::SessionLimits limits, store::Store& store,
                 const Clock& clock);
  std::optional<Caller> holder_of(const Known& known, std::string_view token_sha256) const;

  const ConfiguredTokens configured_;  // raw digests
  const store::SessionLimits limits_;
  store::Store& store_;
  const Clock& clock_;
  WrongTokenLimit wrong_tokens_;
  const std::shared_ptr<Guarded<Known>> known_;  // writes that are not committed yet may outlive this
};

}  // namespace davit::http

#include "host/http/authentication.h"

#include <algorithm>

#include "host/base/crypto.h"

namespace davit::http {
namespace {

// Uses are noted no more often than that: whoever asks often costs no write each time.
constexpr Duration kTokenUse{3'600'000};
constexpr Duration kSessionUse{300'000};

std::string new_secret() { return to_hex(random_bytes(32)); }

bool is_over(const LoginSession& session, const store::SessionLimits& limits, WallTime now) {
  return now - session.used_at >= limits.idle || now - session.created_at >= limits.lifetime;
}

std::string raw(const std::string& hex) {
  const Result<std::string> bytes = from_hex(hex);
  return bytes.ok() ? *bytes : std::string();
}

}  // namespace

std::string new_token() { return "davit_" + new_secret(); }

std::string csrf_token(std::string_view session_secret) {
  return to_hex(hmac(HashAlgorithm::Sha256, session_secret, "davit: this page is ours"));
}

Authentication::Authentication(ConfiguredTokens configured, store::SessionLimits limits, store::Store& store,
                               const Clock& clock)
    : configured_{raw(configured.admin_sha256), raw(configured.reader_sha256)},
      limits_(limits),
      store_(store),
      clock_(clock),
      known_(std::make_shared<Guarded<Known>>()) {}

Result<std::unique_ptr<Authentication>> Authentication::load(ConfiguredTokens configured,
                                                             store::SessionLimits limits, store::Store& store,
                                                             const Clock& clock) {
  std::unique_ptr<Authentication> loaded(new Authentication(std::move(configured), limits, store, clock));
  std::vector<AccessToken> tokens = TRY(store.tokens());
  std::vector<LoginSession> sessions = TRY(store.sessions());
  loaded->known_->with([&](Known& known) {
    for (AccessToken& token : tokens) known.tokens.emplace(token.sha256, std::move(token));
    for (LoginSession& session : sessions) known.sessions.emplace(session.sha256, std::move(session));
  });
  return loaded;
}

std::optional<Caller> Authentication::holder_of(const Known& known, std::string_view token_sha256) const {
  // Both comparisons are always made.
  const bool admin = constant_time_equal(token_sha256, configured_.admin_sha256);
  const bool reader = constant_time_equal(token_sha256, configured_.reader_sha256);
  const auto caller = [&](const std::string& name, Role role) {
    return Caller{name, role, {}, std::string(token_sha256)};
  };
  if (admin) return caller("admin", Role::Admin);
  if (reader) return caller("reader", Role::Reader);
  const auto found = known.tokens.find(token_sha256);
  if (found == known.tokens.end()) return std::nullopt;
  const AccessToken& token = found->second;
  if (token.revoked_at || (token.expires_at && *token.expires_at <= clock_.wall())) return std::nullopt;
  return caller(token.name, token.role);
}

std::optional<Caller> Authentication::by_token(std::string_view token) {
  if (token.empty()) return std::nullopt;
  const std::string digest = sha256(token);
  const WallTime now = clock_.wall();
  bool note = false;
  std::optional<Caller> caller = known_->with([&](Known& known) {
    std::optional<Caller> holder = holder_of(known, digest);
    if (const auto found = known.tokens.find(digest); holder && found != known.tokens.end()) {
      std::optional<WallTime>& used_at = found->second.used_at;
      note = !used_at || now - *used_at >= kTokenUse;
      if (note) used_at = now;
    }
    return holder;
  });
  if (note) store_.note_token_use(digest);
  return caller;
}

std::chrono::nanoseconds Authentication::wrong_token_from(const std::string& address) {
  return wrong_tokens_.take(address, clock_.monotonic());
}

std::optional<Caller> Authentication::by_session(std::string_view secret) {
  const std::string digest = sha256(secret);
  const WallTime now = clock_.wall();
  bool note = false;
  std::optional<Caller> caller = known_->with([&](Known& known) -> std::optional<Caller> {
    const auto found = known.sessions.find(digest);
    if (found == known.sessions.end()) return std::nullopt;
    LoginSession& session = found->second;
    std::optional<Caller> holder = holder_of(known, session.token_sha256);
    if (!holder || is_over(session, limits_, now)) {
      known.sessions.erase(found);
      return std::nullopt;
    }
    note = now - session.used_at >= kSessionUse;
    if (note) session.used_at = now;
    holder->session = digest;
    return holder;
  });
  if (note) store_.note_session_use(digest);
  return caller;
}

std::optional<WallTime> Authentication::right_end(const Caller& caller) const {
  return known_->with([&](const Known& known) -> std::optional<WallTime> {
    if (!holder_of(known, caller.token)) return std::nullopt;
    WallTime end = WallTime::max();
    if (const auto token = known.tokens.find(caller.token);
        token != known.tokens.end() && token->second.expires_at)
      end = *token->second.expires_at;
    if (caller.session.empty()) return end;
    const auto session = known.sessions.find(caller.session);
    if (session == known.sessions.end()) return std::nullopt;
    return std::min(
        {end, session->second.used_at + limits_.idle, session->second.created_at + limits_.lifetime});
  });
}

void Authentication::sign_in(std::string_view token, std::string address, store::Audited audit,
                             std::function<void(Result<std::string>)> done) {
  const std::optional<Caller> holder = by_token(token);
  if (!holder) return done(Error{ErrorCode::Unauthorized, "davit does not know this token"});
  if (audit) audit->actor = holder->name;
  const std::string secret = new_secret();
  const WallTime now = clock_.wall();
  LoginSession session{sha256(secret), sha256(token), now, now, std::move(address)};
  store_.open_session(
      session, limits_,
      [shared = known_, session, secret,
       done = std::move(done)](const Result<std::vector<std::string>>& ended) {
        if (!ended.ok()) return done(ended.error());
        shared->with([&](Known& known) {
          for (const std::string& each : *ended) known.sessions.erase(each);
          known.sessions.insert_or_assign(session.sha256, session);
        });
        done(secret);
      },
      std::move(audit));
}

void Authentication::sign_out(const Caller& caller, store::Audited audit, store::Done<> done) {
  store_.close_session(
      caller.session,
      [shared = known_, session = caller.session, done = std::move(done)](const Result<>& closed) {
        if (closed.ok()) shared->with([&](Known& known) { known.sessions.erase(session); });
        done(closed);
      },
      std::move(audit));
}

void Authentication::create_token(AccessToken token, store::Audited audit, store::Done<std::string> done) {
  const std::string secret = new_token();
  token.sha256 = sha256(secret);
  token.created_at = clock_.wall();
  store_.create_token(
      token,
      [shared = known_, token, secret, done = std::move(done)](const Result<>& created) {
        if (!created.ok()) return done(created.error());
        shared->with([&](Known& known) { known.tokens.insert_or_assign(token.sha256, token); });
        done(secret);
      },
      std::move(audit));
}

void Authentication::revoke_token(std::string name, store::Audited audit, store::Done<AccessToken> done) {
  store_.revoke_token(
      std::move(name),
      [shared = known_, done = std::move(done)](const Result<AccessToken>& revoked) {
        if (revoked.ok()) {
          shared->with([&](Known& known) {
            known.tokens.insert_or_assign(revoked->sha256, *revoked);
            std::erase_if(known.sessions, [&](const auto& session) {
              return session.second.token_sha256 == revoked->sha256;
            });
          });
        }
        done(revoked);
      },
      std::move(audit));
}

std::vector<AccessToken> Authentication::tokens() const {
  std::vector<AccessToken> all = known_->with([](const Known& known) {
    std::vector<AccessToken> tokens;
    for (const auto& [digest, token] : known.tokens) tokens.push_back(token);
    return tokens;
  });
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

}  // namespace davit::http

#include "host/store/access.h"

#include "host/store/readers.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

constexpr const char* kTokenColumns =
    "SELECT name, role, sha256, created_at, created_by, expires_at, used_at, revoked_at FROM access_token";

std::optional<WallTime> time_or_none(Cursor& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.time(column));
}

AccessToken read_token(Cursor& row) {
  AccessToken token;
  token.name = row.text(0);
  token.role = row.integer(1) == 1 ? Role::Admin : Role::Reader;
  token.sha256 = row.text(2);
  token.created_at = row.time(3);
  token.created_by = row.text(4);
  token.expires_at = time_or_none(row, 5);
  token.used_at = time_or_none(row, 6);
  token.revoked_at = time_or_none(row, 7);
  return token;
}

std::optional<AccessToken> find_token(Database& database, std::string_view name) {
  Statement find(database, std::string(kTokenColumns) + " WHERE name = ?1");
  Cursor row = find.query(name);
  return row.next() ? std::optional(read_token(row)) : std::nullopt;
}

}  // namespace

Result<> create_token(Database& database, const AccessToken& token) {
  if (const std::optional<AccessToken> known = find_token(database, token.name)) {
    return Error{
        ErrorCode::Conflict,
        known->revoked_at
            ? "a token was named " + token.name + " and is revoked; its name stays its own, so take another"
            : "there is a token named " + token.name + "; revoke it, or take another name"};
  }
  if (database.integer("SELECT count(*) FROM access_token WHERE revoked_at IS NULL") >= kMostTokens) {
    return Error{ErrorCode::Conflict, "there are " + std::to_string(kMostTokens) +
                                          " tokens, and no more can be; revoke what nobody needs"};
  }
  Statement(database,
            "INSERT INTO access_token (name, role, sha256, created_at, created_by, expires_at)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
      .run(token.name, token.role == Role::Admin ? 1 : 0, Blob{token.sha256}, token.created_at,
           token.created_by, token.expires_at);
  return {};
}

Result<AccessToken> revoke_token(Database& database, std::string_view name, WallTime now) {
  std::optional<AccessToken> token = find_token(database, name);
  if (!token) {
    return Error{ErrorCode::NotFound,
                 "there is no token named " + std::string(name) + "; davit token list shows them"};
  }
  if (token->revoked_at) {
    return Error{ErrorCode::Conflict,
                 "token " + token->name + " was revoked " + to_iso8601(*token->revoked_at)};
  }
  Statement(database, "UPDATE access_token SET revoked_at = ?2 WHERE name = ?1").run(name, now);
  Statement(database, "DELETE FROM login_session WHERE token_sha256 = ?1").run(Blob{token->sha256});
  token->revoked_at = now;
  return *token;
}

void note_token_use(Database& database, std::string_view sha256, WallTime at) {
  Statement(database, "UPDATE access_token SET used_at = ?2 WHERE sha256 = ?1").run(Blob{sha256}, at);
}

std::vector<std::string> open_session(Database& database, const LoginSession& session,
                                      const SessionLimits& limits) {
  std::vector<std::string> ended;
  const auto end = [&](const char* which, const auto&... values) {
    Statement statement(database, std::string("DELETE FROM login_session WHERE ") + which + " RETURNING sha256");
    Cursor row = statement.query(values...);
    while (row.next()) ended.push_back(row.text(0));
  };
  end("used_at <= ?1 OR created_at <= ?2", session.created_at - limits.idle,
      session.created_at - limits.lifetime);
  end("sha256 IN (SELECT sha256 FROM login_session WHERE token_sha256 = ?1"
      " ORDER BY used_at DESC, sha256 LIMIT -1 OFFSET ?2)",
      Blob{session.token_sha256}, limits.most_of_one - 1);
  for (std::int64_t many = database.integer("SELECT count(*) FROM login_session"); many >= limits.most; --many) {
    end("sha256 = (SELECT sha256 FROM login_session WHERE token_sha256 ="
        " (SELECT token_sha256 FROM login_session GROUP BY token_sha256 ORDER BY count(*) DESC, min(used_at) LIMIT 1)"
        " ORDER BY used_at, sha256 LIMIT 1)");
  }
  Statement(database,
            "INSERT INTO login_session (sha256, token_sha256, created_at, used_at, address)"
            " VALUES (?1, ?2, ?3, ?4, ?5)")
      .run(Blob{session.sha256}, Blob{session.token_sha256}, session.created_at, session.used_at,
           session.address);
  return ended;
}

void note_session_use(Database& database, std::string_view sha256, WallTime at) {
  Statement(database, "UPDATE login_session SET used_at = ?2 WHERE sha256 = ?1").run(Blob{sha256}, at);
}

void close_session(Database& database, std::string_view sha256) {
  Statement(database, "DELETE FROM login_session WHERE sha256 = ?1").run(Blob{sha256});
}

std::vector<AccessToken> read_tokens(Reader& reader) {
  std::vector<AccessToken> tokens;
  Cursor row = reader.statement(std::string(kTokenColumns) + " ORDER BY name").query();
  while (row.next()) tokens.push_back(read_token(row));
  return tokens;
}

std::vector<LoginSession> read_sessions(Reader& reader) {
  std::vector<LoginSession> sessions;
  Cursor row =
      reader.statement("SELECT sha256, token_sha256, created_at, used_at, address FROM login_session")
          .query();
  while (row.next()) sessions.push_back({row.text(0), row.text(1), row.time(2), row.time(3), row.text(4)});
  return sessions;
}

}  // namespace davit::store

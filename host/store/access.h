// Tokens with names, and the sessions of browsers. Digests only.
//
// Those that write are confined to the writer thread; those that read, to whoever has borrowed the reader.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/model/access.h"
#include "host/store/database.h"
#include "host/store/store.h"

namespace davit::store {

// So many that are not revoked.
inline constexpr int kMostTokens = 1'000;

Result<> create_token(Database& database, const AccessToken& token);
Result<AccessToken> revoke_token(Database& database, std::string_view name, WallTime now);
void note_token_use(Database& database, std::string_view sha256, WallTime at);

std::vector<std::string> open_session(Database& database, const LoginSession& session, const SessionLimits& limits);
void note_session_use(Database& database, std::string_view sha256, WallTime at);
void close_session(Database& database, std::string_view sha256);

class Reader;
std::vector<AccessToken> read_tokens(Reader& reader);
std::vector<LoginSession> read_sessions(Reader& reader);

// SQL that takes the sessions out of a copy of the database: who restores one has everybody sign in again.
inline constexpr const char* kDropSessions = "DELETE FROM login_session;";

}  // namespace davit::store

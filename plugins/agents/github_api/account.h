// As whom GitHub is asked: with a token, or as a GitHub App.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "davit/json.hpp"
#include "github_api/paths.h"

namespace github {

struct AppAccount {
  std::string id;                 // the App's id or client id; empty: no App
  std::string key;                // RSA, PEM
  std::int64_t installation = 0;  // 0: the one that `repository` belongs to
  // What its tokens are good for. Without a repository for all that the installation has, without permissions
  // ({"contents", "write"}) with all of them.
  Repo repository = {};
  std::map<std::string, std::string> permissions = {};
};

struct Account {
  std::string api = "https://api.github.com";  // of an Enterprise Server: https://HOST/api/v3
  std::string token;                           // not looked at when there is an App
  AppAccount app = {};
  // Where limits and answers are kept, for this user only; the same for all executions.
  std::filesystem::path state_folder = {};
};

// Names for files. Limits are counted for all tokens of an installation together; answers depend on what a
// token may see, too.
std::string limits_name(const Account& account);
std::string answers_name(const Account& account);

// The proof that one is the App: a JSON Web Token, signed with RS256, good from a minute before
// `github_now` to nine minutes after it (GitHub takes ten at most). Throws davit::Failure(Permanent), without
// any of the key, when it is no RSA key of at least 2048 bits.
// Source: docs.github.com, "Generating a JSON Web Token (JWT) for a GitHub App".
std::string app_proof(const AppAccount& app, std::chrono::sys_seconds github_now);

struct InstallationToken {
  std::string text;
  std::chrono::sys_seconds ends{};  // by GitHub's clock
};

// What is asked of POST /app/installations/N/access_tokens, and what comes back. The second throws
// davit::Failure(Permanent) when it is no token.
davit::Json token_request(const AppAccount& app);
InstallationToken token_of(davit::JsonView json);

}  // namespace github

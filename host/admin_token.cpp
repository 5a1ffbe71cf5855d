#include "host/admin_token.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "host/base/crypto.h"
#include "host/base/file.h"
#include "host/config/secrets.h"

namespace davit {
namespace {

// A token that davit made has the mode that davit gave it, unless somebody meddled with it: no reason not to
// start again. That a group may read it is for the operator to decide.
void mend_mode(const std::filesystem::path& token_file, const struct stat& info, Log& log) {
  const bool was_open = (info.st_mode & S_IRWXO) != 0;
  if (!S_ISREG(info.st_mode) || (!was_open && (info.st_mode & S_IRUSR) != 0)) return;
  if (::chmod(token_file.c_str(), 0600) != 0) return;  // who reads it next says what is wrong
  log.error(was_open
                ? "The admin token was open to everyone on this machine, and is closed now. If anybody may "
                  "have read it, remove the file and start davit again, which makes a new one"
                : "The admin token was closed to davit itself, and is open to it again",
            {{"file", token_file.string()}});
}

}  // namespace

std::filesystem::path admin_token_file(const std::filesystem::path& folder) { return folder / "admin.token"; }

Result<std::string> generated_admin_token(const std::filesystem::path& folder, Log& log) {
  const std::filesystem::path file = admin_token_file(folder);
  struct stat info {};
  if (::lstat(file.c_str(), &info) == 0) {
    mend_mode(file, info, log);
    std::string note;
    auto kept = config::fetch_secret({.kind = config::SecretSource::Kind::File, .name = file.string()}, 16,
                                     config::process_environment(), note);
    const Result<> fit =
        kept ? config::check_token("the file " + file.string(), *kept) : Result<>(kept.error());
    if (fit) return kept;
    return Error{fit.error().code, fit.error().message + ", or remove it and a new token is made"};
  }
  std::string token = "davit_" + to_hex(random_bytes(24));
  TRY(write_file_atomically(file, token + "\n", 0600));
  if (::isatty(STDOUT_FILENO) == 1) {
    std::printf("davit: the admin token is %s (kept in %s)\n", token.c_str(), file.c_str());
  } else {
    std::printf("davit: an admin token was made; it is in %s\n", file.c_str());
  }
  std::fflush(stdout);
  log.info("An admin token was made", {{"file", file.string()}});
  return token;
}

}  // namespace davit

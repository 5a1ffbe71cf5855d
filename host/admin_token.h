// The admin token of a host that was given none.
#pragma once

#include <filesystem>
#include <string>

#include "host/base/log.h"
#include "host/base/result.h"

namespace davit {

// Where it is kept.
std::filesystem::path admin_token_file(const std::filesystem::path& folder);

// Made once and kept in `folder`, beside the database, with mode 0600. It is shown once, to whoever sits at the
// terminal: what is printed elsewhere stays, in a journal for example. A file that is there already is read, and its
// mode mended if that is not as it was made.
Result<std::string> generated_admin_token(const std::filesystem::path& folder, Log& log);

}  // namespace davit

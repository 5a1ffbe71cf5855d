// The admin token that a host made for itself, as commands find it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "host/config/config.h"

namespace davit::cli {

// Where it is, beside the database.
std::filesystem::path generated_token_file(const config::Config& config);
// None if no host made one, or if it cannot be read.
std::optional<std::string> generated_token(const config::Config& config);

}  // namespace davit::cli

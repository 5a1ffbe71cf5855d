#include "host/cli/generated_token.h"

#include "host/base/file.h"

namespace davit::cli {

std::filesystem::path generated_token_file(const config::Config& config) {
  return std::filesystem::path(config.storage.path).parent_path() / "admin.token";
}

std::optional<std::string> generated_token(const config::Config& config) {
  auto token = read_file(generated_token_file(config), 4096);
  if (!token.ok()) return std::nullopt;
  while (token->ends_with('\n') || token->ends_with('\r')) token->pop_back();
  return std::move(*token);
}

}  // namespace davit::cli

// Secrets are the one thing that people put in the wrong place with consequences.
#pragma once

#include <string_view>

namespace davit::config {

// Is this what somebody would call a secret: "api_key", "GITHUB-TOKEN"?
bool sounds_secret(std::string_view name);

}  // namespace davit::config

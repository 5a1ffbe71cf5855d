// JSON Schema (draft 4) of an agent's config: of the blocks that it shares with others, and of what is its
// own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace agent_config {

// The names of all blocks of settings.h.
std::vector<std::string_view> all_blocks();

// An object of those `blocks` and of `own`, the text of an object {name: schema}, and of nothing else. A
// block that the agent does not name it does not get, also not of what is said for all agents. Throws
// davit::Failure(Internal) for a block that does not exist, InvalidInput for an `own` that is no JSON.
std::string schema_of(const std::vector<std::string_view>& blocks, std::string_view own);

}  // namespace agent_config

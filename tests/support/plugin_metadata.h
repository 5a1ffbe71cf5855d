// What a built plugin says about itself. Apart, because the headers of the SDK and those of the host do not
// go into one file.
#pragma once

#include <cstdint>
#include <string>

namespace davit::test {

// Metadata, as JSON, of a webhook in the library `name` of this build: the first one, unless said otherwise.
std::string webhook_metadata(const std::string& name, std::uint32_t index = 0);

}  // namespace davit::test

// What a built plugin says about itself. Apart, because the headers of the SDK and those of the host do not
// go into one file.
#pragma once

#include <string>

namespace davit::test {

// Metadata, as JSON, of the first webhook in the library `name` of this build.
std::string webhook_metadata(const std::string& name);

}  // namespace davit::test

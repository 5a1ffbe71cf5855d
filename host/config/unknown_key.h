// What is said of a key that does not exist.
#pragma once

#include <string>
#include <vector>

namespace davit::config {

// A sentence that names the key which was probably meant. `section` is the path of what holds the key, empty
// for the file itself; `known` are the keys it may have.
std::string unknown_key_text(const std::string& section, const std::string& name,
                             const std::vector<std::string>& known);

}  // namespace davit::config

// Reads one value of the file into the member that its key is bound to.
#pragma once

#include <string>
#include <vector>

#include "host/config/key_field.h"
#include "host/config/mistake.h"
#include "host/config/yaml_document.h"

namespace davit::config {

// `path` is the whole name of the key, `section` the one that `field` is a field of. Of a value that cannot
// be taken the member stays as it is, and a mistake says what was expected.
void read_value(const YamlNode::Member& entry, const std::string& path, const Field& field, void* section,
                std::vector<Mistake>& mistakes);

}  // namespace davit::config

// Takes what a webhook declares as secret out of a body before it is kept (secret_fields of its metadata).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace davit::ingest {

// `body` with the value, whatever it is but null, of each member or form field that is named so replaced by
// the text "(removed <digits>)", where
// the digits are of a hash of it: equal bodies stay equal, and different ones different. JSON members count
// at any depth, also those of JSON that stands in a form field. Bytes that are neither, and bodies without
// such a name, stay as they are. Never fails.
std::string without_secrets(std::string_view body, std::string_view content_type,
                            const std::vector<std::string>& names);

}  // namespace davit::ingest

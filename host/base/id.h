// Public identifiers: UUID version 7 (RFC 9562 §5.7), sortable by creation and unguessable.
#pragma once

#include <string>
#include <string_view>

namespace davit {

// A new id in lower-case canonical form, 36 characters. Thread-safe. Ids of one process never repeat and
// never sort before an earlier one of the same thread.
std::string new_id();

// Is it a UUID in canonical lower-case form (any version)?
bool is_id(std::string_view text);

}  // namespace davit

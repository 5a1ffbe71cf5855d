// Going through a JSON Schema that plugin::ConfigSchema has accepted.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "host/base/json.h"

namespace davit::conformance {

// What "$ref" of a schema names within `root`; nullptr if it has none or names nothing.
const JsonValue* referred(const JsonValue& root, const JsonValue& schema);

// Is `value` (JSON text) allowed by a schema that lies within `root`?
bool accepts(const JsonValue& root, const JsonValue& schema, std::string_view value);

// Calls `visit` for the schema and all below it, with their places as JSON pointers.
using SchemaVisitor = std::function<void(const JsonValue& schema, const std::string& place)>;
void walk_schema(const JsonValue& schema, const std::string& place, const SchemaVisitor& visit);

}  // namespace davit::conformance

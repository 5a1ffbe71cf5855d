// RapidJSON's JSON Schema (draft 4) validator, for host/plugin/config_schema.cpp: the one place that uses it.
#pragma once

#include "host/base/json.h"
// Behind json.h, which says how the library is configured.
#include <rapidjson/schema.h>

namespace davit {

using JsonSchema = rapidjson::SchemaDocument;
using JsonSchemaValidator = rapidjson::SchemaValidator;
using JsonSchemaRegex = rapidjson::internal::Regex;

}  // namespace davit

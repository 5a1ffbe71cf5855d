// JSON Schema draft 4 as plugins declare it for their `config`, checked by RapidJSON's validator.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "host/base/json.h"
#include "host/base/result.h"

namespace davit::plugin {

// Immutable after construction; thread-safe.
class ConfigSchema {
 public:
  // InvalidInput says where (a JSON pointer into the schema) and what. Refused are keywords that the
  // validator would ignore (format, const, if, …), values that it would misread, $ref to anywhere but a
  // definition of the same schema, references in a circle, enum values that are objects or arrays, and
  // regular expressions it cannot run.
  static Result<ConfigSchema> from_json(const JsonValue& schema);

  // Is `config` a JSON object that the schema accepts? InvalidInput names the JSON pointer in the config, the
  // keyword, and the member that is missing or unknown.
  Result<> check(std::string_view config) const;

  ConfigSchema(ConfigSchema&&) noexcept;
  ConfigSchema& operator=(ConfigSchema&&) noexcept;
  ~ConfigSchema();

 private:
  struct Parts;
  explicit ConfigSchema(std::shared_ptr<const Parts> parts);
  std::shared_ptr<const Parts> parts_;
};

}  // namespace davit::plugin

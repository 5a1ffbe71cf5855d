// JSON Schema draft 4 as plugins declare it for their `config`, checked by RapidJSON's validator.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/json.h"
#include "host/base/result.h"

namespace davit::plugin {

// What a schema refuses in a config.
struct ConfigFault {
  std::string pointer;   // JSON pointer (RFC 6901) of the place; empty for the whole
  std::string sentence;  // what is wrong there and what to do, without the place
};
// 'config at "/agnet" is not known to the plugin; did you mean "agent"?'
std::string to_sentence(const ConfigFault& fault);

// Immutable after construction; thread-safe.
class ConfigSchema {
 public:
  // InvalidInput says where (a JSON pointer into the schema) and what. Refused are keywords that the
  // validator would ignore (format, const, if, …), values that it would misread, $ref to anywhere but a
  // definition of the same schema, references in a circle, enum values that are objects or arrays, and
  // regular expressions it cannot run.
  static Result<ConfigSchema> from_json(const JsonValue& schema);

  // What keeps `config` from being a JSON object that the schema accepts; the first thing, if there are
  // several. A sentence names the keyword where it is not plain from it, the member that is missing, and what
  // is expected.
  std::optional<ConfigFault> fault(std::string_view config) const;
  // The same as InvalidInput with to_sentence().
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

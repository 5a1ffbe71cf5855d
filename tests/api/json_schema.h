// JSON Schema 2020-12, as much of it as host/http/openapi.json uses, read strictly: a keyword that is not known here is
// an error, and so is a member that a schema with `properties` does not name, unless it has `additionalProperties`.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "host/base/json.h"

namespace davit::testing {

// Confined to one thread.
class SchemaCheck {
 public:
  // `document` is what `$ref` points into ("#/components/…"); it outlives this.
  explicit SchemaCheck(const JsonValue& document) : document_(document) {}

  // What is wrong with the value, each with its place ("/tasks/0/title: …"); empty if it fits.
  std::vector<std::string> mistakes(const JsonValue& schema, const JsonValue& value);

  // What a `$ref` stands for, and that in turn; the schema itself if it is none. Ends the test program if there is
  // nothing at that place.
  const JsonValue& resolved(const JsonValue& schema) const;

  // Schemas of members that stood in a value which fitted, and were not null there.
  const std::set<const JsonValue*>& seen() const { return seen_; }

 private:
  struct Run {
    std::vector<std::string> mistakes;
    std::set<const JsonValue*> seen;
  };
  struct Names {
    std::set<std::string> names;
    bool open = false;    // takes others as well
    bool object = false;  // says anything at all about members
  };
  enum class Others { Refused, LeftToTheWhole };  // members that this part of a schema does not name

  void check(const JsonValue& schema, const JsonValue& value, const std::string& place, Others others, Run& run) const;
  void check_object(const JsonValue& schema, const JsonValue& value, const std::string& place, Run& run) const;
  void check_one_of(const JsonValue& schema, const JsonValue& value, const std::string& place, Run& run) const;
  Names names_of(const JsonValue& schema) const;

  const JsonValue& document_;
  std::set<const JsonValue*> seen_;
};

// Is there a well-formed text of this `format` ("date-time", "date", "uuid")?
bool has_format(const std::string& text, const std::string& format);

}  // namespace davit::testing

// host/http/openapi.json, as tests ask it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/api/json_schema.h"

namespace davit::testing {

struct Parameter {
  std::string name, in;  // "query", "path", "header"
  const JsonValue* schema = nullptr;
};

struct Operation {
  std::string id, method, path;  // "listTasks", "GET", "/api/dashboard/tasks"
  std::string role;              // "public", "reader" (and above), "admin"
  std::vector<Parameter> parameters;
  const JsonValue* body = nullptr;                     // schema of a JSON body; null if it takes none
  std::map<std::string, const JsonValue*> responses;  // by status, or "default"

  std::vector<std::string> names_in(const std::string& place) const;
  // Its answer goes on until the client goes.
  bool is_stream() const;
};

// Immutable after construction.
class Description {
 public:
  // The file of the source tree. A defect in it ends the test program.
  Description();
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;

  const std::vector<Operation>& operations() const { return operations_; }
  const Operation& operation(const std::string& id) const;
  // The one that a request is for, HEAD being GET; null: none.
  const Operation* of_request(const std::string& method, const std::string& target) const;
  const JsonValue& document() const { return document_; }
  const std::string& text() const { return text_; }
  // Each member that any schema names, with its place in the document.
  std::map<const JsonValue*, std::string> members() const;

 private:
  std::string text_;
  JsonDocument document_;
  std::vector<Operation> operations_;
};

}  // namespace davit::testing

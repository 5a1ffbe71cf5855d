// Bodies of requests: JSON objects, read member by member. What is wrong with one is named, so that the
// answer can say which.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/result.h"
#include "host/http/query.h"
#include "host/http/request.h"

namespace davit::http {

// The object that the body is; without a body, one without members. InvalidInput or TooLarge for anything
// else.
Result<JsonDocument> body_object(const Request& request);

// Calls `read` with each member. False says that there is none of this name: `of` tells of what.
void read_members(const JsonValue& object, std::string_view of, std::vector<FieldError>& errors,
                  const std::function<bool(const std::string& name, const JsonValue& value)>& read);

// What people and programs put into lists, lines of logs and terminals has no control characters; texts that
// have lines may have line breaks and tabs.
enum class Text { OneLine, Lines };
bool is_plain(std::string_view text, Text kind);

// Into `into` if it is such a text of at most `most` bytes.
void read_text(const std::string& name, const JsonValue& value, std::size_t most, Text kind,
               std::string& into, std::vector<FieldError>& errors);
std::optional<WallTime> read_time(const std::string& name, const JsonValue& value,
                                  std::vector<FieldError>& errors);
void read_flag(const std::string& name, const JsonValue& value, bool& into, std::vector<FieldError>& errors);

// What is wrong with a body where none is taken: it has members, which nobody would heed.
std::vector<FieldError> mistakes_in_empty(const JsonValue& object);

// The members of an object that stand for the parameters of a list: texts that are not empty (what is to mean
// all is left out), and arrays of them for those that `repeatable` names. Fields are named with `prefix`
// before them.
Query query_from(const JsonValue& object, std::string_view prefix,
                 std::initializer_list<std::string_view> repeatable, std::vector<FieldError>& errors);

}  // namespace davit::http

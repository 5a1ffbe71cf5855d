// Reads the members of JSON objects that a plugin or a runner wrote.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/json.h"
#include "host/base/result.h"

namespace davit::plugin {

inline constexpr std::size_t kMaxItems = 256;         // tasks, actions, links of one answer
inline constexpr std::size_t kMaxPayload = 1u << 20;  // of one task
inline constexpr std::size_t kMaxSentence = 4096;
inline constexpr std::size_t kMaxTitle = 512;
inline constexpr std::size_t kMaxKey = 256;
inline constexpr std::size_t kMaxUrl = 2048;
inline constexpr std::size_t kMaxWord = 64;

std::string_view view(const JsonValue& text);

// InvalidInput: "response.http.status must be a whole number".
Error wrong(const std::string& where, std::string_view what);

// A document that is an object; `what` names it in errors.
Result<JsonDocument> object_from(std::string_view json, std::string_view what);

// The members of one object, which must live longer. `where` names it in errors. What a function returns for
// an absent member it returns for null as well.
class Members {
 public:
  Members(const JsonValue& object, std::string where) : object_(object), where_(std::move(where)) {}

  // The whole name of a member, for errors.
  std::string place(std::string_view name) const;
  // Nullptr if absent.
  const JsonValue* find(std::string_view name) const;

  // A sentence for people, or "": cut where it is too long.
  Result<std::string> sentence(std::string_view name, std::size_t max = kMaxSentence) const;
  // A key, id or name, or "": taken as it is or refused.
  Result<std::string> key(std::string_view name, std::size_t max = kMaxKey) const;
  // Likewise, of a webhook or an agent.
  Result<std::string> plugin_name(std::string_view name) const;
  // A list of up to `most` texts of 1 to `max_size` bytes, each taken as it is or refused.
  Result<std::vector<std::string>> keys(std::string_view name, std::size_t most, std::size_t max_size) const;
  // False if absent.
  Result<bool> flag(std::string_view name) const;
  Result<std::int64_t> number(std::string_view name, std::int64_t fallback, std::int64_t least,
                              std::int64_t most) const;

  // Any JSON, as compact text; null is a value here. `fallback` if absent.
  Result<std::string> json(std::string_view name, std::string_view fallback, std::size_t max) const;
  // An object likewise, of up to kMaxPayload bytes; {} if absent.
  Result<std::string> json_object(std::string_view name) const;
  // Nullptr if absent.
  Result<const JsonValue*> object(std::string_view name) const;

  // Calls `read` with the Members of each object of a list, none if absent, until one of the calls fails.
  template <typename Read>
  Result<> each(std::string_view name, Read&& read) const {
    const JsonValue* items = TRY(list(name));
    if (!items) return {};
    for (rapidjson::SizeType i = 0; i < items->Size(); ++i) {
      std::string where = place(name) + "[" + std::to_string(i) + "]";
      if (!(*items)[i].IsObject()) return wrong(where, "must be an object");
      TRY(read(Members((*items)[i], where)));
    }
    return {};
  }

 private:
  Result<const JsonValue*> list(std::string_view name) const;

  const JsonValue& object_;
  std::string where_;
};

}  // namespace davit::plugin

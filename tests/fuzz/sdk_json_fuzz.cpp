// The JSON of plugins: a line with a JSON pointer, then any text. What was read can be written, copied and
// read again.
#include <string>

#include "davit/json.hpp"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::Json;
using davit::JsonView;
using davit::fuzz::promise;

// Reads everything there is, as a plugin might.
std::size_t values_in(JsonView json) {
  std::size_t count = 1;
  promise(davit::is_utf8(json.string_or("")), "texts are UTF-8");
  for (const JsonView element : json) count += values_in(element);
  for (const auto& [name, value] : json.members()) {
    promise(json.has(name), "a member is there by its name");
    count += values_in(value);
  }
  return count;
}

void check_document(std::string_view text, std::string_view pointer) {
  const Json json = Json::parse(text);
  promise(davit::is_utf8(text), "what was read is UTF-8");
  const std::string written = json.dump();
  promise(davit::is_utf8(written), "what was written is UTF-8");
  const Json again = Json::parse(written);
  promise(again.dump() == written, "what was read again is written alike");
  promise(Json(json.view()).dump() == written, "a copy is written alike");
  promise(values_in(json) == values_in(again), "nothing is lost");
  promise(json.at_pointer("").dump() == written, "the empty pointer means the whole");
  const std::string there = json.at_pointer(pointer).dump();
  promise(again.at_pointer(pointer).dump() == there, "a pointer means the same in both");

  Json outer = Json::object({{"before", 1}});
  outer.set("inner", json).set("text", text).set("inner", Json(json));
  promise(outer["inner"].dump() == written && outer.size() == 3, "a value is the same inside another");
  outer.erase("inner");
  promise(!outer.has("inner"), "what was taken out is gone");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = davit::fuzz::as_text(data, size);
  const Json any(text);
  promise(davit::is_utf8(any.string_or("")), "any bytes become a text");
  const std::string_view pointer = davit::fuzz::cut(text, "\n");
  try {
    check_document(text, pointer);
  } catch (const davit::Failure& failure) {
    promise(failure.status() == davit::Status::InvalidInput, "what cannot be read is invalid input");
    promise(davit::fuzz::is_one_line(failure.what()), "a refusal is one line");
  }
  return 0;
}

#include "tests/fuzz/host_reader.h"

#include "host/plugin/marshal.h"

namespace davit::fuzz {

std::string refusal_by_host(std::string_view answer) {
  const auto read = plugin::webhook_answer_from_json(answer);
  return read.ok() ? std::string() : read.error().message;
}

}  // namespace davit::fuzz

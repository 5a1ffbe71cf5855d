// Requests as plugins read them: header lines, an empty line, a body that may be a form.
#include <string>

#include "davit/testing/request_builder.hpp"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::Form;
using davit::fuzz::promise;

std::string encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    char escape[4];
    std::snprintf(escape, sizeof escape, "%%%02x", static_cast<unsigned char>(c));
    result += escape;
  }
  return result;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = davit::fuzz::as_text(data, size);
  davit::testing::RequestBuilder builder;
  std::size_t lines = 0;
  std::string_view first;
  for (std::string_view line = davit::fuzz::cut(rest, "\n"); !line.empty();
       line = davit::fuzz::cut(rest, "\n")) {
    const std::string_view name = davit::fuzz::cut(line, ":");
    if (lines++ == 0) first = name;
    builder.header(std::string(name), std::string(line));
  }
  builder.body(std::string(rest)).query(std::string(rest));

  const davit::Request request = builder.request();
  promise(request.headers().size() == lines, "all headers are there");
  if (lines > 0) promise(request.has_header(first), "a header is there by its name");
  promise(request.headers(first).size() <= lines, "no header is there twice");
  promise(request.body() == rest, "the body is the bytes as sent");

  const Form form = request.form();
  std::size_t decoded = 0;
  for (const auto& [name, value] : form) {
    promise(form.has(name), "a field is there by its name");
    decoded += name.size() + value.size();
  }
  promise(decoded <= rest.size(), "decoding makes nothing longer");
  promise(request.query_fields().size() == form.size(), "a query is read like a form");

  const std::string text = encoded(first) + "=" + encoded(rest);
  const Form again = Form::parse(text);
  promise(again.size() == 1 && again[first] == rest, "what was encoded is read back");
  return 0;
}

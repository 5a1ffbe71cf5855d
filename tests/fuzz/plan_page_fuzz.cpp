// A plan as a model has made it, on the page that people approve: a JSON document in the first line, and a
// text.
#include "plan_page/plan_page.h"

#include <algorithm>
#include <string>

#include "davit/failure.hpp"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::Json;
using davit::fuzz::promise;

bool in_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void check_text(std::string_view text) {
  const std::string line = plan_page::in_line(text), part = plan_page::in_page(text);
  for (const std::string& shown : {line, part, plan_page::in_page(text, 40), plan_page::code(text)})
    promise(in_one_line(shown) && davit::is_utf8(shown), "a text stands in one line");
  const std::string code = plan_page::code(text);
  promise(code.find('`', 1) == code.size() - 1, "code ends where it ends");
  // Outside of code, which stands between as many backticks as it was begun with.
  for (std::size_t at = 0; at < part.size();) {
    if (part[at] == '\\') {
      at += 2;
      continue;
    }
    if (part[at] != '`') {
      promise(std::string_view("[]$~").find(part[at]) == std::string_view::npos,
              "no link, footnote, formula or struck out text");
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < part.size() && part[at] == '`') ++at;
    const std::string ticks = part.substr(begin, at - begin);
    for (bool ended = false; !ended;) {
      const std::size_t end = part.find(ticks, at);
      promise(end != std::string::npos, "code that is begun is ended");
      at = end;
      while (at < part.size() && part[at] == '`') ++at;
      ended = at - end == ticks.size();
    }
  }
  const std::string key = plan_page::key_of(text, text);
  promise(!key.empty() && key.size() <= 50 && key.front() != '-' && key.back() != '-' &&
              key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos,
          "a key is fit for a branch");
}

void check_plan(Json document, const work::Request& request) {
  const work::Plan plan(std::move(document));
  const std::string file = plan_page::file_of(plan, request);
  const auto read = plan_page::plan_in(file);
  promise(read && read->sha256 == plan.sha256, "a plan's file is read back as it was");
  promise(davit::is_utf8(file), "a page is UTF-8");
  const std::string page = plan_page::page_of(plan, request);
  promise(page.find("\n```") == std::string::npos, "no text begins a block");
  for (std::string_view rest = page; !rest.empty();) {
    const std::string_view line = davit::fuzz::cut(rest, "\n");
    promise(!line.starts_with("#") || line.starts_with("# Plan: ") || line.starts_with("## "),
            "no text makes a heading");
    promise(in_one_line(line), "a page is text");
  }
  const std::string body = plan_page::body_of(plan, request, "plans/a.md");
  promise(body.find(plan.sha256) != std::string::npos && body.size() < 60'000 && davit::is_utf8(body),
          "a pull request's text has its bounds, and the hash");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = davit::fuzz::as_text(data, size);
  const std::string_view first = davit::fuzz::cut(text, "\n");
  check_text(text);
  work::Request request;
  request.source = "github";
  request.title = request.url = text;
  try {
    Json document = Json::parse(first);
    if (plan_page::fault_of(document).empty()) check_plan(std::move(document), request);
  } catch (const davit::Failure&) {
  }
  return 0;
}

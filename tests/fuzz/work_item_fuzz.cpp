// What goes along a chain from agent to agent: the payload of a task in the first line, behind it the result
// of the agent before.
#include "work_item/work_item.h"

#include <optional>
#include <string>

#include "davit/failure.hpp"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::Json;
using davit::fuzz::promise;

std::optional<Json> read(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const davit::Failure&) {
    return std::nullopt;
  }
}

void check(const work::Item& item) {
  promise(item.repository.empty() || work::is_repository(item.repository), "a repository is one");
  promise(!item.pull || item.pull->number > 0, "a pull request has a number");
  promise(item.round >= 0 && item.round <= 1000, "rounds are bounded");
  promise(work::sha256_of(item.request).size() == 64, "a request has a hash");

  // As the host hands it on: text that is read anew.
  const Json result = Json::parse(Json::object({{"work", item.json()}}).dump());
  const Json nothing;
  const work::Item again = work::Item::from(nothing, result, "");
  promise(again.json().dump() == item.json().dump(), "what was handed on is what arrives");
  promise(again.plan.has_value() == item.plan.has_value() &&
              (!item.plan || again.plan->sha256 == item.plan->sha256),
          "a plan keeps its hash");
  promise(work::sha256_of(again.request) == work::sha256_of(item.request), "a request keeps its hash");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = davit::fuzz::as_text(data, size);
  const std::optional<Json> payload = read(davit::fuzz::cut(rest, "\n"));
  const std::optional<Json> result = read(rest);
  const Json nothing;
  const davit::JsonView asked = payload ? davit::JsonView(*payload) : davit::JsonView(nothing);
  const davit::JsonView before = result ? davit::JsonView(*result) : davit::JsonView(nothing);
  try {
    check(work::Item::from(asked, before, "title"));
    // A plan of any shape, with the hash that its maker gives it.
    work::Item planned = work::Item::from(asked, nothing, "title");
    if (before.is_object()) planned.plan = work::Plan(Json(before));
    check(planned);
  } catch (const davit::Failure& failure) {
    promise(failure.status() == davit::Status::Permanent, "what cannot be read stays so");
    promise(davit::fuzz::is_one_line(failure.what()), "a refusal is one line");
  }
  return 0;
}

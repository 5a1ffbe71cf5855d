// What anybody writes in a request, on its way to a search in code.
#include <string>

#include "discovery/clues.h"
#include "discovery/links.h"
#include "discovery/ranking.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::promise;

void check_list(const std::vector<std::string>& list, std::size_t most) {
  promise(list.size() <= most, "clues are few");
  for (const std::string& clue : list) {
    promise(!clue.empty() && clue.size() <= 300, "a clue is short");
    promise(clue.find_first_of(std::string_view("\0\n", 2)) == std::string::npos, "a clue is one line");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(davit::fuzz::as_text(data, size));
  const work::Request request{
      .source = "fuzz", .title = text.substr(0, 100), .text = text, .details = {{"stack trace", text, ""}}};
  const discovery::Clues clues = discovery::clues_of(request, {text.substr(0, 20)});
  check_list(clues.paths, 40);
  check_list(clues.messages, 20);
  check_list(clues.identifiers, 60);
  check_list(clues.words, 30);
  const std::vector<std::string> files = {"src/cart.cpp", "src/index.ts", "app/orders/service.py"};
  for (const std::string& path : clues.paths) {
    const discovery::PathFind found = discovery::best_path(path, files);
    const double fit = discovery::fit_of(path, found.parts);
    promise(fit >= 0 && fit <= 1, "a fit is a share");
  }
  for (const std::string& name : discovery::linked(request, {"acme/shop", "acme/api"}, "https://github.com"))
    promise(name == "acme/shop" || name == "acme/api", "only what is known is named");
  const auto list = discovery::ranked({{"acme/shop", 1, discovery::finds_in_name("acme/shop", clues)},
                                       {"acme/api", 1, discovery::finds_in_name("acme/api", clues)}});
  for (const discovery::Candidate& candidate : list)
    promise(candidate.score >= 0 && candidate.score <= 1, "a score is a share");
  return 0;
}

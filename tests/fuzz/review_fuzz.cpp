// What becomes of a change and of a model's answer about it: the diff's first file up to a line "====", the
// answer behind it.
#include <string>

#include "code_review/page.h"
#include "davit/failure.hpp"
#include "davit/text.hpp"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::promise;

void stands_there(const github::NewReview& page, const review::Places& places) {
  for (const github::Finding& finding : page.findings) {
    const int first = finding.start_line > 0 ? finding.start_line : finding.line;
    promise(places.hold(finding.path, first, finding.line), "a comment stands in the diff");
    promise(finding.start_line < finding.line, "its first line is before its last");
    for (const std::string& text : {finding.body, finding.in_body}) {
      promise(davit::is_utf8(text), "a comment is UTF-8");
      promise(text.starts_with("**"), "a comment begins with what davit says");
    }
  }
  promise(page.body.size() < 65'000, "a review has room for its marker");
  promise(page.verdict == github::Verdict::Comment, "it does what the config says");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = davit::fuzz::as_text(data, size);
  const std::string patch = davit::to_utf8(davit::fuzz::cut(text, "\n====\n"));
  const std::vector<github::ChangedFile> files{
      {.path = "a.c", .before = "", .status = "modified", .added = 1, .removed = 1, .patch = patch}};
  const review::Diff diff = review::diff_of(files, 2000);
  promise(diff.text.size() <= 2000, "a diff is as long as it may be");
  promise(diff.shown + diff.left_out.size() == 1, "a file is shown or named");

  const review::Places places(files);
  davit::Json answer;
  try {
    answer = davit::Json::parse(text);
  } catch (const davit::Failure&) {
    return 0;
  }
  const review::Review read = review::read_answer(answer, std::string(40, 'c'), places);
  promise(read.findings.size() <= 100, "findings have an end");
  stands_there(review::page_of(read, {}), places);
  const davit::Json json = read.json();
  const auto again = review::Review::from(json);
  promise(again && again->json().dump() == json.dump(), "what is kept is read back");
  if (review::verdict_of(read, review::Severity::Low) == "blocking")
    promise(review::feedback_for(read, review::Severity::Low).size() < 64 * 1024, "feedback has an end");
  return 0;
}

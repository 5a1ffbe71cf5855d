// What GitHub's API answers, read by the agents' library: the status, four headers and the body, a line each.
#include <chrono>
#include <string>

#include "davit/failure.hpp"
#include "davit/json.hpp"
#include "github_api/diff_lines.h"
#include "github_api/errors.h"
#include "github_api/limits.h"
#include "github_api/pages.h"
#include "github_api/shapes.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::cut;
using davit::fuzz::promise;

template <class Read>
void read_shape(davit::JsonView json, Read read) {
  try {
    read(json);
  } catch (const davit::Failure& failure) {
    promise(davit::fuzz::is_one_line(failure.what()), "a refusal is one line");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = davit::fuzz::as_text(data, size);
  http::Response answer;
  answer.status = cut(text, "\n") == "403" ? 403 : 429;
  for (const char* name : {"Date", "Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset"})
    answer.headers.push_back({name, std::string(cut(text, "\n"))});
  const std::string link(cut(text, "\n"));
  answer.body = std::string(text);

  const auto wait = github::wait_after(answer, std::chrono::system_clock::time_point());
  promise(wait || answer.status == 403, "a 429 is about a limit");
  if (wait) {
    promise(*wait >= std::chrono::seconds(1) && *wait <= std::chrono::hours(24),
            "a wait is from a second to a day");
  }
  const std::string sentence = github::sentence_of(answer.body);
  promise(sentence.size() <= 300, "a sentence is short");
  promise(sentence.empty() || davit::fuzz::is_one_line(sentence), "a sentence is one line");
  promise(davit::is_utf8(sentence), "a sentence is UTF-8");
  promise(link.find(github::next_page(link)) != std::string::npos, "a next page is one that was named");

  const github::DiffLines lines(answer.body);
  for (const int line : {-1, 0}) promise(!lines.hold(line, 1), "no file has a line before its first");
  static_cast<void>(lines.hold(1, 2147483647));
  try {
    const davit::Json json = davit::Json::parse(answer.body);
    read_shape(json, [](davit::JsonView view) {
      promise(github::repository_of(view).id > 0, "a repository has an id");
    });
    read_shape(json, [](davit::JsonView view) {
      promise(github::issue_of(view).number > 0, "an issue has a number");
    });
    read_shape(json, [](davit::JsonView view) {
      promise(!github::pull_of(view).head.sha.empty(), "a pull request has a head");
    });
    read_shape(json, [](davit::JsonView view) {
      const github::Comment comment = github::comment_of(view);
      promise(comment.id > 0 && comment.author.id >= 0, "a comment has an id");
    });
  } catch (const davit::Failure&) {
    return 0;
  }
  return 0;
}

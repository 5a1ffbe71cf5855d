// The record of a change in a commit's message, which anybody may have written; and a plan's file in a
// branch.
#include <string>
#include <vector>

#include "davit/text.hpp"
#include "executor/record.h"
#include "git_workspace/message.h"
#include "plan_page/plan_page.h"
#include "tests/fuzz/fuzz.h"

using davit::fuzz::promise;
using executor::Record;

namespace {

// As Session::commit() puts it together.
std::string with_record(const std::string& words, const Record& record) {
  const git::Trailer trailer = record.trailer();
  return git::with_trailer(git::clean_message(words), trailer.key, trailer.value);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto read = Record::in(text)) {
    const auto again = Record::in(with_record("Subject", *read));
    promise(again && again->trailer().value == read->trailer().value, "what was read is written as it was");
    promise(executor::words_of(text).size() < text.size(), "the record is no part of the words");
  }

  const Record ours{.chain = "c", .round = 1, .task = "t", .plan_sha256 = "p", .change_sha256 = "d"};
  const std::size_t half = size / 2;
  const std::string message =
      with_record(executor::message_of(text.substr(0, half), text.substr(half), {text}), ours);
  promise(davit::is_utf8(message), "a message is UTF-8");
  promise(git::clean_message(message) == message, "nothing of it is cut when it is committed");
  const auto found = Record::in(message);
  promise(found && found->trailer().value == ours.trailer().value, "nothing in it passes for the record");

  if (const auto plan = plan_page::plan_in(text))
    promise(plan_page::fault_of(plan->document).empty(), "a plan that is read is one");
  return 0;
}

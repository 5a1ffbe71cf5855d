// What an execution says of itself in its commit, by which the next one knows how far it came.
//
//   Round the sum once                          subject
//
//   It was rounded twice.                       what the model said of the change
//
//   Where the plan was left:
//   - The test lies in another file.
//
//   Davit-Task: CHAIN/ROUND TASK PLAN DIFF passed
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "git_workspace/message.h"
#include "git_workspace/mirror.h"

namespace executor {

enum class Verdict { Passed, Failed, Untested };  // of the test command
std::string_view name_of(Verdict verdict);        // "passed"

struct Record {
  std::string chain;  // id of its first task
  int round = 0;
  std::string task;  // id
  std::string plan_sha256;
  std::string change_sha256;  // of the diff
  Verdict verdict = Verdict::Untested;

  git::Trailer trailer() const;  // the last line of its commit's message
  // Of a commit's message; nullopt where there is none.
  static std::optional<Record> in(std::string_view message);
};

// A commit's message without the record. `subject` and `body` are other people's text: nobody is mentioned by
// it, and no issue is closed. Each of `deviations` is one line.
std::string message_of(std::string_view subject, std::string_view body,
                       const std::vector<std::string>& deviations);
// Of the message of such a commit, its record left out.
std::string words_of(const std::string& message);

// The newest of the commits that this task made for this plan.
struct Found {
  git::Commit commit;
  Record record;
};
std::optional<Found> found_in(const std::vector<git::Commit>& newest_first, std::string_view task,
                              std::string_view plan_sha256);

}  // namespace executor

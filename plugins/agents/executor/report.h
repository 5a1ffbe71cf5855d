// The pull request's title and text, once something became of its plan. Each text that others wrote does
// nothing there but be read.
#pragma once

#include <string>
#include <vector>

#include "executor/record.h"
#include "executor/test_run.h"
#include "git_workspace/gate.h"
#include "work_item/work_item.h"

namespace executor {

// A change that is in the branch.
struct Landed {
  std::string sha;      // its commit
  std::string message;  // without the record
  Record record;
  std::vector<git::File> files;     // that it changed
  std::vector<std::string> beyond;  // of those, the ones that the plan does not name
  TestReport tests;
};

// "Wrong sum" of "[plan] Plan: Wrong sum"; any other as it is.
std::string title_of(const std::string& title);

// `request`: the plan's heading, already without secrets. `command`: that was run.
std::string page_of(const Landed& landed, const work::Plan& plan, const work::Request& request,
                    const std::vector<std::string>& command);
// Of a change that the gate refused, which is nowhere.
std::string page_of(const std::vector<git::Refusal>& refused, const work::Plan& plan,
                    const work::Request& request);

// All of them in one line, at most about 2,000 bytes.
std::string sentences_of(const std::vector<git::Refusal>& refused);

}  // namespace executor

// A host with data of every kind, made as people make it: by signed deliveries, the API, and plugins in a folder.
#pragma once

#include <string>

#include "tests/api/walk.h"

namespace davit::testing {

// Where the things are that answers tell of.
struct Samples {
  std::string done;       // a task that was completed, with executions, a transcript and artifacts
  std::string failed;     // one that failed
  std::string first;      // one that named the next agent
  std::string waiting;    // one that waits for approval, behind another of its chain
  std::string delivery;   // that queued a task
  std::string comment;    // one that approves what does not wait
  std::string session;    // of `done`
  std::string artifact;   // the name of what it left
};

// What its configuration says of webhooks, agents and so on.
extern const char* const kSampleSections;

// Installs plugins, writes the configuration, starts the host. The reader's token is Walk::kReaderToken. An
// answer to any request of the test whose status the description does not have is a failure.
void start_sample_host(HotHost& host);

// Makes the data.
Samples fill(HotHost& host);

// A task of an agent of the tests; `mode` is what it does (tests/plugins/scripted_agent.c). Its id.
std::string make_task(HotHost& host, const std::string& agent, const std::string& mode,
                      const std::string& members = "");

// An issue that gets the label which starts work, signed as GitHub does.
test::RawAnswer label_issue(HotHost& host, int number, const std::string& title);

// What stands for each {name} of an operation's path, so that something is there.
Walk::Words words_for(const Operation& operation, const Samples& samples);

}  // namespace davit::testing

// What people decide about tasks, one by one and many at once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/model/event.h"
#include "host/model/task.h"

namespace davit::store {

// What became of one step of something in bulk.
struct BulkStep {
  int done = 0;
  std::int64_t left = 0;    // what is behind next_cursor
  std::string next_cursor;  // for the next step; empty: there is none
};

// A task of a decision about many, as it was when somebody chose it.
struct Chosen {
  std::string task_id;
  TaskState state = TaskState::Queued;
  int attempt = 0;           // attempts begun
  std::string content_hash;  // of what is approved or rejected
};
// What became of one of them.
struct ChosenOutcome {
  std::string task_id;
  std::optional<TaskState> state;  // absent: refused
  std::string refusal;             // a sentence
};

// An act on tasks that somebody chose, under a key that he gave it so that he can send it again.
struct BulkAct {
  std::string actor, key;
  std::string request_sha256;  // of what he sent, in hex
  TaskActionKind action = TaskActionKind::Cancel;
  std::string comment;
  std::vector<Chosen> tasks;
  std::string way, address, request_id;  // of who asked, for the line that each task has in the audit log
};
// How far it has come.
struct BulkProgress {
  std::string request_sha256;
  TaskActionKind action = TaskActionKind::Cancel;
  std::vector<ChosenOutcome> outcomes;  // of its first tasks, in their order
  bool finished = false;
};

// What was decided about a task's approval.
struct DecidedTask {
  std::string task_id, agent, title;
  TaskDecision decision;
};

// Who decides about a task, and in what way.
struct Person {
  std::string name;  // "admin", "github:alice"
  std::string id;    // the sender's own id, may be empty
  std::string way;   // "api", "cli", or the webhook it came by
};

// What an approval is bound to: all that the agent that will run is given of its task, except what never
// changes (ids, when it was made).
struct ApprovedContent {
  std::string_view agent, task_type, source, title;
  std::string_view entity = {};  // key
  const Actor* actor = nullptr;  // may be null
  std::span<const Link> links = {};
  std::string_view payload = "{}";
  std::string_view previous_result = "null";  // of the agent before; "null": nothing
};
// As 64 hexadecimal digits.
std::string content_hash(const ApprovedContent& content);

}  // namespace davit::store

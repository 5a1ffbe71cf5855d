// A task that waits for a person, as the host tells it (approvals.notify), and what people are told of it.
#pragma once

#include <string>

#include "davit/json.hpp"
#include "notify/subject.h"
#include "source_note/place.h"

namespace notify {

struct ApprovalWait {
  Subject subject;
  std::string agent;         // that goes on with it
  std::string content_hash;  // of what waits
  std::string deadline;      // "2026-12-03T09:00:00.000Z"; empty: none
  std::string refused;       // whose approval does not count, "github:bob"; empty: nobody's
  std::string summary;       // of the plan, as its agent said it; may be empty

  // Is it a task about such a wait, and not about the end of a chain?
  static bool is_one(davit::JsonView payload);
  // Of the payload and the previous result of such a task. Throws davit::Failure(Permanent) where they are
  // not the host's.
  static ApprovalWait from(davit::JsonView payload, davit::JsonView previous_result);

  // What is to be written to approve it, as the webhook of that place takes it. `prefix` begins a command in a
  // comment ("/davit"); empty: nobody reads comments for commands. Nothing in it is of the work.
  std::string how(const note::Place& place, const std::string& prefix) const;
  // Where it can be read, and what it comes to.
  std::string what() const;
};

}  // namespace notify

// The end of a chain, as the host tells it (chain.notify), and what people are told of it.
#pragma once

#include <string>

#include "davit/json.hpp"
#include "notify/subject.h"
#include "source_note/source_note.h"

namespace notify {

struct ChainEnd {
  Subject subject;
  std::string how;      // "failed", "cancelled", "rejected", "deadline", "parked"
  std::string failure;  // class, of what failed; may be empty

  // Of the payload and the previous result of a task. Throws davit::Failure(Permanent) with a sentence for
  // what is no end of a chain.
  static ChainEnd from(davit::JsonView payload, davit::JsonView previous_result);

  // For anybody who may read the source: what went wrong in words of our own, and the task where people with
  // rights find the rest. Never what an agent said, which may name what is nobody's business there.
  std::string sentence() const;
  // An agent that failed may have said why in the note itself, better than this can.
  note::Change change() const;
};

}  // namespace notify

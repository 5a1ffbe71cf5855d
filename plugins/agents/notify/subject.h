// What a task for this agent is about, as the host tells it.
#pragma once

#include <string>

#include "davit/json.hpp"

namespace notify {

struct Subject {
  std::string task_id;     // that ended, or waits
  std::string chain;       // by which its note is found
  std::string entity;      // key; empty: none
  std::string pull;        // address of the chain's pull request; empty: none
  std::string repository;  // "owner/name" that was worked on; empty: none

  // Of the payload and the previous result of a task. Throws davit::Failure(Permanent) where they are not the
  // host's.
  static Subject from(davit::JsonView payload, davit::JsonView previous_result);
};

// Of what agents of the chain hand on; null: they hand on nothing of the kind.
davit::JsonView work_of(davit::JsonView previous_result);

}  // namespace notify

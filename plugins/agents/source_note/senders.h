// One note at each place of three senders: found by its last line, and changed, or made.
#pragma once

#include <filesystem>
#include <string>

#include "source_note/place.h"
#include "source_note/rest.h"

namespace note {

struct Wanted {
  std::string text;
  bool make = true;          // where there is none
  std::string unless_it_is = {};   // one that begins so stays as it is; empty: none does
  std::string only_if_it_is = {};  // one that begins otherwise, too; empty: none does
  bool depends() const { return !unless_it_is.empty() || !only_if_it_is.empty(); }
};
enum class Outcome { Told, StaysAsItIs, NoneThere };
// Does a note of this text stay as it is?
bool stays(const Wanted& wanted, std::string_view there);

// `mark` is the last line of the note. They throw davit::Failure. What is made is made once a call: what was
// made in spite of a failure is found the next time.

// By API version 2, which Cloud and Data Center have. Ours is what our own account wrote.
Outcome tell_jira(Rest& jira, const Place& place, const Wanted& wanted, const std::string& mark);

// Sentry lets nobody change another's note, so ours is what can be changed.
Outcome tell_sentry(Rest& sentry, const Place& place, const Wanted& wanted, const std::string& mark);

// In the thread. Reading it wants a right that an app may not have, so the note's time, which is its name, is
// kept in `kept`; only where that is lost, or what it says matters, is the thread read. Where it cannot be,
// a note is taken for one that says nothing.
Outcome tell_slack(Rest& slack, const Place& place, const Wanted& wanted, const std::string& mark,
                   const std::filesystem::path& kept);

}  // namespace note

// One note at each place of three senders: found by its last line, and changed, or made.
#pragma once

#include <filesystem>
#include <string>

#include "source_note/place.h"
#include "source_note/rest.h"

namespace note {

// `mark` is the last line of the note. They throw davit::Failure. What is made is made once a call: what was
// made in spite of a failure is found the next time.

// By API version 2, which Cloud and Data Center have. Ours is what our own account wrote.
void tell_jira(Rest& jira, const Place& place, const std::string& text, const std::string& mark);

// Sentry lets nobody change another's note, so ours is what can be changed.
void tell_sentry(Rest& sentry, const Place& place, const std::string& text, const std::string& mark);

// In the thread. Reading it wants a right that an app may not have, so the note's time, which is its name, is
// kept in `kept`; only where that is lost is the thread read.
void tell_slack(Rest& slack, const Place& place, const std::string& text, const std::string& mark,
                const std::filesystem::path& kept);

}  // namespace note

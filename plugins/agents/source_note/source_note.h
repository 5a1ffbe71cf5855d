// Tells the place that a task came from what becomes of it: one comment there, which changes as the work goes
// on, through all agents of a chain.
//
// A note is a courtesy. Nothing that goes wrong with one is a failure of the work.
#pragma once

#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "github_api/api.h"
#include "source_note/place.h"
#include "source_note/senders.h"
#include "source_note/settings.h"

namespace note {

enum class Stage { Started, NeedsApproval, Done, Failed };

// Which notes are changed.
enum class Change {
  Any,           // one is made where there is none
  Existing,      // none is made: where davit has said nothing, nobody asked it to
  NotFailedYet,  // of those, none that says Failed already: whoever said so has said why
  StillWaiting,  // of those, only one that says NeedsApproval: whatever else it says is newer
};

// Takes secrets out of a text; may be empty.
using Redact = std::function<std::string(std::string_view)>;

struct Told {
  bool told = false;
  std::string why_not;     // a sentence for the log, one line; empty where nobody wants to be told
  bool try_again = false;  // it may work later
};

// One thread.
class Notes {
 public:
  // `state_folder` as for github::Account; the host's, the same for all executions.
  Notes(Settings settings, Tokens tokens, std::filesystem::path state_folder, Redact redact,
        http::Cancel cancel);

  // Brings the note at `place` to that stage. `chain` is the id of the chain's first task: the note is one
  // for each of them. `text` is taken as other people's, whoever wrote it: without secrets, cut at 4,000
  // bytes, mentioning nobody. `github` may be null where the place is none of GitHub's. Throws nothing.
  Told tell(github::Api* github, const Place& place, std::string_view chain, Stage stage,
            std::string_view text, Change change = Change::Any);

 private:
  Told not_told(const std::exception& error, bool try_again) const;
  std::string body(const Place& place, Stage stage, std::string_view text) const;
  Outcome tell_at(github::Api* github, const Place& place, const std::string& mark, const Wanted& wanted);

  Settings settings_;
  Tokens tokens_;
  std::filesystem::path state_folder_;
  Redact redact_;
  http::Cancel cancel_;
};

}  // namespace note

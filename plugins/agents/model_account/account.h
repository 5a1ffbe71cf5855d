// Whether the account that a model is used by takes sessions: what one agent learns, all know that use it.
//
// A limit, a refused key and an overload are not the business of one task: each further session would end
// likewise. So who meets one leaves a note in the state folder, and nobody begins a session of that account
// before the note's time. A limit of which the other side has said when it ends is over then. Of what nobody
// knows the end, one session tries, and the rest wait for what becomes of it.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "davit/failure.hpp"
#include "davit/host.hpp"

namespace model_account {

// When it may be asked again, and why not now.
struct Closed {
  davit::Time until;
  std::string why;  // a sentence

  // RateLimited: of pre_execute it puts off the agent, see plugin-sdk/ABI.md.
  davit::Failure failure(davit::Time now) const;
};

// The first wait for what nobody knows the end of. It is doubled each time, up to the longest.
inline constexpr std::chrono::minutes kFirstWait{1}, kLongestWait{15};
// How long the rest wait for who tries.
inline constexpr std::chrono::seconds kTrial{30};
// Between these is the wait for a time that was said.
inline constexpr std::chrono::seconds kLeastSaid{5};
inline constexpr std::chrono::hours kMostSaid{24};

// Any number of values and processes may stand for one account. One thread. Trouble with the note itself is
// no reason not to ask a model: then nothing is known. Throws nothing but for memory.
class Account {
 public:
  // `identity` tells accounts apart, and may have secrets in it: only a digest of it is kept. `who` is the
  // execution, which is let in again by what it tries itself. An empty folder: nobody shares what is known.
  Account(const std::filesystem::path& state_folder, std::string_view identity, std::string who);

  // Nullopt: a session may begin now, and where it has to be tried, this one tries.
  std::optional<Closed> enter(davit::Time now) const;

  struct Refused {
    davit::Time until;    // nobody asks before
    bool is_new = false;  // it was not known, so it should be told to the operator
  };
  // A session was refused; `said` is when the other side takes the next one, if it said so.
  Refused refused(std::string_view why, std::optional<davit::Time> said, davit::Time now) const;

  // A session was answered: it takes them. True: it did not before.
  bool answered() const;

 private:
  struct Note;
  std::optional<Note> read() const;
  void write(const Note& note) const;

  std::filesystem::path folder_, file_;  // empty: nothing is shared
  std::string who_;
};

}  // namespace model_account

// What people do through the API, and what they are kept from, as lines of the audit log.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "host/base/clock.h"
#include "host/base/guarded.h"
#include "host/http/authentication.h"
#include "host/http/client_address.h"
#include "host/http/request.h"
#include "host/http/response.h"
#include "host/http/slow_bucket.h"
#include "host/store/store.h"

namespace davit::http {

// An act that somebody asks for. Confined to one thread at a time, as the request is. Each gets one line, and
// none is done that could lose it:
// - what is one write of the store takes the line for that transaction;
// - what is done in memory or in several steps begins its line, and goes on once that is committed. How it
// came out is
//   put into the same line, and not into another one, so that an act is never counted twice; a line that
//   still says "begun" when davit has ended meanwhile says just what is known;
// - what does nothing in the end (it was refused, it only looked) gets its line when it is answered.
class Act {
 public:
  Act(store::Store& store, AuditEntry line) : store_(store), line_(std::move(line)) {}

  // What it is done to and how; parameters are a JSON object without secrets.
  void about(std::string object, std::string parameters = "{}");
  // It was done in form only: refused, for this reason, though the answer says more than that.
  void refused(std::string reason) { refusal_ = std::move(reason); }
  const std::string& refusal() const { return refusal_; }
  // As it is known by now; not once the act is answered.
  const AuditEntry& line() const { return line_; }
  // The line, for a write of the store.
  AuditEntry take();
  // Puts the line down as begun; waits for the commit, so not for I/O threads. If it fails the act must not
  // be done.
  Result<> begin();
  void answered(const Response& response);
  // The same for who gives no answer: "done", "refused" or "failed", and a sentence unless done.
  void ended(std::string outcome, std::string reason);

 private:
  store::Store& store_;
  AuditEntry line_;
  std::string refusal_;
  std::optional<std::int64_t> begun_;  // the number of its line
  bool has_line_ = false;              // which is the store's affair now
};

// For a write of the store that may be made: gives the line of the act, if it is one.
std::function<store::Audited()> line_of(std::shared_ptr<Act> act);

// A JSON object of those that are not empty.
std::string act_parameters(
    std::initializer_list<std::pair<std::string_view, std::string_view>> names_and_texts);

// Thread-safe. The store outlives it.
class AuditLog {
 public:
  AuditLog(store::Store& store, const Clock& clock, TrustedProxies proxies);

  std::shared_ptr<Act> begin(std::string_view operation, const Request& request, const Caller& caller) const;
  // Somebody may not do what he asks for, by that way (empty: none is known) and to that object. Bounded: of a flood few are kept, and the next of these tells how
  // many were not. Those whose name is known and those of strangers are bounded each by themselves, so that
  // whoever guesses hides nothing that a token was used for.
  struct Denial {
    std::string_view actor = {}, way = {}, object = {}, reason = {};
  };
  void denied(std::string_view operation, const Request& request, const Denial& denial);

  // Whose request it is, behind the proxies that are trusted.
  std::string address_of(const Request& request) const;

  static constexpr int kDeniedAtOnce = 20;
  static constexpr std::chrono::seconds kDeniedEach{60};

 private:
  struct Denials {
    SlowBucket bucket;
    std::int64_t unrecorded = 0;
  };
  store::Store& store_;
  const Clock& clock_;
  const TrustedProxies proxies_;
  Guarded<Denials> of_known_, of_strangers_;
};

}  // namespace davit::http

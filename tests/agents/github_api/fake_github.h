// A GitHub of this machine: repositories, issues, pull requests and comments in memory, answered in the
// shapes of the REST API (version 2022-11-28), and misbehaving where the test says so.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "davit/json.hpp"
#include "tests/agents/http_client/loopback_server.h"

namespace davit::testing {

// What happens to one request instead of the usual.
struct Fault {
  enum class Kind {
    Answer,        // status, body and head as given
    CutShort,      // the usual answer, broken off in its middle
    NotJson,       // 200 and half of the usual body, as if that were all
    Reset,         // no answer; nothing was done
    DoneButReset,  // done, and no answer
    DoneBut500,    // done, and answered 500
  };
  Kind kind = Kind::Answer;
  int status = 500;
  std::string body = "{\"message\":\"Server Error\"}";
  std::string head;  // lines with their line breaks
};

// Its default is what a token of davit sees: one repository "acme/shop" with main, and the user davit.
class FakeGithub {
 public:
  static constexpr const char* kToken = "ghs_0123456789abcdefghijklmnopqrstuvwxyz";
  static constexpr std::int64_t kDavit = 4242;  // the id of the token's user

  FakeGithub();

  std::string api() const { return server_.url(""); }

  // Beginning with the next request whose method is that one and whose target begins so, one after the other.
  void fail(const std::string& method, const std::string& target, Fault fault, int times = 1);

  int add_issue(const std::string& title, const std::string& body);
  // `user` is the author's id; 0 is one who is gone.
  void add_comment(int number, std::int64_t user, const std::string& body);
  // A branch with a commit of its own, or at `sha`.
  void add_branch(const std::string& branch, const std::string& sha = "");
  int add_pull(const std::string& branch, const std::string& state, bool from_fork = false);
  void allow_no_drafts();
  // A file of a pull request as its diff shows it.
  void add_file(int number, const std::string& path, const std::string& patch);
  void move_head(int number, const std::string& sha);

  std::vector<std::string> comments(int number);  // their bodies
  std::size_t pulls();
  Json pull(int number);
  std::vector<Json> reviews(int number);

  // Requests that counted against the rate limit: all but those answered 304.
  int counted();
  std::vector<Asked> seen() const { return server_.seen(); }
  // "GET /repos/acme/shop": what was asked, without queries, in its order.
  std::vector<std::string> journal() const;

 private:
  struct Answer {
    int status = 200;
    Json json;
    std::string head;
  };
  struct Issue {
    Json json;
    std::vector<Json> comments;
    std::vector<Json> files, reviews;  // of a pull request
  };

  void serve(const Asked& asked, Wire& wire);
  Answer answer(const Asked& asked);
  Answer of_repository(const Asked& asked, const std::string& rest);
  Answer comments_of(const Asked& asked, int number);
  Answer change_comment(const Asked& asked, std::int64_t id);
  Answer list_pulls(const Asked& asked);
  Answer make_pull(const Asked& asked);
  Answer reviews_of(const Asked& asked, int number);
  Answer page(const Asked& asked, const std::vector<Json>& all);
  int open_pull(const std::string& branch, const std::string& base, const std::string& title,
                const std::string& body, bool draft, bool from_fork);
  static Json person(std::int64_t id);
  static Answer error(int status, const std::string& message, Json errors = {});

  std::mutex mutex_;  // of all below
  std::deque<std::pair<std::pair<std::string, std::string>, Fault>> faults_;
  std::map<int, Issue> issues_;
  std::map<int, Json> pulls_;
  std::map<std::string, std::string> branches_;  // of name -> sha
  int next_number_ = 1;
  std::int64_t next_id_ = 1000;
  bool drafts_ = true;
  int counted_ = 0;
  LoopbackServer server_;  // the last: its threads use the rest
};

}  // namespace davit::testing

// A GitHub of this machine: repositories, issues, pull requests and comments in memory, answered in the
// shapes of the REST API (version 2022-11-28), and misbehaving where the test says so.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "davit/json.hpp"
#include "tests/agents/github_api/fake_app.h"
#include "tests/agents/github_api/fake_time.h"
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
    DoneButSilent  // done, and nothing until who asked has gone
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

  // Asked for each request, on the server's threads, before anything is done. Set before requests come.
  std::function<void()> on_request;

  // Beginning with the next request whose method is that one and whose target begins so, one after the other.
  void fail(const std::string& method, const std::string& target, Fault fault, int times = 1);

  int add_issue(const std::string& title, const std::string& body);
  // `user` is the author's id; 0 is one who is gone.
  void add_comment(int number, std::int64_t user, const std::string& body);
  // A branch with a commit of its own, or at `sha`.
  void add_branch(const std::string& branch, const std::string& sha = "");
  int add_pull(const std::string& branch, const std::string& state, bool from_fork = false);
  void allow_no_drafts();
  // A file of a pull request as its diff shows it; `before`: its path before it was renamed.
  void add_file(int number, const std::string& path, const std::string& patch,
                const std::string& status = "modified", const std::string& before = "");
  // Anything else about it: {"draft", true}.
  void set_pull(int number, const std::string& member, Json value);
  void move_head(int number, const std::string& sha);
  std::vector<std::string> labels(int number);

  // From now on branches, heads of pull requests and what these change are those of that bare repository.
  void lie_at(const std::filesystem::path& repository);
  // From now on each commit that is asked about has a workflow with one job, which ends as `conclusion` says.
  // The log of that job is `log`.
  using Conclude = std::function<std::string(const std::string& sha)>;
  void check_commits(Conclude conclusion, const std::string& log);

  // What counts by its clock; its Date is that much ahead of it.
  FakeTime& time() { return time_; }
  void run_ahead(std::chrono::seconds ahead);
  // That many requests until `window` is over; 304 costs nothing.
  void limit_to(int requests, std::chrono::seconds window);
  // From now on refuses a change that comes less than a second after another.
  void watch_spacing();

  // Takes proofs of that App, and the tokens it asks for, in place of the token; `life` is theirs.
  void take_app(const FakeApp& app, std::chrono::seconds life = std::chrono::hours(1));
  void revoke_tokens();
  Json asked_token();  // the body of the last request for one

  // Everybody has an id, and is called "user-<id>" until renamed.
  void rename(std::int64_t id, const std::string& login);
  void remove_person(std::int64_t id);
  void make_bot(std::int64_t id);
  void permit(std::int64_t id, const std::string& permission, const std::string& role = "");

  void add_check_run(Json run);
  void add_status(Json status);
  void add_workflow_run(Json run);
  // From now on a workflow run that is started again ends at once, as that; its failed jobs have ids one
  // higher.
  void end_reruns(const std::string& conclusion);
  // Lies at another host; "" is gone.
  void add_log(std::int64_t job, const std::string& text);
  std::vector<Asked> logs_asked() const { return logs_server_.seen(); }
  void add_code(const std::string& repository, const std::string& path);
  std::string searched();  // the last query

  // The newest is added last; `again`: one that was asked for.
  void add_delivery(std::int64_t id, const std::string& guid, int status, bool again = false);
  std::vector<std::string> delivered();  // guids, the oldest first

  std::vector<std::string> comments(int number);  // their bodies
  std::size_t pulls();
  Json pull(int number);
  std::vector<Json> reviews(int number);

  // Requests that counted against the rate limit: all but those answered 304.
  int counted();
  std::vector<Asked> seen() const { return server_.seen(); }
  // "GET /repos/acme/shop": what was asked, without queries, in its order.
  std::vector<std::string> journal() const;
  // When each change was asked for, by its clock.
  std::vector<std::chrono::milliseconds> changes_at();

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
  Answer change_pull(const Asked& asked, int number);
  Answer add_labels(const Asked& asked, int number);
  Answer of_app(const Asked& asked, const std::string& path);
  Answer of_person(const std::string& login);
  Answer permission_of(const std::string& login);
  Answer of_commit(const Asked& asked, const std::string& rest);
  Answer of_actions(const Asked& asked, const std::string& rest);
  Answer of_hook(const Asked& asked, const std::string& rest);
  Answer search_code(const Asked& asked);
  Answer graphql(const Asked& asked);
  // The refusal of who asks, if any.
  std::optional<Answer> refusal(const Asked& asked);
  std::optional<Answer> limit(const Asked& asked);
  std::string limit_head(int remaining) const;
  std::chrono::sys_seconds now() const { return time_.seconds() + ahead_; }
  Answer page_of(const Asked& asked, const char* member, const std::vector<Json>& all);
  Answer page(const Asked& asked, const std::vector<Json>& all);
  void read_repository();
  void show_pull(int number, const std::string& branch);
  std::vector<Json>& files_of(int number);
  void check_commit(const std::string& sha);
  int open_pull(const std::string& branch, const std::string& base, const std::string& title,
                const std::string& body, bool draft, bool from_fork);
  Json person(std::int64_t id);
  static Answer error(int status, const std::string& message, Json errors = {});

  std::mutex mutex_;  // of all below
  std::deque<std::pair<std::pair<std::string, std::string>, Fault>> faults_;
  std::map<int, Issue> issues_;
  std::map<int, Json> pulls_;
  std::map<std::string, std::string> branches_;  // of name -> sha
  std::filesystem::path repository_;             // empty: nowhere but here
  Conclude conclusion_;
  std::string log_of_checks_;
  int next_number_ = 1;
  std::int64_t next_id_ = 1000;
  bool drafts_ = true;
  int counted_ = 0;

  FakeTime time_;
  std::chrono::seconds ahead_{0};
  std::optional<int> remaining_;
  int allowed_ = 0;
  std::chrono::seconds window_{};
  std::chrono::sys_seconds reset_{};
  bool watches_spacing_ = false;
  std::vector<std::chrono::milliseconds> changes_at_;

  const FakeApp* app_ = nullptr;
  std::chrono::seconds life_{};
  std::map<std::string, std::chrono::sys_seconds> tokens_;  // and when each ends
  int tokens_made_ = 0;
  std::string asked_token_ = "{}";

  std::map<std::int64_t, std::string> logins_;
  std::set<std::int64_t> gone_, bots_;
  std::map<std::int64_t, std::pair<std::string, std::string>> permissions_;  // and the role
  std::vector<Json> check_runs_, statuses_, runs_, code_, deliveries_;
  std::map<std::int64_t, std::string> logs_;
  std::string searched_, reruns_end_;

  LoopbackServer logs_server_;
  LoopbackServer server_;  // the last: their threads use the rest
};

}  // namespace davit::testing

// GitHub as agents use it. What is made here is looked for first and made once, also when an agent runs again
// after a crash, or when GitHub answered 500 and made it all the same.
//
//   github::Api api({.token = token, .state_folder = state}, [&] { return run.is_cancelled(); });
//   github::Pull pull = api.ensure_pull(repo, {.branch = "davit/plan-1", .base = "main", .title = "Plan"});
//   api.ensure_comment(repo, pull.number, "0123456789abcdef", "Working on it.");
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "github_api/checks.h"
#include "github_api/connection.h"
#include "github_api/hooks.h"
#include "github_api/paths.h"
#include "github_api/people.h"
#include "github_api/review.h"
#include "github_api/shapes.h"

namespace github {

struct NewPull {
  std::string branch;  // in the repository itself
  std::string base;
  std::string title;
  std::string body;  // what is over GitHub's limit of 65,536 is cut
  bool draft = false;
};

// What is not named stays as it is.
struct PullChange {
  std::optional<std::string> title, body;
};

struct LogTail {
  std::string text;     // hostile: whoever can push decides what a job prints
  bool cut = false;     // there is more in front of it
  std::string why_not;  // a sentence when there is no log any more; otherwise empty
};

struct CodeHits {
  std::vector<CodeHit> hits;
  bool all = true;  // false: GitHub did not look everywhere, or there are more
};

// One thread. Throws davit::Failure as connection.h says; InvalidInput for a name that cannot be in a path.
class Api {
 public:
  // Throws as Connection does, when the account lacks something. `cancel` is asked while anything waits.
  Api(Account account, http::Cancel cancel, Waiting waiting = {});

  Person me();  // as whom is written: the token's user, or the App's bot
  // For git over https, with the user x-access-token. Ask for each command, keep it nowhere.
  std::string token() { return connection_.token(); }

  // What the person with that id may do. `login` is where to look first; when it is empty or another's by
  // now, the login of today is asked for. Somebody who is gone has no permission. Throws NotFound when the
  // token does not see the repository.
  Standing standing(const Repo& repo, std::int64_t id, const std::string& login);
  Repository repository(const Repo& repo);
  Issue issue(const Repo& repo, int number);
  Pull pull(const Repo& repo, int number);

  // The pull request of a branch of this repository itself: the newest open one, else the newest of all.
  std::optional<Pull> pull_of_branch(const Repo& repo, std::string_view branch);

  // The pull request of that branch, as it is: open, closed or merged (its author and reviewers may have
  // changed it, so it is not written to). Made when there is none; not as a draft where the repository cannot
  // have them, which `draft` of the result tells.
  Pull ensure_pull(const Repo& repo, const NewPull& wanted);

  // Brought to what is wanted, where it differs; a draft made ready for review. Both are as good twice as
  // once.
  Pull update_pull(const Repo& repo, int number, const PullChange& wanted);
  Pull mark_ready(const Repo& repo, int number);
  void add_labels(const Repo& repo, int number, const std::vector<std::string>& labels);
  std::vector<ChangedFile> files(const Repo& repo, int number);  // 3,000 at most, which is GitHub's own limit

  // The one comment of ours with that marker ([0-9A-Za-z._-], 1 to 64 of them) at an issue or pull request:
  // brought up to `body`, or made. The marker stands hidden in its last line. Comments of others count for
  // nothing, whatever they hold.
  Comment ensure_comment(const Repo& repo, int number, std::string_view marker, std::string_view body);
  // That comment as it is, without the line of the marker; nullopt if there is none.
  std::optional<Comment> comment_with(const Repo& repo, int number, std::string_view marker);

  // The one review of ours with that marker of the commit `sha`, as it is; made when there is none. A finding
  // whose lines the diff does not show goes into the body, for GitHub would refuse the whole; all of them do
  // when it refuses one all the same, for it does not say which. On a pull request of our own it asks for no
  // changes, which GitHub refuses, too. Throws Retryable when the pull
  // request has another head by now: that wants a review of its own.
  PostedReview ensure_review(const Repo& repo, int number, const std::string& sha, const NewReview& wanted);

  // Of exactly that commit, by its whole sha; InvalidInput for what is none.
  Checks checks(const Repo& repo, const std::string& sha);
  // The end of what a workflow's job printed; `job` is the id of its check run.
  LogTail log_tail(const Repo& repo, std::int64_t job, std::size_t bytes);
  // Starts the failed jobs of a workflow run again, unless that run has an attempt after `attempt` already.
  void rerun_failed(const Repo& repo, std::int64_t run, int attempt);

  // Files that hold those words, in any of those repositories; `most` of at most 100. The words are taken as
  // words whatever they are: they may come from anybody. InvalidInput without a repository or a word.
  CodeHits search_code(const std::string& words, const std::vector<Repo>& where, int most);

  // From the newest on, or from where a page before says. Asked of an App's hook as the App.
  DeliveryPage deliveries(const Hook& hook, const std::string& next = "");
  // Asks GitHub to deliver again. Once: after a Retryable nobody knows whether it will, and the list tells.
  void redeliver(const Hook& hook, std::int64_t id);

 private:
  std::optional<Comment> own_comment(const std::string& path, const std::string& line);
  PostedReview post_review(const Repo& repo, int number, const std::string& sha, const std::string& line,
                           const NewReview& wanted);
  template <class Look, class Make>
  auto make_once(Look look, Make make);

  Connection connection_;
  std::optional<Person> me_;
};

}  // namespace github

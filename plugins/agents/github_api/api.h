// GitHub as agents use it. What is made here is looked for first and made once, also when an agent runs again
// after a crash, or when GitHub answered 500 and made it all the same.
//
//   github::Api api({.token = token}, [&] { return run.is_cancelled(); });
//   github::Pull pull = api.ensure_pull(repo, {.branch = "davit/plan-1", .base = "main", .title = "Plan"});
//   api.ensure_comment(repo, pull.number, "0123456789abcdef", "Working on it.");
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "github_api/connection.h"
#include "github_api/paths.h"
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

// One thread. Throws davit::Failure as connection.h says; InvalidInput for a name that cannot be in a path.
class Api {
 public:
  // Throws Failure(Permanent) when the account has no token. `cancel` is asked while anything waits.
  Api(Account account, http::Cancel cancel);

  Person me();  // whose token it is
  Repository repository(const Repo& repo);
  Issue issue(const Repo& repo, int number);
  Pull pull(const Repo& repo, int number);

  // The pull request of a branch of this repository itself: the newest open one, else the newest of all.
  std::optional<Pull> pull_of_branch(const Repo& repo, std::string_view branch);

  // The pull request of that branch, as it is: open, closed or merged (its author and reviewers may have
  // changed it, so it is not written to). Made when there is none; not as a draft where the repository cannot
  // have them, which `draft` of the result tells.
  Pull ensure_pull(const Repo& repo, const NewPull& wanted);

  // The one comment of ours with that marker ([0-9A-Za-z._-], 1 to 64 of them) at an issue or pull request:
  // brought up to `body`, or made. The marker stands hidden in its last line. Comments of others count for
  // nothing, whatever they hold.
  Comment ensure_comment(const Repo& repo, int number, std::string_view marker, std::string_view body);

  // The one review of ours with that marker of the commit `sha`, as it is; made when there is none. A finding
  // whose lines the diff does not show goes into the body, for GitHub would refuse the whole. On a pull
  // request of our own it asks for no changes, which GitHub refuses, too. Throws Retryable when the pull
  // request has another head by now: that wants a review of its own.
  PostedReview ensure_review(const Repo& repo, int number, const std::string& sha, const NewReview& wanted);

 private:
  PostedReview post_review(const Repo& repo, int number, const std::string& sha, const std::string& line,
                           const NewReview& wanted);
  template <class Look, class Make>
  auto make_once(Look look, Make make);

  Connection connection_;
  std::optional<Person> me_;
};

}  // namespace github

#include "github_api/api.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include "davit/failure.hpp"
#include "davit/text.hpp"
#include "github_api/diff_lines.h"
#include "github_api/errors.h"

namespace github {
namespace {

using davit::Failure;
using davit::Json;
using davit::JsonView;
using davit::Status;

// GitHub counts characters; bytes are never fewer.
constexpr std::size_t kMostBody = 65'536;
constexpr std::size_t kMostTitle = 256;
constexpr std::size_t kMostMarker = 64;
constexpr std::size_t kMostCommitMarker = kMostMarker + 1 + 64;  // with a dot and a commit's sha
// Between a creation that failed and the look whether it happened: lists lag a little behind.
constexpr std::chrono::milliseconds kSettle{500};

std::string number_path(const Repo& repo, const char* kind, int number) {
  if (number <= 0) throw Failure::invalid_input("an issue or pull request is numbered from 1 on");
  return path_of(repo) + kind + std::to_string(number);
}

std::string shortened(std::string_view text, std::size_t most) {
  constexpr std::string_view kCut = "\n\n(cut)";
  if (text.size() <= most) return std::string(text);
  std::string_view part = text.substr(0, most - kCut.size());
  part = part.substr(0, davit::utf8_prefix(part));
  return std::string(part) + std::string(kCut);
}

std::string line_of(std::string_view marker, std::size_t most) {
  const bool plain = !marker.empty() && marker.size() <= most &&
                     std::all_of(marker.begin(), marker.end(), [](unsigned char c) {
                       return std::isalnum(c) || c == '.' || c == '_' || c == '-';
                     });
  if (!plain) throw Failure::invalid_input("a marker is letters, digits, dots, _ and -, up to 64 of them");
  return "<!-- davit:" + std::string(marker) + " -->";
}

// In its last line only: what a comment quotes stands above.
bool is_marked(std::string_view body, std::string_view line) {
  while (!body.empty() && std::isspace(static_cast<unsigned char>(body.back()))) body.remove_suffix(1);
  return body.ends_with(line);
}

std::string title_of(std::string_view text) {
  text = text.substr(0, kMostTitle);
  return std::string(text.substr(0, davit::utf8_prefix(text)));
}

Json title_and_branches(const NewPull& wanted, bool draft) {
  return Json::object({{"title", title_of(wanted.title)},
                       {"head", wanted.branch},
                       {"base", wanted.base},
                       {"body", shortened(wanted.body, kMostBody)},
                       {"draft", draft}});
}

std::string text_in_body(const Finding& finding) {
  if (!finding.in_body.empty()) return finding.in_body;
  return one_line(finding.path, 200) + ", line " + std::to_string(finding.line) + ": " + finding.body;
}

bool speaks_of_drafts(const Failure& failure) {
  const std::string_view what = failure.what();
  return failure.status() == Status::Permanent && what.find("raft pull request") != std::string_view::npos;
}

}  // namespace

Api::Api(Account account, http::Cancel cancel, Waiting waiting)
    : connection_(std::move(account), std::move(cancel), std::move(waiting)) {}

// An App's token is nobody's: what it writes is by a bot that is called after the App.
Person Api::me() {
  if (me_) return *me_;
  std::string path = "/user";
  if (connection_.is_app()) {
    const Json app = connection_.get("/app", As::App);
    path = "/users/" + segment(std::string(app["slug"].string_or("")) + "[bot]");
  }
  const Json json = connection_.get(path);
  const Person person = person_of(json);
  if (person.id == 0) throw Failure::permanent("GitHub's answer to GET " + path + " has no id");
  me_ = person;
  return person;
}

// Logins change and are given to others, so an answer counts only when it is about that id.
Standing Api::standing(const Repo& repo, std::int64_t id, const std::string& login) {
  if (id <= 0) throw Failure::invalid_input("a person on GitHub has an id");
  const auto of_login = [&](const std::string& name) {
    const Json json = connection_.get(path_of(repo) + "/collaborators/" + segment(name) + "/permission");
    return standing_of(json);
  };
  if (!login.empty()) {
    try {
      Standing standing = of_login(login);
      if (standing.person.id == id) return standing;
    } catch (const Failure& failure) {
      if (failure.status() != Status::NotFound && failure.status() != Status::InvalidInput) throw;
    }
  }
  Person person;
  try {
    const Json json = connection_.get("/user/" + std::to_string(id));
    person = person_of(json);
  } catch (const Failure& failure) {
    if (failure.status() != Status::NotFound) throw;
    return {};
  }
  if (person.id != id || person.login.empty())
    throw Failure::permanent("GitHub's answer about the person " + std::to_string(id) + " is about another");
  Standing standing = of_login(person.login);
  if (standing.person.id != id) {
    throw Failure::retryable("GitHub's answers about the person " + std::to_string(id) +
                             " do not agree: somebody is being renamed");
  }
  return standing;
}

Repository Api::repository(const Repo& repo) {
  const Json json = connection_.get(path_of(repo));
  return repository_of(json);
}

Issue Api::issue(const Repo& repo, int number) {
  const Json json = connection_.get(number_path(repo, "/issues/", number));
  return issue_of(json);
}

Pull Api::pull(const Repo& repo, int number) {
  const Json json = connection_.get(number_path(repo, "/pulls/", number));
  return pull_of(json);
}

std::optional<Pull> Api::pull_of_branch(const Repo& repo, std::string_view branch) {
  if (branch.empty()) throw Failure::invalid_input("a branch has a name");
  std::optional<Pull> found;
  // GitHub's filter is no promise: it also gives pull requests of other branches at the same commit.
  connection_.each(path_of(repo) + "/pulls?state=all&head=" + escape(repo.owner + ":") + escape(branch),
                   [&](JsonView json) {
                     Pull pull = pull_of(json);
                     if (pull.head.name != branch || !same(pull.head.repo, repo)) return true;
                     const auto rank = [](const Pull& one) {
                       return std::pair(one.state == PullState::Open, one.number);
                     };
                     if (!found || rank(pull) > rank(*found)) found = std::move(pull);
                     return true;
                   });
  return found;
}

// Looked for, made, and looked for again when the making failed: it may have happened all the same, or
// somebody else was faster. A refusal stands when nothing is there; a doubt is worth one more try.
template <class Look, class Make>
auto Api::make_once(Look look, Make make) {
  if (auto there = look()) return *std::move(there);
  for (int left = 1;; --left) {
    try {
      return make();
    } catch (const Failure& failure) {
      if (failure.status() == Status::Cancelled || failure.status() == Status::RateLimited) throw;
      const bool in_doubt = failure.status() == Status::Retryable;
      connection_.pause(kSettle);
      if (auto made = look()) return *std::move(made);
      if (!in_doubt || left == 0) throw;
    }
  }
}

Pull Api::ensure_pull(const Repo& repo, const NewPull& wanted) {
  const std::string path = path_of(repo) + "/pulls";
  const auto make = [&](bool draft) {
    const Json json = connection_.post(path, title_and_branches(wanted, draft));
    return pull_of(json);
  };
  return make_once([&] { return pull_of_branch(repo, wanted.branch); },
                   [&] {
                     try {
                       return make(wanted.draft);
                     } catch (const Failure& failure) {
                       if (!wanted.draft || !speaks_of_drafts(failure)) throw;
                     }
                     return make(false);
                   });
}

Pull Api::update_pull(const Repo& repo, int number, const PullChange& wanted) {
  Pull now = pull(repo, number);
  Json change = Json::object();
  if (wanted.title) {
    const std::string title = title_of(*wanted.title);
    if (title != now.title) change.set("title", title);
  }
  if (wanted.body) {
    const std::string body = shortened(*wanted.body, kMostBody);
    if (body != now.body) change.set("body", body);
  }
  if (change.empty()) return now;
  const Json json = connection_.patch(number_path(repo, "/pulls/", number), change);
  return pull_of(json);
}

// The REST API cannot do that.
Pull Api::mark_ready(const Repo& repo, int number) {
  constexpr const char* kMutation =
      "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { clientMutationId } "
      "}";
  const Pull now = pull(repo, number);
  if (!now.draft || now.state != PullState::Open) return now;
  const auto ready = [&]() -> std::optional<Pull> {
    Pull after = pull(repo, number);
    return after.draft ? std::nullopt : std::optional(std::move(after));
  };
  return make_once(ready, [&] {
    connection_.graphql(kMutation, Json::object({{"id", now.node_id}}));
    return pull(repo, number);
  });
}

void Api::add_labels(const Repo& repo, int number, const std::vector<std::string>& labels) {
  if (labels.empty()) return;
  const std::vector<std::string> there = issue(repo, number).labels;
  Json missing = Json::array();
  for (const std::string& label : labels) {
    const bool has = std::any_of(there.begin(), there.end(),
                                 [&](const std::string& name) { return lower(name) == lower(label); });
    if (!has) missing.push_back(label);
  }
  if (missing.empty()) return;
  connection_.post(number_path(repo, "/issues/", number) + "/labels",
                   Json::object({{"labels", std::move(missing)}}));
}

std::vector<ChangedFile> Api::files(const Repo& repo, int number) {
  std::vector<ChangedFile> files;
  connection_.each(number_path(repo, "/pulls/", number) + "/files", [&](JsonView json) {
    files.push_back(changed_file_of(json));
    return true;
  });
  return files;
}

std::optional<Comment> Api::own_comment(const std::string& path, const std::string& line) {
  const std::int64_t mine = me().id;
  std::optional<Comment> found;
  connection_.each(path, [&](JsonView json) {
    Comment seen = comment_of(json);
    if (seen.author.id == mine && is_marked(seen.body, line)) found = std::move(seen);
    return !found;
  });
  return found;
}

std::optional<Comment> Api::comment_with(const Repo& repo, int number, std::string_view marker) {
  const std::string line = line_of(marker, kMostMarker);
  std::optional<Comment> found = own_comment(number_path(repo, "/issues/", number) + "/comments", line);
  if (found) found->body.resize(found->body.rfind(line));
  return found;
}

Comment Api::ensure_comment(const Repo& repo, int number, std::string_view marker, std::string_view body) {
  const std::string line = line_of(marker, kMostMarker);
  const std::string text = shortened(body, kMostBody - line.size() - 2) + "\n\n" + line;
  const std::string path = number_path(repo, "/issues/", number) + "/comments";
  const Comment comment =
      make_once([&] { return own_comment(path, line); },
                [&] {
                  const Json json = connection_.post(path, Json::object({{"body", text}}));
                  return comment_of(json);
                });
  if (comment.body == text) return comment;
  const Json json = connection_.patch(path_of(repo) + "/issues/comments/" + std::to_string(comment.id),
                                      Json::object({{"body", text}}));
  return comment_of(json);
}

PostedReview Api::ensure_review(const Repo& repo, int number, const std::string& sha,
                                const NewReview& wanted) {
  const std::string line = line_of(wanted.marker + "." + sha, kMostCommitMarker);
  const std::string path = number_path(repo, "/pulls/", number) + "/reviews";
  const std::int64_t mine = me().id;
  return make_once(
      [&] {
        std::optional<PostedReview> found;
        connection_.each(path, [&](JsonView json) {
          if (person_of(json["user"]).id == mine && is_marked(json["body"].string_or(""), line))
            found =
                PostedReview{.id = json["id"].int_or(0), .url = std::string(json["html_url"].string_or(""))};
          return !found;
        });
        return found;
      },
      [&] { return post_review(repo, number, sha, line, wanted); });
}

PostedReview Api::post_review(const Repo& repo, int number, const std::string& sha, const std::string& line,
                              const NewReview& wanted) {
  const std::string path = number_path(repo, "/pulls/", number);
  const Pull now = pull(repo, number);
  if (now.head.sha != sha) {
    throw Failure::retryable("pull request " + std::to_string(number) + " is at another commit than " + sha +
                             " by now: review that");
  }
  std::map<std::string, DiffLines, std::less<>> shown;
  for (const ChangedFile& file : files(repo, number)) shown.emplace(file.path, DiffLines(file.patch));

  const bool ours = now.author.id == me().id;
  const bool asks = wanted.verdict == Verdict::RequestChanges && !ours;
  const auto post = [&](bool at_lines) {
    PostedReview posted{.made = true};
    Json comments = Json::array();
    std::string body = wanted.body;
    for (const Finding& finding : wanted.findings) {
      const int first = finding.start_line > 0 ? finding.start_line : finding.line;
      const auto file = shown.find(finding.path);
      if (!at_lines || file == shown.end() || !file->second.hold(first, finding.line)) {
        body += "\n\n" + text_in_body(finding);
        ++posted.in_body;
        continue;
      }
      Json comment = Json::object({{"path", finding.path},
                                   {"line", finding.line},
                                   {"side", "RIGHT"},
                                   {"body", shortened(finding.body, kMostBody)}});
      if (first < finding.line) comment.set("start_line", first).set("start_side", "RIGHT");
      comments.push_back(std::move(comment));
      ++posted.at_lines;
    }
    const Json json =
        connection_.post(path + "/reviews",
                         Json::object({{"commit_id", sha},
                                       {"event", asks ? "REQUEST_CHANGES" : "COMMENT"},
                                       {"body", shortened(body, kMostBody - line.size() - 2) + "\n\n" + line},
                                       {"comments", std::move(comments)}}));
    posted.id = json["id"].int_or(0);
    posted.url = json["html_url"].string_or("");
    return posted;
  };
  try {
    return post(true);
  } catch (const Failure& failure) {
    if (failure.status() != Status::Permanent || wanted.findings.empty()) throw;
  }
  return post(false);
}

}  // namespace github

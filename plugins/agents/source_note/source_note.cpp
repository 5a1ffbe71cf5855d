#include "source_note/source_note.h"

#include <exception>
#include <utility>

#include "davit/failure.hpp"
#include "shared_files/digest.h"
#include "github_api/errors.h"
#include "shared_files/files.h"
#include "source_note/neutral.h"
#include "source_note/rest.h"
#include "source_note/senders.h"

namespace note {
namespace {

using davit::Failure;

constexpr std::size_t kMostText = 4'000;
constexpr std::size_t kMostReason = 500;

std::string_view headline(Stage stage) {
  switch (stage) {
    case Stage::Started:
      return "davit is working on this.";
    case Stage::NeedsApproval:
      return "davit has a proposal and waits for an approval.";
    case Stage::Done:
      return "davit is done with this.";
    case Stage::Failed:
      break;
  }
  return "davit could not do this.";
}

Markup markup_of(Sender sender) {
  constexpr Markup kMarkups[] = {Markup::Github, Markup::Jira, Markup::Sentry, Markup::Slack};
  return kMarkups[static_cast<std::size_t>(sender)];
}

std::string host_of(const std::string& address) {
  const std::size_t begin = address.find("://");
  if (begin == std::string::npos) return "";
  const std::string rest = address.substr(begin + 3);
  return github::lower(rest.substr(0, rest.find('/')));
}

const std::string& needed(const std::string& token, const char* name) {
  if (token.empty())
    throw Failure::permanent(std::string("there is no token to tell the sender with: grant ") + name);
  return token;
}

}  // namespace

Notes::Notes(Settings settings, Tokens tokens, std::filesystem::path state_folder, Redact redact,
             http::Cancel cancel)
    : settings_(std::move(settings)),
      tokens_(std::move(tokens)),
      state_folder_(std::move(state_folder)),
      redact_(std::move(redact)),
      cancel_(std::move(cancel)) {}

Told Notes::tell(github::Api* github, const Place& place, std::string_view chain, Stage stage,
                 std::string_view text, Change change) {
  try {
    const bool unwanted = (place.sender == Sender::Github && !settings_.github) ||
                          (place.sender == Sender::Jira && settings_.jira_site.empty()) ||
                          (place.sender == Sender::Sentry && tokens_.sentry.empty()) ||
                          (place.sender == Sender::Slack && tokens_.slack.empty());
    if (unwanted) return {};
    const std::string mark =
        shared::digest_of(std::string(chain) + "\n" + place.key + "\nnote").substr(0, 16);
    Wanted wanted{.text = body(place, stage, text), .make = change == Change::Any};
    if (change == Change::NotFailedYet) wanted.unless_it_is = headline(Stage::Failed);
    if (change == Change::StillWaiting) wanted.only_if_it_is = headline(Stage::NeedsApproval);
    switch (tell_at(github, place, mark, wanted)) {
      case Outcome::Told:
        return {.told = true, .why_not = ""};
      case Outcome::StaysAsItIs:
        return {.told = false,
                .why_not = change == Change::StillWaiting
                               ? "the note at the source does not say that something waits, or cannot be read"
                               : "the note at the source says already why the work has failed"};
      case Outcome::NoneThere:
        break;
    }
    return {.told = false, .why_not = "davit has no note at the source, and makes none for this"};
  } catch (const Failure& failure) {
    const davit::Status status = failure.status();
    return not_told(failure, status == davit::Status::Retryable || status == davit::Status::RateLimited ||
                                 status == davit::Status::Internal);
  } catch (const std::exception& error) {
    return not_told(error, false);
  }
}

Told Notes::not_told(const std::exception& error, bool try_again) const {
  const std::string why = "the source was not told: " + std::string(error.what());
  return {.told = false,
          .why_not = github::one_line(redact_ ? redact_(why) : why, kMostReason),
          .try_again = try_again};
}

// What hides a secret from being found is taken out before it is looked for.
std::string Notes::body(const Place& place, Stage stage, std::string_view text) const {
  const std::string seen = visible(text);
  std::string out(headline(stage));
  const std::string said = neutral(redact_ ? redact_(seen) : seen, markup_of(place.sender), kMostText);
  return said.empty() ? out : out + "\n\n" + said;
}

Outcome Notes::tell_at(github::Api* github, const Place& place, const std::string& mark,
                       const Wanted& wanted) {
  const std::string last_line = "davit " + mark.substr(0, 8);
  switch (place.sender) {
    case Sender::Github: {
      if (!github) throw Failure::internal("nothing was given to tell GitHub with");
      if (!wanted.make) {
        const std::optional<github::Comment> there = github->comment_with(place.repo, place.number, mark);
        if (!there) return Outcome::NoneThere;
        if (stays(wanted, there->body)) return Outcome::StaysAsItIs;
      }
      github->ensure_comment(place.repo, place.number, mark, wanted.text);
      return Outcome::Told;
    }
    case Sender::Jira: {
      // A token is for the site it was made for, whatever site a delivery speaks of.
      if (host_of(settings_.jira_site) != github::lower(place.site))
        throw Failure::permanent("notes.jira.site is another site than that of the issue");
      const std::string& token = needed(tokens_.jira, "jira_token");
      Rest jira(settings_.jira_site,
                settings_.jira_user.empty() ? "Bearer " + token
                                            : "Basic " + base64(settings_.jira_user + ":" + token),
                cancel_);
      return tell_jira(jira, place, wanted, last_line);
    }
    case Sender::Sentry: {
      Rest sentry(settings_.sentry_url, "Bearer " + tokens_.sentry, cancel_);
      return tell_sentry(sentry, place, wanted, last_line);
    }
    case Sender::Slack: {
      const std::filesystem::path folder = state_folder_ / "notes";
      shared::make_private_folder(folder);
      Rest slack(settings_.slack_api, "Bearer " + tokens_.slack, cancel_);
      return tell_slack(slack, place, wanted, last_line, folder / mark);
    }
  }
  return Outcome::NoneThere;
}

}  // namespace note

// Brings davit's note at the source of a chain to its end, when the chain has ended and is not done, and says
// in it what is to be written when something waits for an approval. README.md has the rules.
#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "agent_config/schema.h"
#include "agent_config/secrets.h"
#include "agent_config/settings.h"
#include "davit/agent.hpp"
#include "davit/failure.hpp"
#include "notify/approval_wait.h"
#include "notify/chain_end.h"
#include "source_note/readers.h"
#include "source_note/source_note.h"

namespace notify {
namespace {

using davit::AgentContext;
using davit::AgentResult;
using davit::Decision;
using davit::ErrorClass;
using davit::Json;
using davit::JsonView;
using davit::Run;

constexpr std::string_view kOwnSchema = R"({
    "command_prefix": {
      "type": "string", "pattern": "^[!-~]{0,32}$",
      "description": "What begins a command in a comment, as in command_prefix of the webhooks github and jira; empty: people are told of no commands there"
    }
  })";

// What is told, of a wait or of an end.
struct Message {
  Subject subject;
  note::Stage stage;
  note::Change change;
  std::string first;  // for anybody at the place
  std::string work;   // for whoever may read what was worked on
};

class NotifyAgent : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = "notify-agent",
            .display_name = "Notify Agent",
            .description = "Tells the source of a task how to approve what waits, and when the work has stopped",
            .capabilities = {davit::AgentCapability::Monitoring},
            .timeout_seconds = 300,
            .config_schema = agent_config::schema_of({"github", "notes"}, kOwnSchema),
            .secrets = {"github_token", "github_app_key", "jira_token", "sentry_token", "slack_token"}};
  }

  void configure(const Json& config) override {
    settings_ = agent_config::Settings::from(config);
    prefix_ = config["command_prefix"].string_or("/davit");
  }

  // Asks nobody outside.
  Decision pre_execute(const AgentContext& context) override {
    if (!is_at_github(message_of(context).subject)) return true;
    if (context.state_folder.empty())
      return Decision::no("the host gives no state folder, and one is needed");
    return true;
  }

  AgentResult execute(const AgentContext& context, Run& run) override {
    const Message message = message_of(context);
    const Subject& subject = message.subject;
    const std::optional<note::Place> place = note::place_of(subject.entity);
    if (!place) return ended(run, {.why_not = "it came from no place where davit writes notes"});

    const agent_config::Secrets secrets(settings_, host());
    // Then no other agent has written there either.
    if (is_at_github(subject) && !secrets.no_account().empty())
      return ended(run, {.why_not = secrets.no_account()});
    const http::Cancel cancel = [&run] { return run.is_cancelled(); };
    std::optional<github::Api> api;
    if (is_at_github(subject))
      api.emplace(secrets.account(context.state_folder, place->repo,
                                  {{"issues", "write"}, {"pull_requests", "write"}}),
                  cancel);
    note::Notes notes(settings_.notes, secrets.notes(), context.state_folder, std::cref(secrets.redactor()),
                      cancel);
    const note::Told told = notes.tell(api ? &*api : nullptr, *place, subject.chain, message.stage,
                                       text_at(*place, api, message), message.change);
    // A host that stops lets it run again.
    if (!told.told && run.is_cancelled()) throw davit::Failure::cancelled(told.why_not);
    if (told.try_again) return AgentResult::failed(told.why_not, ErrorClass::Retryable);
    return ended(run, told);
  }

 private:
  Message message_of(const AgentContext& context) const {
    const JsonView payload = context.task.payload;
    if (ApprovalWait::is_one(payload)) {
      const ApprovalWait wait = ApprovalWait::from(payload, context.previous_result);
      const std::optional<note::Place> place = note::place_of(wait.subject.entity);
      return {.subject = wait.subject,
              .stage = note::Stage::NeedsApproval,
              .change = note::Change::StillWaiting,
              .first = place ? wait.how(*place, prefix_) + "\n\n" : "",
              .work = wait.what()};
    }
    const ChainEnd end = ChainEnd::from(payload, context.previous_result);
    return {.subject = end.subject,
            .stage = note::Stage::Failed,
            .change = end.change(),
            .first = "",
            .work = end.sentence()};
  }

  bool is_at_github(const Subject& subject) const {
    const std::optional<note::Place> place = note::place_of(subject.entity);
    return place && place->sender == note::Sender::Github && settings_.notes.github;
  }

  static std::string text_at(const note::Place& place, std::optional<github::Api>& api,
                             const Message& message) {
    const Subject& subject = message.subject;
    if (!api || subject.pull.empty()) return message.first + message.work;
    const std::size_t slash = std::min(subject.repository.find('/'), subject.repository.size());
    const std::string name = subject.repository.substr(std::min(slash + 1, subject.repository.size()));
    return message.first + note::for_readers(place, {subject.repository.substr(0, slash), name}, *api,
                                             message.work, subject.task_id);
  }

  // What cannot be told is not the chain's misfortune: a place that is gone, or one that davit may not write
  // to, ends here.
  static AgentResult ended(Run& run, const note::Told& told) {
    const std::string why = told.told              ? ""
                            : told.why_not.empty() ? "nobody there wants to be told (config.notes)"
                                                   : told.why_not;
    if (!why.empty()) run.transcript("note", why);
    Json output = Json::object({{"told", told.told}});
    if (!why.empty()) output.set("why_not", why);
    return AgentResult::ok(std::move(output));
  }

  agent_config::Settings settings_;
  std::string prefix_ = "/davit";
};

}  // namespace
}  // namespace notify

DAVIT_REGISTER_AGENT(notify::NotifyAgent)

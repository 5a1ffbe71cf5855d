// Brings davit's note at the source of a chain to its end, when the chain has ended and is not done.
// README.md has the rules.
#include <algorithm>
#include <functional>
#include <optional>
#include <string>

#include "agent_config/schema.h"
#include "agent_config/secrets.h"
#include "agent_config/settings.h"
#include "davit/agent.hpp"
#include "davit/failure.hpp"
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
using davit::Run;

class NotifyAgent : public davit::Agent {
 public:
  davit::AgentMetadata metadata() const override {
    return {.name = "notify-agent",
            .display_name = "Notify Agent",
            .description = "Tells the source of a task when the work on it has stopped and is not done",
            .capabilities = {davit::AgentCapability::Monitoring},
            .timeout_seconds = 300,
            .config_schema = agent_config::schema_of({"github", "notes"}, "{}"),
            .secrets = {"github_token", "github_app_key", "jira_token", "sentry_token", "slack_token"}};
  }

  void configure(const Json& config) override { settings_ = agent_config::Settings::from(config); }

  // Asks nobody outside.
  Decision pre_execute(const AgentContext& context) override {
    const ChainEnd end = ChainEnd::from(context.task.payload, context.previous_result);
    if (!is_at_github(end)) return true;
    if (context.state_folder.empty())
      return Decision::no("the host gives no state folder, and one is needed");
    return true;
  }

  AgentResult execute(const AgentContext& context, Run& run) override {
    const ChainEnd end = ChainEnd::from(context.task.payload, context.previous_result);
    const std::optional<note::Place> place = note::place_of(end.entity);
    if (!place) return ended(run, {.why_not = "it came from no place where davit writes notes"});

    const agent_config::Secrets secrets(settings_, host());
    // Then no other agent has written there either.
    if (is_at_github(end) && !secrets.no_account().empty())
      return ended(run, {.why_not = secrets.no_account()});
    const http::Cancel cancel = [&run] { return run.is_cancelled(); };
    std::optional<github::Api> api;
    if (is_at_github(end))
      api.emplace(secrets.account(context.state_folder, place->repo,
                                  {{"issues", "write"}, {"pull_requests", "write"}}),
                  cancel);
    note::Notes notes(settings_.notes, secrets.notes(), context.state_folder, std::cref(secrets.redactor()),
                      cancel);
    const note::Told told = notes.tell(api ? &*api : nullptr, *place, end.chain, note::Stage::Failed,
                                       text_at(*place, api, end), end.change());
    // A host that stops lets it run again.
    if (!told.told && run.is_cancelled()) throw davit::Failure::cancelled(told.why_not);
    if (told.try_again) return AgentResult::failed(told.why_not, ErrorClass::Retryable);
    return ended(run, told);
  }

 private:
  bool is_at_github(const ChainEnd& end) const {
    const std::optional<note::Place> place = note::place_of(end.entity);
    return place && place->sender == note::Sender::Github && settings_.notes.github;
  }

  static std::string text_at(const note::Place& place, std::optional<github::Api>& api, const ChainEnd& end) {
    if (!api || end.pull.empty()) return end.sentence();
    const std::size_t slash = std::min(end.repository.find('/'), end.repository.size());
    const std::string name = end.repository.substr(std::min(slash + 1, end.repository.size()));
    return note::for_readers(place, {end.repository.substr(0, slash), name}, *api, end.sentence(),
                             end.task_id);
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
};

}  // namespace
}  // namespace notify

DAVIT_REGISTER_AGENT(notify::NotifyAgent)

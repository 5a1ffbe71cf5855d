// Rules in the order they are asked: bots, then who and where, then what for. A bot that answers a bot never
// ends, so nothing written by one counts, whoever it is.
#include "decision.h"

#include <algorithm>
#include <optional>

#include "../reading/command.h"
#include "../reading/excerpt.h"
#include "../reading/lists.h"

namespace slack {
namespace {

using davit::JsonView;
using reading::contains;
using Move = Verdict::Move;

std::string text(std::string_view view) { return std::string(view); }
std::string quoted(std::string_view view) { return "'" + std::string(view) + "'"; }

Verdict nothing(std::string reason) { return {.move = Move::Nothing, .reason = std::move(reason)}; }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

// Why nothing from there counts; empty if it does.
std::string refusal(const Settings& settings, JsonView event) {
  const std::string_view user = event["user"].string_or(""), team = event["team"].string_or("");
  if (event["bot"].bool_or(false)) return "it was written by a bot";
  if (user.empty()) return "nobody is named as user";
  if (contains(settings.ignore_users, user)) return "user " + text(user) + " is in ignore_users";
  if (event["external"].bool_or(false) && !settings.allow_external)
    return "user " + text(user) + " is of another workspace, and allow_external is not set";
  if (!settings.users.empty() && !contains(settings.users, user))
    return "user " + text(user) + " is not in users";
  if (!settings.teams.empty() && !contains(settings.teams, team))
    return "team " + text(team) + " is not in teams";
  const std::string_view channel = event["channel"].string_or("");
  if (!settings.channels.empty() && !contains(settings.channels, channel))
    return "channel " + text(channel) + " is not in channels";
  return "";
}

std::optional<davit::Verb> verb_of(std::string_view word) {
  if (word == "approve") return davit::Verb::Approve;
  if (word == "reject") return davit::Verb::Reject;
  if (word == "retry") return davit::Verb::Retry;
  if (word == "cancel") return davit::Verb::Cancel;
  return std::nullopt;
}

// Why this person may not act on tasks; empty if they may.
std::string no_steering(const Settings& settings, JsonView event) {
  const std::string_view user = event["user"].string_or("");
  if (contains(settings.command_users, "*") || contains(settings.command_users, user)) return "";
  return "user " + text(user) + " is not in command_users";
}

// `said` may begin with the hash of what is decided about.
Verdict act(const Settings& settings, JsonView event, davit::Verb verb, std::string_view word,
            std::string_view target, std::string_view said, const char* via) {
  if (std::string why = no_steering(settings, event); !why.empty()) return nothing(quoted(word) + ": " + why);
  // A task's id, or an entity, which has a colon: as long as the host takes them.
  const bool is_entity = target.find(':') != std::string_view::npos;
  const bool plain = std::none_of(target.begin(), target.end(),
                                  [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
  if (target.empty() || target.size() > (is_entity ? 256 : 64) || !plain)
    return nothing(quoted(word) + " names no task: say its id");
  const reading::Decided decided = reading::read_hash(said);
  return {.move = Move::Act,
          .reason = quoted(word) + " was said",
          .verb = verb,
          .target = text(target),
          .content_hash = text(decided.hash),
          .comment = text(reading::cut(decided.rest, reading::kMaxLine)),
          .via = via};
}

// "run cicd-agent look at this", "approve …", or a request to `agent`. `thread` is what a verb acts on where
// none is named: a thread has a task, a slash command has none.
Verdict decide_text(const Settings& settings, JsonView event, std::string_view said,
                    std::string_view thread) {
  said = trimmed(said);
  if (said.empty()) return nothing("nothing is asked for");
  const std::size_t end = std::min(said.find_first_of(" \t\n"), said.size());
  const std::string_view word = said.substr(0, end), rest = trimmed(said.substr(end));
  const std::size_t second = std::min(rest.find_first_of(" \t\n"), rest.size());
  const std::string_view next = rest.substr(0, second), behind = trimmed(rest.substr(second));
  if (const auto verb = verb_of(word)) {
    if (!thread.empty()) return act(settings, event, *verb, word, thread, rest, "message");
    return act(settings, event, *verb, word, next, behind, "command");
  }
  if (word != "run")
    return {
        .move = Move::Start, .reason = "it was asked for", .agent = settings.agent, .request = text(said)};
  if (std::string why = no_steering(settings, event); !why.empty()) return nothing("'run': " + why);
  if (next != settings.agent && !contains(settings.run_agents, next))
    return nothing("'run' names no agent of run_agents: " + quoted(reading::cut(next, 64)));
  return {.move = Move::Start, .reason = "'run' was said", .agent = text(next), .request = text(behind)};
}

// Behind the mention that a message to the app begins with: "<@U123> look at this".
std::string_view behind_mention(std::string_view said) {
  said = trimmed(said);
  if (!said.starts_with("<@")) return said;
  const std::size_t end = said.find('>');
  return end == std::string_view::npos ? said : said.substr(end + 1);
}

Verdict decide_event(const Settings& settings, JsonView event) {
  const bool mention = event["name"] == "app_mention";
  if (!mention && event["channel_type"] != "im")
    return nothing("messages in channels start no work; a mention of the app comes in an event of its own");
  if (mention ? !settings.mentions : !settings.direct_messages)
    return nothing(mention ? "mentions is not set" : "direct_messages is not set");
  // Those that people write; all others tell of an edit, a deletion, somebody who came or a bot.
  const std::string_view subtype = event["subtype"].string_or("");
  if (!subtype.empty() && subtype != "file_share" && subtype != "thread_broadcast")
    return nothing("messages " + text(subtype) + " start no work");
  if (event["ts"].string_or("").empty()) return nothing("the message has no time stamp");
  const std::string entity = entity_of(event).key;
  return decide_text(settings, event, behind_mention(event["text"].string_or("")), entity);
}

Verdict decide_click(const Settings& settings, JsonView event) {
  std::string_view id = event["action"]["id"].string_or("");
  if (!id.starts_with(settings.button_prefix)) return nothing("button " + quoted(id) + " is none of ours");
  id.remove_prefix(settings.button_prefix.size());
  const auto verb = verb_of(id);
  if (!verb) return nothing("button " + quoted(id) + " does nothing: know approve, reject, retry and cancel");
  // "<task>#<hash>": an entity may have a # of its own.
  std::string_view target = event["action"]["value"].string_or(""), hash;
  const std::size_t at = target.rfind('#');
  if (at != std::string_view::npos && reading::is_hash(target.substr(at + 1))) {
    hash = target.substr(at + 1);
    target = target.substr(0, at);
  }
  return act(settings, event, *verb, id, target, hash, "button");
}

}  // namespace

Verdict decide(const Settings& settings, JsonView event) {
  const std::string_view kind = event["kind"].string_or("");
  const std::string_view name = event["name"].string_or("");
  if (kind == "interaction") return nothing(text(name) + " starts no work");
  if (kind == "event" && name != "app_mention" && name != "message")
    return nothing("events " + text(name) + " start no work");
  if (std::string why = refusal(settings, event); !why.empty()) return nothing(std::move(why));
  if (kind == "block_actions") return decide_click(settings, event);
  if (kind == "event") return decide_event(settings, event);
  const std::string_view command = event["command"].string_or("");
  if (!contains(settings.commands, command))
    return nothing("command " + quoted(command) + " is none of ours");
  return decide_text(settings, event, event["text"].string_or(""), "");
}

davit::Entity entity_of(JsonView event) {
  std::string_view ts = event["thread_ts"].string_or("");
  if (ts.empty()) ts = event["ts"].string_or("");
  if (ts.empty()) ts = event["delivery_id"].string_or("");
  const std::string place = text(event["team"].string_or("").substr(0, 32)) + "/" +
                            text(event["channel"].string_or("").substr(0, 32)) + "/";
  return {.key = "slack:" + place + text(ts),
          .type = "thread",
          .group = "slack:" + place.substr(0, place.size() - 1)};
}

}  // namespace slack

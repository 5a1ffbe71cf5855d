#include "event.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

#include "../reading/excerpt.h"

namespace slack {
namespace {

using davit::Failure;
using davit::Json;
using davit::JsonView;
using namespace reading;

std::string unescaped(std::string_view text) {
  struct Escape {
    std::string_view written;
    char meant;
  };
  constexpr Escape kEscapes[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}};
  std::string plain;
  plain.reserve(text.size());
  while (!text.empty()) {
    std::size_t taken = 0;
    for (const Escape& escape : kEscapes) {
      if (!text.starts_with(escape.written)) continue;
      plain += escape.meant;
      taken = escape.written.size();
      break;
    }
    if (taken == 0) plain += text[0];
    text.remove_prefix(taken == 0 ? 1 : taken);
  }
  return plain;
}

// An address; in a delivery that is run again a mark stands in its place. The host knows which it may post
// to.
std::string_view response_url(std::string_view url) {
  const bool is_url = url.starts_with("https://") || url.starts_with("http://");
  return is_url && url.size() <= kMaxUrl ? url : std::string_view();
}

void add_id(Json& to, std::string_view name, JsonView value, const std::string& what) {
  add_line(to, name, id_or_none(value, what));
}

// One click, one command: there is no event id, but each has its trigger.
void add_trigger(Json& to, const std::string& trigger) {
  if (!trigger.empty()) to.set("delivery_id", "trigger:" + trigger);
}

// People of another workspace in a channel that is shared with it: `of` names theirs in one of `members`.
bool is_external(JsonView of, std::initializer_list<const char*> members, std::string_view team) {
  return std::any_of(members.begin(), members.end(), [&](const char* member) {
    const std::string_view theirs = of[member].string_or("");
    return !theirs.empty() && !team.empty() && theirs != team;
  });
}

Json interaction(JsonView body) {
  if (!body.is_object()) throw Failure::invalid_input("payload is not a JSON object");
  const std::string_view type = cut(body["type"].require_string("type"), 64);
  Json json = type == "block_actions" ? Json::object({{"kind", type}})
                                      : Json::object({{"kind", "interaction"}, {"name", type}});
  const JsonView user = object_or_none(body["user"], "user"), team = object_or_none(body["team"], "team");
  add_trigger(json, id_or_none(body["trigger_id"], "trigger_id"));
  add_id(json, "team", team["id"], "team.id");
  add_id(json, "channel", object_or_none(body["channel"], "channel")["id"], "channel.id");
  add_id(json, "user", user["id"], "user.id");
  add_line(json, "user_name", cut(text_or_none(user["username"], "user.username"), kMaxId));
  if (is_external(user, {"team_id"}, team["id"].string_or(""))) json.set("external", true);
  const JsonView message = object_or_none(body["message"], "message");
  add_id(json, "ts", message["ts"], "message.ts");
  add_id(json, "thread_ts", message["thread_ts"], "message.thread_ts");
  add_line(json, "response_url", response_url(text_or_none(body["response_url"], "response_url")));
  if (type == "block_actions") {
    const JsonView action = require_object(list_or_none(body["actions"], "actions")[0], "actions[0]");
    Json clicked = Json::object();
    add_line(clicked, "id", cut(action["action_id"].require_string("actions[0].action_id"), 255));
    add_line(clicked, "value", cut(text_or_none(action["value"], "actions[0].value"), 256));
    json.set("action", std::move(clicked));
  }
  return json;
}

Json slash_command(const davit::Form& form) {
  Json json = Json::object({{"kind", "command"}, {"command", cut(form["command"], 64)}});
  const auto add_field = [&](const char* to, const char* from) {
    const Json value(form[from]);
    if (!form[from].empty()) add_id(json, to, value, from);
  };
  add_field("team", "team_id");
  add_field("channel", "channel_id");
  add_field("user", "user_id");
  // It tells one command from another.
  const Json trigger(form["trigger_id"]);
  const std::string trigger_id = form["trigger_id"].empty() ? "" : id_or_none(trigger, "trigger_id");
  if (trigger_id.empty()) throw Failure::invalid_input("trigger_id is missing or empty");
  add_trigger(json, trigger_id);
  add_line(json, "user_name", cut(form["user_name"], kMaxId));
  add_text(json, "text", unescaped(form["text"]));
  add_line(json, "response_url", response_url(form["response_url"]));
  return json;
}

}  // namespace

Json read_event(JsonView body) {
  if (!body.is_object()) throw Failure::invalid_input("the body is not a JSON object");
  const std::string_view type = cut(body["type"].require_string("type"), 64);
  if (type == "url_verification") {
    const std::string_view challenge = body["challenge"].require_string("challenge");
    if (challenge.empty() || challenge.size() > kMaxLine)
      throw Failure::invalid_input("challenge is empty or longer than 1024 bytes");
    return Json::object({{"kind", type}, {"challenge", challenge}});
  }
  Json json = Json::object({{"kind", "event"}});
  if (const std::string id = id_or_none(body["event_id"], "event_id"); !id.empty())
    json.set("delivery_id", "event:" + id);
  add_id(json, "team", body["team_id"], "team_id");
  if (type != "event_callback") return json.set("name", type), json;

  const JsonView event = require_object(body["event"], "event");
  json.set("name", cut(event["type"].require_string("event.type"), 64));
  const std::string_view channel_type = text_or_none(event["channel_type"], "event.channel_type");
  add_line(json, "channel_type", cut(channel_type, 64));
  add_line(json, "subtype", cut(text_or_none(event["subtype"], "event.subtype"), 64));
  if (event["channel"].is_string()) add_id(json, "channel", event["channel"], "event.channel");
  if (event["user"].is_string()) add_id(json, "user", event["user"], "event.user");
  // What this app wrote itself, with the token of a person, has no bot_id.
  const std::string_view own_app = body["api_app_id"].string_or("");
  const bool own = !own_app.empty() && event["app_id"] == own_app;
  if (own || !event["bot_id"].is_null() || event["subtype"] == "bot_message" ||
      event["bot_profile"].is_object())
    json.set("bot", true);
  if (is_external(event, {"user_team", "source_team", "team"}, body["team_id"].string_or("")))
    json.set("external", true);
  add_id(json, "ts", event["ts"], "event.ts");
  add_id(json, "thread_ts", event["thread_ts"], "event.thread_ts");
  add_text(json, "text", unescaped(text_or_none(event["text"], "event.text")));
  // An edit of the message comes as another event.
  if (json["name"] == "app_mention" && json.has("ts") && json.has("channel")) {
    std::string id("mention:");
    id.append(json["team"].string_or("").substr(0, 32)).append("/");
    id.append(json["channel"].string_or("").substr(0, 32)).append("/").append(json["ts"].string_or(""));
    json.set("delivery_id", id);
  }
  return json;
}

Json read_form(const davit::Form& form) {
  if (form["ssl_check"] == "1") return Json::object({{"kind", "ssl_check"}});
  if (form.has("payload")) {
    const Json body = Json::parse(form["payload"]);
    return interaction(body);
  }
  if (form.has("command")) return slash_command(form);
  throw Failure::invalid_input("the form has neither a field 'payload' nor a field 'command'");
}

}  // namespace slack

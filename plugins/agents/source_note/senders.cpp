#include "source_note/senders.h"

#include <cctype>

#include "davit/failure.hpp"
#include "shared_files/files.h"

namespace note {
namespace {

using davit::Failure;
using davit::Json;
using davit::JsonView;
using davit::Status;

bool is_marked(std::string_view text, const std::string& mark) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text.ends_with("\n" + mark);
}

std::string with_mark(const std::string& text, const std::string& mark) { return text + "\n\n" + mark; }

// An id of a path, of an answer: a text or a number. Empty if it is neither.
std::string id_of(JsonView id) {
  const std::string text = id.is_int() ? std::to_string(id.int_or(0)) : std::string(id.string_or(""));
  return text.find_first_not_of("0123456789") == std::string::npos ? text : "";
}

// The Cloud has accountId, a Data Center name.
std::string account_of(JsonView person) {
  const std::string_view account = person["accountId"].string_or("");
  return std::string(account.empty() ? person["name"].string_or("") : account);
}

// Slack answers 200 to what it refuses, too.
Json ask_slack(Rest& slack, const std::string& method, const std::string& path, const Json& body) {
  Json answer = slack.ask(method, path, body);
  if (answer["ok"].bool_or(false)) return answer;
  const std::string error(answer["error"].string_or("an error"));
  const bool plain =
      error.size() <= 64 && error.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
  const std::string message =
      "Slack refuses " + path.substr(0, path.find('?')) + ": " + (plain ? error : "an error");
  throw error == "message_not_found" || error == "cant_update_message" ? Failure::not_found(message)
                                                                       : Failure::permanent(message);
}

bool is_time(std::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

struct Posted {
  std::string time, text;
};

// The note in the thread, or none. An app without the right to read gets none, and makes one more.
Posted note_in_thread(Rest& slack, const Place& place, const std::string& mark) {
  try {
    const Json me = ask_slack(slack, "POST", "/auth.test", Json::object());
    const Json thread =
        ask_slack(slack, "GET",
                  "/conversations.replies?limit=200&channel=" + place.channel + "&ts=" + place.thread, {});
    const std::string user(me["user_id"].string_or(""));
    for (const JsonView message : thread["messages"]) {
      if (!user.empty() && message["user"] == user && is_marked(message["text"].string_or(""), mark))
        return {std::string(message["ts"].string_or("")), std::string(message["text"].string_or(""))};
    }
  } catch (const Failure& failure) {
    if (failure.status() != Status::Permanent && failure.status() != Status::NotFound) throw;
  }
  return {};
}

}  // namespace

bool stays(const Wanted& wanted, std::string_view there) {
  return (!wanted.unless_it_is.empty() && there.starts_with(wanted.unless_it_is)) ||
         !there.starts_with(wanted.only_if_it_is);
}

Outcome tell_jira(Rest& jira, const Place& place, const Wanted& wanted, const std::string& mark) {
  const Json me = jira.ask("GET", "/rest/api/2/myself");
  const std::string account = account_of(me);
  if (account.empty()) throw Failure::permanent("Jira does not say whose token it is");
  const std::string path = "/rest/api/2/issue/" + place.issue + "/comment";
  const Json body = Json::object({{"body", with_mark(wanted.text, mark)}});
  constexpr int kMostPages = 20;
  int seen = 0;
  for (int pages = 0; pages < kMostPages; ++pages) {
    const Json list = jira.ask("GET", path + "?maxResults=100&startAt=" + std::to_string(seen));
    for (const JsonView comment : list["comments"]) {
      const std::string id = id_of(comment["id"]);
      if (account_of(comment["author"]) != account || id.empty() ||
          !is_marked(comment["body"].string_or(""), mark))
        continue;
      if (stays(wanted, comment["body"].string_or(""))) return Outcome::StaysAsItIs;
      if (comment["body"] != body["body"].string_or("")) jira.ask("PUT", path + "/" + id, body);
      return Outcome::Told;
    }
    seen += static_cast<int>(list["comments"].size());
    if (list["comments"].empty() || seen >= list["total"].int_or(0)) {
      if (!wanted.make) return Outcome::NoneThere;
      jira.ask("POST", path, body);
      return Outcome::Told;
    }
  }
  throw Failure::permanent("the Jira issue has too many comments to look for a note among them");
}

Outcome tell_sentry(Rest& sentry, const Place& place, const Wanted& wanted, const std::string& mark) {
  const std::string path = "/api/0/organizations/" + place.site + "/issues/" + place.issue + "/comments/";
  const Json body = Json::object({{"text", with_mark(wanted.text, mark)}});
  const Json list = sentry.ask("GET", path);
  if (!list.is_array()) throw Failure::permanent("Sentry's answer about comments is no list");
  for (const JsonView comment : list.view()) {
    const JsonView there = comment["data"]["text"];
    const std::string id = id_of(comment["id"]);
    if (id.empty() || !is_marked(there.string_or(""), mark)) continue;
    if (stays(wanted, there.string_or(""))) return Outcome::StaysAsItIs;
    try {
      sentry.ask("PUT", path + id + "/", body);
      return Outcome::Told;
    } catch (const Failure& failure) {
      if (failure.status() != Status::NotFound) throw;  // otherwise it is another's
    }
  }
  if (!wanted.make) return Outcome::NoneThere;
  sentry.ask("POST", path, body);
  return Outcome::Told;
}

Outcome tell_slack(Rest& slack, const Place& place, const Wanted& wanted, const std::string& mark,
                   const std::filesystem::path& kept) {
  Json message = Json::object({{"channel", place.channel},
                               {"text", with_mark(wanted.text, mark)},
                               {"parse", "none"},
                               {"link_names", false},
                               {"unfurl_links", false},
                               {"unfurl_media", false}});
  std::string time = shared::read_file(kept, 64).value_or("");
  if (!is_time(time) || wanted.depends()) {
    const Posted there = note_in_thread(slack, place, mark);
    if (stays(wanted, there.text)) return Outcome::StaysAsItIs;
    if (!is_time(time)) time = there.time;
  }
  if (is_time(time)) {
    try {
      Json change = message;
      change.set("ts", time);
      ask_slack(slack, "POST", "/chat.update", change);
      shared::replace_file(kept, time);
      return Outcome::Told;
    } catch (const Failure& failure) {
      if (failure.status() != Status::NotFound) throw;  // otherwise somebody removed it
    }
  }
  if (!wanted.make) return Outcome::NoneThere;
  message.set("thread_ts", place.thread);
  const Json posted = ask_slack(slack, "POST", "/chat.postMessage", message);
  if (const std::string made(posted["ts"].string_or("")); is_time(made)) shared::replace_file(kept, made);
  return Outcome::Told;
}

}  // namespace note

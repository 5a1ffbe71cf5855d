#include "tests/agents/source_note/fake_senders.h"

#include <algorithm>

#include "tests/agents/github_api/fake_targets.h"

namespace davit::testing {

FakeSender::FakeSender(std::string authorization)
    : authorization_(std::move(authorization)),
      server_([this](const Asked& asked, Wire& wire) { serve(asked, wire); }) {}

void FakeSender::add(const std::string& author, const std::string& text) {
  std::lock_guard lock(mutex_);
  make(author, text);
}

void FakeSender::remove_all() {
  std::lock_guard lock(mutex_);
  comments_.clear();
}

std::vector<std::string> FakeSender::texts() {
  std::lock_guard lock(mutex_);
  std::vector<std::string> texts;
  for (const FakeComment& comment : comments_) texts.push_back(comment.text);
  return texts;
}

void FakeSender::fail(const std::string& method, int status, bool done) {
  std::lock_guard lock(mutex_);
  faults_.push_back({method, {status, done}});
}

void FakeSender::refuse(int status) {
  std::lock_guard lock(mutex_);
  refuses_ = status;
}

FakeComment* FakeSender::find(const std::string& id) {
  const auto found = std::find_if(comments_.begin(), comments_.end(),
                                  [&](const FakeComment& comment) { return comment.id == id; });
  return found == comments_.end() ? nullptr : &*found;
}

FakeComment& FakeSender::make(const std::string& author, const std::string& text) {
  comments_.push_back({std::to_string(next_++), author, text});
  return comments_.back();
}

void FakeSender::serve(const Asked& asked, Wire& wire) {
  std::lock_guard lock(mutex_);
  if (asked.header("Authorization") != authorization_) return wire.answer(401, "{}");
  if (refuses_ != 0) return wire.answer(refuses_, "<html>no</html>");
  const auto fault = std::find_if(faults_.begin(), faults_.end(),
                                  [&](const auto& entry) { return entry.first == asked.method; });
  if (fault != faults_.end()) {
    const auto [status, done] = fault->second;
    faults_.erase(fault);
    if (done) answer(asked, Json::parse(asked.body));
    return wire.answer(status, "<html>no</html>");
  }
  const Answer usual = answer(asked, asked.body.empty() ? Json() : Json::parse(asked.body));
  wire.answer(usual.status, usual.json.dump());
}

FakeSender::Answer FakeJira::answer(const Asked& asked, const Json& body) {
  const std::string path = path_of(asked.target), base = "/rest/api/2/issue/TES-41/comment";
  if (path == "/rest/api/2/myself") return {200, Json::object({{"accountId", kDavit}})};
  const auto json_of = [](const FakeComment& comment) {
    return Json::object({{"id", comment.id},
                         {"body", comment.text},
                         {"author", Json::object({{"accountId", comment.author}})}});
  };
  const std::string text(body["body"].string_or(""));
  if (path == base && asked.method == "GET") {
    const std::size_t from = std::stoul(query(asked.target, "startAt", "0"));
    const std::size_t most = std::min<std::size_t>(std::stoul(query(asked.target, "maxResults", "50")), 100);
    Json list = Json::array();
    for (std::size_t i = from; i < std::min(from + most, comments_.size()); ++i)
      list.push_back(json_of(comments_[i]));
    return {200, Json::object({{"total", comments_.size()}, {"comments", std::move(list)}})};
  }
  if (path == base) return {201, json_of(make(kDavit, text))};
  FakeComment* comment = path.starts_with(base + "/") ? find(path.substr(base.size() + 1)) : nullptr;
  if (!comment || asked.method != "PUT") return {404, Json::object()};
  comment->text = text;
  return {200, json_of(*comment)};
}

FakeSender::Answer FakeSentry::answer(const Asked& asked, const Json& body) {
  const std::string path = path_of(asked.target),
                    base = "/api/0/organizations/acme/issues/1635244907/comments/";
  const auto json_of = [](const FakeComment& comment) {
    return Json::object(
        {{"id", comment.id}, {"type", "note"}, {"data", Json::object({{"text", comment.text}})}});
  };
  const std::string text(body["text"].string_or(""));
  if (path == base && asked.method == "GET") {
    Json list = Json::array();
    for (auto comment = comments_.rbegin(); comment != comments_.rend(); ++comment)
      list.push_back(json_of(*comment));
    return {200, std::move(list)};
  }
  if (path == base) return {201, json_of(make(kDavit, text))};
  std::string id = path.starts_with(base) ? path.substr(base.size()) : "";
  if (id.ends_with('/')) id.pop_back();
  FakeComment* comment = find(id);
  if (!comment || comment->author != kDavit) return {404, Json::object()};
  comment->text = text;
  return {200, json_of(*comment)};
}

// A message's id is its time.
FakeSender::Answer FakeSlack::answer(const Asked& asked, const Json& body) {
  const std::string path = path_of(asked.target);
  const auto refused = [](const char* error) {
    return Answer{200, Json::object({{"ok", false}, {"error", error}})};
  };
  if (path == "/auth.test") return {200, Json::object({{"ok", true}, {"user_id", kDavit}})};
  if (path == "/conversations.replies") {
    if (!may_read_) return refused("missing_scope");
    if (query(asked.target, "channel", "") != "C123" || query(asked.target, "ts", "") != "1583636399.000700")
      return refused("thread_not_found");
    Json list = Json::array();
    for (const FakeComment& comment : comments_) {
      list.push_back(
          Json::object({{"ts", comment.id + ".0001"}, {"user", comment.author}, {"text", comment.text}}));
    }
    return {200, Json::object({{"ok", true}, {"messages", std::move(list)}})};
  }
  if (body["channel"] != "C123") return refused("channel_not_found");
  const std::string text(body["text"].string_or(""));
  if (path == "/chat.postMessage") {
    if (body["thread_ts"] != "1583636399.000700") return refused("thread_not_found");
    return {200, Json::object({{"ok", true}, {"ts", make(kDavit, text).id + ".0001"}})};
  }
  const std::string time(body["ts"].string_or(""));
  FakeComment* comment = find(time.substr(0, time.find('.')));
  if (!comment) return refused("message_not_found");
  if (comment->author != kDavit) return refused("cant_update_message");
  comment->text = text;
  return {200, Json::object({{"ok", true}, {"ts", time}})};
}

}  // namespace davit::testing

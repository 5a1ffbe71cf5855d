#include "host/replies/news.h"

#include <algorithm>

#include "host/base/json.h"

namespace davit::replies {
namespace {

constexpr std::size_t kMaxTitle = 200;
constexpr std::size_t kMaxResult = 800;
constexpr std::size_t kHashDigits = 12;  // as many as an approval takes
constexpr int kKeptForTheEnd = 2;        // posts: somebody has to approve, and something comes of it
constexpr int kKeptForTheLast = 1;       // post: something comes of it

// One line, cut at a character's border.
std::string line(std::string_view text, std::size_t limit) {
  std::string plain;
  for (const char c : text.substr(0, limit)) plain += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  const bool cut = text.size() > limit;
  while (cut && !plain.empty() && (static_cast<unsigned char>(text[plain.size()]) & 0xC0) == 0x80)
    plain.pop_back();
  return cut ? plain + "…" : plain;
}

// What an agent says of its result in a sentence, where it says so.
std::string result_of(std::string_view output) {
  const auto json = parse_json(output);
  if (!json) return {};
  if (json->IsString()) return line({json->GetString(), json->GetStringLength()}, kMaxResult);
  for (const char* member : {"summary", "message"})
    if (const std::string text = string_member(*json, member); !text.empty()) return line(text, kMaxResult);
  return {};
}

std::string joined(std::string sentence, const std::string& more) {
  return more.empty() ? sentence : std::move(sentence) + ": " + more;
}

void write_filled(JsonWriter& writer, const JsonValue& value, std::string_view sentence) {
  if (value.IsObject()) {
    writer.StartObject();
    for (const auto& member : value.GetObject()) {
      writer.Key(member.name.GetString(), member.name.GetStringLength());
      write_filled(writer, member.value, sentence);
    }
    writer.EndObject();
  } else if (value.IsArray()) {
    writer.StartArray();
    for (const JsonValue& element : value.GetArray()) write_filled(writer, element, sentence);
    writer.EndArray();
  } else if (value.IsString() && std::string_view(value.GetString(), value.GetStringLength()) == "{text}") {
    write_string(writer, sentence);
  } else {
    value.Accept(writer);
  }
}

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&') {
      safe += "&amp;";
    } else if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace

std::vector<News> news_of(const store::PendingReply& reply, const std::vector<store::TaskNews>& tasks) {
  std::vector<News> all;
  const auto tell = [&](std::string word, const std::string& sentence) {
    if (std::find(reply.told.begin(), reply.told.end(), word) != reply.told.end()) return;
    all.push_back({std::move(word), line(sentence, kMaxSentence)});
  };
  for (const store::TaskNews& task : tasks) {
    if (task.since < reply.since || task.since >= reply.until) continue;
    const std::string title = line(task.title, kMaxTitle);
    const std::string ended = " " + std::to_string(to_unix_ms(task.since));
    switch (task.state) {
      case TaskState::Queued:
        break;
      case TaskState::Running:
        if (reply.reply.posts > kKeptForTheEnd)
          tell(task.task_id + " began", joined(task.agent + " has begun", title));
        break;
      case TaskState::AwaitingApproval: {
        const std::string digits = task.content_hash.substr(0, kHashDigits);
        const std::string how = " — approve " + task.task_id + " " + digits;
        if (task.error.empty()) {
          tell(task.task_id + " waits " + digits, joined(task.agent + " waits for approval", title) + how);
        } else if (reply.reply.posts > kKeptForTheLast) {
          // Something stood against the approval before, which may come as often as somebody approves.
          tell(task.task_id + " waits " + digits + ended,
               joined(joined(task.agent + " waits for approval again", title), line(task.error, kMaxResult)) +
                   how);
        }
        break;
      }
      case TaskState::Completed:
        if (task.has_successor) break;
        tell(task.task_id + " completed" + ended,
             joined(joined(task.agent + " is done", title), result_of(task.output)));
        break;
      case TaskState::Failed:
        tell(task.task_id + " failed" + ended,
             joined(joined(task.agent + " has failed", title), line(task.error, kMaxResult)));
        break;
      case TaskState::Cancelled:
        tell(task.task_id + " cancelled" + ended,
             joined(joined("The task of " + task.agent + " was cancelled", title),
                    line(task.error, kMaxResult)));
        break;
      case TaskState::Parked:
        tell(task.task_id + " parked" + ended,
             joined(joined("The task of " + task.agent + " was put aside", title),
                    line(task.error, kMaxResult)));
        break;
    }
  }
  return all;
}

std::string body_of(const Reply& reply, std::string_view sentence) {
  const auto json = parse_json(reply.body);
  if (!json) return "{}";
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  write_filled(writer, *json, reply.escape ? escaped(sentence) : std::string(sentence));
  return std::string(text_of(buffer));
}

}  // namespace davit::replies

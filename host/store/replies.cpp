#include "host/store/replies.h"

#include <algorithm>

#include "host/base/json.h"
#include "host/store/rows.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

constexpr std::string_view kPrefix = "reply:";

std::string name_of(std::string_view delivery_id) { return std::string(kPrefix).append(delivery_id); }

void write_list(JsonWriter& writer, const char* name, const std::vector<std::string>& list) {
  writer.Key(name);
  writer.StartArray();
  for (const std::string& item : list) write_string(writer, item);
  writer.EndArray();
}

std::string to_value(const PendingReply& pending) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "webhook", pending.webhook);
  write_member(writer, "url", pending.reply.url);
  write_member(writer, "body", pending.reply.body);
  write_member(writer, "escape", pending.reply.escape);
  write_member(writer, "left", pending.reply.posts);
  write_member(writer, "since", to_unix_ms(pending.since));
  write_member(writer, "until", to_unix_ms(pending.until));
  write_list(writer, "chains", pending.chains);
  write_member(writer, "news", pending.news);
  write_list(writer, "told", pending.told);
  writer.EndObject();
  return std::string(text_of(buffer));
}

// What cannot be read has no posts left.
PendingReply from_value(std::string_view name, std::string_view value) {
  PendingReply pending;
  pending.delivery_id = name.substr(std::min(kPrefix.size(), name.size()));
  pending.reply.posts = 0;
  const auto json = parse_json(value);
  if (!json) return pending;
  pending.webhook = string_member(*json, "webhook");
  pending.reply = {string_member(*json, "url"), string_member(*json, "body"),
                   static_cast<int>(int_member(*json, "left")), Duration(0), bool_member(*json, "escape")};
  pending.since = from_unix_ms(int_member(*json, "since"));
  pending.until = from_unix_ms(int_member(*json, "until"));
  pending.chains = strings_member(*json, "chains");
  pending.news = string_member(*json, "news");
  pending.told = strings_member(*json, "told");
  return pending;
}

// While it lives, what is deleted is overwritten: the address is a secret, and the pages that it was in may
// be kept for years.
class Overwriting {
 public:
  explicit Overwriting(Database& database) : database_(database) {
    database_.execute("PRAGMA secure_delete = ON");
  }
  ~Overwriting() { database_.execute("PRAGMA secure_delete = OFF"); }

 private:
  Database& database_;
};

}  // namespace

void keep_reply(Database& database, const PendingReply& reply) {
  const Overwriting overwriting(database);
  Statement(database,
            "INSERT INTO setting (name, value) VALUES (?1, ?2)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value")
      .run(name_of(reply.delivery_id), to_value(reply));
}

void forget_reply(Database& database, std::string_view delivery_id) {
  const Overwriting overwriting(database);
  Statement(database, "DELETE FROM setting WHERE name = ?1").run(name_of(delivery_id));
}

std::vector<PendingReply> read_replies(Reader& reader) {
  std::vector<PendingReply> all;
  Cursor row =
      reader.statement("SELECT name, value FROM setting WHERE name >= 'reply:' AND name < 'reply;'").query();
  while (row.next()) all.push_back(from_value(row.view(0), row.view(1)));
  return all;
}

std::optional<PendingReply> read_reply(Reader& reader, std::string_view delivery_id) {
  const std::string name = name_of(delivery_id);
  Cursor row = reader.statement("SELECT value FROM setting WHERE name = ?1").query(name);
  return row.next() ? std::optional(from_value(name, row.view(0))) : std::nullopt;
}

std::string read_chain_of(Reader& reader, std::string_view task_id) {
  const std::optional<StoredId> id = to_stored_id(task_id);
  if (!id) return {};
  Cursor row = reader.statement("SELECT coalesce(root, id) FROM task WHERE id = ?1").query(*id);
  return row.next() ? to_text(row.id(0)) : std::string();
}

std::vector<TaskNews> read_chain_news(Reader& reader, std::string_view first_task_id) {
  const std::optional<StoredId> root = to_stored_id(first_task_id);
  if (!root) return {};
  std::vector<TaskNews> all;
  Cursor row =
      reader
          .statement(
              "SELECT t.id, t.agent, t.title, coalesce(t.error, ''), t.state,"
              " CASE WHEN t.state = 1 THEN coalesce(e.started_at, t.updated_at) ELSE t.updated_at END,"
              " coalesce(r.output, ''), t.parent, t.row"
              " FROM task t LEFT JOIN execution e ON e.row = t.execution"
              " LEFT JOIN execution_result r ON r.row = t.execution"
              " WHERE t.row IN (SELECT row FROM (SELECT row FROM task WHERE id = ?1 UNION ALL"
              " SELECT row FROM task WHERE root IS NOT NULL AND root = ?1) ORDER BY row DESC LIMIT 200)"
              " ORDER BY t.row")
          .query(*root);
  while (row.next()) {
    TaskNews news{to_text(row.id(0)), row.text(1), row.text(2), row.text(3), task_state_of(row.integer(4)),
                  row.time(5),        {},          row.text(6)};
    for (TaskNews& before : all)
      if (before.task_id == to_text(row.id(7))) before.has_successor = true;
    if (news.state == TaskState::AwaitingApproval) {
      Cursor content = reader
                           .statement("SELECT " + kContentColumns +
                                      " FROM task t JOIN task_body b ON b.row = t.row WHERE t.row = ?1")
                           .query(row.integer(8));
      if (content.next()) news.content_hash = read_content_hash(content, 0);
    }
    all.push_back(std::move(news));
  }
  return all;
}

}  // namespace davit::store

#include "host/store/approvals.h"

#include <algorithm>
#include <initializer_list>

#include "host/base/crypto.h"
#include "host/store/rows.h"

namespace davit::store {
namespace {

constexpr std::size_t kLeastDigits = 12;  // nobody who writes an input finds another one with the same ones
constexpr std::size_t kMostNamed = 5;

// Hash digits as people may have typed them.
std::string lower(std::string_view text) {
  std::string digits(text);
  for (char& c : digits)
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  return digits;
}

Result<> check_form(std::string_view said) {
  const bool digits = std::all_of(said.begin(), said.end(),
                                  [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (digits && said.size() >= kLeastDigits && said.size() <= 64) return {};
  return Error{ErrorCode::InvalidInput,
               "content_hash: must be the 64 hexadecimal digits that are shown with the task, or at least "
               "the first " +
                   std::to_string(kLeastDigits)};
}

// Of "github comment": who tells of the person, so that an id of one sender is not taken for that of another.
std::string_view sender_of(std::string_view way) { return way.substr(0, way.find(' ')); }

// A name changes hands, an id does not.
bool is_same(std::string_view name, std::string_view id, std::string_view way, const Person& person) {
  if (id.empty() || person.id.empty()) return name == person.name;
  return id == person.id && sender_of(way) == sender_of(person.way);
}

std::string named(const Waiting& task) {
  return "task " + task.task_id + " (" + task.agent + ") waits with content hash " + task.content_hash;
}

}  // namespace

std::string content_hash(const ApprovedContent& content) {
  std::string bound = "davit-approval-2\n";
  // With its length before it, nothing of one part can pass for another; nor of a list, with its count.
  const auto add = [&](std::initializer_list<std::string_view> parts) {
    for (std::string_view part : parts) bound.append(std::to_string(part.size())).append(":").append(part);
  };
  add({content.agent, content.task_type, content.source, content.title, content.entity});
  bound.append(content.actor != nullptr ? "1 actor," : "0 actors,");
  if (content.actor != nullptr) add({content.actor->id, content.actor->login, content.actor->role});
  bound.append(std::to_string(content.links.size())).append(" links,");
  for (const Link& link : content.links) add({link.rel, link.key, link.url});
  add({content.payload, content.previous_result});
  return sha256_hex(bound);
}

struct Approvals::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement ask{db, "INSERT INTO approval (task, asked_at, deadline, next_at) VALUES (?1, ?2, ?3, ?4)"};
  Statement end{db, "DELETE FROM approval WHERE task = ?1"};
  Statement resume{db,
                   "INSERT INTO approval (task, asked_at, deadline, reminders, next_at)"
                   " SELECT task, asked_at, deadline, reminders, coalesce(?2, next_at) FROM decision WHERE row ="
                   " (SELECT max(row) FROM decision WHERE task = ?1 AND kind = 'approve')"
                   " AND asked_at IS NOT NULL"};
  Statement content{
      db, "SELECT " + kContentColumns + " FROM task t JOIN task_body b ON b.row = t.row WHERE t.row = ?1"};
  Statement newest{db,
                   "SELECT kind, content_hash, at, by_whom, actor_id, way, comment FROM decision"
                   " WHERE task = ?1 AND kind IN ('approve', 'reject', 'refused')"
                   " ORDER BY row DESC LIMIT 1"};
  Statement refused{db,
                    "INSERT INTO decision (task, at, kind, by_whom, actor_id, way, comment, content_hash)"
                    " VALUES (?1, ?2, 'refused', ?3, ?4, ?5, ?6, ?7)"};
  Statement refusals{db,
                     "SELECT by_whom, actor_id, way, comment FROM decision WHERE task = ?1 AND kind = 'refused'"
                     " AND content_hash = ?2 AND row > coalesce((SELECT max(row) FROM decision"
                     "  WHERE task = ?1 AND kind = 'retry'), 0) ORDER BY row DESC"};
  Statement changed{db,
                    "INSERT INTO decision (task, at, kind, by_whom, way, comment, content_hash)"
                    " VALUES (?1, ?2, 'changed', 'davit', 'claim', ?3, ?4)"};
  Statement waiting{db, "SELECT t.row, t.id, t.agent, a.asked_at, " + kContentColumns +
                            " FROM task t JOIN approval a ON a.task = t.row JOIN task_body b ON b.row = t.row"
                            " WHERE t.entity = ?1 AND (?2 = '' OR t.agent = ?2) ORDER BY t.row DESC"};
  Statement waiting_also{
      db, "SELECT t.row, t.id, t.agent, a.asked_at, " + kContentColumns +
              " FROM task_also k JOIN task t ON t.row = k.task JOIN approval a ON a.task = t.row"
              " JOIN task_body b ON b.row = t.row WHERE k.key = ?1 AND t.entity IS NOT ?1"
              " AND (?2 = '' OR t.agent = ?2) ORDER BY k.task DESC"};
};

Approvals::Approvals(Database& database, const ApprovalRules& rules)
    : rules_(rules), sql_(std::make_unique<Statements>(database)) {}
Approvals::~Approvals() = default;

void Approvals::ask(std::int64_t task, WallTime now) {
  std::optional<WallTime> deadline, next;
  if (rules_.deadline) deadline = next = now + *rules_.deadline;
  if (rules_.remind_after && (!next || now + *rules_.remind_after < *next)) next = now + *rules_.remind_after;
  if (!rules_.notify.empty()) next = now;
  sql_->ask.run(task, now, deadline, next);
}
void Approvals::end(std::int64_t task) { sql_->end.run(task); }

void Approvals::resume(std::int64_t task, WallTime now) {
  const std::optional<WallTime> next = rules_.notify.empty() ? std::nullopt : std::optional(now);
  if (sql_->resume.run(task, next) == 0) ask(task, now);
}

std::string Approvals::content_of(std::int64_t task) {
  Cursor row = sql_->content.query(task);
  return row.next() ? read_content_hash(row, 0) : std::string();
}

// The newest of those that say whether the task may run, if it is of this kind and content.
std::optional<TaskDecision> Approvals::newest(std::int64_t task, std::string_view kind,
                                              std::string_view content_hash) {
  Cursor row = sql_->newest.query(task);
  if (!row.next() || row.view(0) != kind || row.view(1) != content_hash) return std::nullopt;
  return TaskDecision{.at = row.time(2),
                      .kind = row.text(0),
                      .by = row.text(3),
                      .actor_id = row.text(4),
                      .way = row.text(5),
                      .comment = row.text(6),
                      .content_hash = row.text(1)};
}

std::optional<TaskDecision> Approvals::approval_of(std::int64_t task, std::string_view content_hash) {
  return newest(task, "approve", content_hash);
}
std::optional<TaskDecision> Approvals::refusal_of(std::int64_t task, std::string_view content_hash) {
  return newest(task, "refused", content_hash);
}

void Approvals::note_changed(std::int64_t task, std::string_view content_hash, WallTime now) {
  sql_->changed.run(task, now, "its content is not what was approved", content_hash);
}

void Approvals::note_refused(std::int64_t task, const TaskDecision& approval, std::string_view why,
                             WallTime now) {
  sql_->refused.run(task, now, approval.by, approval.actor_id, approval.way, why, approval.content_hash);
}

std::optional<std::string> Approvals::refused_before(std::int64_t task, std::string_view content_hash,
                                                     const Person& by) {
  for (Cursor row = sql_->refusals.query(task, content_hash); row.next();)
    if (is_same(row.view(0), row.view(1), row.view(2), by)) return row.text(3);
  return std::nullopt;
}

Result<> Approvals::check(std::string_view task_id, std::string_view content_hash,
                          std::string_view said) const {
  if (said.empty()) {
    if (!rules_.hash_required) return {};
    return Error{ErrorCode::InvalidInput, "content_hash: an approval names what it approves; look at task " +
                                              std::string(task_id) + " and say its content hash, now " +
                                              std::string(content_hash)};
  }
  const std::string digits = lower(said);
  TRY(check_form(digits));
  if (content_hash.starts_with(digits)) return {};
  return Error{ErrorCode::Conflict, "task " + std::string(task_id) +
                                        " is not what was looked at: its content hash is " +
                                        std::string(content_hash) + "; look again and decide"};
}

std::vector<Waiting> Approvals::waiting(std::string_view entity, std::string_view agent) {
  std::vector<Waiting> found;
  for (Statement* find : {&sql_->waiting, &sql_->waiting_also}) {
    Cursor row = find->query(entity, agent);
    while (row.next()) {
      found.push_back(
          {row.integer(0), to_text(row.id(1)), row.text(2), read_content_hash(row, 4), row.time(3)});
    }
  }
  return found;
}

Result<Waiting> Approvals::choose(const TaskAction& action, WallTime said_at) {
  std::vector<Waiting> found = waiting(action.entity, action.agent);
  if (found.empty()) return Error{ErrorCode::NotFound, "no task of " + action.entity + " waits for approval"};
  std::string all;
  for (std::size_t i = 0; i < found.size() && i < kMostNamed; ++i) all += "; " + named(found[i]);
  if (!action.content_hash.empty()) {
    const std::string digits = lower(action.content_hash);
    TRY(check_form(digits));
    std::erase_if(found, [&](const Waiting& task) { return !task.content_hash.starts_with(digits); });
    if (found.size() == 1) return std::move(found.front());
    return Error{ErrorCode::Conflict, (found.empty() ? "nothing of " : "more than one task of ") +
                                          action.entity + " waits with content hash " + digits + all};
  }
  // To stop something never needs more than to say so.
  if (action.kind == TaskActionKind::Reject) return std::move(found.front());
  if (rules_.hash_required)
    return Error{ErrorCode::InvalidInput, "an approval names the content hash of what it approves" + all};
  if (found.size() > 1)
    return Error{ErrorCode::Conflict, std::to_string(found.size()) + " tasks of " + action.entity +
                                          " wait; say which by its content hash" + all};
  if (found.front().asked_at > said_at)
    return Error{ErrorCode::Conflict,
                 "what waits now began to wait after this was said; look at it and decide" + all};
  return std::move(found.front());
}

}  // namespace davit::store

// A delivery, its key, its tasks and its actions are one transaction. Which delivery owns a key is written
// down apart from the deliveries (delivery_key), by a hash, because looking it up is on the path of every
// request.
//
// The same key again:
//   - the first ended well (queued, ignored) or is still deferred: its outcome is given, one counter changes;
//   - the first ended as error or parked: with the same body this delivery takes its row and its id, as if it
//     were the first. With another body it is another event, signed like any other, and runs as a delivery of
//     its own that takes over the key; the first stays as it is, to be replayed by hand;
//   - the key is a hash of the body and its window has passed: a new delivery, which takes over the key.
//
// Another key, but a signed body that was here before: who caught one request can send it again under a new
// id, where the sender does not sign its ids. So within a window it is the first one again. The body is found
// by an index over 8 bytes of its hash; whether it is the same is seen by comparing the bytes.
//
// What was ignored has used its body up for nothing but being ignored again: the reason may have been a
// header that nobody signed, such as the name of the event, and the same body under the right one is to run.
#include "host/store/deliveries.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "host/base/crypto.h"
#include "host/base/id.h"
#include "host/store/replies.h"
#include "host/store/rows.h"

namespace davit::store {

std::string key_hash(std::string_view webhook, std::string_view delivery_key) {
  std::string text(webhook);
  text += '\0';
  text += delivery_key;
  return sha256(text).substr(0, 16);
}

std::int64_t body_hash(std::string_view body) {
  const std::string digest = sha256(body);
  std::int64_t number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  return number;
}

struct Deliveries::Known {
  std::int64_t row = 0;
  StoredId id;
  Verdict verdict = Verdict::Ignored;
  std::string message;
  std::vector<std::string> task_ids;
  int tries = 0;

  bool failed() const { return verdict == Verdict::Error || verdict == Verdict::Parked; }
};

struct Deliveries::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement find_key{db, "SELECT delivery, first_seen FROM delivery_key WHERE hash = ?1"};
  Statement put_key{
      db,
      "INSERT INTO delivery_key (hash, delivery, first_seen) VALUES (?1, ?2, ?3)"
      " ON CONFLICT (hash) DO UPDATE SET delivery = excluded.delivery, first_seen = excluded.first_seen"};
  Statement find_row{db, "SELECT row, id, verdict, message, tasks, tries FROM delivery WHERE row = ?1"};
  Statement find_id{db, "SELECT row, id, verdict, message, tasks, tries FROM delivery WHERE id = ?1"};
  Statement find_body{db,
                      "SELECT row, id, verdict, message, tasks, tries FROM delivery"
                      " WHERE body_hash = ?1 AND webhook = ?2 AND received_at > ?3 AND verdict NOT IN (2, 4)"
                      " AND (verdict <> 1 OR ?4)"
                      " ORDER BY row DESC"};
  Statement body{db, "SELECT body FROM delivery_body WHERE row = ?1"};
  Statement count_same_body{db, "UPDATE delivery SET same_body = same_body + 1 WHERE row = ?1"};
  Statement count_duplicate{db, "UPDATE delivery SET duplicates = duplicates + 1 WHERE row = ?1"};

  Statement insert{
      db,
      "INSERT INTO delivery (id, webhook, key, verdict, received_at, due_at, tries, duplicates, body_bytes,"
      " message, entity, request_id, remote_address, plugin_hash, tasks, body_hash)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"};
  Statement insert_body{
      db,
      "INSERT INTO delivery_body (row, method, path, query, timings, details, key_window, headers, body,"
      " secret_number, links, plugin_version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"};
  Statement drop_links{db, "DELETE FROM delivery_link WHERE delivery = ?1"};
  Statement insert_link{db, "INSERT OR IGNORE INTO delivery_link (key, delivery) VALUES (?1, ?2)"};
  Statement insert_replay{
      db,
      "INSERT INTO delivery (id, webhook, key, verdict, received_at, due_at, tries, duplicates, body_bytes,"
      " message, entity, request_id, remote_address, plugin_hash, replay_of)"
      " SELECT ?2, webhook, ?3, ?4, ?5, ?5, 0, 0, body_bytes, ?6, entity, request_id, remote_address, '',"
      " coalesce(replay_of, id) FROM delivery WHERE row = ?1"};
  Statement insert_replay_body{
      db,
      "INSERT INTO delivery_body (row, method, path, query, timings, details, headers, body, replayed_by)"
      " SELECT ?2, method, path, query, '{}', '{}', headers, body, ?3 FROM delivery_body WHERE row = ?1"};
  Statement chain_of{db, "SELECT coalesce(root, id) FROM task WHERE id = ?1"};
  Statement webhook_of{db, "SELECT webhook FROM delivery WHERE row = ?1"};
  Statement replace{db,
                    "UPDATE delivery SET first_at = coalesce(first_at, received_at), received_at = ?2, "
                    "body_bytes = ?3, request_id = ?4, remote_address = ?5,"
                    " tries = 0, duplicates = duplicates + 1, body_hash = ?6 WHERE row = ?1"};
  Statement replace_body{
      db,
      "UPDATE delivery_body SET method = ?2, path = ?3, query = ?4, key_window = ?5, headers = ?6,"
      " body = ?7, secret_number = ?8 WHERE row = ?1"};
  Statement settle{
      db,
      "UPDATE delivery SET verdict = ?2, due_at = ?3, message = ?4, entity = ?5, plugin_hash = ?6,"
      " tasks = ?7 WHERE row = ?1"};
  Statement settle_body{db,
                        "UPDATE delivery_body SET timings = ?2, details = ?3, links = ?4, plugin_version = ?5"
                        " WHERE row = ?1"};
  Statement set_deferred{
      db, "UPDATE delivery SET verdict = ?2, due_at = ?3, tries = ?4, message = ?5 WHERE row = ?1"};
  Statement end_wait{db,
                     "UPDATE delivery INDEXED BY delivery_due SET due_at = ?1"
                     " WHERE due_at IS NOT NULL AND due_at >= ?2 AND webhook = ?3"};
};

namespace {

Result<> check_delivery(const NewDelivery& delivery) {
  if (!is_id(delivery.id)) {
    return Error{ErrorCode::InvalidInput, "delivery id \"" + delivery.id + "\" is not a UUID in lower case"};
  }
  if (delivery.webhook.empty())
    return Error{ErrorCode::InvalidInput, "a delivery needs the name of its webhook"};
  for (const NewTask& task : delivery.answer.tasks) TRY(check_new_task(task));
  return {};
}

Error unknown(std::string_view delivery_id) {
  return Error{ErrorCode::NotFound,
               "delivery " + std::string(delivery_id) + " does not exist, or is not kept any more"};
}

// The ids its tasks will have, packed, as far as they have been given any.
std::string planned_ids(const NewDelivery& delivery) {
  std::vector<std::string> ids;
  for (const NewTask& task : delivery.answer.tasks) ids.push_back(task.id);
  return pack_ids(ids);
}

std::optional<Blob> blob_if_any(std::string_view bytes) {
  return bytes.empty() ? std::nullopt : std::optional(Blob{bytes});
}

std::string_view entity_of(const NewDelivery& delivery) {
  return delivery.answer.entity ? std::string_view(delivery.answer.entity->key) : std::string_view();
}

}  // namespace

Deliveries::Deliveries(Database& database, NewTasks& new_tasks, Decisions& decisions)
    : new_tasks_(new_tasks), decisions_(decisions), sql_(std::make_unique<Statements>(database)) {}
Deliveries::~Deliveries() = default;

namespace {

// The row under a cursor over row, id, verdict, message, tasks, tries.
template <typename Known>
Known read_known(const Cursor& row) {
  return {row.integer(0),
          row.id(1),
          verdict_of(row.integer(2)),
          row.text(3),
          unpack_ids(row.view(4)),
          static_cast<int>(row.integer(5))};
}

}  // namespace

std::optional<Deliveries::Known> Deliveries::find(std::string_view delivery_id) {
  const std::optional<StoredId> id = to_stored_id(delivery_id);
  if (!id) return std::nullopt;
  Cursor row = sql_->find_id.query(*id);
  if (!row.next()) return std::nullopt;
  return read_known<Known>(row);
}

std::optional<Deliveries::Known> Deliveries::find_by_key(const NewDelivery& delivery, std::string_view hash) {
  Cursor key = sql_->find_key.query(Blob{hash});
  if (!key.next()) return std::nullopt;
  if (delivery.key_window && key.time(1) + *delivery.key_window <= delivery.received_at) return std::nullopt;
  Cursor row = sql_->find_row.query(key.integer(0));
  if (!row.next()) return std::nullopt;
  Known known = read_known<Known>(row);
  // Where the key is the body, what was ignored claims it against others only that are.
  if (delivery.key_window && known.verdict == Verdict::Ignored && delivery.verdict != Verdict::Ignored)
    return std::nullopt;
  return known;
}

std::optional<Deliveries::Known> Deliveries::find_by_body(const NewDelivery& delivery, std::int64_t hash) {
  Cursor row = sql_->find_body.query(hash, delivery.webhook, delivery.received_at - *delivery.replay_window,
                                     delivery.verdict == Verdict::Ignored ? 1 : 0);
  while (row.next()) {
    if (has_body(row.integer(0), delivery.body)) return read_known<Known>(row);
  }
  return std::nullopt;
}

bool Deliveries::has_body(std::int64_t row, std::string_view body) {
  Cursor stored = sql_->body.query(row);
  return stored.next() && stored.view(0) == body;
}

Result<Accepted> Deliveries::accept(Batch& batch, const NewDelivery& delivery,
                                    std::optional<std::int64_t> body_hash) {
  TRY(check_delivery(delivery));
  const auto seen = [](Known& first, Repeat repeat) {
    return Accepted{.delivery_id = to_text(first.id),
                    .verdict = first.verdict,
                    .repeat = repeat,
                    .task_ids = std::move(first.task_ids),
                    .message = std::move(first.message)};
  };
  const std::string hash = key_hash(delivery.webhook, delivery.delivery_key);
  std::optional<Known> known = find_by_key(delivery, hash);
  if (known && !known->failed()) {
    sql_->count_duplicate.run(known->row);
    return seen(*known, has_body(known->row, delivery.body) ? Repeat::SameKey : Repeat::OtherBody);
  }
  std::optional<Known> former;
  if (known && !has_body(known->row, delivery.body)) former = std::exchange(known, std::nullopt);
  if (body_hash) {
    if (std::optional<Known> first = find_by_body(delivery, *body_hash)) {
      sql_->count_same_body.run(first->row);
      return seen(*first, Repeat::OtherKey);
    }
  }
  const std::optional<std::int64_t> window =
      delivery.key_window ? std::optional<std::int64_t>(delivery.key_window->count()) : std::nullopt;
  const std::optional<std::int64_t> number = delivery.secret_number;
  if (known) {
    sql_->replace.run(known->row, delivery.received_at, delivery.body.size(), delivery.request_id,
                      delivery.remote_address, body_hash);
    sql_->replace_body.run(known->row, delivery.method, delivery.path, delivery.query, window,
                           delivery.headers, Blob{delivery.body}, number);
    batch.changes.push_back({Change::Kind::DeliveryStored, to_text(known->id), {}, std::nullopt});
    return settle(batch, known->row, to_text(known->id), delivery);
  }

  const std::optional<WallTime> due = delivery.verdict == Verdict::Deferred
                                          ? std::optional(delivery.due_at.value_or(batch.now))
                                          : std::nullopt;
  const std::string planned = planned_ids(delivery);
  const std::int64_t row = sql_->insert.insert(
      to_stored_id(delivery.id).value(), delivery.webhook, delivery.delivery_key, code_of(delivery.verdict),
      delivery.received_at, due, delivery.body.size(), delivery.answer.message, entity_of(delivery),
      delivery.request_id, delivery.remote_address, delivery.plugin_hash, blob_if_any(planned), body_hash);
  sql_->insert_body.run(row, delivery.method, delivery.path, delivery.query, delivery.timings,
                        delivery.answer.details, window, delivery.headers, Blob{delivery.body}, number,
                        if_any(links_to_json(delivery.answer.links)), delivery.plugin_version);
  write_links(row, delivery.answer.links);
  sql_->put_key.run(Blob{hash}, row, delivery.received_at);
  batch.changes.push_back({Change::Kind::DeliveryStored, delivery.id, {}, std::nullopt});

  Accepted accepted = carry_out(batch, row, delivery.id, delivery);
  if (former) accepted.former_id = to_text(former->id);
  // A task may have been merged into one that waited already.
  if (const std::string ids = pack_ids(accepted.task_ids);
      ids != planned || accepted.message != delivery.answer.message)
    write_outcome(batch, row, delivery, accepted.message, ids);
  return accepted;
}

Accepted Deliveries::carry_out(Batch& batch, std::int64_t row, std::string id, const NewDelivery& delivery) {
  const WebhookAnswer& answer = delivery.answer;
  Accepted accepted{.delivery_id = std::move(id), .verdict = delivery.verdict, .message = answer.message};
  const Origin origin{.source = delivery.webhook,
                      .actor = answer.actor ? &*answer.actor : nullptr,
                      .links = &answer.links,
                      .entity = entity_of(delivery),
                      .group = answer.entity ? std::string_view(answer.entity->group) : std::string_view(),
                      .delivery = row,
                      .entity_is_key = true};
  PendingReply reply;
  if (!answer.actions.empty()) {
    const Actor actor = answer.actor.value_or(Actor{});
    const std::string name = delivery.webhook + ":" + (actor.login.empty() ? actor.id : actor.login);
    for (const TaskAction& action : answer.actions) {
      const std::string way = action.via.empty() ? delivery.webhook : delivery.webhook + " " + action.via;
      // Whoever asked cannot see the queue: that there was nothing to approve, for example, is said here
      // only.
      if (!accepted.message.empty()) accepted.message += "; ";
      Decisions::Acted acted = decisions_.act(batch, action, {name, actor.id, way}, delivery.received_at);
      accepted.message += acted.sentence;
      if (!answer.reply) continue;
      if (!reply.news.empty()) reply.news += "; ";
      reply.news += acted.sentence;
      add_chain(reply.chains, acted.task_id);
    }
  }
  for (const NewTask& task : answer.tasks) accepted.task_ids.push_back(new_tasks_.create(batch, task, origin));
  if (!answer.reply || (answer.tasks.empty() && answer.actions.empty())) return accepted;
  for (const std::string& task : accepted.task_ids) add_chain(reply.chains, task);
  reply.delivery_id = accepted.delivery_id;
  reply.webhook = delivery.webhook;
  reply.reply = *answer.reply;
  reply.since = batch.now;
  reply.until = delivery.received_at + answer.reply->valid;
  keep_reply(sql_->db, reply);
  batch.changes.push_back({Change::Kind::ReplyAsked, accepted.delivery_id, {}, std::nullopt});
  return accepted;
}

void Deliveries::add_chain(std::vector<std::string>& chains, const std::string& task_id) {
  const std::optional<StoredId> id = to_stored_id(task_id);
  if (!id) return;
  Cursor row = sql_->chain_of.query(*id);
  if (!row.next()) return;
  std::string chain = to_text(row.id(0));
  if (std::find(chains.begin(), chains.end(), chain) == chains.end()) chains.push_back(std::move(chain));
}

void Deliveries::write_outcome(Batch& batch, std::int64_t row, const NewDelivery& delivery,
                               std::string_view message, std::string_view task_ids) {
  const std::optional<WallTime> due = delivery.verdict == Verdict::Deferred
                                          ? std::optional(delivery.due_at.value_or(batch.now))
                                          : std::nullopt;
  sql_->settle.run(row, code_of(delivery.verdict), due, message, entity_of(delivery), delivery.plugin_hash,
                   blob_if_any(task_ids));
}

Accepted Deliveries::settle(Batch& batch, std::int64_t row, std::string id, const NewDelivery& delivery) {
  sql_->settle_body.run(row, delivery.timings, delivery.answer.details,
                        if_any(links_to_json(delivery.answer.links)), delivery.plugin_version);
  sql_->drop_links.run(row);
  write_links(row, delivery.answer.links);
  Accepted accepted = carry_out(batch, row, std::move(id), delivery);
  write_outcome(batch, row, delivery, accepted.message, pack_ids(accepted.task_ids));
  return accepted;
}

Result<Deliveries::Known> Deliveries::find_deferred(std::string_view delivery_id) {
  std::optional<Known> known = find(delivery_id);
  if (!known) return unknown(delivery_id);
  if (known->verdict == Verdict::Deferred) return std::move(*known);
  return Error{ErrorCode::Conflict, "delivery " + std::string(delivery_id) +
                                        " is not deferred any more but " +
                                        std::string(to_string(known->verdict))};
}

Result<Accepted> Deliveries::settle_deferred(Batch& batch, const NewDelivery& delivery) {
  TRY(check_delivery(delivery));
  const Known known = TRY(find_deferred(delivery.id));
  batch.changes.push_back({Change::Kind::DeliveryStored, delivery.id, {}, std::nullopt});
  return settle(batch, known.row, delivery.id, delivery);
}

Result<> Deliveries::begin_try(Batch& batch, std::string_view delivery_id, WallTime again_at) {
  const Known known = TRY(find_deferred(delivery_id));
  const int tries = known.tries + 1;
  sql_->set_deferred.run(known.row, code_of(Verdict::Deferred), std::optional(again_at), tries,
                         "try " + std::to_string(tries) +
                             " of its hooks has begun; while this is all that is known, davit ended in it");
  batch.changes.push_back({Change::Kind::DeliveryStored, std::string(delivery_id), {}, std::nullopt});
  return {};
}

Result<> Deliveries::wait_for_webhook(Batch& batch, std::string_view delivery_id, std::string_view reason) {
  const Known known = TRY(find_deferred(delivery_id));
  sql_->set_deferred.run(known.row, code_of(Verdict::Deferred), std::optional(kNotDue), known.tries, reason);
  batch.changes.push_back({Change::Kind::DeliveryStored, std::string(delivery_id), {}, std::nullopt});
  return {};
}

int Deliveries::webhooks_serve(Batch& batch, const std::vector<std::string>& webhooks) {
  int due = 0;
  for (const std::string& webhook : webhooks) due += sql_->end_wait.run(batch.now, kNotDue, webhook);
  return due;
}

Result<bool> Deliveries::defer_again(Batch& batch, std::string_view delivery_id, std::string_view reason,
                                     WallTime again_at, int max_tries, Try which) {
  const Known known = TRY(find_deferred(delivery_id));
  const int tries = known.tries + (which == Try::Another ? 1 : 0);
  const bool parked = tries >= max_tries;
  sql_->set_deferred.run(known.row, code_of(parked ? Verdict::Parked : Verdict::Deferred),
                         parked ? std::nullopt : std::optional(again_at), tries, reason);
  batch.changes.push_back({Change::Kind::DeliveryStored, std::string(delivery_id), {}, std::nullopt});
  return parked;
}

void Deliveries::write_links(std::int64_t row, const std::vector<Link>& links) {
  for (const Link& link : links) sql_->insert_link.run(search_key(link), row);
}

Result<std::string> Deliveries::replay(Batch& batch, std::string_view delivery_id, std::string_view by) {
  const std::optional<Known> known = find(delivery_id);
  if (!known) return unknown(delivery_id);
  if (known->verdict == Verdict::Deferred) {
    return Error{ErrorCode::Conflict, "delivery " + std::string(delivery_id) +
                                          " is deferred: its hooks run again without a replay"};
  }
  std::string webhook;
  {
    Cursor row = sql_->webhook_of.query(known->row);
    if (row.next()) webhook = row.text(0);
  }
  if (!sql_->body.query(known->row).next()) {
    return Error{ErrorCode::NotFound, "the body of delivery " + std::string(delivery_id) +
                                          " is not kept any more; it cannot be run again"};
  }
  const StoredId id = new_stored_id();
  std::string text = to_text(id);
  const std::string key = "replay:" + text;
  const std::int64_t row =
      sql_->insert_replay.insert(known->row, id, key, code_of(Verdict::Deferred), batch.now,
                                 "to be run again, as " + std::string(by) + " asked");
  sql_->insert_replay_body.run(known->row, row, by);
  sql_->put_key.run(Blob{key_hash(webhook, key)}, row, batch.now);
  batch.changes.push_back({Change::Kind::DeliveryStored, text, {}, std::nullopt});
  return text;
}

}  // namespace davit::store

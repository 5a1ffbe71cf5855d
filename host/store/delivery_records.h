// What goes into the store, and comes out of it, of deliveries and of replies to their senders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/clock.h"
#include "host/model/event.h"
#include "host/model/task_state.h"

namespace davit::store {

enum class Verdict {
  Queued,    // became at least one task
  Ignored,   // the webhook had no use for it
  Error,     // the webhook answered an error; the same delivery may be tried again
  Deferred,  // verified and kept, its hooks have not answered yet
  Parked,    // its hooks failed too often; waits for a replay by hand
};
std::string_view to_string(Verdict verdict);
std::optional<Verdict> verdict_from(std::string_view text);

struct NewDelivery {
  std::string id;
  std::string webhook;  // instance
  std::string request_id;
  std::string delivery_key;            // the sender's id, or "body:<sha256>"
  std::optional<Duration> key_window;  // set: an equal key only counts as a duplicate within this time
  // Set: the key is not signed, so that the same body under another key is a duplicate within this time.
  std::optional<Duration> replay_window;
  std::string method, path, query;
  std::string headers = "{}";  // JSON object, without secrets and signatures
  std::string body;            // bytes as received
  std::string remote_address;
  WallTime received_at{};
  Verdict verdict = Verdict::Ignored;
  std::optional<WallTime> due_at;    // with Deferred: when its hooks run again; now if absent
  WebhookAnswer answer;              // tasks, actions, actor, entity, links are committed with the delivery
  std::string timings = "{}";        // JSON object: microseconds per hook
  std::optional<int> secret_number;  // which of the configured secrets it was signed with, from 1
  std::string plugin_hash;           // of the generation that answered, may be empty
  std::string plugin_version;        // likewise
};

// In what way a delivery was seen before.
enum class Repeat {
  None,
  SameKey,
  OtherBody,  // the same key, but with another body: the first one counts
  OtherKey,   // the same body under another key, see replay_window
};

// What became of it. For a repeated one: what became of the first.
struct Accepted {
  std::string delivery_id;
  Verdict verdict = Verdict::Ignored;
  Repeat repeat = Repeat::None;
  std::vector<std::string> task_ids;
  std::string message;
  // A delivery under the same key with another body that had failed; it stays as it is. Empty: none.
  std::string former_id;
};

// Of the hooks of a deferred delivery: one that is counted when it has failed, or that was counted before.
enum class Try { Another, Begun };

// A deferred delivery whose hooks are due again.
struct DeferredDelivery {
  NewDelivery delivery;
  int tries = 0;
};

struct DeliverySummary {
  std::string delivery_id, webhook, delivery_key, request_id, remote_address, message, entity;
  Verdict verdict = Verdict::Ignored;
  WallTime received_at{};
  std::size_t body_bytes = 0;
  int duplicates = 0;     // how often the same key came again
  int same_body = 0;      // how often the same body came under another key
  std::string replay_of;  // the delivery that was let run again as this one; empty: a sender's own
  int tries = 0;
  std::vector<std::string> task_ids;
};
struct DeliveryDetail {
  DeliverySummary delivery;
  std::string method, path, query, headers, body, timings, details, plugin_hash, plugin_version;
  std::optional<int> secret_number;  // which of the configured secrets it was signed with, from 1
  std::string replayed_by;
  std::vector<Link> links;
};

// A delivery that was refused before anything of it could be stored, without its body.
struct RefusedSample {
  WallTime received_at{};
  std::string remote_address, request_id, method, path;
  std::string query;           // without secrets
  std::string headers = "{}";  // JSON object, without secrets and signatures
  std::size_t body_bytes = 0;
};
// Those that were refused by one webhook for one cause.
struct RefusedDeliveries {
  std::string webhook, cause;
  std::int64_t count = 0;
  WallTime first_at{}, last_at{};
  std::vector<RefusedSample> samples;  // a few of them
};

// Where the sender of a delivery wants to hear what becomes of it, and what it has been told.
struct PendingReply {
  std::string delivery_id, webhook;
  Reply reply;                      // `posts`: how many are left; `valid`: not looked at, see `until`
  WallTime since{}, until{};        // what is told happened in this time, and is told in it
  std::vector<std::string> chains;  // ids of the first tasks of the chains it is about
  std::string news;                 // what became of the actions, a sentence; may be empty
  std::vector<std::string> told;    // words of who tells
};

// A task of a chain, as it is told of.
struct TaskNews {
  std::string task_id, agent, title, error;
  TaskState state = TaskState::Queued;
  WallTime since{};          // the state; of a running one, its execution
  std::string content_hash;  // of one that waits for approval
  std::string output;        // JSON, of its newest execution; empty: none
  bool has_successor = false;
};

}  // namespace davit::store

// Deliveries and their keys: what arrived, what became of it, and that it counts once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/store/database.h"
#include "host/store/decisions.h"
#include "host/store/new_tasks.h"

namespace davit::store {

// The name under which a delivery key is stored: 16 bytes.
std::string key_hash(std::string_view webhook, std::string_view delivery_key);

// When a delivery is due that waits for its webhook and not for a time.
inline constexpr WallTime kNotDue{Duration(253'402'300'799'000)};  // the end of the year 9999

// Finds a body; whether it is the same is seen by its bytes.
std::int64_t body_hash(std::string_view body);

// All writes about deliveries. Confined to the writer thread; each function runs inside the writer's
// transaction, and what it refuses has written nothing.
class Deliveries {
 public:
  Deliveries(Database& database, NewTasks& new_tasks, Decisions& decisions);
  ~Deliveries();

  // `body_hash` of the body where there is a replay_window.
  Result<Accepted> accept(Batch& batch, const NewDelivery& delivery, std::optional<std::int64_t> body_hash);
  Result<Accepted> settle_deferred(Batch& batch, const NewDelivery& delivery);
  Result<> begin_try(Batch& batch, std::string_view delivery_id, WallTime again_at);
  Result<bool> defer_again(Batch& batch, std::string_view delivery_id, std::string_view reason,
                           WallTime again_at, int max_tries, Try which);
  Result<> wait_for_webhook(Batch& batch, std::string_view delivery_id, std::string_view reason);
  int webhooks_serve(Batch& batch, const std::vector<std::string>& webhooks);
  Result<std::string> replay(Batch& batch, std::string_view delivery_id, std::string_view by);

 private:
  struct Statements;
  struct Known;
  std::optional<Known> find(std::string_view delivery_id);
  Result<Known> find_deferred(std::string_view delivery_id);
  std::optional<Known> find_by_key(const NewDelivery& delivery, std::string_view hash);
  std::optional<Known> find_by_body(const NewDelivery& delivery, std::int64_t hash);
  bool has_body(std::int64_t row, std::string_view body);
  void write_links(std::int64_t row, const std::vector<Link>& links);
  // Creates the tasks and acts. The message says what became of each action, too.
  Accepted carry_out(Batch& batch, std::int64_t row, std::string id, const NewDelivery& delivery);
  // Adds the chain of a task, once.
  void add_chain(std::vector<std::string>& chains, const std::string& task_id);
  // Carries out, and writes the outcome over the delivery's row.
  Accepted settle(Batch& batch, std::int64_t row, std::string id, const NewDelivery& delivery);
  void write_outcome(Batch& batch, std::int64_t row, const NewDelivery& delivery, std::string_view message,
                     std::string_view task_ids);

  NewTasks& new_tasks_;
  Decisions& decisions_;
  std::unique_ptr<Statements> sql_;
};

}  // namespace davit::store

// Deliveries, what was refused, and what their senders are told.
#include "host/store/deliveries.h"
#include "host/store/delivery_list.h"
#include "host/store/refusals.h"
#include "host/store/replies.h"
#include "host/store/store_impl.h"

namespace davit::store {

void Store::accept(NewDelivery delivery, Done<Accepted> done) {
  std::size_t bytes = 1'024 + delivery.headers.size() + delivery.body.size();
  for (const NewTask& task : delivery.answer.tasks) bytes += task.payload.size();
  // Here, and not on the one thread that all wait for.
  const std::optional<std::int64_t> hash =
      delivery.replay_window ? std::optional(body_hash(delivery.body)) : std::nullopt;
  impl_->write(Lane::Ingest, bytes, std::move(done),
               [delivery = std::move(delivery), hash](Session& session) {
                 return session.deliveries.accept(session.batch, delivery, hash);
               });
}

void Store::settle_deferred(NewDelivery delivery, Done<Accepted> done) {
  std::size_t bytes = 1'024;
  for (const NewTask& task : delivery.answer.tasks) bytes += task.payload.size();
  impl_->write(Lane::Ingest, bytes, std::move(done), [delivery = std::move(delivery)](Session& session) {
    return session.deliveries.settle_deferred(session.batch, delivery);
  });
}

void Store::begin_try(std::string delivery_id, WallTime again_at, Done<> done) {
  impl_->write(Lane::Urgent, 256, std::move(done), [id = std::move(delivery_id), again_at](Session& session) {
    return session.deliveries.begin_try(session.batch, id, again_at);
  });
}

void Store::defer_again(std::string delivery_id, std::string reason, WallTime again_at, int max_tries,
                        Done<bool> done, Try which) {
  impl_->write(Lane::Urgent, 256, std::move(done),
               [id = std::move(delivery_id), reason = std::move(reason), again_at, max_tries,
                which](Session& session) {
                 return session.deliveries.defer_again(session.batch, id, reason, again_at, max_tries, which);
               });
}

void Store::wait_for_webhook(std::string delivery_id, std::string reason, Done<> done) {
  impl_->write(Lane::Urgent, 256, std::move(done),
               [id = std::move(delivery_id), reason = std::move(reason)](Session& session) {
                 return session.deliveries.wait_for_webhook(session.batch, id, reason);
               });
}

void Store::webhooks_serve(std::vector<std::string> webhooks, Done<int> done) {
  impl_->write(Lane::Urgent, 256, std::move(done),
               [webhooks = std::move(webhooks)](Session& session) -> Result<int> {
                 return session.deliveries.webhooks_serve(session.batch, webhooks);
               });
}

void Store::replay(std::string delivery_id, std::string by, Done<std::string> done, Audited audit) {
  impl_->write(Lane::Urgent, 256, std::move(done), std::move(audit),
               [id = std::move(delivery_id), by = std::move(by)](Session& session) {
                 return session.deliveries.replay(session.batch, id, by);
               });
}

void Store::note_refusals(std::vector<RefusedDeliveries> refused, Done<> done) {
  impl_->write(Lane::Ingest, 1'024, std::move(done),
               [refused = std::move(refused)](Session& session) -> Result<> {
                 store::note_refusals(session.database, refused);
                 session.batch.changes.push_back({Change::Kind::DeliveriesRefused, {}, {}, std::nullopt});
                 return {};
               });
}

void Store::note_reply(PendingReply reply, Done<> done) {
  impl_->write(Lane::Urgent, 1'024, std::move(done),
               [reply = std::move(reply)](Session& session) -> Result<> {
                 keep_reply(session.database, reply);
                 return {};
               });
}

void Store::forget_reply(std::string delivery_id, Done<> done) {
  impl_->write(Lane::Urgent, 256, std::move(done),
               [id = std::move(delivery_id)](Session& session) -> Result<> {
                 store::forget_reply(session.database, id);
                 return {};
               });
}

Result<Page<DeliverySummary>> Store::deliveries(const DeliveryFilter& filter) const {
  return impl_->readers_.read([&](Reader& reader) { return list_deliveries(reader, filter); });
}

Result<DeliveryDetail> Store::delivery(std::string_view delivery_id) const {
  return impl_->readers_.read([&](Reader& reader) { return read_delivery(reader, delivery_id); });
}

Result<std::vector<RefusedDeliveries>> Store::refusals(const RefusalFilter& filter) const {
  return impl_->readers_.read([&](Reader& reader) { return read_refusals(reader, filter); });
}

Result<DeferredDelivery> Store::delivery_to_run(std::string_view delivery_id) const {
  return impl_->readers_.read([&](Reader& reader) { return read_delivery_to_run(reader, delivery_id); });
}

Result<std::vector<DeferredDelivery>> Store::due_deferred(int limit) const {
  return impl_->readers_.read([&](Reader& reader) {
    return read_due_deferred(reader, impl_->clock_.wall() - impl_->unseen_clock_step(), limit);
  });
}

Result<std::optional<WallTime>> Store::next_deferred_at() const {
  return impl_->readers_.read([&](Reader& reader) -> Result<std::optional<WallTime>> {
    std::optional<WallTime> at = TRY(read_next_deferred_at(reader));
    if (at) *at += impl_->unseen_clock_step();
    return at;
  });
}

Result<std::vector<PendingReply>> Store::pending_replies() const {
  return impl_->readers_.read([](Reader& reader) { return read_replies(reader); });
}

Result<std::optional<PendingReply>> Store::pending_reply(std::string_view delivery_id) const {
  return impl_->readers_.read([&](Reader& reader) { return read_reply(reader, delivery_id); });
}

Result<std::string> Store::chain_of(std::string_view task_id) const {
  return impl_->readers_.read([&](Reader& reader) { return read_chain_of(reader, task_id); });
}

Result<std::vector<TaskNews>> Store::chain_news(std::string_view first_task_id) const {
  return impl_->readers_.read([&](Reader& reader) { return read_chain_news(reader, first_task_id); });
}

}  // namespace davit::store

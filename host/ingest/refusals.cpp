#include "host/ingest/refusals.h"

#include "host/ingest/record.h"

namespace davit::ingest {
namespace {

store::RefusedSample sample_of(const plugin::Webhook& webhook, const Delivery& delivery) {
  store::RefusedSample sample;
  sample.received_at = delivery.received_at;
  sample.remote_address = delivery.remote_address;
  sample.request_id = delivery.request_id;
  sample.method = delivery.method;
  sample.path = delivery.path;
  sample.query = query_without_secrets(delivery.query);
  sample.headers = headers_json(webhook, delivery);
  sample.body_bytes = delivery.body.size();
  return sample;
}

}  // namespace

bool Refusals::note(const plugin::Webhook& webhook, const Delivery& delivery, std::string_view cause) {
  const std::string& name = webhook.settings.instance;
  return waiting_.with([&](auto& waiting) {
    const bool first = waiting.empty();
    auto found = waiting.find(std::pair<std::string_view, std::string_view>(name, cause));
    if (found == waiting.end()) {
      found = waiting.emplace(Key(name, cause), store::RefusedDeliveries()).first;
      found->second.webhook = name;
      found->second.cause = cause;
      found->second.first_at = delivery.received_at;
    }
    store::RefusedDeliveries& refused = found->second;
    ++refused.count;
    refused.last_at = delivery.received_at;
    if (refused.samples.size() < kSamples) refused.samples.push_back(sample_of(webhook, delivery));
    return first;
  });
}

std::vector<store::RefusedDeliveries> Refusals::take() {
  std::vector<store::RefusedDeliveries> taken;
  waiting_.with([&](auto& waiting) {
    for (auto& [key, refused] : waiting) taken.push_back(std::move(refused));
    waiting.clear();
  });
  return taken;
}

}  // namespace davit::ingest

#include "missed.h"

#include <algorithm>
#include <tuple>

namespace redelivery {

using github::HookDelivery;

namespace {
bool is_older(const HookDelivery& a, const HookDelivery& b) {
  return std::tie(a.at, a.id) < std::tie(b.at, b.id);
}
}  // namespace

void Events::add(const HookDelivery& delivery) {
  ++deliveries_;
  const auto [at, is_new] = events_.try_emplace(delivery.guid, Event{.first = delivery});
  Event& event = at->second;
  if (!is_new && is_older(delivery, event.first)) event.first = delivery;
  event.good = event.good || delivery.good;
  event.again = event.again || delivery.again;
}

std::vector<HookDelivery> Events::missed() const {
  std::vector<HookDelivery> missed;
  for (const auto& [guid, event] : events_)
    if (!event.good && !event.again) missed.push_back(event.first);
  std::sort(missed.begin(), missed.end(), is_older);
  return missed;
}

std::size_t Events::failed_again() const {
  return static_cast<std::size_t>(std::count_if(events_.begin(), events_.end(), [](const auto& entry) {
    return !entry.second.good && entry.second.again;
  }));
}

}  // namespace redelivery

#include "host/http/event_ring.h"

#include <algorithm>
#include <array>
#include <functional>
#include <unordered_set>

namespace davit::http {
namespace {

constexpr std::array<std::string_view, kTopics> kWords{"task",  "execution", "delivery", "plugin",
                                                       "queue", "budget",    "pruned"};

// Two events with the same key tell of the same thing.
struct Key {
  Topic topic;
  std::string_view id;
  std::string_view session, scope;
  friend bool operator==(const Key&, const Key&) = default;
};
struct KeyHash {
  std::size_t operator()(const Key& key) const {
    const std::hash<std::string_view> hash;
    return hash(key.id) * 31 + hash(key.session) * 7 + hash(key.scope) * 3 + static_cast<std::size_t>(key.topic);
  }
};

}  // namespace

std::string_view to_string(Topic topic) { return kWords[static_cast<std::size_t>(topic)]; }

std::optional<Topic> topic_from(std::string_view word) {
  const auto found = std::find(kWords.begin(), kWords.end(), word);
  if (found == kWords.end()) return std::nullopt;
  return static_cast<Topic>(found - kWords.begin());
}

Event& EventRing::add() {
  Event& event = slots_[newest_++ % slots_.size()];
  event.number = newest_;
  return event;
}

void EventRing::follow(const EventRing& from) {
  const std::uint64_t kept = std::min<std::uint64_t>(from.newest_, slots_.size());
  for (std::uint64_t number = std::max(newest_, from.newest_ - kept) + 1; number <= from.newest_; ++number)
    slots_[(number - 1) % slots_.size()] = from.at(number);
  newest_ = from.newest_;
}

std::vector<const Event*> EventRing::news(std::uint64_t& after, Topics topics, std::size_t most) const {
  std::vector<const Event*> events;
  std::unordered_set<Key, KeyHash> seen;
  for (std::uint64_t number = newest_; number > after; --number) {
    const Event& event = at(number);
    if ((topics & only(event.topic)) == 0) continue;
    if (seen.insert({event.topic, event.id, event.session, event.scope}).second) events.push_back(&event);
  }
  std::reverse(events.begin(), events.end());
  after = newest_;
  if (events.size() > most) {
    events.resize(most);
    after = events.empty() ? after : events.back()->number;
  }
  return events;
}

}  // namespace davit::http

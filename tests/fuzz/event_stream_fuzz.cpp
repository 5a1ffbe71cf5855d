// Streams of events: the first line is a Last-Event-ID and a text that events tell of, each byte behind it
// something that happens, in a ring that has room for few.
#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "host/base/json.h"
#include "host/http/event_ring.h"
#include "host/http/event_text.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::promise;
using namespace davit::http;

constexpr std::string_view kEpoch = "0123456789abcdef";
constexpr std::size_t kRoom = 8;

using Thing = std::tuple<Topic, std::string, std::string>;
Thing thing_of(const Event& event) { return {event.topic, event.id, event.session}; }

// One event or comment: lines of known fields, then an empty one.
void check_block(std::string_view block) {
  promise(block.ends_with("\n\n") && block.find("\n\n") == block.size() - 2, "an event is one block");
  promise(block.find('\r') == std::string_view::npos, "no line ends otherwise");
  int data = 0;
  for (block.remove_suffix(1); !block.empty();) {
    std::string_view line = davit::fuzz::cut(block, "\n");
    const std::string_view field = davit::fuzz::cut(line, ": ");
    promise(field == "id" || field == "event" || field == "data" || field == "retry" || field == ":",
            "no field comes from a text");
    if (field != "data") continue;
    ++data;
    promise(davit::check_json(line).ok(), "what an event tells is JSON");
  }
  promise(data <= 1, "an event tells one thing");
}

void check_text(std::string_view text) {
  if (const auto number = number_of(kEpoch, text)) {
    promise(text.starts_with(kEpoch), "an id is of its epoch");
    promise(number_of(kEpoch, event_id(kEpoch, *number)) == number, "an id reads back");
  }
  if (!davit::is_utf8(text)) return;  // what is stored is
  Event event;
  event.number = 7;
  event.id = event.agent = event.session = text;
  for (const Topic topic : {Topic::Task, Topic::Execution, Topic::Delivery, Topic::Plugin, Topic::Queue}) {
    event.topic = topic;
    std::string out;
    append_event(out, kEpoch, event, "{}");
    check_block(out);
  }
  std::string out;
  append_line(out, text, text, {.kind = std::string(text), .text = std::string(text), .number = 1});
  check_block(out);
}

// What a client that stands at `after` and takes `most` at a time is told in the end.
void check_news(const EventRing& ring, std::uint64_t after, Topics topics, std::size_t most) {
  std::set<Thing> expected, told;
  for (std::uint64_t number = after + 1; number <= ring.newest(); ++number)
    if ((topics & only(ring.at(number).topic)) != 0) expected.insert(thing_of(ring.at(number)));
  std::uint64_t last = after;
  while (after < ring.newest()) {
    const std::uint64_t before = after;
    const auto news = ring.news(after, topics, most);
    promise(news.size() <= most && after > before && after <= ring.newest(), "each time it goes on");
    for (const Event* event : news) {
      promise(event->number > last && event->number <= after, "news are in order");
      last = event->number;
      promise(told.insert(thing_of(*event)).second, "of each thing the newest is told, once");
    }
  }
  promise(told == expected, "nothing is left out");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view happenings = davit::fuzz::as_text(data, size);
  check_text(davit::fuzz::cut(happenings, "\n"));

  EventRing ring(kRoom), copy(kRoom);
  for (std::size_t at = 0; at < std::min<std::size_t>(happenings.size(), 256); ++at) {
    const auto byte = static_cast<unsigned char>(happenings[at]);
    Event& event = ring.add();
    event.topic = static_cast<Topic>(byte % kTopics);
    event.id = std::string(1, static_cast<char>('a' + byte / kTopics % 3));
    event.session.clear();
    event.agent.clear();
    event.state.reset();
    if (byte % 7 == 0) copy.follow(ring);
  }
  copy.follow(ring);
  promise(copy.newest() == ring.newest() && ring.reaches(ring.newest()) && !ring.reaches(ring.newest() + 1),
          "a ring knows its end");
  for (std::uint64_t after = ring.newest() - std::min<std::uint64_t>(ring.newest(), kRoom);
       after <= ring.newest(); ++after) {
    promise(ring.reaches(after), "a ring holds what it has room for");
    for (std::uint64_t number = after + 1; number <= ring.newest(); ++number)
      promise(thing_of(ring.at(number)) == thing_of(copy.at(number)) && copy.at(number).number == number,
              "a copy is one");
    for (const Topics topics : {kAllTopics, only(Topic::Task), only(Topic::Delivery) | only(Topic::Queue)})
      for (const std::size_t most : {1, 3, 100}) check_news(ring, after, topics, most);
  }
  return 0;
}

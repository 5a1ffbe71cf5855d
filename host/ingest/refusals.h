// Deliveries that are refused before anything of them may be stored: counted all, kept a few, without bodies.
//
// A refusal must cost next to nothing, whatever comes: it adds to a count here, and once a second at most
// what has come together is written as a log line for each webhook and cause and as one write of the store.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/guarded.h"
#include "host/plugin/registry.h"
#include "host/store/store.h"

namespace davit::ingest {

// Thread-safe.
class Refusals {
 public:
  static constexpr std::size_t kSamples = 4;  // of one webhook and cause between two take()

  // `cause` is a literal: its text lives for ever. True if it is the first since take(): see to it that the
  // next one follows.
  bool note(const plugin::Webhook& webhook, const Delivery& delivery, std::string_view cause);

  // What came together since the last call.
  std::vector<store::RefusedDeliveries> take();

 private:
  using Key = std::pair<std::string, std::string_view>;  // webhook, cause
  struct Less {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return std::pair<std::string_view, std::string_view>(a) <
             std::pair<std::string_view, std::string_view>(b);
    }
  };
  Guarded<std::map<Key, store::RefusedDeliveries, Less>> waiting_;
};

}  // namespace davit::ingest

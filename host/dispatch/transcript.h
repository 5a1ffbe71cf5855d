// What an execution says, on its way into the store: single lines at once, so that people can follow, and
// packs of many in their place as soon as there are enough. Of a long one the beginning and the end stay.
//
// Confined to the dispatcher's loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "host/base/clock.h"
#include "host/store/store.h"

namespace davit::dispatch {

class Transcript {
 public:
  // Of `max_size` bytes the first quarter and the newest three are kept.
  explicit Transcript(std::size_t max_size);

  // Dropped, and counted in a line of its own, while more than a megabyte waits for the store.
  void add(std::string kind, std::string text, WallTime now);

  bool has_news() const;
  // A pack is ready, or single lines that weigh as much.
  bool should_go() const;
  // What the store does not have yet.
  store::TranscriptNews take(WallTime now);
  // The store has taken a report with these packs.
  void stored(const std::vector<std::int64_t>& first_lines);
  // All that the store is not known to have, packed; for the end.
  store::TranscriptNews take_rest(WallTime now);

 private:
  void note_dropped(WallTime now);
  void pack();
  void leave_out();

  struct Kept {
    std::int64_t first_line;
    std::int64_t bytes;
  };
  const std::size_t max_size_;
  const std::size_t piece_size_;
  std::vector<store::TranscriptLine> piece_;  // since the newest pack
  std::size_t piece_bytes_ = 0;
  std::size_t sent_ = 0;  // of these lines
  std::size_t sent_bytes_ = 0;
  std::int64_t next_pack_ = 1;                     // number of the first line of piece_
  std::vector<store::TranscriptPack> ready_;       // to be sent
  std::vector<store::TranscriptPack> sent_packs_;  // and not known to be stored
  std::int64_t head_bytes_ = 0;
  std::deque<Kept> tail_;
  std::int64_t tail_bytes_ = 0;
  std::int64_t tail_begin_ = 0;  // number of its first line when it began; 0: there is none yet
  bool shortened_ = false;       // since the last time it was told
  std::size_t dropped_ = 0;
};

}  // namespace davit::dispatch

#include "host/dispatch/transcript.h"

#include <algorithm>
#include <utility>

namespace davit::dispatch {
namespace {

constexpr std::size_t kMostWaitingBytes = 1u << 20;
constexpr std::size_t kPieceBytes = 64u << 10;
constexpr std::size_t kLineOverhead = 32;

std::size_t weight_of(const std::vector<store::TranscriptPack>& packs) {
  std::size_t bytes = 0;
  for (const store::TranscriptPack& pack : packs) bytes += pack.packed.size();
  return bytes;
}

}  // namespace

Transcript::Transcript(std::size_t max_size)
    : max_size_(max_size), piece_size_(std::min(kPieceBytes, max_size / 8)) {}

void Transcript::add(std::string kind, std::string text, WallTime now) {
  if (piece_bytes_ - sent_bytes_ + weight_of(ready_) + weight_of(sent_packs_) > kMostWaitingBytes) {
    ++dropped_;
    return;
  }
  note_dropped(now);
  piece_bytes_ += kind.size() + text.size() + kLineOverhead;
  piece_.push_back({std::move(kind), std::move(text), now});
  if (piece_bytes_ >= piece_size_) pack();
}

void Transcript::note_dropped(WallTime now) {
  if (dropped_ == 0) return;
  std::string text = std::to_string(std::exchange(dropped_, 0)) +
                     " lines dropped: they came faster than they could be stored";
  piece_bytes_ += text.size() + kLineOverhead;
  piece_.push_back({"davit", std::move(text), now});
}

void Transcript::pack() {
  if (piece_.empty()) return;
  store::TranscriptPack pack = store::pack_lines(next_pack_, piece_);
  next_pack_ += pack.lines;
  piece_.clear();
  piece_bytes_ = sent_ = sent_bytes_ = 0;
  if (tail_begin_ == 0 &&
      (head_bytes_ == 0 || head_bytes_ + pack.bytes <= static_cast<std::int64_t>(max_size_ / 4))) {
    head_bytes_ += pack.bytes;
  } else {
    if (tail_begin_ == 0) tail_begin_ = pack.first_line;
    tail_.push_back({pack.first_line, pack.bytes});
    tail_bytes_ += pack.bytes;
  }
  ready_.push_back(std::move(pack));
  leave_out();
}

void Transcript::leave_out() {
  const std::int64_t room = static_cast<std::int64_t>(max_size_) - head_bytes_;
  while (tail_bytes_ > room && tail_.size() > 1) {
    tail_bytes_ -= tail_.front().bytes;
    tail_.pop_front();
    shortened_ = true;
  }
  if (!shortened_) return;
  const auto gone = [&](const store::TranscriptPack& pack) {
    return pack.first_line >= tail_begin_ && pack.first_line < tail_.front().first_line;
  };
  std::erase_if(ready_, gone);
  std::erase_if(sent_packs_, gone);
}

bool Transcript::has_news() const {
  return !ready_.empty() || sent_ < piece_.size() || shortened_ || dropped_ > 0;
}

bool Transcript::should_go() const { return !ready_.empty() || piece_bytes_ - sent_bytes_ >= kPieceBytes; }

store::TranscriptNews Transcript::take(WallTime now) {
  note_dropped(now);
  store::TranscriptNews news;
  news.packs = ready_;
  std::move(ready_.begin(), ready_.end(), std::back_inserter(sent_packs_));
  ready_.clear();
  news.lines.assign(piece_.begin() + static_cast<std::ptrdiff_t>(sent_), piece_.end());
  sent_ = piece_.size();
  sent_bytes_ = piece_bytes_;
  if (std::exchange(shortened_, false)) {
    news.left_out_from = tail_begin_;
    news.left_out_to = tail_.front().first_line;
  }
  return news;
}

void Transcript::stored(const std::vector<std::int64_t>& first_lines) {
  std::erase_if(sent_packs_, [&](const store::TranscriptPack& pack) {
    return std::find(first_lines.begin(), first_lines.end(), pack.first_line) != first_lines.end();
  });
}

store::TranscriptNews Transcript::take_rest(WallTime now) {
  note_dropped(now);
  pack();
  store::TranscriptNews news;
  news.packs = std::move(sent_packs_);
  std::move(ready_.begin(), ready_.end(), std::back_inserter(news.packs));
  sent_packs_.clear();
  ready_.clear();
  if (!tail_.empty() && tail_begin_ < tail_.front().first_line) {
    news.left_out_from = tail_begin_;
    news.left_out_to = tail_.front().first_line;
  }
  return news;
}

}  // namespace davit::dispatch

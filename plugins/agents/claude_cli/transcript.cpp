#include "claude_cli/transcript.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

namespace claude {
namespace {

constexpr std::size_t kMostChatter = 1024;         // bytes of a line that is no JSON
constexpr std::uint64_t kMostChatterLines = 1000;  // that are told

std::string_view kind_of(Block::Kind kind) {
  switch (kind) {
    case Block::Kind::Text:
      return "assistant";
    case Block::Kind::Thinking:
      return "thinking";
    case Block::Kind::ToolUse:
      return "tool";
    case Block::Kind::ToolResult:
      break;
  }
  return "tool-result";
}

}  // namespace

Transcript::Transcript(Asked asked, Prices prices, Tell tell, ReadLimits limits)
    : asked_(std::move(asked)),
      tell_(std::move(tell)),
      limits_(limits),
      lines_(limits.line),
      spending_(std::move(prices)) {}

void Transcript::take(std::string_view bytes) {
  const std::uint64_t room = limits_.all - std::min(limits_.all, size_);
  size_ += bytes.size();
  if (bytes.size() > room) {
    over_limit_ = true;
    bytes = bytes.substr(0, static_cast<std::size_t>(room));
  }
  lines_.add(bytes, [this](std::string_view line) { take_line(line); });
}

void Transcript::take_line(std::string_view line) {
  Message message = message_from(line);
  std::visit(
      [&](auto& said) {
        using Said = std::decay_t<decltype(said)>;
        if constexpr (std::is_same_v<Said, Chatter>) {
          const std::string text = one_line(line, kMostChatter);
          if (text.empty()) return;
          ++skipped_.chatter;
          if (tell_ && skipped_.chatter <= kMostChatterLines) tell_("stdout", text);
        } else if constexpr (std::is_same_v<Said, Unreadable>) {
          ++skipped_.unreadable;
        } else if constexpr (!std::is_same_v<Said, Other>) {
          hear(said);
        }
      },
      message);
}

void Transcript::hear(Init& init) {
  if (init_) return;
  unusable_ = fault_of(init, asked_).has_value();
  init_ = std::move(init);
}

void Transcript::hear(const Assistant& message) {
  spending_.take(message);
  usage_is_new_ = true;
  retry_status_ = 0;
  tell_blocks(message.blocks);
}

void Transcript::hear(const Streamed& part) {
  spending_.take(part);
  usage_is_new_ = true;
  retry_status_ = 0;
}

void Transcript::hear(Result& result) {
  spending_.take(result);
  usage_is_new_ = true;
  if (!result_) result_ = std::move(result);
}

void Transcript::tell_blocks(const std::vector<Block>& blocks) const {
  if (!tell_) return;
  for (const Block& block : blocks) tell_(kind_of(block.kind), block.text);
}

std::optional<davit::Usage> Transcript::new_usage() {
  if (!std::exchange(usage_is_new_, false)) return std::nullopt;
  return spending_.total();
}

Outcome Transcript::finish(const Exit& exit) && {
  lines_.finish([this](std::string_view line) { take_line(line); });
  Outcome outcome = judged({.asked = asked_,
                            .exit = exit,
                            .init = init_ ? &*init_ : nullptr,
                            .result = result_ ? &*result_ : nullptr,
                            .rate_limit = rate_limit_,
                            .retry_status = retry_status_,
                            .over_limit = over_limit_});
  outcome.usage = spending_.total();
  outcome.cost_is_estimate = spending_.is_estimate();
  if (init_) outcome.version = init_->version;
  if (result_) {
    outcome.text = std::move(result_->text);
    outcome.structured = std::move(result_->structured);
    outcome.turns = result_->turns;
    outcome.denied_tools = std::move(result_->denied_tools);
  }
  skipped_.too_long = lines_.too_long();
  outcome.skipped = skipped_;
  return outcome;
}

}  // namespace claude

// A session as it is heard: the CLI's output in any pieces, an Outcome at the end. No process is needed.
//
//   Transcript session(asked, settings.prices, tell);
//   session.take(bytes) …          while it runs; must_stop() says when there is no use in more
//   Outcome outcome = std::move(session).finish({wait_status, stop, last_error_line});
//
// Confined to one thread. Memory is bounded whatever is printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "claude_cli/outcome.h"
#include "claude_cli/stream.h"
#include "claude_cli/usage.h"

namespace claude {

struct ReadLimits {
  std::size_t line = std::size_t{16} << 20;    // a longer one is dropped
  std::uint64_t all = std::uint64_t{1} << 30;  // what comes after is not looked at
};

class Transcript {
 public:
  // A line for the execution's transcript, as soon as it is known. `kind`: "assistant", "thinking", "tool",
  // "tool-result", "stdout" (the first thousand lines that are no JSON). Not redacted.
  using Tell = std::function<void(std::string_view kind, std::string_view line)>;

  Transcript(Asked asked, Prices prices, Tell tell = {}, ReadLimits limits = {});

  void take(std::string_view bytes);

  bool started() const { return init_.has_value(); }       // it said what it has
  bool has_result() const { return result_.has_value(); }  // what comes later changes nothing
  // It prints without end, or lacks what was asked for: end it, with Stop::Unusable.
  bool must_stop() const { return over_limit_ || unusable_; }
  // Totals, if they changed since they were last asked for.
  std::optional<davit::Usage> new_usage();

  Outcome finish(const Exit& exit) &&;

 private:
  void take_line(std::string_view line);
  void hear(Init& init);
  void hear(const Retry& retry) { retry_status_ = retry.status; }
  void hear(const Assistant& message);
  void hear(const ToolResults& results) { tell_blocks(results.blocks); }
  void hear(const Streamed& part);
  void hear(const RateLimit& limit) { rate_limit_ = limit; }
  void hear(Result& result);
  void tell_blocks(const std::vector<Block>& blocks) const;

  Asked asked_;
  Tell tell_;
  ReadLimits limits_;
  Lines lines_;
  Spending spending_;
  bool usage_is_new_ = false;
  std::uint64_t size_ = 0;
  bool over_limit_ = false, unusable_ = false;
  std::optional<Init> init_;
  std::optional<Result> result_;
  RateLimit rate_limit_;
  int retry_status_ = 0;
  SkippedLines skipped_;
};

}  // namespace claude

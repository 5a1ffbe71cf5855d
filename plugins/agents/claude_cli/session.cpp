#include "claude_cli/session.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>

#include "claude_cli/transcript.h"
#include "claude_cli/usage.h"

namespace claude {
namespace {

using child::ChildProcess;
using child::Descriptor;
using davit::Failure;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kKillGrace{1000};
constexpr milliseconds kLongestWait{250};  // until the next look at the clocks and at the wish to stop
constexpr std::size_t kMostErrorLine = 8 * 1024;
constexpr int kMostErrorLines = 1000;  // that are told
constexpr std::size_t kMostPhase = 120;

class Conversation {
 public:
  Conversation(const Settings& settings, const Session& session, const Start& start, const davit::Run& run)
      : settings_(settings),
        session_(session),
        start_(start),
        run_(run),
        transcript_(asked_for(settings, session), settings.prices,
                    [this](std::string_view kind, std::string_view line) { tell(kind, line); }),
        errors_(kMostErrorLine) {}

  Outcome follow(ChildProcess& child) {
    Exit exit;
    bool output_open = true, errors_open = true;
    std::optional<Clock::time_point> kill_at;
    for (;;) {
      pollfd watched[] = {{child.ended().number(), POLLIN, 0},
                          {output_open ? child.output().number() : -1, POLLIN, 0},
                          {errors_open ? child.errors().number() : -1, POLLIN, 0}};
      poll(watched, std::size(watched), static_cast<int>(kLongestWait.count()));
      if (watched[1].revents != 0)
        output_open = child::read_piece(child.output(), [this](std::string_view piece) { hear(piece); });
      if (watched[2].revents != 0)
        errors_open =
            child::read_piece(child.errors(), [this](std::string_view piece) { hear_error(piece); });
      tell_usage();
      if (watched[0].revents != 0) break;

      if (exit.stop == Stop::None && (exit.stop = reason_to_stop()) != Stop::None) {
        child.signal(SIGTERM);
        kill_at = Clock::now() + kKillGrace;
      }
      if (kill_at && Clock::now() >= *kill_at) child.signal(SIGKILL);
    }
    exit.wait_status = child.finish();
    if (output_open) child::drain(child.output(), [this](std::string_view piece) { hear(piece); });
    if (errors_open) child::drain(child.errors(), [this](std::string_view piece) { hear_error(piece); });
    errors_.finish([this](std::string_view line) { tell_error(line); });
    exit.last_error_line = std::move(last_error_line_);
    tell_usage();
    Outcome outcome = std::move(transcript_).finish(exit);
    outcome.why = start_.redact(outcome.why);
    return outcome;
  }

 private:
  void hear(std::string_view piece) {
    last_heard_ = Clock::now();
    transcript_.take(piece);
    if (!result_at_ && transcript_.has_result()) result_at_ = last_heard_;
  }

  void hear_error(std::string_view piece) {
    errors_.add(piece, [this](std::string_view line) { tell_error(line); });
  }

  void tell_error(std::string_view line) {
    const std::string text = one_line(line, kMostErrorLine);
    if (text.empty()) return;
    last_error_line_ = text;
    if (error_lines_++ < kMostErrorLines) run_.transcript("stderr", start_.redact(text));
  }

  void tell(std::string_view kind, std::string_view line) {
    const std::string text = start_.redact(line);
    run_.transcript(kind, text);
    if (kind == "tool") run_.progress(-1, "working", one_line(text, kMostPhase));
  }

  void tell_usage() {
    const auto usage = transcript_.new_usage();
    if (!usage) return;
    run_.usage(sum_of(session_.before, *usage));
    if (usage->output_tokens > 0 && !std::exchange(answered_, true) && start_.answered) start_.answered();
  }

  Stop reason_to_stop() const {
    const Clock::time_point now = Clock::now();
    if (run_.is_cancelled()) return Stop::Cancelled;
    if (result_at_) return now - *result_at_ >= settings_.result_grace ? Stop::AfterResult : Stop::None;
    if (transcript_.must_stop()) return Stop::Unusable;
    const auto left = run_.remaining();
    if (now - began_ >= session_.wall || (left && left->count() <= 0)) return Stop::Deadline;
    if (!transcript_.started()) return now - began_ >= settings_.start ? Stop::NeverStarted : Stop::None;
    return now - last_heard_ >= settings_.idle ? Stop::Silent : Stop::None;
  }

  const Settings& settings_;
  const Session& session_;
  const Start& start_;
  const davit::Run& run_;
  Transcript transcript_;
  Lines errors_;
  std::string last_error_line_;
  int error_lines_ = 0;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point last_heard_ = began_;
  std::optional<Clock::time_point> result_at_;
  bool answered_ = false;
};

}  // namespace

Outcome run_session(const Settings& settings, const Session& session, const Start& start,
                    const davit::Run& run) {
  check(session);
  std::optional<ChildProcess> child;
  try {
    child.emplace(start.program(), session.prompt);
  } catch (const Failure& failure) {
    if (failure.status() == davit::Status::Permanent) return not_installed(failure.what());
    Outcome outcome;
    outcome.why = failure.what();
    return outcome;
  }
  run.progress(-1, "starting", settings.model);
  return Conversation(settings, session, start, run).follow(*child);
}

}  // namespace claude

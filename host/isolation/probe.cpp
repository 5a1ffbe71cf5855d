#include "host/isolation/probe.h"

#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>

#include "host/base/crypto.h"
#include "host/isolation/envelope.h"
#include "host/isolation/frames.h"
#include "host/isolation/runner_process.h"
#include "host/plugin/marshal.h"
#include "host/plugin/refusal_codes.h"

namespace davit::isolation {
namespace {

using plugin::refuse;
namespace refusal = plugin::refusal;
using Verdict = std::variant<ProbeReport, Refusal>;

constexpr Duration kKillLimit{10'000};

// One look at one file. Confined to the calling thread.
class Probe {
 public:
  Probe(const std::filesystem::path& file, const ProbeOptions& options, KnownChildren& children, Log& log)
      : file_(file), options_(options), children_(children), log_(log) {}

  Verdict run() {
    RunnerStart start;
    start.command = options_.runner_command;
    start.name = "probe";
    start.tag = file_.filename().string();
    auto process = start_runner(start, children_);
    if (!process.ok()) return refuse(refusal::kProbeFailed, process.error().message);
    process_ = std::move(*process);
    Verdict verdict = talk();
    end_process();
    return verdict;
  }

 private:
  Verdict talk();
  std::optional<Verdict> read_frames();
  std::optional<Verdict> handle(const Frame& frame);
  std::optional<Verdict> send(FrameKind kind, std::string json);
  Verdict judge_end(int wait_status);
  void end_process();
  std::string last_words() const;

  const std::filesystem::path& file_;
  const ProbeOptions& options_;
  KnownChildren& children_;
  Log& log_;
  RunnerProcess process_;
  FrameReader reader_;
  FrameWriter writer_;
  OutputCapture output_;
  const std::string nonce_ = to_hex(random_bytes(16));
  bool greeted_ = false;
  bool reaped_ = false;
};

Verdict Probe::talk() {
  const MonotonicTime deadline = std::chrono::steady_clock::now() + options_.deadline;
  if (auto failed = send(FrameKind::Hello, hello_json("", nonce_))) return *failed;
  bool output_open = true;
  for (;;) {
    pollfd waits[] = {{process_.calls.number(), POLLIN, 0},
                      {process_.pidfd.number(), POLLIN, 0},
                      {output_open ? process_.output.number() : -1, POLLIN, 0},
                      {options_.stop_fd, POLLIN, 0}};
    const auto left = std::chrono::ceil<Duration>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) {
      return refuse(refusal::kProbeTimeout, "It did not come back within " +
                                                std::to_string(options_.deadline.count()) +
                                                " ms when it was looked at, and was killed");
    }
    if (poll(waits, 4, static_cast<int>(left)) < 0 && errno != EINTR) {
      return refuse(refusal::kProbeFailed, "poll: " + errno_text(errno));
    }
    if (waits[3].revents != 0) return refuse(refusal::kProbeFailed, "davit stops");
    if (waits[2].revents != 0) {
      output_open = output_.read_from(
          process_.output.number(), 256u << 10, std::chrono::steady_clock::now(), [&](std::string_view line) {
            log_.info("plugin output", {{"library", file_.filename().string()}, {"line", line}});
          });
    }
    // What it said before it died counts, so frames come before the end of the process.
    if (waits[0].revents != 0 || waits[1].revents != 0) {
      if (auto verdict = read_frames()) return *verdict;
    }
    if (waits[1].revents != 0) {
      if (auto status = reap(process_.pidfd.number())) {
        children_.forget(process_.pid);
        reaped_ = true;
        return judge_end(*status);
      }
    }
    // The end of the socket is soon followed by that of the process; until then poll would not wait for it.
    if ((waits[0].revents & (POLLHUP | POLLERR)) != 0 && waits[1].revents == 0) {
      pollfd end{process_.pidfd.number(), POLLIN, 0};
      if (poll(&end, 1, static_cast<int>(std::min<std::int64_t>(left, 1000))) == 0) {
        return refuse(refusal::kProbeFailed, "It closed the descriptors of the process that looked at it");
      }
    }
  }
}

std::optional<Verdict> Probe::read_frames() {
  auto got = reader_.read_from(process_.calls.number());
  while (got.ok() && *got == FrameReader::Got::Bytes) {
    for (;;) {
      auto frame = reader_.next();
      if (!frame.ok()) return refuse(refusal::kProbeFailed, "It broke the protocol of the probe");
      if (!*frame) break;
      if (auto verdict = handle(**frame)) return verdict;
    }
    got = reader_.read_from(process_.calls.number());
  }
  return std::nullopt;
}

std::optional<Verdict> Probe::handle(const Frame& frame) {
  switch (frame.kind) {
    case FrameKind::Welcome:
      if (greeted_ || !check_welcome(frame.json, nonce_).ok()) break;
      greeted_ = true;
      return send(FrameKind::Scan, scan_json(file_, options_.memory_limit));
    case FrameKind::Scanned: {
      if (!greeted_) break;
      auto report = plugin::probe_report_from_json(frame.json);
      if (report.ok()) return std::move(*report);
      return refuse(refusal::kBadMetadata, report.error().message);
    }
    case FrameKind::Refused: {
      Refusal refused = refusal_from_json(frame.json);
      if (refused.code == "wrong_protocol" || refused.code == "broke_protocol") {
        return refuse(refusal::kProbeFailed, refused.reason);
      }
      return refused;
    }
    default:
      break;
  }
  return refuse(refusal::kProbeFailed, "It broke the protocol of the probe");
}

std::optional<Verdict> Probe::send(FrameKind kind, std::string json) {
  // These frames are small and the socket is empty, so they go at once; if the process is gone, its end says
  // why.
  auto sent = writer_.send(process_.calls.number(), kind, std::move(json));
  if (sent.ok() && writer_.pending()) return refuse(refusal::kProbeFailed, "its socket is full");
  return std::nullopt;
}

Verdict Probe::judge_end(int wait_status) {
  const std::string end = describe_end(wait_status) + " while it was looked at" + last_words();
  if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL) {
    return refuse(refusal::kProbeMemory, "The process was " + end + ", probably because memory ran out");
  }
  if (WIFSIGNALED(wait_status)) return refuse(refusal::kProbeCrashed, "The process was " + end);
  if (!greeted_) return refuse(refusal::kProbeFailed, "The process " + end);
  return refuse(refusal::kProbeExited, "The process " + end);
}

// The last line it printed, which is often the message of an assertion or of an exception.
std::string Probe::last_words() const {
  std::string_view tail = output_.tail();
  while (!tail.empty() && tail.back() == '\n') tail.remove_suffix(1);
  if (const auto start = tail.rfind('\n'); start != std::string_view::npos) tail.remove_prefix(start + 1);
  if (tail.empty()) return "";
  std::string words;
  for (char c : tail.substr(0, 300)) words += c >= 0x20 && c < 0x7f ? c : '?';
  return " (it said: " + words + ")";
}

void Probe::end_process() {
  TreeKill tree = reaped_ ? TreeKill(children_)
                          : TreeKill(process_.pid, process_.pidfd.number(), children_, process_.cgroup.get());
  if (!kill_tree(tree, kKillLimit)) {
    log_.error("a process tree could not be killed",
               {{"library", file_.filename().string()}, {"pid", process_.pid}});
  }
}

}  // namespace

std::variant<ProbeReport, Refusal> probe(const std::filesystem::path& stored_file,
                                         const ProbeOptions& options, KnownChildren& children, Log& log) {
  return Probe(stored_file, options, children, log).run();
}

}  // namespace davit::isolation

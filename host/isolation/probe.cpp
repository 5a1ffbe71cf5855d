#include "host/isolation/probe.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <optional>

#include "host/base/crypto.h"
#include "host/isolation/envelope.h"
#include "host/isolation/frames.h"
#include "host/isolation/runner_process.h"
#include "host/isolation/runner_server.h"
#include "host/plugin/host_services.h"
#include "host/plugin/marshal.h"
#include "host/plugin/refusal_codes.h"

namespace davit::isolation {
namespace {

namespace refusal = plugin::refusal;
using Verdict = std::variant<ProbeReport, Refusal>;

constexpr Duration kKillLimit{10'000};
constexpr std::size_t kMaxReason = 2048;
constexpr Duration kEndPatience{1'000};  // for an instance that was created to be destroyed again

// 0 if it cannot be told.
std::uint64_t resident_bytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::uint64_t size = 0, resident = 0;
  file >> size >> resident;
  return file ? resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

// What a child is asked once it has greeted.
struct Question {
  FrameKind kind = FrameKind::Scan;
  std::string json;
  RunnerStart start;
};

// One question to one child. Confined to the calling thread. The verdict on what was to be created is an
// empty report, or a refusal.
class Probe {
 public:
  Probe(Question question, const ProbeOptions& options, KnownChildren& children, Log& log)
      : question_(std::move(question)), options_(options), children_(children), log_(log) {
    question_.start.command = options_.runner_command;
  }

  Verdict run() {
    auto process = start_runner(question_.start, children_);
    if (!process.ok()) return no(refusal::kProbeFailed, process.error().message);
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
  Refusal overdue() const;
  Verdict judge_end(int wait_status);
  Refusal no(const plugin::RefusalCode& code, std::string what) const;
  Refusal not_from_us() const;
  void let_destroy();
  void end_process();
  std::string last_words() const;
  std::string during() const;
  // What the log is to call it.
  const std::string& subject() const {
    return question_.kind == FrameKind::Scan ? question_.start.tag : question_.start.name;
  }

  Question question_;
  const ProbeOptions& options_;
  KnownChildren& children_;
  Log& log_;
  RunnerProcess process_;
  FrameReader reader_;
  FrameWriter writer_;
  OutputCapture output_;
  const std::string nonce_ = to_hex(random_bytes(16));
  bool greeted_ = false;
  std::uint64_t resident_before_ = 0;  // bytes of memory, before the library was loaded
  bool constructed_ = false;           // of a library that is looked at: its constructors have run
  bool reaped_ = false;
};

Verdict Probe::talk() {
  const MonotonicTime deadline = std::chrono::steady_clock::now() + options_.deadline;
  if (auto failed = send(FrameKind::Hello, hello_json("", nonce_))) return *failed;
  bool output_open = true;
  for (;;) {
    const auto calls = static_cast<short>(writer_.pending() ? POLLIN | POLLOUT : POLLIN);
    pollfd waits[] = {{process_.calls.number(), calls, 0},
                      {process_.pidfd.number(), POLLIN, 0},
                      {output_open ? process_.output.number() : -1, POLLIN, 0},
                      {options_.stop_fd, POLLIN, 0}};
    const auto left = std::chrono::ceil<Duration>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) {
      return overdue();
    }
    if (poll(waits, 4, static_cast<int>(left)) < 0 && errno != EINTR) {
      return no(refusal::kProbeFailed, "poll: " + errno_text(errno));
    }
    if (waits[3].revents != 0) return no(refusal::kProbeFailed, "davit stops");
    if (waits[2].revents != 0) {
      output_open = output_.read_from(process_.output.number(), 256u << 10, std::chrono::steady_clock::now(),
                                      [&](std::string_view line) {
                                        log_.info("plugin output", {{"library", subject()}, {"line", line}});
                                      });
    }
    // A process that is gone takes nothing more; its end says why.
    if ((waits[0].revents & POLLOUT) != 0 && !writer_.flush(process_.calls.number()).ok()) writer_ = {};
    // What it said before it died counts, so frames come before the end of the process.
    if ((waits[0].revents & ~POLLOUT) != 0 || waits[1].revents != 0) {
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
        return no(refusal::kForeignDescriptors, "It closed the descriptors of the process that looked at it");
      }
    }
  }
}

std::optional<Verdict> Probe::read_frames() {
  auto got = reader_.read_from(process_.calls.number());
  while (got.ok() && *got == FrameReader::Got::Bytes) {
    for (;;) {
      auto frame = reader_.next();
      if (!frame.ok()) return not_from_us();
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
      resident_before_ = resident_bytes(process_.pid);
      return send(question_.kind, std::move(question_.json));
    case FrameKind::Scanned: {
      if (!greeted_ || question_.kind != FrameKind::Scan || frame.blob != nonce_) break;
      auto report = plugin::probe_report_from_json(frame.json);
      if (report.ok()) return std::move(*report);
      return no(refusal::kBadMetadata, report.error().message);
    }
    case FrameKind::Constructed:
      if (!greeted_ || question_.kind != FrameKind::Scan) break;
      constructed_ = true;
      return std::nullopt;
    case FrameKind::Created:
      if (!greeted_ || question_.kind != FrameKind::Create) break;
      let_destroy();
      return ProbeReport{};
    case FrameKind::Refused: {
      Refusal refused = refusal_from_json(frame.json);
      if (refused.code == "wrong_protocol" || refused.code == "broke_protocol") {
        return no(refusal::kProbeFailed, refused.reason);
      }
      if (question_.kind == FrameKind::Scan && !plugin::is_said_by_loader(refused.code)) break;
      refused.reason = plugin::presentable(refused.reason, kMaxReason);
      return refused;
    }
    case FrameKind::Log:
      if (!greeted_ || question_.kind != FrameKind::Create) break;
      if (auto said = log_from_json(frame.json); said.ok())
        log_.write(said->level, "plugin", {{"plugin", question_.start.name}, {"line", said->line}});
      return std::nullopt;
    default:
      break;
  }
  return not_from_us();
}

// Before the greeting no code of the library has run: then it is another davit, or none. Later only the
// library can have written what davit does not write.
Refusal Probe::not_from_us() const {
  if (!greeted_)
    return no(refusal::kProbeFailed, "The process that was to look at it spoke another language");
  return no(refusal::kForeignDescriptors,
            "It wrote to a descriptor that it did not open, the one on which davit hears what it offers");
}

std::optional<Verdict> Probe::send(FrameKind kind, std::string json) {
  // If the process is gone, its end says why.
  auto sent = writer_.send(process_.calls.number(), kind, std::move(json));
  if (!sent.ok() && sent.error().code == ErrorCode::TooLarge)
    return no(refusal::kProbeFailed, sent.error().message);
  return std::nullopt;
}

// With the remedy, if it is about a library that is looked at.
Refusal Probe::no(const plugin::RefusalCode& code, std::string what) const {
  if (question_.kind == FrameKind::Scan) return plugin::refuse(code, std::move(what));
  return {std::string(code.code), std::move(what)};
}

Refusal Probe::overdue() const {
  const std::string limit = "within " + std::to_string(options_.deadline.count()) + " ms";
  if (!greeted_)
    return no(refusal::kProbeTimeout, "The process that was to look at it did not begin " + limit);
  // How far a library that takes memory without end comes until its time is up depends on the machine.
  // Whether it was on its way there does not, or hardly.
  const std::uint64_t resident = resident_bytes(process_.pid);
  const std::uint64_t taken = resident - std::min(resident, resident_before_);
  if (options_.memory_limit != 0 && taken > options_.memory_limit / 4) {
    return no(refusal::kProbeMemory, "It took " + std::to_string(taken >> 20) + " MiB of memory " + during() +
                                         ", did not come back " + limit + ", and was killed");
  }
  return no(refusal::kProbeTimeout, "It did not come back " + limit + " " + during() + ", and was killed");
}

Verdict Probe::judge_end(int wait_status) {
  if (!greeted_) {
    return no(refusal::kProbeFailed, "The process that was to look at it ended before it began: " +
                                         describe_end(wait_status) + last_words());
  }
  const std::string end = describe_end(wait_status) + " " + during() + last_words();
  if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL) {
    return no(refusal::kProbeMemory, "The process was " + end + ", probably because memory ran out");
  }
  // The C++ runtime's last words, of GCC and of LLVM, where nobody catches.
  const bool threw = output_.tail().find("terminate called") != std::string_view::npos ||
                     output_.tail().find("libc++abi: terminating") != std::string_view::npos;
  if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGABRT && threw && !constructed_)
    return no(refusal::kConstructorThrew, "An exception left it: the process was " + end);
  if (WIFSIGNALED(wait_status)) {
    return no(constructed_ ? refusal::kMetadataCrashed : refusal::kConstructorCrashed,
              "The process was " + end);
  }
  if (WEXITSTATUS(wait_status) == kProtocolFailure)
    return no(refusal::kForeignDescriptors, "It closed the descriptors of the process that looked at it");
  return no(refusal::kProbeExited, "The process " + end);
}

std::string Probe::during() const {
  if (question_.kind == FrameKind::Create) return "while it was created";
  return constructed_ ? "in a factory or metadata function" : "in a constructor";
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

// What create() has begun outside of the process, destroy() may have to end. Not waited for any longer than
// that: whether it comes back is another question.
void Probe::let_destroy() {
  if (send(FrameKind::End, "{}")) return;
  pollfd end{process_.pidfd.number(), POLLIN, 0};
  static_cast<void>(poll(&end, 1, static_cast<int>(kEndPatience.count())));
}

void Probe::end_process() {
  TreeKill tree = reaped_ ? TreeKill(children_)
                          : TreeKill(process_.pid, process_.pidfd.number(), children_, process_.cgroup.get());
  if (!kill_tree(tree, kKillLimit)) {
    log_.error("a process tree could not be killed", {{"library", subject()}, {"pid", process_.pid}});
  }
}

}  // namespace

std::variant<ProbeReport, Refusal> probe(const std::filesystem::path& stored_file,
                                         const ProbeOptions& options, KnownChildren& children, Log& log) {
  Question question{FrameKind::Scan, scan_json(stored_file, options.memory_limit, options.hidden), {}};
  question.start.name = "probe";
  question.start.tag = stored_file.filename().string();
  return Probe(std::move(question), options, children, log).run();
}

std::optional<std::string> try_out(const RunnerSpec& spec, const ProbeOptions& options,
                                   KnownChildren& children, Log& log) {
  Question question{FrameKind::Create, create_json(spec, options.memory_limit), {}};
  question.start.name = spec.name;
  question.start.tag = "trial";
  question.start.environment = spec.environment;
  Verdict verdict = Probe(std::move(question), options, children, log).run();
  if (auto* refusal = std::get_if<Refusal>(&verdict)) return std::move(refusal->reason);
  return std::nullopt;
}

}  // namespace davit::isolation

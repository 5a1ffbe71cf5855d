// The life of a runner, seen from the host:
//
//   Greeting --welcome--> Creating --created--> Busy --answer--> Idle --call--> Busy
//                                                                Idle --idle too long, retired, used up--> Closing
//   Busy --deadline, cancel--> Stopping --answer--> Closing
//   any of them --process ends, wrong frame, too slow--> Dying
//
// A new runner is started for a call and belongs to it from the start. Dying means: the tree is being killed
// or, if the process ended by itself, what it left behind. Only then, with nothing left, does the call end
// and the runner leave the books. A Runner is deleted nowhere but there, in a function that the loop calls
// directly.
//
// One timer per runner. It is only ever moved to an earlier time; when it fires too early for what the runner
// does now, it is set again. A warm call on a runner whose timer is armed therefore touches no timer at all.
#include <sys/epoll.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "host/base/crypto.h"
#include "host/base/file.h"
#include "host/isolation/envelope.h"
#include "host/isolation/runner_pool_parts.h"
#include "host/isolation/runner_server.h"

namespace davit::isolation {
namespace {

constexpr Duration kClosingGrace{2000};
constexpr Duration kEndOfSocketGrace{1000};  // between the end of the socket and the end of the process
constexpr std::size_t kBytesPerTurn = 256u << 10;

}  // namespace

using State = RunnerState;

void RunnerPool::Parts::start(Group& group, CallId id, Call new_call) {
  const RunnerSpec& spec = group.spec->spec();
  RunnerStart how;
  how.command = options.runner_command;
  how.name = spec.name;
  how.tag = new_call.task_tag;
  how.working_directory = new_call.working_directory;
  how.environment = spec.environment;
  how.use_cgroup = options.use_cgroups;
  auto process = start_runner(how, children);
  if (!process.ok()) {
    log_about(LogLevel::Error, "a runner could not be started", new_call,
              {{"plugin", spec.name}, {"reason", process.error().message}});
    CallOutcome outcome;
    outcome.end = CallEnd::SpawnFailed;
    outcome.detail = process.error().message;
    drop_if_unused(group);
    end_later(std::move(new_call), std::move(outcome));
    return;
  }
  auto owned = std::make_unique<Runner>();
  Runner& runner = *owned;
  runners.emplace(&runner, std::move(owned));
  runner.group = &group;
  runner.process = std::move(*process);
  runner.nonce = to_hex(random_bytes(16));
  runner.call_id = id;
  runner.call = std::move(new_call);
  running.emplace(id, &runner);
  ++group.alive;
  ++counters.busy;
  ++counters.spawned;
  counters.alive = runners.size();
  log_about(LogLevel::Debug, "a runner started", runner.call,
            {{"plugin", spec.name}, {"pid", runner.process.pid}});
  if (!watch(runner)) {
    die(runner, CallEnd::SpawnFailed, "the event loop took no descriptor", clock.monotonic());
    return;
  }
  wait_until(runner, runner.call.deadline);
  send(runner, FrameKind::Hello, hello_json(spec.sha256, runner.nonce));
}

bool RunnerPool::Parts::watch(Runner& runner) {
  return loop.watch(runner.process.calls.number(), EPOLLIN,
                    [this, &runner](std::uint32_t events) { on_calls(runner, events); })
             .ok() &&
         loop.watch(runner.process.pidfd.number(), EPOLLIN,
                    [this, &runner](std::uint32_t) { on_exit(runner); })
             .ok() &&
         loop.watch(runner.process.output.number(), EPOLLIN,
                    [this, &runner](std::uint32_t) { take_output(runner, kBytesPerTurn); })
             .ok();
}

// What a plugin says may hold what it was given in confidence.
std::string RunnerPool::Parts::redacted(const Runner& runner, std::string_view said) const {
  std::string text(said);
  runner.group->spec->redactor().redact(text);
  return text;
}

// With the ids of the call, so that all that happened to a task can be found.
void RunnerPool::Parts::log_about(LogLevel level, std::string_view sentence, const Call& call,
                                  std::initializer_list<LogField> fields) const {
  if (!log.enabled(level)) return;
  std::vector<LogField> all(fields);
  all.insert(all.end(), call.ids.begin(), call.ids.end());
  log.write(level, sentence, all);
}

void RunnerPool::Parts::tell_output(const Runner& runner, std::string_view line) {
  log_about(LogLevel::Info, "plugin output", runner.call,
            {{"plugin", name(runner)}, {"pid", runner.process.pid}, {"line", redacted(runner, line)}});
}

void RunnerPool::Parts::take_output(Runner& runner, std::size_t limit) {
  const bool more = runner.output.read_from(runner.process.output.number(), limit, clock.monotonic(),
                                            [&](std::string_view line) { tell_output(runner, line); });
  // A plugin may close its stdout; an ended pipe stays readable for ever.
  if (!more) loop.unwatch(runner.process.output.number());
}

void RunnerPool::Parts::on_calls(Runner& runner, std::uint32_t events) {
  if (events & EPOLLOUT) {
    auto flushed = runner.writer.flush(runner.process.calls.number());
    if (!flushed.ok()) runner.writer = {};  // the process is ending: its end tells the rest
    if (!runner.writer.pending()) {
      runner.writable_awaited = false;
      loop.rewatch(runner.process.calls.number(), EPOLLIN);
    }
  }
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_frames(runner);
}

// False when the runner is not to be touched any more in this turn.
bool RunnerPool::Parts::read_frames(Runner& runner) {
  const int fd = runner.process.calls.number();
  auto got = runner.reader.read_from(fd);
  if (!got.ok()) {
    broke_protocol(runner, got.error().message);
    return false;
  }
  while (runner.state != State::Dying) {
    auto frame = runner.reader.next();
    if (!frame.ok()) {
      broke_protocol(runner, frame.error().message);
      return false;
    }
    if (!*frame) break;
    if (!handle(runner, **frame)) return false;
  }
  if (runner.state == State::Dying) return false;
  if (*got == FrameReader::Got::End) {
    // Nearly always the process is about to be gone; what it is, its exit says better. A plugin may also have
    // closed our descriptor, and then nothing more will come.
    loop.unwatch(fd);
    if (runner.state != State::Closing) wait_until(runner, clock.monotonic() + kEndOfSocketGrace);
    runner.socket_ended = true;
    if (runner.state == State::Idle) {
      std::erase(runner.group->idle, &runner);
      runner.state = State::Closing;
      ++closing;
      wait_until(runner, clock.monotonic() + kEndOfSocketGrace);
    }
  }
  return *got == FrameReader::Got::Bytes;
}

// False when the runner broke the protocol or is not to be touched any more.
bool RunnerPool::Parts::handle(Runner& runner, const Frame& frame) {
  const bool in_call = runner.state == State::Busy || runner.state == State::Stopping;
  switch (frame.kind) {
    case FrameKind::Welcome:
      if (runner.state != State::Greeting) break;
      if (auto checked = check_welcome(frame.json, runner.nonce); !checked.ok()) {
        broke_protocol(runner, checked.error().message);
        return false;
      }
      runner.state = State::Creating;
      send(runner, FrameKind::Create, create_json(runner.group->spec->spec(), options.address_space_limit));
      return runner.state != State::Dying;
    case FrameKind::Created:
      if (runner.state != State::Creating) break;
      send_call(runner);
      return runner.state != State::Dying;
    case FrameKind::Refused: {
      if (runner.state != State::Greeting && runner.state != State::Creating) break;
      Refusal refusal = refusal_from_json(frame.json);
      kill(runner, CallEnd::Refused, refusal.code + ": " + refusal.reason);
      return false;
    }
    case FrameKind::Report:
      if (!in_call) break;
      if (runner.call.on_report) runner.call.on_report(frame.json, frame.blob);
      return true;
    case FrameKind::Log:
      if (runner.state == State::Greeting) break;
      if (auto line = log_from_json(frame.json); line.ok()) {
        log_about(
            line->level, "plugin", runner.call,
            {{"plugin", name(runner)}, {"pid", runner.process.pid}, {"line", redacted(runner, line->line)}});
        return true;
      }
      break;
    case FrameKind::Answer:
      if (!in_call) break;
      answered(runner, std::string(frame.json));
      return true;
    default:
      break;
  }
  broke_protocol(runner,
                 "a frame of kind " + std::to_string(static_cast<int>(frame.kind)) + " came unexpected");
  return false;
}

void RunnerPool::Parts::answered(Runner& runner, std::string answer) {
  take_output(runner, kBytesPerTurn);  // what it printed belongs to this call
  CallOutcome outcome;
  outcome.answer = std::move(answer);
  outcome.past_deadline = clock.monotonic() >= runner.call.deadline;
  // A cancellation may still be on its way through the plugin: it must not meet the next call.
  if (runner.state == State::Stopping) runner.retired = true;
  auto on_end = std::move(runner.call.on_end);
  running.erase(runner.call_id);
  runner.call_id = 0;
  runner.call = Call{};
  --counters.busy;
  become_idle(runner);
  if (waiting > 0) serve();  // those who wait come before what on_end may ask for
  if (on_end) on_end(std::move(outcome));
}

void RunnerPool::Parts::send(Runner& runner, FrameKind kind, std::string json, std::string blob) {
  auto sent = runner.writer.send(runner.process.calls.number(), kind, std::move(json), std::move(blob));
  if (!sent.ok() && sent.error().code == ErrorCode::TooLarge) {
    kill(runner, CallEnd::Refused, sent.error().message);
    return;
  }
  // Other failures: the process is gone, which its pidfd tells.
  if (runner.writer.pending() && !runner.writable_awaited) {
    runner.writable_awaited = true;
    loop.rewatch(runner.process.calls.number(), EPOLLIN | EPOLLOUT);
  }
}

void RunnerPool::Parts::ask_to_stop(Runner& runner, bool deadline) {
  runner.state = State::Stopping;
  runner.deadline_passed = deadline;
  runner.kill_since = clock.monotonic();
  if (runner.call.cancel_grace <= Duration{0}) {
    kill(runner, deadline ? CallEnd::TimedOut : CallEnd::Cancelled,
         deadline ? "the deadline came" : "cancelled");
    return;
  }
  FrameWriter writer;  // a few bytes on a socket nothing else is sent on: they go at once or the runner is
                       // lost anyway
  (void)writer.send(runner.process.control.number(), FrameKind::Cancel, cancel_json(runner.call_id)).ok();
  wait_until(runner, runner.kill_since + runner.call.cancel_grace);
}

void RunnerPool::Parts::become_idle(Runner& runner) {
  runner.state = State::Idle;
  runner.group->idle.push_back(&runner);
  runner.due = clock.monotonic() + options.idle;
  const bool used_up = runner.calls_begun >= std::max(1, runner.group->spec->spec().calls_per_runner);
  if (runner.retired || used_up) {
    close(runner);
  } else {
    wait_until(runner, runner.due);
  }
}

void RunnerPool::Parts::close(Runner& runner) {
  std::erase(runner.group->idle, &runner);
  runner.state = State::Closing;
  ++closing;
  wait_until(runner, clock.monotonic() + kClosingGrace);
  send(runner, FrameKind::End, "{}");
}

// --- time

void RunnerPool::Parts::wait_until(Runner& runner, MonotonicTime due) {
  runner.due = due;
  if (runner.timer != 0 && runner.timer_at <= due) return;
  if (runner.timer != 0) loop.cancel(runner.timer);
  runner.timer_at = due;
  const auto left = std::chrono::ceil<Duration>(due - clock.monotonic());
  runner.timer = loop.after(std::max(left, Duration{0}), [this, &runner] {
    runner.timer = 0;
    on_timer(runner);
  });
}

void RunnerPool::Parts::on_timer(Runner& runner) {
  if (clock.monotonic() < runner.due) {
    wait_until(runner, runner.due);
    return;
  }
  if (runner.socket_ended && runner.state != State::Closing && runner.state != State::Dying) {
    broke_protocol(runner, "the runner closed its socket but did not end");
    return;
  }
  switch (runner.state) {
    case State::Greeting:
    case State::Creating:
      kill(runner, CallEnd::TimedOut, "the deadline came while the plugin was being loaded");
      break;
    case State::Busy:
      ask_to_stop(runner, true);
      break;
    case State::Stopping:
      kill(runner, runner.deadline_passed ? CallEnd::TimedOut : CallEnd::Cancelled,
           runner.deadline_passed ? "the deadline came and the plugin did not stop when it was asked to"
                                  : "cancelled, and the plugin did not stop when it was asked to");
      break;
    case State::Idle:
      close(runner);
      break;
    case State::Closing:
      kill(runner, CallEnd::Answered, "it did not end when it was told to");
      break;
    case State::Dying:
      break;
  }
}

// --- ends

void RunnerPool::Parts::broke_protocol(Runner& runner, std::string_view what) {
  kill(runner, CallEnd::BrokeProtocol, "the runner broke the protocol: " + std::string(what));
}

void RunnerPool::Parts::kill(Runner& runner, CallEnd end, std::string_view detail) {
  if (runner.state == State::Dying) return;
  ++counters.killed;
  const MonotonicTime since = runner.state == State::Stopping ? runner.kill_since : clock.monotonic();
  die(runner, end, detail, since);
}

// The process ended by itself (or is seen to end before a kill reached it).
void RunnerPool::Parts::on_exit(Runner& runner) {
  if (runner.state == State::Dying) return;
  // An answer may have arrived just before: it counts.
  while (read_frames(runner)) {
  }
  if (runner.state == State::Dying) return;
  runner.wait_status = reap(runner.process.pidfd.number());
  if (!runner.wait_status) return;
  children.forget(runner.process.pid);
  runner.by_itself = true;
  const bool begun = runner.state == State::Busy || runner.state == State::Stopping;
  std::string detail = describe_end(*runner.wait_status);
  if (detail.find("SIGKILL") != std::string::npos) detail += ", but not by davit (out of memory?)";
  detail += begun ? " in the middle of a call" : " before the call";
  // What our side of the runner ends with when its sockets do not do what ours do.
  const bool broke = WIFEXITED(*runner.wait_status) && WEXITSTATUS(*runner.wait_status) == kProtocolFailure;
  if (broke) detail = "the runner found its sockets broken and " + detail;
  if (WIFSIGNALED(*runner.wait_status)) runner.outcome.signal = WTERMSIG(*runner.wait_status);
  die(runner, broke ? CallEnd::BrokeProtocol : CallEnd::Crashed, detail, clock.monotonic());
}

void RunnerPool::Parts::die(Runner& runner, CallEnd end, std::string_view detail, MonotonicTime since) {
  if (runner.state == State::Idle) std::erase(runner.group->idle, &runner);
  if (runner.state == State::Closing) --closing;
  if (runner.by_itself && (runner.call_id != 0 || *runner.wait_status != 0)) ++counters.crashed;
  runner.state = State::Dying;
  runner.outcome.end = end;
  runner.outcome.detail = redacted(runner, detail);
  runner.kill_since = since;
  runner.kill_until = clock.monotonic() + kKillLimit;
  loop.unwatch(runner.process.calls.number());
  loop.unwatch(runner.process.pidfd.number());
  loop.unwatch(runner.process.output.number());
  if (runner.timer != 0) loop.cancel(runner.timer);
  runner.timer = 0;
  if (runner.by_itself) {
    runner.kill.emplace(children);
  } else {
    runner.kill.emplace(runner.process.pid, runner.process.pidfd.number(), children,
                        runner.process.cgroup.get());
  }
  // Not at once: who called may still hold the runner, or be the caller of the pool.
  runner.timer = loop.after(Duration{0}, [this, &runner] { step_kill(runner); });
}

void RunnerPool::Parts::step_kill(Runner& runner) {
  runner.timer = 0;
  if (runner.kill->step()) {
    bury(runner);
    return;
  }
  if (clock.monotonic() >= runner.kill_until) {
    log_about(LogLevel::Error, "a process tree could not be killed", runner.call,
              {{"plugin", name(runner)}, {"pid", runner.process.pid}});
    bury(runner);
    return;
  }
  runner.timer = loop.after(runner.kill->retry_after(), [this, &runner] { step_kill(runner); });
}

void RunnerPool::Parts::bury(Runner& runner) {
  take_output(runner, 1u << 20);
  runner.output.finish([&](std::string_view line) { tell_output(runner, line); });
  CallOutcome outcome = std::move(runner.outcome);
  outcome.output_tail = redacted(runner, runner.output.tail());
  outcome.kill_took = std::chrono::ceil<Duration>(clock.monotonic() - runner.kill_since);
  const bool had_call = runner.call_id != 0;
  const bool orderly = !had_call && runner.by_itself && *runner.wait_status == 0;
  if (orderly) {
    log.debug("a runner ended", {{"plugin", name(runner)}, {"pid", runner.process.pid}});
  } else {
    log_about(LogLevel::Warn, "a runner is gone", runner.call,
              {{"plugin", name(runner)},
               {"pid", runner.process.pid},
               {"end", had_call ? to_string(outcome.end) : std::string_view("idle")},
               {"reason", outcome.detail},
               {"took_ms", outcome.kill_took.count()}});
  }
  auto on_end = std::move(runner.call.on_end);
  if (had_call) {
    running.erase(runner.call_id);
    --counters.busy;
  }
  Group& group = *runner.group;
  --group.alive;
  runners.erase(&runner);
  counters.alive = runners.size();
  drop_if_unused(group);
  serve();
  if (had_call && on_end) on_end(std::move(outcome));
}

void RunnerPool::Parts::drop_if_unused(Group& group) {
  if (group.alive > 0 || !group.waiting.empty()) return;
  const std::string key = group.spec->key();
  groups.erase(key);
}

}  // namespace davit::isolation

#include "host/conformance/check_child.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "host/base/crypto.h"
#include "host/conformance/check_main.h"
#include "host/isolation/runner_process.h"

namespace davit::conformance {
namespace {

constexpr Duration kKillLimit{10'000};
constexpr std::size_t kMaxLine = 64u << 10;
// Each thread keeps some of what it freed for its next allocations, and mallinfo2 takes that for allocated:
// it seems to grow for hundreds of rounds. Without these caches the figures are exact.
const std::map<std::string, std::string> kExactCount{{"GLIBC_TUNABLES", "glibc.malloc.tcache_count=0"}};
// Where davit or the library is built with a sanitizer, what is not freed would be a failure at the end.
const std::map<std::string, std::string> kLeaksAreNoEnd{{"ASAN_OPTIONS", "detect_leaks=0"}};

// Confined to the calling thread.
class Child {
 public:
  Child(const Check& check, const Job& job, const ChildOptions& options, MonotonicTime until,
        isolation::KnownChildren& children)
      : check_(check), job_(job), options_(options), until_(until), children_(children) {}

  Result<ChildOutcome> run() {
    isolation::RunnerStart start;
    start.command = {options_.program.empty() ? "/proc/self/exe" : options_.program, kCheckMode};
    start.name = std::string(check_.name);
    start.tag = job_.file.filename().string();
    if (check_.run == check_memory) start.environment = kExactCount;
    if (check_.run == check_end) start.environment = kLeaksAreNoEnd;
    process_ = TRY(isolation::start_runner(start, children_));
    const std::string request = encode(job_) + "\n";
    std::string_view rest = request;
    const MonotonicTime own = std::chrono::steady_clock::now() + options_.deadline;
    const MonotonicTime deadline = std::min(own, until_);
    bool output_open = true, calls_open = true;
    for (;;) {
      const auto left = std::chrono::ceil<Duration>(deadline - std::chrono::steady_clock::now()).count();
      if (left <= 0) {
        outcome_.is_cut_short = until_ < own;
        outcome_.hung = doing_.empty() ? "the start of the check" : doing_;
        break;
      }
      pollfd waits[] = {{calls_open ? process_.calls.number() : -1,
                         static_cast<short>(rest.empty() ? POLLIN : POLLIN | POLLOUT), 0},
                        {process_.pidfd.number(), POLLIN, 0},
                        {output_open ? process_.output.number() : -1, POLLIN, 0}};
      if (::poll(waits, 3, static_cast<int>(std::min<std::int64_t>(left, 60'000))) < 0 && errno != EINTR)
        break;
      if (!rest.empty() && (waits[0].revents & POLLOUT) != 0) {
        const ssize_t sent = ::send(process_.calls.number(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent > 0) rest.remove_prefix(static_cast<std::size_t>(sent));
        if (sent < 0 && errno != EAGAIN && errno != EINTR) rest = {};
      }
      if (waits[2].revents != 0)
        output_open = output_.read_from(process_.output.number(), 256u << 10,
                                        std::chrono::steady_clock::now(), [](std::string_view) {});
      if (calls_open && waits[0].revents != 0) calls_open = read_lines();
      if (done_) break;
      if (waits[1].revents != 0) {
        while (calls_open && read_lines()) {
          pollfd more{process_.calls.number(), POLLIN, 0};
          if (::poll(&more, 1, 0) <= 0) break;
        }
        status_ = isolation::reap(process_.pidfd.number());
        break;
      }
    }
    end();
    if (!done_ && !ended_in_order()) judge_end();
    return std::move(outcome_);
  }

 private:
  // False at the end of the socket.
  bool read_lines() {
    char buffer[16u << 10];
    const ssize_t got = ::recv(process_.calls.number(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    received_.append(buffer, static_cast<std::size_t>(got));
    std::size_t from = 0;
    for (std::size_t end; (end = received_.find('\n', from)) != std::string::npos; from = end + 1)
      take(std::string_view(received_).substr(from, end - from));
    received_.erase(0, from);
    return received_.size() <= kMaxLine;
  }

  void take(std::string_view line) {
    if (line.empty()) return;
    const char kind = line.front();
    line.remove_prefix(1);
    if (kind == '.') done_ = true;
    if (kind == '>') doing_ = line;
    if (kind == '?') outcome_.hung = doing_;
    if (kind == '~' && !job_.hung.empty()) {
      outcome_.avoided = line;
      done_ = true;
    }
    if (kind != '!') return;
    const std::size_t end = line.find(' ');
    if (end == std::string_view::npos) return;
    const Rule* rule = find_rule(line.substr(0, end));
    const auto same = [&](const Finding& known) { return known.rule == rule; };
    // Once each, as the reporter does it: the library may have got hold of its socket.
    std::vector<Finding>& findings = outcome_.findings;
    if (rule && std::none_of(findings.begin(), findings.end(), same))
      findings.push_back({rule, "", std::string(line.substr(end + 1))});
  }

  void end() {
    if (status_) {
      children_.forget(process_.pid);
      isolation::TreeKill rest(children_);
      static_cast<void>(isolation::kill_tree(rest, kKillLimit));
      return;
    }
    isolation::TreeKill tree(process_.pid, process_.pidfd.number(), children_, process_.cgroup.get());
    static_cast<void>(isolation::kill_tree(tree, kKillLimit));
  }

  bool ended_in_order() const {
    return check_.run == check_end && doing_ == kEnd && status_ && WIFEXITED(*status_) &&
           WEXITSTATUS(*status_) == 0;
  }

  void judge_end() {
    if (outcome_.is_cut_short) return;
    const std::string where = doing_.empty() ? "before the first call" : "in " + doing_;
    std::vector<Finding>& findings = outcome_.findings;
    if (!outcome_.hung.empty()) {
      findings.push_back({check_.death, "",
                          "It did not come back within " + std::to_string(options_.deadline.count()) +
                              " ms " + where + ", and was killed"});
    } else if (status_ && WIFEXITED(*status_) && WEXITSTATUS(*status_) == kLostParent) {
      findings.push_back(
          {&rule("foreign-descriptors"), "", "It closed descriptors that are not its own, " + where});
    } else {
      const std::string end = status_ ? isolation::describe_end(*status_) : "ended";
      const bool killed = status_ && WIFSIGNALED(*status_);
      findings.push_back({check_.death, "", (killed ? "It was " : "It ") + end + " " + where + last_words()});
    }
  }

  // Often the message of an assertion or of an exception.
  std::string last_words() const {
    std::string_view tail = output_.tail();
    while (!tail.empty() && tail.back() == '\n') tail.remove_suffix(1);
    if (const auto start = tail.rfind('\n'); start != std::string_view::npos) tail.remove_prefix(start + 1);
    if (tail.empty()) return "";
    std::string words;
    for (char c : tail.substr(0, 300)) words += c >= 0x20 && c < 0x7f ? c : '?';
    return "; it said: " + words;
  }

  const Check& check_;
  const Job& job_;
  const ChildOptions& options_;
  const MonotonicTime until_;
  isolation::KnownChildren& children_;
  isolation::RunnerProcess process_;
  isolation::OutputCapture output_;
  std::string received_, doing_;
  ChildOutcome outcome_;
  std::optional<int> status_;
  bool done_ = false;
};

}  // namespace

Result<ChildOutcome> run_child(const Check& check, const Job& job, const ChildOptions& options,
                               MonotonicTime until, isolation::KnownChildren& children) {
  return Child(check, job, options, until, children).run();
}

}  // namespace davit::conformance

// What a plugin does to the process it is a guest in: loaded, used and destroyed, it leaves no trace.
#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <filesystem>
#include <thread>

#include "host/conformance/check.h"
#include "host/conformance/instance_driver.h"
#include "host/conformance/process_state.h"
#include "host/isolation/process_tree.h"

extern char** environ;

namespace davit::conformance {
namespace {

constexpr int kRounds = 4;
// A thread that was joined, and a process that was waited for, may be seen for a moment more.
constexpr Duration kPatience{500};

template <typename Condition>
bool comes_true(Condition&& condition) {
  const MonotonicTime end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(Duration{5});
  }
  return true;
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
}

std::string limit_name(int resource) {
  switch (resource) {
    case RLIMIT_NOFILE:
      return "RLIMIT_NOFILE";
    case RLIMIT_CORE:
      return "RLIMIT_CORE";
    case RLIMIT_AS:
      return "RLIMIT_AS";
    case RLIMIT_STACK:
      return "RLIMIT_STACK";
    default:
      return "resource limit number " + std::to_string(resource);
  }
}

std::string target_of(int descriptor) {
  std::error_code failed;
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor), failed).string();
}

std::map<int, std::string> open_descriptors() {
  std::map<int, std::string> open;
  DIR* folder = ::opendir("/proc/self/fd");
  if (!folder) return open;
  const int own = ::dirfd(folder);
  while (const dirent* entry = ::readdir(folder)) {
    const int descriptor = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && descriptor != own) open[descriptor] = target_of(descriptor);
  }
  ::closedir(folder);
  return open;
}

}  // namespace

ProcessState ProcessState::now() {
  ProcessState state;
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) != 0) continue;
    std::string& text = state.handlers[signal];
    text = action.sa_handler == SIG_DFL   ? "the default"
           : action.sa_handler == SIG_IGN ? "ignored"
                                          : "a handler";
    if (text == "a handler")
      text += " at " + std::to_string(reinterpret_cast<std::uintptr_t>(action.sa_handler));
    if ((action.sa_flags & (SA_NOCLDWAIT | SA_NOCLDSTOP)) != 0) text += " with SA_NOCLD flags";
  }
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  for (int signal = 1; signal < NSIG; ++signal) {
    if (::sigismember(&mask, signal) == 1) state.mask += " " + signal_name(signal);
  }
  std::error_code failed;
  state.directory = std::filesystem::current_path(failed).string();
  state.locale = std::setlocale(LC_ALL, nullptr);
  if (::uselocale(nullptr) != LC_GLOBAL_LOCALE) state.locale += " (of this thread)";
  state.umask = ::umask(0);
  ::umask(state.umask);
  for (char** variable = environ; variable && *variable; ++variable) state.environment.insert(*variable);
  for (int resource = 0; resource < RLIM_NLIMITS; ++resource) {
    rlimit limit{};
    if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0)
      state.limits[resource] = std::to_string(limit.rlim_cur) + " of " + std::to_string(limit.rlim_max);
  }
  state.descriptors = open_descriptors();
  return state;
}

void compare(const ProcessState& before, const ProcessState& after, Reporter& report) {
  for (const auto& [signal, handler] : after.handlers) {
    const auto was = before.handlers.find(signal);
    if (was != before.handlers.end() && was->second != handler)
      report.found(rule("signal-handlers"), "It changed what happens at " + signal_name(signal) + ": now " +
                                                handler.substr(0, handler.find(" at ")));
  }
  if (before.mask != after.mask)
    report.found(rule("signal-mask"),
                 "The signal mask is now:" + (after.mask.empty() ? " empty" : after.mask));
  if (before.directory != after.directory)
    report.found(rule("working-directory"), "The working directory is now " + after.directory);
  if (before.umask != after.umask) {
    char text[48];
    std::snprintf(text, sizeof text, "The umask is now %03o; it was %03o", after.umask, before.umask);
    report.found(rule("umask"), text);
  }
  if (before.locale != after.locale) report.found(rule("locale"), "The locale is now " + after.locale);
  for (const std::string& variable : after.environment) {
    if (!before.environment.contains(variable))
      report.found(rule("environment"), "It set " + variable.substr(0, variable.find('=')));
  }
  for (const std::string& variable : before.environment) {
    if (!after.environment.contains(variable))
      report.found(rule("environment"), "It changed or removed " + variable.substr(0, variable.find('=')));
  }
  for (const auto& [resource, limit] : after.limits) {
    if (before.limits.at(resource) != limit)
      report.found(rule("limits"),
                   limit_name(resource) + " is now " + limit + "; it was " + before.limits.at(resource));
  }
  for (const auto& [descriptor, target] : before.descriptors) {
    const auto now = after.descriptors.find(descriptor);
    if (now == after.descriptors.end() || now->second != target)
      report.found(rule("foreign-descriptors"), "It closed or replaced descriptor " +
                                                    std::to_string(descriptor) + ", which is not its own");
  }
}

std::size_t thread_count() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) ++count;
  return count;
}

std::size_t descendant_count() {
  return isolation::descendants(::getpid(), isolation::all_processes()).size();
}

void check_process_state(Subject& subject) {
  Reporter& report = subject.report;
  isolation::become_subreaper();  // so that orphans stay visible
  std::thread([] {}).join();      // with the first thread a sanitizer starts one of its own
  const std::size_t threads = thread_count();
  // Loading is part of it: constructors have no better manners than hooks.
  const ProcessState before = ProcessState::now();
  report.doing("loading");
  auto loaded = plugin::PluginModule::load(subject.job.file);
  if (!std::holds_alternative<std::shared_ptr<const plugin::PluginModule>>(loaded)) return;
  const auto module = std::get<0>(loaded);
  subject.module = module.get();
  auto round = [&] {
    CheckHost host(subject.job.config, {}, report);
    InstanceDriver instance(subject, host);
    for (std::size_t i = 0; i < 3 && !subject.is_late(); ++i) instance.work(i);
  };
  round();
  const std::size_t opened = open_descriptors().size();
  for (int i = 0; i < kRounds; ++i) round();
  compare(before, ProcessState::now(), report);
  const std::map<int, std::string> open = open_descriptors();
  if (open.size() >= opened + kRounds) {
    report.found(rule("descriptors"), std::to_string(open.size() - before.descriptors.size()) +
                                          " descriptors are open more than before, the last for " +
                                          open.rbegin()->second);
  }
  if (!comes_true([&] { return thread_count() <= threads; }))
    report.found(rule("threads"),
                 std::to_string(thread_count() - threads) + " threads are left after destroy");
  if (!comes_true([] { return descendant_count() == 0; }))
    report.found(rule("processes"), std::to_string(descendant_count()) + " processes are left after destroy");
}

// The parent sees how it ends.
void check_end(Subject& subject) {
  {
    CheckHost host(subject.job.config, {}, subject.report);
    InstanceDriver instance(subject, host);
    instance.work(0);
  }
  subject.report.doing(kEnd);
  std::exit(0);
}

}  // namespace davit::conformance

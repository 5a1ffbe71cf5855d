#include "host/conformance/reporter.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "host/plugin/host_services.h"

namespace davit::conformance {
namespace {

constexpr std::size_t kMaxSentence = 1500;

std::string one_line(std::string_view text) {
  std::string line = plugin::presentable(text, kMaxSentence);
  for (char& c : line) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return line;
}

}  // namespace

void Reporter::send(char kind, std::string_view text) {
  std::string line = kind + std::string(text) + '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) ::_exit(kLostParent);
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Reporter::doing(std::string_view call) {
  const std::scoped_lock lock(mutex_);
  const std::string line = one_line(call);
  if (is_known_to_hang(line)) {
    send('~', line);
    ::_exit(0);
  }
  send('>', line);
}

bool Reporter::is_known_to_hang(std::string_view call) const {
  return std::any_of(hung_.begin(), hung_.end(), [&](const std::string& hung) {
    return call == hung || (call.starts_with(hung) && call.substr(hung.size()).starts_with(" with "));
  });
}

void Reporter::gave_up() {
  const std::scoped_lock lock(mutex_);
  send('?', "");
}

void Reporter::found(const Rule& rule, std::string_view sentence) {
  const std::scoped_lock lock(mutex_);
  if (!reported_.insert(rule.id).second) return;
  send('!', std::string(rule.id) + ' ' + one_line(sentence));
}

bool Reporter::has_found(const Rule& rule) const {
  const std::scoped_lock lock(mutex_);
  return reported_.contains(rule.id);
}

void Reporter::done() {
  const std::scoped_lock lock(mutex_);
  send('.', "");
}

}  // namespace davit::conformance

#include "host/http/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "host/base/lost_descriptors.h"

namespace davit::http {

Mailbox::Mailbox() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

bool Mailbox::post(Mail mail) {
  bool closed = false;
  bool must_signal = waiting_.with([&](Waiting& waiting) {
    closed = waiting.closed;
    if (closed) return false;
    waiting.mail.push_back(std::move(mail));
    return !std::exchange(waiting.awake, true);
  });
  if (must_signal) call_again();
  return !closed;
}

void Mailbox::wake() {
  bool must_signal =
      waiting_.with([](Waiting& waiting) { return !waiting.closed && !std::exchange(waiting.awake, true); });
  if (must_signal) call_again();
}

void Mailbox::call_again() {
  // If the counter is full, the descriptor is readable anyway.
  std::uint64_t one = 1;
  if (::write(event_.number(), &one, sizeof one) < 0 && errno == EBADF) end_without_descriptors();
}

void Mailbox::begin_round() {
  waiting_.with([](Waiting& waiting) { waiting.awake = true; });
}

bool Mailbox::take_or_sleep(std::vector<Mail>& out) {
  return waiting_.with([&](Waiting& waiting) {
    if (waiting.mail.empty()) {
      waiting.awake = false;
      return false;
    }
    out.swap(waiting.mail);
    return true;
  });
}

void Mailbox::clear_event() {
  std::uint64_t count = 0;
  [[maybe_unused]] auto count_read = ::read(event_.number(), &count, sizeof count);
}

void Mailbox::close() {
  // What waits is freed outside of the lock.
  std::vector<Mail> unread;
  waiting_.with([&](Waiting& waiting) {
    waiting.closed = true;
    unread.swap(waiting.mail);
  });
}

}  // namespace davit::http

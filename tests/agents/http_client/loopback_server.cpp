#include "tests/agents/http_client/loopback_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace davit::testing {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

std::string Asked::header(std::string_view name) const {
  for (std::size_t at = head.find("\r\n"); at != std::string::npos;) {
    const std::size_t begin = at + 2, end = head.find("\r\n", begin);
    if (end == std::string::npos) break;
    const std::string_view line = std::string_view(head).substr(begin, end - begin);
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos && same_name(line.substr(0, colon), name))
      return std::string(line.substr(colon + 2));
    at = end;
  }
  return "";
}

bool Wire::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void Wire::answer(int status, std::string_view body, std::string_view head) {
  std::string bytes = "HTTP/1.1 " + std::to_string(status) + " X\r\n";
  bytes += head;
  if (status != 304) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  bytes += "\r\n";
  if (status != 304) bytes += body;
  send(bytes);
}

bool Wire::stays_for(std::chrono::milliseconds time) {
  pollfd wait{descriptor_, POLLRDHUP, 0};
  return open() && ::poll(&wait, 1, static_cast<int>(time.count())) == 0;
}

// The descriptor itself is closed by the server, which may be about to shut it down.
void Wire::close() {
  ::shutdown(descriptor_, SHUT_RDWR);
  descriptor_ = -1;
}

void Wire::reset() {
  const linger now{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  descriptor_ = -1;
}

LoopbackServer::LoopbackServer(Serve serve)
    : serve_(std::move(serve)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    std::abort();
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { accept_all(); });
}

LoopbackServer::~LoopbackServer() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    for (const int descriptor : open_) ::shutdown(descriptor, SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  for (std::thread& talk : talks_) talk.join();
  ::close(listener_);
}

std::string LoopbackServer::url(const std::string& target) const {
  return "http://127.0.0.1:" + std::to_string(port_) + target;
}

std::vector<Asked> LoopbackServer::seen() const {
  std::lock_guard lock(mutex_);
  return seen_;
}

void LoopbackServer::accept_all() {
  for (;;) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    std::lock_guard lock(mutex_);
    if (ending_) {
      ::close(descriptor);
      return;
    }
    ++connections_;
    open_.push_back(descriptor);
    talks_.emplace_back([this, descriptor] { talk(descriptor); });
  }
}

void LoopbackServer::talk(int descriptor) {
  std::string bytes;
  for (Asked asked; read_request(descriptor, bytes, asked); asked = {}) {
    {
      std::lock_guard lock(mutex_);
      seen_.push_back(asked);
    }
    Wire wire(descriptor);
    serve_(asked, wire);
    if (!wire.open()) break;
  }
  std::lock_guard lock(mutex_);
  std::erase(open_, descriptor);
  ::close(descriptor);
}

bool LoopbackServer::read_request(int descriptor, std::string& bytes, Asked& asked) {
  char buffer[16384];
  const auto more = [&] {
    const ssize_t count = ::recv(descriptor, buffer, sizeof buffer, 0);
    if (count > 0) bytes.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
  };
  while (bytes.find("\r\n\r\n") == std::string::npos)
    if (!more()) return false;
  const std::size_t end = bytes.find("\r\n\r\n") + 4;
  asked.head = bytes.substr(0, end);
  asked.method = asked.head.substr(0, asked.head.find(' '));
  const std::size_t target = asked.method.size() + 1;
  asked.target = asked.head.substr(target, asked.head.find(' ', target) - target);
  const std::string length = asked.header("Content-Length");
  const std::size_t wanted = end + (length.empty() ? 0 : std::stoul(length));
  while (bytes.size() < wanted)
    if (!more()) return false;
  asked.body = bytes.substr(end, wanted - end);
  bytes.erase(0, wanted);
  return true;
}

}  // namespace davit::testing

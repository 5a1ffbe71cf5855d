// The client's side of TLS: connections that check the server's certificate, and a tunnel through which
// clients that know nothing of TLS get to a server that speaks nothing else.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "host/base/file.h"
#include "tests/faults/certificate.h"

namespace davit::faults {

// How connections are made; outlives them. Thread-safe.
class TlsContext {
 public:
  // `protocol`: what ALPN asks for, "http/1.1" or "h2".
  TlsContext(const std::filesystem::path& certificate, std::string_view protocol)
      : context_(SSL_CTX_new(TLS_client_method())) {
    std::string offered(1, static_cast<char>(protocol.size()));
    offered += protocol;
    SSL_CTX_set_alpn_protos(context_.get(), reinterpret_cast<const unsigned char*>(offered.data()),
                            static_cast<unsigned>(offered.size()));
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    EXPECT_EQ(SSL_CTX_load_verify_file(context_.get(), certificate.c_str()), 1) << certificate;
  }
  SSL_CTX* get() const { return context_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
};

// Confined to one thread. Nothing of it waits longer than `patience`.
class TlsConnection {
 public:
  // `from`: an address of this machine.
  TlsConnection(const TlsContext& context, int port, const char* from = "127.0.0.1")
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), tls_(SSL_new(context.get())) {
    const int one = 1;
    ::setsockopt(fd_.number(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, from, &address.sin_addr);
    EXPECT_EQ(::bind(fd_.number(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << from;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_.number(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
    ::fcntl(fd_.number(), F_SETFL, O_NONBLOCK);
    SSL_set_fd(tls_.get(), fd_.number());
    SSL_set_tlsext_host_name(tls_.get(), kServerName);
    SSL_set1_host(tls_.get(), kServerName);
    connected_ = until_done([this] { return SSL_connect(tls_.get()); }) == 1;
  }

  bool connected() const { return connected_; }
  int fd() const { return fd_.number(); }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(tls_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  // False if the other side did not take it all.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const int sent =
          until_done([&] { return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())); });
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // What has come; empty at the end of the connection, or when nothing came in time.
  std::string receive() {
    char bytes[16384];
    const int count = until_done([&] { return SSL_read(tls_.get(), bytes, sizeof bytes); });
    return count > 0 ? std::string(bytes, static_cast<std::size_t>(count)) : std::string();
  }
  // The same without waiting; `ended` tells the end.
  std::string take(bool& ended) {
    char bytes[16384];
    const int count = SSL_read(tls_.get(), bytes, sizeof bytes);
    if (count > 0) return {bytes, static_cast<std::size_t>(count)};
    const int why = SSL_get_error(tls_.get(), count);
    ended = why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
    return {};
  }
  bool has_more() const { return SSL_pending(tls_.get()) > 0; }
  void end_sending() {
    SSL_shutdown(tls_.get());
    ::shutdown(fd_.number(), SHUT_WR);
  }
  void leave_with_reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_.number(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    SSL_set_quiet_shutdown(tls_.get(), 1);
    fd_.reset();
  }

  std::chrono::milliseconds patience{10'000};

 private:
  template <typename Step>
  int until_done(Step step) {
    for (;;) {
      const int result = step();
      if (result > 0) return result;
      const int why = SSL_get_error(tls_.get(), result);
      if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return result;
      pollfd waiting{fd_.number(), static_cast<short>(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
      if (::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) return -1;
    }
  }

  struct Free {
    void operator()(SSL* tls) const { SSL_free(tls); }
  };
  UniqueFd fd_;
  std::unique_ptr<SSL, Free> tls_;
  bool connected_ = false;
};

// A free port of this machine whose connections go on, by TLS and HTTP/1.1, to `port`. Bytes, ends and
// resets pass in both directions.
class TlsTunnel {
 public:
  TlsTunnel(const std::filesystem::path& certificate, int port)
      : context_(certificate, "http/1.1"),
        to_(port),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.number(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ::listen(listener_.number(), 512);
    ::getsockname(listener_.number(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~TlsTunnel() {
    stopping_ = true;
    ::shutdown(listener_.number(), SHUT_RDWR);
    accepting_.join();
    for (Carried& each : carried_) each.thread.join();
  }
  TlsTunnel(const TlsTunnel&) = delete;
  TlsTunnel& operator=(const TlsTunnel&) = delete;

  int port() const { return port_; }

 private:
  void accept_all() {
    for (;;) {
      UniqueFd plain(::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!plain.open()) return;
      // Those that are done with give their memory back.
      carried_.remove_if([](Carried& each) {
        if (each.done) each.thread.join();
        return each.done.load();
      });
      Carried& carried = carried_.emplace_back();
      carried.thread = std::thread([this, &carried, plain = std::move(plain)]() mutable {
        carry(std::move(plain));
        carried.done = true;
      });
    }
  }

  // Nothing more comes: whoever still sends is listened to, since a close would take from him what has come.
  void see_off(const UniqueFd& plain) {
    ::shutdown(plain.number(), SHUT_WR);
    char bytes[4096];
    for (pollfd ready{plain.number(), POLLIN, 0}; !stopping_; ready.revents = 0)
      if (::poll(&ready, 1, 100) > 0 && ::recv(plain.number(), bytes, sizeof bytes, 0) <= 0) return;
  }

  void carry(UniqueFd plain) {
    TlsConnection server(context_, to_);
    if (!server.connected()) return see_off(plain);
    bool sends = true;
    while (!stopping_) {
      pollfd ready[2] = {{plain.number(), static_cast<short>(sends ? POLLIN : 0), 0},
                         {server.fd(), POLLIN, 0}};
      if (!server.has_more() && ::poll(ready, 2, 100) < 0) return;
      if (sends && (ready[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        char bytes[16384];
        const auto count = ::recv(plain.number(), bytes, sizeof bytes, 0);
        if (count < 0) return server.leave_with_reset();
        if (count == 0) server.end_sending();
        if (count == 0) sends = false;
        if (count > 0 && !server.send({bytes, static_cast<std::size_t>(count)})) sends = false;
      } else if ((ready[0].revents & (POLLHUP | POLLERR)) != 0) {
        return;  // left altogether
      }
      bool ended = false;
      for (std::string bytes = server.take(ended); !bytes.empty(); bytes = server.take(ended))
        if (::send(plain.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return;
      if (ended) return see_off(plain);
    }
  }

  const TlsContext context_;
  const int to_;
  UniqueFd listener_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  struct Carried {
    std::thread thread;
    std::atomic<bool> done{false};
  };
  std::list<Carried> carried_;  // the accepting thread's
  std::thread accepting_;
};

}  // namespace davit::faults

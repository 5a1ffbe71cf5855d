// A TLS server of this machine with a certificate that it has signed itself.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace davit::testing {

class TlsServer {
 public:
  TlsServer();
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_) + "/"; }
  int hellos() const { return hellos_; }    // connections that began
  int trusted() const { return trusted_; }  // connections that came as far as a request

 private:
  void serve();

  struct Keys;
  std::unique_ptr<Keys> keys_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> hellos_{0}, trusted_{0};
  std::thread thread_;
};

}  // namespace davit::testing

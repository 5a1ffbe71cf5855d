// A real host whose webhook makes one task of each delivery, and the senders that load it.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/faults/acknowledged.h"
#include "tests/support/running_host.h"

namespace davit::faults {

// The webhook runs in the host, as fast as it gets. The agent runs `command`, a YAML list. Nobody tells a
// host without a supervisor that the one before it was killed: it blames the webhook, which is not what is
// tested.
inline void make_echo_host(testing::RunningHost& host, const std::string& command = "[/bin/true]") {
  host.plugin_options = ", quarantine_after: 0";
  host.install(DAVIT_BUILD_DIR "/tests/plugins/good_webhook.so");
  host.install(DAVIT_BUILD_DIR "/plugins/command_agent.so");
  host.configure(
      "webhooks:\n  good: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s, isolation: inprocess, "
      "answer_within_ms: "
      "10000}\n"
      "agents:\n  command-agent: {concurrency: 2, max_retries: 0, config: {command: " +
      command + "}}\n");
}

// A signed delivery of about 1.5 KB, as bytes of a request.
inline std::string delivery_request(const std::string& key) {
  const std::string body = R"({"subject":")" + key + R"(","text":")" + std::string(1'400, 'x') + "\"}";
  return "POST /webhooks/good HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nX-Delivery: " + key +
         "\r\nX-Signature: " + testing::RunningHost::github_signature(body) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// The task that an answer names; empty if it names none.
inline std::string task_of(const test::RawAnswer& answer) {
  const auto body = parse_json(answer.body);
  return body.ok() ? string_member(*body, "task_id") : "";
}

inline test::RawAnswer deliver(int port, const std::string& key) {
  test::RawClient client(port);
  client.send(delivery_request(key));
  return client.read_answer();
}

// Deliver without pause, each on a connection that is kept alive, until stopped or nobody listens any more.
// What is answered with 2xx goes into `acknowledged`.
class Senders {
 public:
  Senders(int port, int connections, const std::string& name, Acknowledged& acknowledged)
      : port_(port), acknowledged_(acknowledged) {
    for (int i = 0; i < connections; ++i)
      threads_.emplace_back([this, prefix = name + "." + std::to_string(i) + "."] { send(prefix); });
  }
  ~Senders() { stop(); }

  void stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  // Answers that are neither 503 nor a 2xx that names a task.
  int surprises() const { return surprises_; }

 private:
  void send(const std::string& prefix) {
    auto client = std::make_unique<test::RawClient>(port_);
    for (int number = 0; !stopping_ && client->connected(); ++number) {
      const std::string key = prefix + std::to_string(number);
      client->send(delivery_request(key));
      const test::RawAnswer answer = client->read_answer();
      if (answer.status == 200 || answer.status == 202) {
        const std::string task = task_of(answer);
        if (task.empty()) ++surprises_;
        acknowledged_.add(key, task);
      } else if (answer.status != 503 && answer.status != 0) {
        ++surprises_;
      }
      if (answer.status == 0 || answer.header("Connection") == "close")
        client = std::make_unique<test::RawClient>(port_);
    }
  }

  const int port_;
  Acknowledged& acknowledged_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> surprises_{0};
  std::vector<std::thread> threads_;
};

}  // namespace davit::faults

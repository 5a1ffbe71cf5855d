// A running host whose plugins come and go: dropping libraries, asking for their state, deliveries in the
// meantime.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "tests/support/process_file.h"
#include "tests/support/running_host.h"

namespace davit::testing {

inline const std::filesystem::path kTestPlugins = DAVIT_BUILD_DIR "/tests/plugins";
inline const std::filesystem::path kBrokenPlugins = DAVIT_BUILD_DIR "/tests/broken_plugins";
inline const std::filesystem::path kPlugins = DAVIT_BUILD_DIR "/plugins";

// Time for probes where some hang for all of it. A sanitizer makes them slow.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kProbeSeconds = 10;
#else
inline constexpr int kProbeSeconds = 2;
#endif

inline std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Waits for a condition of another process.
inline bool eventually(const std::function<bool()>& condition,
                       std::chrono::milliseconds patience = std::chrono::seconds(30)) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // polls another process
  }
  return true;
}

// A signed delivery to the test webhook "good", as bytes.
inline std::string good_request(const std::string& body, const std::string& id,
                                const std::string& webhook = "good") {
  return "POST /webhooks/" + webhook +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Delivery: " + id +
         "\r\nX-Signature: " + RunningHost::github_signature(body) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class HotHost : public RunningHost {
 public:
  std::filesystem::path drop() const { return folder() / "plugins"; }

  // Renames finished bytes into place, as good tools do.
  void put_bytes(const std::string& name, const std::string& bytes) {
    const auto target = drop() / name;
    const auto hidden = target.parent_path() / ("." + target.filename().string() + ".tmp");
    std::ofstream(hidden, std::ios::binary) << bytes;
    ::chmod(hidden.c_str(), 0700);
    std::filesystem::rename(hidden, target);
  }
  void put(const std::string& name, const std::filesystem::path& library) {
    put_bytes(name, bytes_of(library));
  }
  // The same plugin with other bytes: what follows the sections of a library is nobody's business.
  void put_variant(const std::string& name, const std::filesystem::path& library, const std::string& tail) {
    put_bytes(name, bytes_of(library) + tail);
  }
  void remove(const std::string& name) { std::filesystem::remove(drop() / name); }

  // A command that asks this host.
  Output ask(std::vector<std::string> words) {
    words.push_back("--url=http://127.0.0.1:" + std::to_string(port()));
    return command(std::move(words));
  }

  test::RawAnswer deliver(const std::string& body = "{}", const std::string& id = new_id(),
                          const std::string& webhook = "good") {
    test::RawClient client(port());
    client.send(good_request(body, id, webhook));
    return client.read_answer();
  }

  // The entry of a webhook, an agent or a library in the list of plugins; null if it is not there.
  JsonDocument plugin(const std::string& kind, const std::string& name) {
    JsonDocument found;
    auto all = parse_json(api("GET", "/api/dashboard/plugins").body);
    const JsonValue* list = all ? find_member(*all, "plugins") : nullptr;
    if (list == nullptr || !list->IsArray()) return found;
    for (const JsonValue& entry : list->GetArray()) {
      if (string_member(entry, "kind") == kind && string_member(entry, "name") == name)
        found.CopyFrom(entry, found.GetAllocator());
    }
    return found;
  }
  std::string state_of(const std::string& kind, const std::string& name) {
    JsonDocument entry = plugin(kind, name);
    return entry.IsObject() ? string_member(entry, "state") : "";
  }
  std::int64_t generation_of(const std::string& kind, const std::string& name) {
    JsonDocument entry = plugin(kind, name);
    return entry.IsObject() ? int_member(entry, "generation") : 0;
  }
  // The code a dropped file was refused for; empty if it was not.
  std::string refusal_of(const std::string& file) {
    JsonDocument entry = plugin("library", file);
    const JsonValue* refusal = entry.IsObject() ? find_member(entry, "refusal") : nullptr;
    return refusal != nullptr && refusal->IsObject() ? string_member(*refusal, "code") : "";
  }
  // The sentence beside it.
  std::string refusal_sentence_of(const std::string& file) {
    JsonDocument entry = plugin("library", file);
    const JsonValue* refusal = entry.IsObject() ? find_member(entry, "refusal") : nullptr;
    return refusal != nullptr && refusal->IsObject() ? string_member(*refusal, "reason") : "";
  }
  std::string reason_of(const std::string& kind, const std::string& name) {
    JsonDocument entry = plugin(kind, name);
    return entry.IsObject() ? string_member(entry, "reason") : "";
  }
  bool wait_for_state(const std::string& kind, const std::string& name, const std::string& state) {
    return eventually([&] { return state_of(kind, name) == state; });
  }
  bool wait_for_log(const std::string& words, std::size_t times = 1) {
    return eventually([&] {
      std::size_t seen = 0;
      const std::string text = log();
      for (std::size_t at = 0; (at = text.find(words, at)) != std::string::npos; at += words.size()) ++seen;
      return seen >= times;
    });
  }

  // The host itself: under a supervisor, its child.
  pid_t host_pid() const {
    std::ifstream file("/proc/" + std::to_string(pid()) + "/task/" + std::to_string(pid()) + "/children");
    pid_t child = 0;
    return file >> child ? child : pid();
  }
  std::size_t descriptors() const { return count_in("/proc/" + std::to_string(pid()) + "/fd"); }
  std::size_t children() const { return child_pids().size(); }
  // Processes that serve this webhook or agent.
  std::set<pid_t> runner_pids(const std::string& name) const {
    std::set<pid_t> runners;
    for (pid_t child : child_pids()) {
      if (process_file(child, "cmdline").find('\0' + name + '\0') != std::string::npos) runners.insert(child);
    }
    return runners;
  }
  std::size_t runners_of(const std::string& name) const { return runner_pids(name).size(); }
  std::size_t threads() const { return count_in("/proc/" + std::to_string(pid()) + "/task"); }
  // Resident memory in KiB.
  long resident_kib() const {
    std::ifstream file("/proc/" + std::to_string(pid()) + "/statm");
    long pages = 0, resident = 0;
    file >> pages >> resident;
    return resident * (::sysconf(_SC_PAGESIZE) / 1024);
  }

 private:
  std::vector<pid_t> child_pids() const {
    std::vector<pid_t> pids;
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid()) + "/task")) {
      std::ifstream file(task.path() / "children");
      for (pid_t child; file >> child;) pids.push_back(child);
    }
    return pids;
  }
  static std::size_t count_in(const std::filesystem::path& folder) {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
  }
};

// Signed deliveries at a steady rate over connections that stay open, until it is stopped.
class Load {
 public:
  struct Sent {
    std::size_t sent = 0, deferred = 0;
    std::map<int, std::size_t> statuses;              // 0: the connection ended without an answer
    std::map<std::string, std::string> acknowledged;  // delivery id: task id, empty while deferred
  };

  Load(int port, int per_second, std::function<std::string(std::size_t number)> body, int connections = 4)
      : port_(port), body_(std::move(body)) {
    for (int i = 0; i < connections; ++i) {
      threads_.emplace_back(
          [this, gap = std::chrono::microseconds(1'000'000) * connections / per_second] { send(gap); });
    }
  }
  ~Load() { stop(); }

  // What was sent and what was answered. Ends the load.
  Sent stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    return sent_;
  }
  std::size_t so_far() const { return number_.load(); }
  std::size_t answered() const { return answered_.load(); }
  // The longest that an answer took since this was last asked.
  std::chrono::nanoseconds take_longest_wait() { return std::chrono::nanoseconds(longest_wait_.exchange(0)); }
  // Where the host listens after a restart.
  void follow(int port) { port_ = port; }

 private:
  void send(std::chrono::microseconds gap) {
    auto next = std::chrono::steady_clock::now();
    std::optional<test::RawClient> client;
    int connected_to = 0;
    while (!stopping_) {
      std::this_thread::sleep_until(next);  // the rate of the load
      next += gap;
      if (!client || connected_to != port_) client.emplace(connected_to = port_);
      const std::string id = new_id();
      const std::size_t number = number_++;
      test::RawAnswer answer;
      const auto begun = std::chrono::steady_clock::now();
      if (client->connected() && client->send(good_request(body_(number), id)))
        answer = client->read_answer();
      note_wait(std::chrono::steady_clock::now() - begun);
      if (answer.status != 0) ++answered_;
      if (answer.status == 0 || answer.header("Connection") == "close") client.reset();
      note(id, answer);
    }
  }
  void note_wait(std::chrono::nanoseconds took) {
    auto longest = longest_wait_.load();
    while (longest < took.count() && !longest_wait_.compare_exchange_weak(longest, took.count())) {
    }
  }
  void note(const std::string& id, const test::RawAnswer& answer) {
    auto body = parse_json(answer.body);
    std::lock_guard lock(mutex_);
    ++sent_.sent;
    ++sent_.statuses[answer.status];
    if (answer.status != 202 || !body) return;
    const JsonValue* details = find_member(*body, "details");
    if (details != nullptr && bool_member(*details, "deferred")) ++sent_.deferred;
    sent_.acknowledged[id] = string_member(*body, "task_id");
  }

  std::atomic<int> port_;
  const std::function<std::string(std::size_t)> body_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> number_{0}, answered_{0};
  std::atomic<std::chrono::nanoseconds::rep> longest_wait_{0};
  std::mutex mutex_;
  Sent sent_;
  std::vector<std::thread> threads_;
};

// Asks the host again and again whether it is well, on a connection for each question, until it is stopped.
class HealthWatch {
 public:
  struct Seen {
    std::size_t asked = 0, well = 0;
  };

  explicit HealthWatch(int port) : port_(port), thread_([this] { watch(); }) {}
  ~HealthWatch() { stop(); }
  // Ends the watch.
  Seen stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    return seen_;
  }

 private:
  void watch() {
    while (!stopping_) {
      test::RawClient client(port_);
      client.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
      ++seen_.asked;
      if (client.read_answer().status == 200) ++seen_.well;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));  // the rate of the questions
    }
  }

  const int port_;
  std::atomic<bool> stopping_{false};
  Seen seen_;
  std::thread thread_;
};

}  // namespace davit::testing

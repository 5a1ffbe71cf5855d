// The real program on a folder of its own: configuration, database, plugins. For tests that use davit as
// people do.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "host/base/crypto.h"
#include "host/base/file.h"
#include "host/base/id.h"
#include "host/base/json.h"
#include "tests/integration/raw_client.h"
#include "tests/support/temp_database.h"

extern char** environ;

namespace davit::testing {

// Confined to one thread. Ends what it started.
class RunningHost {
 public:
  static constexpr const char* kSecret = "a-secret-for-tests-0123456789";

  RunningHost() {
    std::filesystem::create_directories(folder() / "plugins");
    std::filesystem::permissions(folder() / "plugins", std::filesystem::perms::owner_all);
  }
  ~RunningHost() {
    end(SIGKILL);
    // Whichever of its processes a sanitizer stopped, and whatever the test looked at.
    for (const char* report : {"Sanitizer: ", "runtime error: "})
      EXPECT_EQ(log().find(report), std::string::npos) << log();
  }

  const std::filesystem::path& folder() const { return folder_.path(); }
  std::filesystem::path log_file() const { return folder() / "log.txt"; }
  int port() const { return port_; }
  pid_t pid() const { return pid_; }

  // Copies a library of the build into the plugins folder.
  void install(const std::filesystem::path& library, const std::string& as = "") {
    auto target = folder() / "plugins" / (as.empty() ? library.filename().string() : as);
    std::filesystem::copy_file(library, target, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(target, std::filesystem::perms::owner_all);
  }

  // `sections` is YAML for webhooks:, agents: and so on.
  void configure(const std::string& sections) {
    std::ofstream file(folder() / "davit.yaml");
    file << "server: {host: 127.0.0.1, port: 0, threads: 2" << server_options << "}\n"
         << "storage: {path: " << (folder() / "davit.db").string() << storage_options << "}\n"
         << "plugins: {directory: " << (folder() / "plugins").string()
         << ", store: " << (folder() / "plugin-store").string() << ", settle: 0" << plugin_options << "}\n"
         << "log: {level: debug" << log_options << "}\n"
         << sections << "\nreplies: {" << reply_options << "}\n";
  }

  // Starts `davit serve` and waits until it says that it is ready. False if it ended before; then
  // exit_status() tells how.
  bool start(std::vector<std::string> more = {"--no-supervisor"}) {
    int ready[2];
    if (::pipe(ready) != 0) return false;
    ::fcntl(ready[0], F_SETFD, FD_CLOEXEC);
    std::vector<std::string> words = run_under;
    words.insert(words.end(), {kProgram, "serve", "--config=" + (folder() / "davit.yaml").string(),
                               "--ready-fd=" + std::to_string(ready[1])});
    for (std::string& word : more) words.push_back(std::move(word));
    pid_ = spawn(words, log_file(), true);
    ::close(ready[1]);
    std::string line;
    for (char c; ::read(ready[0], &c, 1) == 1 && c != '\n';) line += c;
    ::close(ready[0]);
    if (line.rfind("ready ", 0) != 0) {
      wait_for_end();
      return false;
    }
    port_ = std::atoi(line.c_str() + 6);
    std::ifstream token(folder() / "admin.token");
    std::getline(token, token_);
    follow_port();
    return true;
  }

  // Starts it without waiting for anything; end() ends it.
  void launch(const std::vector<std::string>& more = {"--no-supervisor"}) {
    std::vector<std::string> words{kProgram, "serve", "--config=" + (folder() / "davit.yaml").string()};
    words.insert(words.end(), more.begin(), more.end());
    pid_ = spawn(words, log_file(), true);
  }

  // Under a supervisor, once the log tells of one more start than before: goes on with that one's port.
  bool follow_port() {
    std::string text = log();
    constexpr std::string_view kServes = "davit serves address=127.0.0.1 port=";
    std::size_t starts = 0, last = 0;
    for (std::size_t at = 0; (at = text.find(kServes, at)) != std::string::npos; at += kServes.size()) {
      ++starts;
      last = at;
    }
    if (starts <= seen_starts_) return false;
    seen_starts_ = starts;
    port_ = std::atoi(text.c_str() + last + kServes.size());
    return true;
  }

  // Runs davit with other arguments against this host's configuration; its output and exit status.
  struct Output {
    int status = -1;
    std::string text;
  };
  Output command(std::vector<std::string> words) {
    auto file = folder() / ("out-" + new_id());
    words.insert(words.begin(), kProgram);
    words.push_back("--config=" + (folder() / "davit.yaml").string());
    pid_t pid = spawn(words, file, false);
    int status = 0;
    ::waitpid(pid, &status, 0);
    Output output;
    output.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    output.text = read_file(file).ok() ? *read_file(file) : "";
    return output;
  }

  // Ends the host and gives its exit status, or minus the signal.
  int end(int signal) {
    if (pid_ <= 0) return exit_status_;
    ::kill(pid_, signal);
    wait_for_end();
    return exit_status_;
  }
  // It ends by itself.
  void wait_for_end() {
    if (pid_ <= 0) return;
    int status = 0;
    ::waitpid(pid_, &status, 0);
    exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    pid_ = -1;
  }
  int exit_status() const { return exit_status_; }
  bool running() const {
    siginfo_t ended{};
    return pid_ > 0 && ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == 0;
  }

  // Sends one request on a connection of its own.
  test::RawAnswer request(const std::string& method, const std::string& target, const std::string& body = "",
                          const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    std::string text = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n";
    for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
    if (!body.empty() || method == "POST") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    test::RawClient client(port_);
    client.send(text + "\r\n" + body);
    test::RawAnswer answer = client.read_answer(method != "HEAD");
    if (on_answer) on_answer(method, target, answer);
    return answer;
  }
  test::RawAnswer api(const std::string& method, const std::string& target, const std::string& body = "") {
    return request(method, target, body, {{"Authorization", "Bearer " + token_}});
  }
  const std::string& token() const { return token_; }

  static std::string github_signature(const std::string& body, const std::string& secret = kSecret) {
    return "sha256=" + to_hex(hmac(HashAlgorithm::Sha256, secret, body));
  }
  // A delivery as GitHub sends it.
  test::RawAnswer github(const std::string& event, const std::string& body,
                         const std::string& delivery_id = new_id()) {
    return request("POST", "/webhooks/github", body,
                   {{"Content-Type", "application/json"},
                    {"X-GitHub-Event", event},
                    {"X-GitHub-Delivery", delivery_id},
                    {"X-Hub-Signature-256", github_signature(body)}});
  }

  // The task as the API shows it, once its status is one of `statuses`; null if that takes over 20 s.
  JsonDocument wait_for_task(const std::string& id, const std::vector<std::string>& statuses) {
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (;;) {
      auto answer = api("GET", "/api/dashboard/tasks/" + id);
      auto task = parse_json(answer.body);
      if (task && answer.status == 200) {
        for (const std::string& status : statuses) {
          if (string_member(*task, "status") == status) return std::move(*task);
        }
      }
      if (std::chrono::steady_clock::now() > until) {
        ADD_FAILURE() << "task " << id << " did not get there: " << answer.body << "\n" << log();
        return JsonDocument();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));  // polls the API of another process
    }
  }

  std::string log() const {
    auto text = read_file(log_file());
    return text ? *text : "";
  }

  // Is shown each answer that request() gets.
  std::function<void(const std::string& method, const std::string& target, const test::RawAnswer&)> on_answer;
  // More of the YAML's sections, beginning with a comma.
  std::string server_options, storage_options, plugin_options, log_options;
  std::string reply_options =
      "hosts: []";                     // recorded deliveries name Slack's, which no test may tell anything
  std::vector<std::string> run_under;  // words before the program, which they must become: prlimit, strace …
  std::map<std::string, std::string> environment{{"GITHUB_WEBHOOK_SECRET", kSecret}};

 private:
  static constexpr const char* kProgram = DAVIT_BUILD_DIR "/bin/davit";

  pid_t spawn(std::vector<std::string> words, const std::filesystem::path& output, bool append) {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::vector<std::string> variables{"PATH=/usr/local/bin:/usr/bin:/bin"};
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    for (const char* passed : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"}) {
      if (const char* value = std::getenv(passed)) variables.push_back(std::string(passed) + "=" + value);
    }
    std::vector<char*> envp;
    for (std::string& variable : variables) envp.push_back(variable.data());
    envp.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, output.c_str(),
                                     O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t pid = -1;
    int failure = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), envp.data());
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) ADD_FAILURE() << argv[0] << " cannot be started: " << errno_text(failure);
    return pid;
  }

  TempFolder folder_;
  pid_t pid_ = -1;
  int port_ = 0;
  int exit_status_ = 0;
  std::size_t seen_starts_ = 0;
  std::string token_;
};

}  // namespace davit::testing

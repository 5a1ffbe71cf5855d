// The store of the copies that libraries are loaded from: it holds what is used, and a start reads no more.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <set>

#include "tests/support/hot_host.h"

namespace davit::testing {
namespace {

using ::testing::IsSupersetOf;

using Names = std::set<std::string>;

// Names in a folder of what has been opened in it since this began.
class OpenedFiles {
 public:
  explicit OpenedFiles(const std::filesystem::path& folder) : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    EXPECT_GE(::inotify_add_watch(fd_.number(), folder.c_str(), IN_OPEN), 0);
  }
  Names names() {
    alignas(inotify_event) char buffer[16'384];
    for (ssize_t got; (got = ::read(fd_.number(), buffer, sizeof buffer)) > 0;) {
      for (ssize_t at = 0; at < got;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
        if (event->len > 0) names_.insert(event->name);
        at += static_cast<ssize_t>(sizeof *event + event->len);
      }
    }
    return names_;
  }

 private:
  UniqueFd fd_;
  Names names_;
};

class StoredCopiesTest : public ::testing::Test {
 protected:
  void start() {
    host.configure(
        "webhooks: {good: {secret_env: GITHUB_WEBHOOK_SECRET, replay_window: 0s}}\n"
        "agents: {worker: {concurrency: 1, max_retries: 0}}\n");
    ASSERT_TRUE(host.start()) << host.log();
  }
  // Puts the library there with other bytes, and waits until they serve. Gives their hash.
  std::string replace(const std::string& kind, const std::string& name, const std::string& file,
                      const std::filesystem::path& library, const std::string& tail) {
    host.put_variant(file, library, tail);
    const std::string sha256 = sha256_hex(bytes_of(library) + tail);
    EXPECT_TRUE(eventually([&] {
      JsonDocument entry = host.plugin(kind, name);
      return entry.IsObject() && string_member(entry, "sha256") == sha256;
    })) << host.log();
    return sha256;
  }
  std::filesystem::path store() const { return host.folder() / "plugin-store"; }
  Names stored() const {
    Names names;
    for (const auto& entry : std::filesystem::directory_iterator(store()))
      names.insert(entry.path().filename().string());
    return names;
  }
  static Names files_of(const std::vector<std::string>& hashes) {
    Names names;
    for (const std::string& sha256 : hashes) names.insert({sha256 + ".so", sha256 + ".probe.json"});
    return names;
  }
  bool stores(const Names& names) {
    return eventually([&] { return stored() == names; });
  }
  const std::filesystem::path webhook = kTestPlugins / "good_webhook.so";
  const std::filesystem::path worker = kTestPlugins / "scripted_agent.so";
  HotHost host;
};

TEST_F(StoredCopiesTest, AfterManyReplacementsThereIsWhatServesAndWhatItWouldGoBackTo) {
  host.put("good_webhook.so", webhook);
  start();
  std::vector<std::string> hashes;
  for (int i = 0; i < 12; ++i) {
    hashes.push_back(replace("webhook", "good", "good_webhook.so", webhook, "tail " + std::to_string(i)));
    EXPECT_EQ(host.deliver().status, 202);  // a runner of each, so that each was in use
  }
  EXPECT_TRUE(stores(files_of({hashes[10], hashes[11]}))) << ::testing::PrintToString(stored());
  // What was forgotten is copied anew when it comes back.
  const std::string again = replace("webhook", "good", "good_webhook.so", webhook, "tail 0");
  EXPECT_EQ(again, hashes[0]);
  EXPECT_EQ(host.deliver().status, 202);
  EXPECT_TRUE(stores(files_of({hashes[11], again}))) << ::testing::PrintToString(stored());
}

TEST_F(StoredCopiesTest, ACopyStaysUntilTheTaskThatRunsOnItHasEnded) {
  host.put("worker.so", worker);
  start();
  const auto made = host.api("POST", "/api/tasks", R"({"agent":"worker","payload":{"mode":"wait"}})");
  const std::string task = string_member(*parse_json(made.body), "task_id");
  host.wait_for_task(task, {"running"});
  const std::string first = sha256_hex(bytes_of(worker));
  std::vector<std::string> hashes;
  for (int i = 0; i < 4; ++i)
    hashes.push_back(replace("agent", "worker", "worker.so", worker, "tail " + std::to_string(i)));
  EXPECT_TRUE(stores(files_of({first, hashes[2], hashes[3]}))) << ::testing::PrintToString(stored());
  EXPECT_EQ(host.api("POST", "/api/tasks/" + task + "/cancel").status, 200);
  host.wait_for_task(task, {"cancelled"});
  EXPECT_TRUE(stores(files_of({hashes[2], hashes[3]}))) << ::testing::PrintToString(stored());
}

TEST_F(StoredCopiesTest, AStartOpensTheCopiesItServesFromAndRemovesTheOthersUnread) {
  host.put("good_webhook.so", webhook);
  start();
  const Names needed = files_of({sha256_hex(bytes_of(webhook))});
  ASSERT_TRUE(stores(needed)) << ::testing::PrintToString(stored());
  EXPECT_EQ(host.end(SIGTERM), 0);
  // As a life of many replacements that was cut off before it could forget leaves it.
  Names left;
  for (int i = 0; i < 200; ++i) {
    const std::string sha256 = sha256_hex(std::to_string(i));
    for (const std::string& name : files_of({sha256})) left.insert(name);
    std::ofstream(store() / (sha256 + ".so")) << bytes_of(webhook);
    std::ofstream(store() / (sha256 + ".probe.json")) << "{}";
  }
  OpenedFiles opened(store());
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(host.deliver().status, 202);
  EXPECT_TRUE(stores(needed)) << stored().size();
  const Names names = opened.names();
  EXPECT_THAT(names, IsSupersetOf(needed));
  for (const std::string& name : left) EXPECT_FALSE(names.contains(name)) << name;
}

}  // namespace
}  // namespace davit::testing

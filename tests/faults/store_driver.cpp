// Works on a database as the host does, through the real store, and says on standard output what was
// acknowledged:
//   accepted KEY TASK, claimed TASK, finished TASK
// each by one write() of its own, after the store's answer. Failures of storage are said ("refused …") and
// survived.
//
// Usage: store_driver DATABASE [opens=N] [batches=N] [body=BYTES] [durability=normal|off] [dies] [hasty]
// [stubborn]
//   opens       how often the database is opened and closed again
//   batches     of three deliveries each, per open
//   durability  what SQLite is made to do whatever the store asks for; for known-bad variants
//   dies        by SIGKILL in place of closing the database
//   hasty       acknowledges before the store has answered; a known-bad variant as well
//   stubborn    tries a sync that failed once more and believes the second answer; likewise
// Ends with 0, or with 20 if the database does not open.
#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <iostream>
#include <map>

#include "host/base/log.h"
#include "tests/faults/durability.h"
#include "tests/support/temp_database.h"

namespace davit::faults {
namespace {

using testing::wait;

constexpr int kDoesNotOpen = 20;

struct Work {
  store::Options options;
  int opens = 1;
  int batches = 10;
  std::size_t body = 1'000;
  bool dies = false;
  bool hasty = false;
};

void say(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
}

// SQLite's own files, but for their sync.
class StubbornFiles {
 public:
  static void register_them() {
    usual_ = sqlite3_vfs_find(nullptr);
    stubborn_ = *usual_;
    stubborn_.zName = "stubborn";
    stubborn_.xOpen = open;
    sqlite3_vfs_register(&stubborn_, 0);
  }

 private:
  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* got) {
    const int code = usual_->xOpen(usual_, name, file, flags, got);
    if (file->pMethods == nullptr) return code;
    // Kinds of files differ in their methods, but not in how they are synced.
    sqlite3_io_methods& methods = methods_[(flags & SQLITE_OPEN_MAIN_DB) != 0 ? 0 : 1];
    sync_ = file->pMethods->xSync;
    methods = *file->pMethods;
    methods.xSync = [](sqlite3_file* synced, int how) {
      return sync_(synced, how) == SQLITE_OK ? SQLITE_OK : sync_(synced, how);
    };
    file->pMethods = &methods;
    return code;
  }
  static inline sqlite3_vfs* usual_;
  static inline sqlite3_vfs stubborn_;
  static inline sqlite3_io_methods methods_[2];
  static inline int (*sync_)(sqlite3_file*, int);
};

store::NewDelivery delivery_of(const std::string& key, const Work& work) {
  store::NewDelivery delivery;
  delivery.id = new_id();
  delivery.webhook = "github";
  delivery.delivery_key = key;
  delivery.method = "POST";
  delivery.body = std::string(work.body, 'x');
  delivery.verdict = store::Verdict::Queued;
  NewTask task;
  task.agent = "planner";
  task.title = key;
  delivery.answer.tasks.push_back(task);
  return delivery;
}

void accept_batch(store::Store& store, const Work& work, const std::string& name) {
  std::map<std::string, std::future<Result<store::Accepted>>> answers;
  for (int i = 0; i < 3; ++i) {
    const std::string key = name + "." + std::to_string(i);
    auto promise = std::make_shared<std::promise<Result<store::Accepted>>>();
    answers[key] = promise->get_future();
    if (work.hasty) say("accepted " + key + " ");
    store.accept(delivery_of(key, work),
                 [promise](Result<store::Accepted> answer) { promise->set_value(std::move(answer)); });
  }
  for (auto& [key, future] : answers) {
    const Result<store::Accepted> answer = future.get();
    if (work.hasty) continue;
    say(answer.ok() ? "accepted " + key + " " + answer->task_ids.at(0) : "refused " + answer.error().message);
  }
}

void run_one_task(store::Store& store) {
  const auto claimed = wait<std::vector<ClaimedTask>>([&](auto done) {
    store.claim({.agents = {{"planner", 1}}, .limit = 1}, done);
  });
  if (!claimed.ok()) return say("refused " + claimed.error().message);
  if (claimed->empty()) return;
  const ClaimedTask& task = claimed->front();
  say("claimed " + task.task_id);
  store::Finish finish;
  finish.fence = task.fence;
  finish.result.success = true;
  finish.result.output = R"({"answer":42})";
  finish.outcome = "completed";
  const auto finished = wait<TaskState>([&](auto done) { store.finish(std::move(finish), done); });
  say(finished.ok() ? "finished " + task.task_id : "refused " + finished.error().message);
}

int run(const Work& work) {
  const auto log = Log::silent();
  const SystemClock clock;
  for (int open = 0; open < work.opens; ++open) {
    auto opened = store::Store::open(work.options, *log, clock);
    if (const auto* error = std::get_if<store::OpenError>(&opened)) {
      std::cerr << error->message << std::endl;
      return kDoesNotOpen;
    }
    store::Store& store = *std::get<0>(opened);
    for (int batch = 0; batch < work.batches; ++batch) {
      accept_batch(store, work,
                   std::to_string(::getpid()) + "." + std::to_string(open) + "." + std::to_string(batch));
      if (batch % 2 == 1) run_one_task(store);
    }
    if (work.dies) ::raise(SIGKILL);
    say("closing");
  }
  return 0;
}

}  // namespace
}  // namespace davit::faults

int main(int argc, char** argv) {
  using namespace davit::faults;
  if (argc < 2) return 2;
  Work work;
  work.options.path = argv[1];
  work.options.create_if_missing = true;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    const auto number = [&](std::size_t at) { return std::atoi(word.c_str() + at); };
    if (word.rfind("opens=", 0) == 0) work.opens = number(6);
    if (word.rfind("batches=", 0) == 0) work.batches = number(8);
    if (word.rfind("body=", 0) == 0) work.body = static_cast<std::size_t>(number(5));
    if (word == "dies") work.dies = true;
    if (word == "hasty") work.hasty = true;
    if (word == "stubborn") {
      StubbornFiles::register_them();
      work.options.vfs = "stubborn";
    }
    if (word == "durability=normal") keep_durability<kNormalDurability>();
    if (word == "durability=off") keep_durability<kNoDurability>();
  }
  return run(work);
}

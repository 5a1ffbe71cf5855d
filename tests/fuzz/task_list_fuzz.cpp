// What people ask the lists of the dashboard for: any text as cursor, filter and search, over a few tasks.
// The search finds what holds the words and nothing else, whatever the text means to SQL.
#include <array>
#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include "host/base/id.h"
#include "host/base/json.h"
#include "host/base/log.h"
#include "host/store/search_text.h"
#include "host/store/store.h"
#include "tests/fuzz/fuzz.h"

namespace {

using davit::fuzz::promise;
namespace store = davit::store;

constexpr std::array<std::string_view, 5> kTitles{"Fix 100% of _all_ crashes", "fix\\nothing",
                                                  "it's \"quoted\"", "\xC3\x9Cml\xC3\xA4ut",
                                                  "-- ; DROP TABLE task"};

// A store with the tasks, in a folder that goes with it.
class FilledStore {
 public:
  FilledStore() : folder_(std::filesystem::temp_directory_path() / ("davit-fuzz-" + davit::new_id())) {
    std::filesystem::create_directory(folder_);
    store::Options options;
    options.path = folder_ / "davit.db";
    options.create_if_missing = true;
    auto opened = store::Store::open(options, *log_, clock_);
    promise(opened.index() == 0, "a store can be made");
    store_ = std::move(std::get<0>(opened));
    for (const std::string_view title : kTitles) {
      davit::NewTask task;
      task.agent = "agent";
      task.title = title;
      std::promise<bool> done;
      store_->create_task(task, "fuzz", {}, [&](davit::Result<std::string> id) { done.set_value(id.ok()); });
      promise(done.get_future().get(), "a task can be made");
    }
  }
  ~FilledStore() {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  const store::Store& operator*() const { return *store_; }

 private:
  std::filesystem::path folder_;
  davit::SystemClock clock_;
  std::unique_ptr<davit::Log> log_ = davit::Log::silent();
  std::unique_ptr<store::Store> store_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const FilledStore filled;  // made at the first input: it costs more than thousands of questions
  const std::string text(davit::fuzz::as_text(data, size));

  store::TaskFilter by_cursor;
  by_cursor.cursor = text;
  by_cursor.limit = 2;
  if (const auto page = (*filled).tasks(by_cursor)) {
    promise(page->items.size() <= 2, "a page is no longer than asked for");
    by_cursor.cursor = page->next_cursor;
    promise((*filled).tasks(by_cursor).ok(), "the next page can be asked for");
  } else {
    promise(davit::fuzz::is_one_line(page.error().message), "a refusal is one line");
  }
  store::Store::DeliveryFilter deliveries;
  deliveries.cursor = text;
  promise((*filled).deliveries(deliveries).ok() == (*filled).tasks(by_cursor = {.cursor = text}).ok(),
          "both lists know the same cursors");
  promise(!(*filled).task(text).ok() && !(*filled).delivery(text).ok(), "nobody guesses an id");

  if (!davit::is_utf8(text) || text.find('\0') != std::string::npos)
    return 0;  // the query refuses the one, no text has the other
  store::TaskFilter by_text;
  by_text.text = text;
  const auto found = (*filled).tasks(by_text);
  // The words of the index are cut by the tokenizer that reads what is not in it yet: both find the same.
  static const std::unique_ptr<store::Database> anything = store::Database::in_memory();
  static store::Words words(*anything);
  const auto search = store::SearchText::parse(words, text);
  promise(found.ok() == search.ok(), "any text that is not too long can be searched for");
  if (!found.ok()) {
    promise(davit::fuzz::is_one_line(found.error().message), "a refusal is one line");
    return 0;
  }
  std::size_t expected = 0;
  for (const std::string_view title : kTitles)
    expected += text.empty() || search->found_in(words, {title, "", ""});
  promise(found->items.size() == expected, "the search finds what holds the words");
  store::TaskFilter by_agent;
  by_agent.agent = text;
  by_agent.source = text;
  by_agent.entity = text;
  const auto none = (*filled).tasks(by_agent);
  promise(none.ok() && (text.empty() || none->items.empty()), "other names find nothing");
  return 0;
}

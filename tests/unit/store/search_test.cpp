// What is found by words and filters, whichever of it is indexed already.
#include <sqlite3.h>

#include <algorithm>
#include <random>
#include <set>
#include <thread>

#include "host/store/budgets.h"
#include "host/store/migrations.h"
#include "host/store/search_text.h"
#include "host/store/task_list.h"
#include "tests/unit/store/conformance.h"
#include "tests/unit/store/undone.h"

namespace davit::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr Duration kHour{3'600'000};

class SearchTest : public StoreTest {
 protected:
  std::string make(const std::string& title, const std::string& entity = "",
                   const std::string& agent = "planner") {
    NewTask task = new_task(agent);
    task.title = title;
    task.entity = entity;
    task.max_retries = 0;
    return create(task);
  }
  // The writer indexes on its own, between other writes.
  void wait_for_index() {
    auto opened = Database::open(database_.path(), Database::Mode::Read, "");
    Database& database = *std::get<0>(opened);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (database.integer("SELECT reached < (SELECT max(row) FROM task) FROM task_search_state") != 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << "nobody indexes";
      std::this_thread::yield();
    }
  }
  // The same before and after it is indexed.
  void expect_found(const std::string& text, const std::vector<std::string>& wanted) {
    EXPECT_EQ(titles({.text = text}), wanted) << text;
    wait_for_index();
    EXPECT_EQ(titles({.text = text}), wanted) << text << ", indexed";
  }
  // Runs SQL behind the store's back.
  void change(const std::string& sql) {
    database_.close();
    auto opened = Database::open(database_.path(), Database::Mode::Write, "");
    Database& database = *std::get<0>(opened);
    database.execute(sql.c_str());
    ASSERT_TRUE(database.check().ok()) << sql;
  }
  void TearDown() override {
    if (sound_) expect_sound();
  }
  bool sound_ = true;
};

TEST_F(SearchTest, WordsAreFoundInAnyOrderWithoutCaseAndAccents) {
  make("The LOGIN page crashes", "github:octo/repo#12");
  make("Märchen über Crêpes");
  make("crash of the page", "jira:PROJ-7");
  expect_found("page login", {"The LOGIN page crashes"});
  expect_found("marchen CREPES", {"Märchen über Crêpes"});
  expect_found("PAGE", {"crash of the page", "The LOGIN page crashes"});
  expect_found("octo/repo#12", {"The LOGIN page crashes"});
  expect_found("repo octo", {"The LOGIN page crashes"});
  expect_found("repo/octo", {});
  expect_found("proj-7", {"crash of the page"});
  expect_found("nothing page", {});
}

TEST_F(SearchTest, TheLastWordAndAStarredOneMayGoOn) {
  make("The LOGIN page crashes");
  make("crash of the page");
  make("a crane");
  expect_found("cras", {"crash of the page", "The LOGIN page crashes"});
  expect_found("cra", {"a crane", "crash of the page", "The LOGIN page crashes"});
  expect_found("cras page", {});
  expect_found("cras* page", {"crash of the page", "The LOGIN page crashes"});
  expect_found("cr", {});
  expect_found("pa", {});
  expect_found("a", {"a crane"});
}

TEST_F(SearchTest, LongerBeginningsFindWhateverTheyMayBe) {
  make("invoice of March");
  make("two invoices");
  make("invoiced twice");
  make("an invoic");
  make("\xd1\x81\xd1\x87\xd1\x91\xd1\x82\xd1\x8b");  // a word of five letters and ten bytes
  expect_found("invoice", {"invoiced twice", "two invoices", "invoice of March"});
  expect_found("invoice* march", {"invoice of March"});
  expect_found("two/invoice", {"two invoices"});
  expect_found("invoicing", {});
  expect_found("\xd1\x81\xd1\x87\xd1\x91\xd1\x82", {"\xd1\x81\xd1\x87\xd1\x91\xd1\x82\xd1\x8b"});
  std::vector<std::string> many;
  for (int i = 0; i < 80; ++i) many.push_back("build" + std::to_string(i) + " is red");
  for (const std::string& title : many) make(title);
  std::reverse(many.begin(), many.end());
  const TaskFilter red{.text = "red build", .limit = 100};
  EXPECT_EQ(titles(red), many);
  wait_for_index();
  EXPECT_EQ(titles(red), many);
  expect_found("build7", {"build79 is red", "build78 is red", "build77 is red", "build76 is red", "build75 is red",
                          "build74 is red", "build73 is red", "build72 is red", "build71 is red", "build70 is red",
                          "build7 is red"});
}

TEST_F(SearchTest, NoTextIsSyntax) {
  make("NEAR AND OR NOT");
  make("title: {a b} ^c");
  make("he said \"no\"");
  for (const char* text :
       {"\"",           "\"\"", "'",  "(",    ")",     "*",  "**", "AND", "OR", "NOT x", "NEAR(a b)",
        "title:",       "{a",   "^c", "a -b", "a + b", "\\", "%",  "_",   "--", ";",     "\"no",
        "no\" OR \"he", "a*b*", "#"})
    EXPECT_TRUE(store().tasks({.text = text}).ok()) << text;
  expect_found("and", {"NEAR AND OR NOT"});
  expect_found("\"no\"", {"he said \"no\""});
  expect_found("*", {});
}

TEST_F(SearchTest, WhatIsTooLongIsRefusedWithTheBound) {
  const auto code = [&](const std::string& text) {
    const auto page = store().tasks({.text = text});
    return page.ok() ? "" : page.error().message;
  };
  EXPECT_EQ(code(std::string(200, 'a')), "");
  EXPECT_THAT(code(std::string(201, 'a')), HasSubstr("q: must have at most 200 characters"));
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "ü";
  EXPECT_EQ(code(umlauts), "") << "characters, not bytes";
  EXPECT_EQ(code("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"), "");
  EXPECT_THAT(code("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"), HasSubstr("q: must have at most 16 words"));
}

TEST_F(SearchTest, TheIndexFollowsWhatChanges) {
  NewTask first = new_task();
  first.title = "old words";
  first.key = "k";
  first.max_retries = 0;
  create(first);
  wait_for_index();
  first.title = "fresh words";
  create(first);  // takes its place
  EXPECT_THAT(titles({.text = "old"}), IsEmpty());
  EXPECT_THAT(titles({.text = "fresh"}), ElementsAre("fresh words"));
  Finish failed = finish_of(claim_one().fence, TaskState::Failed);
  failed.result.error = "the volcano erupted";
  ASSERT_TRUE(finish(failed).ok());
  EXPECT_THAT(titles({.text = "volcano"}), ElementsAre("fresh words"));
  const std::string id = store().tasks({}).value().items.at(0).task_id;
  ASSERT_TRUE(retry(id).ok());
  EXPECT_THAT(titles({.text = "volcano"}), IsEmpty());
}

TEST_F(SearchTest, WhatIsPrunedIsFoundNoMore) {
  make("goes away");
  ASSERT_TRUE(finish(finish_of(claim_one().fence)).ok());
  wait_for_index();
  clock_.advance(48 * kHour);
  store().set_retention({24 * kHour, 0});
  while (!titles().empty()) std::this_thread::yield();
  EXPECT_THAT(titles({.text = "goes"}), IsEmpty());
  make("comes");
  EXPECT_THAT(titles({.text = "comes"}), ElementsAre("comes"));
}

TEST_F(SearchTest, ARestartGoesOnWhereTheIndexWas) {
  make("first one");
  database_.close();
  make("second one");
  expect_found("one", {"second one", "first one"});
}

TEST_F(SearchTest, WordsOfScriptsWithoutBlanksAreFoundInside) {
  make("修复登录页面错误");
  make("页面登记, 录像");
  make("ログインできない");
  make("LOGIN登录v2 fails");
  expect_found("登录", {"LOGIN登录v2 fails", "修复登录页面错误"});
  expect_found("录", {"LOGIN登录v2 fails", "页面登记, 录像", "修复登录页面错误"});
  expect_found("页面 登", {"页面登记, 录像", "修复登录页面错误"});
  expect_found("录登", {});
  expect_found("ログイン", {"ログインできない"});
  expect_found("登录v2", {"LOGIN登录v2 fails"});
  expect_found("login登录", {"LOGIN登录v2 fails"});
  // As many characters as a sentence has are one word to who writes it.
  expect_found("修复登录页面错误修复登录页面错误修复登录", {});
}

TEST_F(SearchTest, AnIndexFromBeforeCharactersWereWordsIsMadeAnewForThem) {
  make("修复登录页面错误", "github:octo/repo#1");
  make("plain");
  wait_for_index();
  change(undo_steps_behind(16));
  database_.open();
  EXPECT_EQ(titles({.text = "登录"}), std::vector<std::string>{"修复登录页面错误"});
  EXPECT_EQ(titles({.text = "octo plain"}), std::vector<std::string>());
  EXPECT_EQ(titles({.text = "octo/repo#1"}), std::vector<std::string>{"修复登录页面错误"});
  EXPECT_EQ(titles({.text = "plain"}), std::vector<std::string>{"plain"});
}

TEST_F(SearchTest, AnIndexThatIsNotAsTheTasksIsADamage) {
  make("first");
  make("second");
  wait_for_index();
  change(
      "INSERT INTO task_search (task_search, rowid, title, entity, error) VALUES ('delete', 1, 'first', "
      "NULL, NULL)");
  EXPECT_THAT(verify(database_.path()).value(),
              ElementsAre(HasSubstr("not in the index of words as it is: task row 1")));
  change("INSERT INTO task_search (task_search) VALUES ('rebuild')");
  EXPECT_THAT(verify(database_.path()).value(), IsEmpty());
  change("UPDATE task SET title = 'other' WHERE row = 2");
  EXPECT_THAT(verify(database_.path()).value(), ElementsAre(HasSubstr("task row 2")));
  change("UPDATE task SET created_at = created_at - 1 WHERE row = 2");
  EXPECT_THAT(verify(database_.path()).value(), ::testing::Contains(HasSubstr("older than the row before")));
  sound_ = false;
}

TEST_F(SearchTest, TasksFromBeforeTheIndexAreInIt) {
  sound_ = false;  // there is no store
  const std::unique_ptr<Database> old = Database::in_memory();
  for (const Migration& step : migrations().first(11)) old->execute(std::string(step.sql).c_str());
  for (const int created : {10, 20, 15, 16, 5})
    old->execute(("INSERT INTO task (id, state, agent, rank, run_at, execution, attempt, max_retries, "
                  "crashes, created_at,"
                  " updated_at, chain_depth, needs_approval, task_type, source, title) VALUES "
                  "(randomblob(16), 3, 'a', 0, 0,"
                  " 0, 0, 0, 0, " +
                  std::to_string(created) + ", 0, 1, 0, '', 's', 'made at " + std::to_string(created) + "')")
                     .c_str());
  old->execute(std::string(migrations()[11].sql).c_str());
  ASSERT_TRUE(old->check().ok());
  EXPECT_EQ(old->text("SELECT group_concat(row) FROM task_turn"), "3,5");
  EXPECT_EQ(old->text("SELECT group_concat(rowid) FROM task_search WHERE task_search MATCH '\"made\"'"),
            "1,2,3,4,5");
  EXPECT_EQ(old->integer("SELECT reached FROM task_search_state"), 5);
}

// ---- filters

// Tasks of every kind, with a clock that is set back now and then, and what each filter must let through.
class TaskFiltersTest : public SearchTest {
 protected:
  struct Known {
    std::string id, agent, source, entity, link, title, error;
    TaskState state = TaskState::Queued;
    WallTime created_at{};
  };

  void fill(unsigned seed, int count) {
    random_.seed(seed);
    for (int i = 0; i < count; ++i) {
      clock_.advance(pick(10) == 0 ? Duration(-3 * kHour) : Duration(pick(3) * 1'000'000));
      NewDelivery delivery = new_delivery("key-" + std::to_string(i), 0);
      delivery.webhook = any({"github", "jira", "slack"});
      delivery.verdict = Verdict::Queued;
      NewTask task = new_task(any({"planner", "executor", "reviewer"}));
      task.title = any({"Fix", "Look at", "Break"}) + " the " + any({"login", "logout", "page"});
      task.entity = any({"", "github:o/r#1", "github:o/r#2"});
      task.max_retries = 0;
      task.awaits_approval = pick(5) == 0;
      task.key = std::to_string(i);
      if (pick(2) == 0) delivery.answer.links = {{"mentions", any({"sentry:1", "sentry:2"}), ""}};
      delivery.answer.tasks = {task};
      ASSERT_TRUE(accept(delivery).ok());
    }
    for (const std::string agent : {"planner", "executor", "reviewer"}) {
      for (const ClaimedTask& claimed : claim(count / 6, {{agent, count / 6}})) {
        if (pick(8) == 0) continue;  // runs on
        const bool good = pick(2) == 0;
        Finish end = finish_of(claimed.fence, good ? TaskState::Completed : TaskState::Failed);
        if (!good) end.result.error = any({"timeout of the page", "the login was refused"});
        ASSERT_TRUE(finish(end).ok());
      }
    }
    for (const TaskSummary& task : all()) {
      if (task.state == TaskState::Queued && pick(6) == 0) {
        ASSERT_TRUE(cancel(task.task_id, "no login").ok());
      }
    }
    known_.clear();
    for (const TaskSummary& task : all()) {
      const TaskDetail detail = this->task(task.task_id);
      known_.push_back({task.task_id, task.agent, task.source, task.entity,
                        detail.links.empty() ? "" : detail.links.front().key, task.title, task.error,
                        task.state, task.created_at});
    }
  }
  std::vector<TaskSummary> all(TaskFilter filter = {}) {
    std::vector<TaskSummary> tasks;
    for (;;) {
      Page<TaskSummary> page = store().tasks(filter).value();
      std::move(page.items.begin(), page.items.end(), std::back_inserter(tasks));
      if (page.next_cursor.empty()) return tasks;
      filter.cursor = page.next_cursor;
    }
  }
  TaskFilter some_filter() {
    TaskFilter filter;
    filter.limit = 1 + pick(7);
    if (pick(2) == 0) filter.agent = any({"planner", "executor", "reviewer", "nobody"});
    if (pick(2) == 0) filter.source = any({"github", "jira", "slack", "none"});
    if (pick(4) == 0) filter.entity = any({"github:o/r#1", "github:o/r#2"});
    if (pick(4) == 0) filter.link = any({"sentry:1", "sentry:2"});
    if (pick(3) == 0) filter.text = any({"login", "log", "the page", "fix", "o/r#2", "refus"});
    for (int i = pick(4); i > 0; --i) filter.state.push_back(static_cast<TaskState>(pick(7)));
    if (!known_.empty() && pick(2) == 0) filter.start = known_[pick(known_.size())].created_at;
    if (!known_.empty() && pick(2) == 0) filter.end = known_[pick(known_.size())].created_at;
    return filter;
  }
  bool lets_through(Words& words, const TaskFilter& filter, const Known& task) {
    const bool state = filter.state.empty() ||
                       std::find(filter.state.begin(), filter.state.end(), task.state) != filter.state.end();
    return state && (filter.agent.empty() || filter.agent == task.agent) &&
           (filter.source.empty() || filter.source == task.source) &&
           (filter.entity.empty() || filter.entity == task.entity) &&
           (filter.link.empty() || filter.link == task.link) &&
           (!filter.start || task.created_at >= *filter.start) &&
           (!filter.end || task.created_at < *filter.end) &&
           (filter.text.empty() ||
            SearchText::parse(words, filter.text)->found_in(words, {task.title, task.entity, task.error}));
  }
  void expect_all_filters_hold(int questions) {
    const std::unique_ptr<Database> anything = Database::in_memory();
    Words words(*anything);
    int found = 0;
    for (int i = 0; i < questions; ++i) {
      const TaskFilter filter = some_filter();
      std::vector<std::string> wanted, got;
      for (const Known& task : known_)
        if (lets_through(words, filter, task)) wanted.push_back(task.id);
      for (const TaskSummary& task : all(filter)) got.push_back(task.task_id);
      found += static_cast<int>(wanted.size());
      ASSERT_EQ(got, wanted) << "question " << i << ": agent " << filter.agent << " source " << filter.source
                             << " entity " << filter.entity << " link " << filter.link << " text "
                             << filter.text << " states " << filter.state.size() << " limit " << filter.limit;
    }
    EXPECT_GT(found, questions) << "the filters let nothing through";
  }

  std::size_t pick(std::size_t below) { return random_() % below; }
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  std::string any(std::vector<std::string> of) { return of[pick(of.size())]; }

  std::mt19937 random_;
  std::vector<Known> known_;  // newest first
};

TEST_F(TaskFiltersTest, AnyCombinationLetsThroughWhatEachDoes) {
  for (const unsigned seed : {1u, 2u}) {
    fill(seed, 150);
    expect_all_filters_hold(300);
    wait_for_index();
    expect_all_filters_hold(300);
  }
}

TEST_F(TaskFiltersTest, PagesStayWholeWhileTasksComeAndChange) {
  fill(3, 60);
  TaskFilter filter{.agent = "planner", .limit = 3};
  std::vector<std::string> wanted, got;
  for (const TaskSummary& task : all(filter)) wanted.push_back(task.task_id);
  for (;;) {
    const Page<TaskSummary> page = store().tasks(filter).value();
    for (const TaskSummary& task : page.items) got.push_back(task.task_id);
    if (page.next_cursor.empty()) break;
    filter.cursor = page.next_cursor;
    make("newer than all that is shown");
  }
  EXPECT_EQ(got, wanted);
}

// Of each statement that the questions took: no table or index is walked from end to end.
TEST_F(TaskFiltersTest, NoCombinationWalksThroughATable) {
  fill(4, 40);
  wait_for_index();
  Reader reader(std::get<0>(Database::open(database_.path(), Database::Mode::Read, "")));
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(list_tasks(reader, some_filter(), {}, clock_.wall()).ok());
  std::set<std::string> asked;
  for (sqlite3_stmt* each = sqlite3_next_stmt(reader.database().handle(), nullptr); each != nullptr;
       each = sqlite3_next_stmt(reader.database().handle(), each))
    asked.insert(sqlite3_sql(each));
  int about_tasks = 0;
  for (const std::string& sql : asked) {
    // Few rows each, however many tasks there are.
    if (sql.find("FROM pause") != std::string::npos || sql.find("FROM task_turn") != std::string::npos ||
        sql.find("FROM task_search_state") != std::string::npos || !sql.starts_with("SELECT"))
      continue;
    about_tasks += sql.find("FROM task") != std::string::npos;
    Statement plan(reader.database(), "EXPLAIN QUERY PLAN " + sql);
    for (Cursor step = plan.query(); step.next();) {
      const std::string says = step.text(3);
      const bool walks = says.starts_with("SCAN ") && says.find(":M") == std::string::npos &&
                         says.find("task_word VIRTUAL TABLE INDEX 2:") == std::string::npos &&  // from a word on
                         says.find("CONSTANT ROW") == std::string::npos;
      EXPECT_FALSE(walks) << says << " in " << sql;
      EXPECT_EQ(says.find("TEMP B-TREE"), std::string::npos) << says << " in " << sql;
    }
  }
  EXPECT_GE(about_tasks, 8);
}

// Twenty thousand that ended, of two agents.
class ManyTasksTest : public SearchTest {
 protected:
  void SetUp() override {
    sound_ = false;  // none of them has an execution
    SearchTest::SetUp();
    make("one");
    wait_for_index();
    change(
        "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 20001)"
        " INSERT INTO task (row, id, state, agent, rank, run_at, execution, attempt, max_retries, crashes, created_at,"
        " updated_at, finished_at, chain_depth, needs_approval, task_type, source, title)"
        " SELECT i, randomblob(16), 5 - i % 3, iif(i % 2, 'odd', 'even'), 0, 0, 0, 0, 0, 0, 1e15, 1e15, 1e15, 1, 0, '',"
        " iif(i % 5, 'x', 'y'), iif(i % 2 OR i = 4, 'alpha', 'beta') FROM n;"
        "INSERT INTO task_body (row, payload) SELECT row, '{}' FROM task WHERE row > 1;"
        "INSERT INTO task_search (task_search) VALUES ('rebuild'); UPDATE task_search_state SET reached = 20001;");
  }
};

// By SQLite's own count of steps: no list steps over all that it does not show.
TEST_F(ManyTasksTest, APageCostsTheSameWhateverIsBehind) {
  Reader reader(std::get<0>(Database::open(database_.path(), Database::Mode::Read, "")));
  const auto steps = [&] {
    int all = 0;
    for (sqlite3_stmt* each = sqlite3_next_stmt(reader.database().handle(), nullptr); each != nullptr;
         each = sqlite3_next_stmt(reader.database().handle(), each))
      all += sqlite3_stmt_status(each, SQLITE_STMTSTATUS_VM_STEP, 1);
    return all;
  };
  const std::vector<TaskFilter> filters = {{},
                                           {.agent = "even"},
                                           {.source = "x"},
                                           {.state = {TaskState::Failed}},
                                           {.agent = "odd", .source = "y", .state = {TaskState::Completed}},
                                           {.agent = "even", .end = WallTime::max()},
                                           {.agent = "odd", .text = "alpha"}};
  for (std::size_t i = 0; i < filters.size(); ++i) {
    steps();
    const Result<Page<TaskSummary>> page = list_tasks(reader, filters[i], {}, clock_.wall());
    ASSERT_TRUE(page.ok()) << i;
    EXPECT_THAT(page.value().items, SizeIs(50)) << i;
    const int taken = steps();
    EXPECT_GT(taken, 50) << i;
    EXPECT_LT(taken, 20'000) << "filter " << i;
  }
}

// A word that half of the tasks have and an agent that has the other half: the page is cut rather than slow.
TEST_F(ManyTasksTest, AQuestionThatInterlocksBadlyGivesShortPages) {
  TaskFilter filter{.agent = "even", .text = "alpha"};
  std::vector<std::string> found;
  int pages = 0;
  for (;; ++pages) {
    const Page<TaskSummary> page = store().tasks(filter).value();
    for (const TaskSummary& task : page.items) found.push_back(task.title);
    if (page.next_cursor.empty()) break;
    EXPECT_NE(page.next_cursor, filter.cursor);
    filter.cursor = page.next_cursor;
  }
  EXPECT_THAT(found, ElementsAre("alpha"));
  EXPECT_GE(pages, 1);
}

}  // namespace
}  // namespace davit::store

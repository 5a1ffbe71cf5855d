#include "host/store/day_book.h"

#include <algorithm>
#include <utility>

#include "host/model/model_shares.h"
#include "host/store/statement.h"

namespace davit::store {
namespace {

constexpr std::size_t kDaysInMemory = 4;
constexpr std::string_view kOther = "other";

std::int64_t day_of(WallTime time) {
  return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}
std::int64_t hour_of(WallTime time) {
  return std::chrono::floor<std::chrono::hours>(time).time_since_epoch().count();
}

void add_sums(ExecutionSums& to, const ExecutionSums& more) {
  to.executions += more.executions;
  to.worked += more.worked;
  to.usage.input_tokens += more.usage.input_tokens;
  to.usage.output_tokens += more.usage.output_tokens;
  to.usage.cache_read_tokens += more.usage.cache_read_tokens;
  to.usage.cache_write_tokens += more.usage.cache_write_tokens;
  to.usage.cost_micro_usd += more.usage.cost_micro_usd;
}

bool is_nothing(const ExecutionSums& sums) {
  return sums.executions == 0 && sums.usage.total_tokens() == 0 && sums.usage.cost_micro_usd == 0;
}

// What is there already, and what comes to it: the end of each of these statements.
constexpr const char* kAdded =
    " ON CONFLICT DO UPDATE SET executions = executions + excluded.executions,"
    " duration_ms = duration_ms + excluded.duration_ms,"
    " input_tokens = input_tokens + excluded.input_tokens,"
    " output_tokens = output_tokens + excluded.output_tokens,"
    " cache_read_tokens = cache_read_tokens + excluded.cache_read_tokens,"
    " cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens,"
    " cost_micro_usd = cost_micro_usd + excluded.cost_micro_usd";

template <typename... Key>
void write_sums(Statement& statement, const ExecutionSums& sums, const Key&... key) {
  statement.run(key..., sums.executions, sums.worked.count(), sums.usage.input_tokens, sums.usage.output_tokens,
                sums.usage.cache_read_tokens, sums.usage.cache_write_tokens, sums.usage.cost_micro_usd);
}

}  // namespace

struct DayBook::Statements {
  explicit Statements(Database& database) : db(database) {}
  Database& db;

  Statement keys{db, "SELECT agent, task_type, source, outcome, model FROM day_book WHERE day = ?1"};
  Statement add{db, std::string("INSERT INTO day_book VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)") + kAdded};
  Statement add_slice{db, std::string("INSERT INTO day_sum VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)") + kAdded};
  Statement add_hour{db, std::string("INSERT INTO hour_sum VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)") + kAdded};
  Statement add_total{db,
                      "INSERT INTO execution_total VALUES (?1, ?2, ?3, ?4, ?5)"
                      " ON CONFLICT DO UPDATE SET executions = executions + excluded.executions,"
                      " first_day = min(first_day, excluded.first_day)"};
};

DayBook::DayBook(Database& database) : sql_(std::make_unique<Statements>(database)) {}
DayBook::~DayBook() = default;

DayBook::Day& DayBook::day(std::int64_t number) {
  if (const auto found = days_.find(number); found != days_.end()) return found->second;
  Day& day = days_[number];
  Cursor row = sql_->keys.query(number);
  while (row.next()) day.try_emplace({row.text(0), row.text(1), row.text(2), row.text(3), row.text(4)});
  return day;
}

DayBook::Day::iterator DayBook::row(std::int64_t number, Names names) {
  Day& rows = day(number);
  auto found = rows.find(names);
  if (found == rows.end() && rows.size() >= kMostRowsADay) {
    std::get<1>(names) = std::get<4>(names) = kOther;
    found = rows.find(names);
  }
  if (found == rows.end()) {
    const auto& [agent, task_type, source, outcome, model] = names;
    found = rows.try_emplace({std::string(agent), std::string(task_type), std::string(source),
                              std::string(outcome), std::string(model)})
                .first;
  }
  if (is_nothing(found->second)) unwritten_.push_back({number, found});
  return found;
}

void DayBook::end(Batch& batch, EndedExecution ended) {
  const std::int64_t number = day_of(ended.started_at);
  bool is_main = true;
  for (const auto& [model, share] : model_shares(ended.usage)) {
    if (!is_main && share.total_tokens() == 0 && share.cost_micro_usd == 0) continue;
    const auto at = row(number, {ended.agent, ended.task_type, ended.source, ended.outcome, model});
    ExecutionSums sums;
    if (std::exchange(is_main, false)) {
      sums.executions = 1;
      sums.worked = std::max(ended.ended_at - ended.started_at, Duration(0));  // a clock may be set back
    }
    sums.usage.input_tokens = share.input_tokens;
    sums.usage.output_tokens = share.output_tokens;
    sums.usage.cache_read_tokens = share.cache_read_tokens;
    sums.usage.cache_write_tokens = share.cache_write_tokens;
    sums.usage.cost_micro_usd = share.cost_micro_usd;
    add_sums(at->second, sums);
    add_sums(hours_[{hour_of(ended.started_at), at->first.agent, at->first.outcome}], sums);
  }
  batch.ended.push_back(std::move(ended));
}

void DayBook::write_slices() {
  // Rows of one transaction mostly share their names: each slice is written once.
  std::map<std::tuple<Slice, std::int64_t, std::string_view, std::string_view>, ExecutionSums> slices;
  for (const auto& [number, row] : unwritten_) {
    const Key& key = row->first;
    for (const auto& [slice, name] : {std::pair<Slice, std::string_view>{Slice::Outcome, key.outcome},
                                      {Slice::Model, key.model},
                                      {Slice::TaskType, key.task_type},
                                      {Slice::Source, key.source}})
      add_sums(slices[{slice, number, key.agent, name}], row->second);
  }
  for (const auto& [key, sums] : slices) {
    const auto& [slice, number, agent, name] = key;
    write_sums(sql_->add_slice, sums, static_cast<int>(slice), number, agent, name);
  }
}

void DayBook::write_hours() {
  for (const auto& [key, sums] : hours_) {
    const auto& [hour, agent, outcome] = key;
    write_sums(sql_->add_hour, sums, hour / 24, hour % 24, agent, outcome);
  }
  hours_.clear();
}

void DayBook::write_totals() {
  struct Total {
    std::int64_t executions = 0, first_day = 0;
  };
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, Total> totals;
  for (const auto& [number, row] : unwritten_) {
    const Key& key = row->first;
    if (row->second.executions == 0) continue;  // a further model of one that is counted beside it
    Total& total = totals.try_emplace({key.agent, key.outcome, key.task_type}, Total{0, number}).first->second;
    total.executions += row->second.executions;
    total.first_day = std::min(total.first_day, number);
  }
  for (const auto& [key, total] : totals) {
    const auto& [agent, outcome, task_type] = key;
    sql_->add_total.run(agent, outcome, task_type, total.executions, total.first_day);
  }
}

void DayBook::flush() {
  if (!unwritten_.empty()) {
    write_slices();
    write_hours();
    write_totals();
  }
  for (const auto& [number, row] : unwritten_) {
    const Key& key = row->first;
    write_sums(sql_->add, row->second, number, key.agent, key.task_type, key.source, key.outcome, key.model);
    row->second = {};
  }
  unwritten_.clear();
  while (days_.size() > kDaysInMemory) days_.erase(days_.begin());
}

void DayBook::discard() {
  hours_.clear();
  days_.clear();
  unwritten_.clear();
}

}  // namespace davit::store

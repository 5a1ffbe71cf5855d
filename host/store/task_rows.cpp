#include "host/store/task_rows.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <variant>

#include "host/store/rows.h"
#include "host/store/search_text.h"

namespace davit::store {
namespace {

using Value = std::variant<std::int64_t, std::string>;
constexpr std::int64_t kAbove = std::numeric_limits<std::int64_t>::max();

// What an index gives. `sql` has the values first and then the row that none is above.
class SeekRows final : public Rows {
 public:
  SeekRows(Reader& reader, std::string sql, std::vector<Value> values)
      : statement_(reader.statement(sql)), values_(std::move(values)) {}

  std::int64_t at_or_below(std::int64_t row) override {
    if (!statement_.prepare()) return 0;
    int index = 0;
    for (const Value& value : values_)
      std::visit([&](const auto& bound) { statement_.bind(++index, bound, Statement::Lifetime::Copied); },
                 value);
    statement_.bind(++index, row, Statement::Lifetime::Copied);
    Cursor found = statement_.query();
    return found.next() ? found.integer(0) : 0;
  }

 private:
  Statement& statement_;
  std::vector<Value> values_;
};

// A few that are known already.
class KnownRows final : public Rows {
 public:
  explicit KnownRows(std::vector<std::int64_t> falling) : rows_(std::move(falling)) {}
  std::int64_t at_or_below(std::int64_t row) override {
    while (next_ < rows_.size() && rows_[next_] > row) ++next_;
    return next_ < rows_.size() ? rows_[next_] : 0;
  }

 private:
  std::vector<std::int64_t> rows_;
  std::size_t next_ = 0;
};

// All rows within ranges, the highest first.
class RangeRows final : public Rows {
 public:
  explicit RangeRows(std::vector<RowRange> falling) : ranges_(std::move(falling)) {}
  std::int64_t at_or_below(std::int64_t row) override {
    while (next_ < ranges_.size() && ranges_[next_].low > row) ++next_;
    return next_ < ranges_.size() ? std::min(row, ranges_[next_].high) : 0;
  }

 private:
  std::vector<RowRange> ranges_;
  std::size_t next_ = 0;
};

// Those of any of several streams that share no row. Each is asked again only when its last answer is used
// up.
class UnionRows final : public Rows {
 public:
  explicit UnionRows(std::vector<std::unique_ptr<Rows>> parts) {
    for (auto& part : parts) heads_.push_back({kAbove, std::move(part)});
  }
  std::int64_t at_or_below(std::int64_t row) override {
    while (!heads_.empty() && heads_.front().row > row) {
      std::pop_heap(heads_.begin(), heads_.end(), lower);
      heads_.back().row = heads_.back().rows->at_or_below(row);
      if (heads_.back().row == 0) {
        heads_.pop_back();
      } else {
        std::push_heap(heads_.begin(), heads_.end(), lower);
      }
    }
    return heads_.empty() ? 0 : heads_.front().row;
  }

 private:
  struct Head {
    std::int64_t row = 0;
    std::unique_ptr<Rows> rows;
  };
  static bool lower(const Head& a, const Head& b) { return a.row < b.row; }
  std::vector<Head> heads_;  // a heap
};

// Those that all streams have.
class CommonRows final : public Rows {
 public:
  CommonRows(std::vector<std::unique_ptr<Rows>> parts, Work& work) : parts_(std::move(parts)), work_(work) {}
  std::int64_t at_or_below(std::int64_t row) override {
    std::size_t agreed = 0;
    for (std::size_t i = 0; agreed < parts_.size(); i = (i + 1) % parts_.size()) {
      if (work_.spent(row)) return 0;
      const std::int64_t next = parts_[i]->at_or_below(row);
      if (next == 0) return 0;
      agreed = next == row ? agreed + 1 : 1;
      row = next;
    }
    return row;
  }

 private:
  std::vector<std::unique_ptr<Rows>> parts_;
  Work& work_;
};

// The words that begin with one, as far as the index of words has no index of such beginnings; none if they are many.
std::vector<std::string> words_from(Reader& reader, const std::string& beginning) {
  constexpr std::size_t kIndexed = 4;  // by schema/0012_search.sql, in characters; to go by bytes only costs a few seeks
  constexpr std::size_t kMost = 64;
  if (beginning.size() <= kIndexed) return {};
  Statement& next = reader.statement("SELECT term FROM task_word WHERE term >= ?1 ORDER BY term LIMIT 1");
  std::vector<std::string> words;
  for (std::string from = beginning;;) {
    Cursor row = next.query(from);
    if (!row.next() || !row.view(0).starts_with(beginning)) return words;
    if (words.size() == kMost) return {};
    words.push_back(row.text(0));
    // No word has this character, so the next word is the first behind it.
    from = words.back() + '\x01';
  }
}

// Those whose words are searched for: what the index of words has not come to is read itself, the rest is
// asked of the index.
class TextRows final : public Rows {
 public:
  TextRows(Reader& reader, SearchText search, Work& work)
      : words_(reader.database()),
        search_(std::move(search)),
        expression_(search_.expression([&](const std::string& beginning) { return words_from(reader, beginning); })),
        work_(work),
        tail_(reader.statement("SELECT row, title, entity, error FROM task WHERE row > ?1 AND row <= ?2"
                               " ORDER BY row DESC")),
        indexed_(reader.statement("SELECT rowid FROM task_search WHERE task_search MATCH ?1 AND rowid <= ?2"
                                  " ORDER BY rowid DESC")) {
    Cursor row = reader.statement("SELECT reached FROM task_search_state").query();
    if (row.next()) reached_ = row.integer(0);
  }

  std::int64_t at_or_below(std::int64_t row) override {
    if (search_.empty()) return 0;
    if (found_ != 0 && found_ <= row) return found_;
    if (row > reached_) {
      found_ = in_tail(row);
      if (found_ != 0 || work_.stopped_at != 0) return found_;
      row = reached_;
    }
    return found_ = in_index(row);
  }

 private:
  static constexpr int kWorthASeek = 32;  // rows that are stepped over before the index is asked anew

  std::int64_t in_tail(std::int64_t row) {
    Cursor task = tail_.query(reached_, row);
    while (task.next()) {
      if (search_.found_in(words_, {task.view(1), task.view(2), task.view(3)})) return task.integer(0);
      if (work_.spent(task.integer(0))) return 0;
    }
    return 0;
  }

  std::int64_t in_index(std::int64_t row) {
    for (int passed = 0;; ++passed) {
      if (!cursor_ || passed == kWorthASeek) {
        cursor_.reset();
        cursor_.emplace(indexed_.query(expression_, row));
      }
      if (!cursor_->next()) return 0;
      if (cursor_->integer(0) <= row) return cursor_->integer(0);
    }
  }

  Words words_;
  SearchText search_;
  std::string expression_;
  Work& work_;
  Statement& tail_;
  Statement& indexed_;
  std::int64_t reached_ = 0;
  std::int64_t found_ = 0;  // the last answer
  std::optional<Cursor> cursor_;
};

// Where the times of rows from `low` to `high`, which ascend, reach `since`; one more than `high` if they do
// not.
std::int64_t first_row_since(Reader& reader, WallTime since, std::int64_t low, std::int64_t high) {
  Statement& at =
      reader.statement("SELECT row, created_at FROM task WHERE row >= ?1 AND row <= ?2 ORDER BY row LIMIT 1");
  std::int64_t end = high + 1;
  while (low < end) {
    const std::int64_t middle = low + (end - low) / 2;
    Cursor row = at.query(middle, end - 1);
    if (row.next() && row.time(1) < since) {
      low = row.integer(0) + 1;
    } else {
      end = middle;
    }
  }
  return end;
}

}  // namespace

// Between two marks of a clock that was set back they are neighbours.
std::vector<RowRange> ranges_of_time(Reader& reader, std::optional<WallTime> start, std::optional<WallTime> end) {
  std::vector<std::int64_t> begins{1};
  for (Cursor turn = reader.statement("SELECT row FROM task_turn ORDER BY row").query(); turn.next();)
    begins.push_back(turn.integer(0));
  std::int64_t last = 0;
  {
    Cursor row = reader.statement("SELECT max(row) FROM task").query();
    if (row.next()) last = row.integer(0);
  }
  std::vector<RowRange> ranges;
  std::int64_t high = last;
  for (auto begin = begins.rbegin(); begin != begins.rend(); ++begin) {
    const std::int64_t from = start ? first_row_since(reader, *start, *begin, high) : *begin;
    const std::int64_t to = end ? first_row_since(reader, *end, *begin, high) - 1 : high;
    if (from <= to) ranges.push_back({from, to});
    high = std::min(high, *begin - 1);
  }
  return ranges;
}

namespace {

// Which pairs of an agent and a source an index has: one seek for each, however many tasks it has. (A comparison of
// pairs would step over all tasks of the pair it begins behind.)
struct Pairs {
  const char* next_agent;   // behind an agent
  const char* next_source;  // of an agent, behind a source
};
constexpr Pairs kQueued{
    "SELECT agent FROM task INDEXED BY task_queued WHERE state = 0 AND agent > ?1 ORDER BY agent LIMIT 1",
    "SELECT source FROM task INDEXED BY task_queued WHERE state = 0 AND agent = ?1 AND source > ?2 ORDER BY source"
    " LIMIT 1"};
constexpr Pairs kStood{
    "SELECT agent FROM task INDEXED BY task_stood WHERE state <> 0 AND state <> 1 AND agent > ?1 ORDER BY agent LIMIT 1",
    "SELECT source FROM task INDEXED BY task_stood WHERE state <> 0 AND state <> 1 AND agent = ?1 AND source > ?2"
    " ORDER BY source LIMIT 1"};

// Calls `visit(agent, source)` for each pair; `agent` and `source` say which, empty: any.
template <typename Visit>
void each_source(Reader& reader, const Pairs& pairs, const std::string& agent, const std::string& source, Visit visit) {
  const auto of_agent = [&](const std::string& its_agent) {
    if (!source.empty()) return visit(its_agent, source);
    for (std::string last;;) {
      {
        Cursor row = reader.statement(pairs.next_source).query(its_agent, last);
        if (!row.next()) return;
        last = row.text(0);
      }
      visit(its_agent, last);
    }
  };
  if (!agent.empty()) return of_agent(agent);
  for (std::string last;;) {
    {
      Cursor row = reader.statement(pairs.next_agent).query(last);
      if (!row.next()) return;
      last = row.text(0);
    }
    of_agent(last);
  }
}

bool wanted(const States& states, TaskState state) {
  return states.empty() || std::find(states.begin(), states.end(), state) != states.end();
}

// Of an agent or a source, or in any of some states.
std::unique_ptr<Rows> rows_of_parts(Reader& reader, const TaskFilter& filter) {
  std::vector<std::unique_ptr<Rows>> parts;
  const auto seek = [&](const char* sql, std::vector<Value> values) {
    parts.push_back(std::make_unique<SeekRows>(reader, sql, std::move(values)));
  };
  if (wanted(filter.state, TaskState::Queued)) {
    each_source(reader, kQueued, filter.agent, filter.source, [&](const std::string& agent, const std::string& source) {
      seek(
          "SELECT row FROM task INDEXED BY task_queued WHERE state = 0 AND agent = ?1 AND source = ?2 AND row <= ?3"
          " ORDER BY row DESC LIMIT 1",
          {agent, source});
    });
  }
  const bool by_state_alone = filter.agent.empty() && filter.source.empty();
  if (wanted(filter.state, TaskState::Running) && !by_state_alone) {
    std::vector<std::int64_t> running;
    Cursor row =
        reader
            .statement(
                "SELECT row, agent, source FROM task INDEXED BY task_state WHERE state <> 0 AND state = 1"
                " ORDER BY row DESC")
            .query();
    while (row.next())
      if ((filter.agent.empty() || row.view(1) == filter.agent) &&
          (filter.source.empty() || row.view(2) == filter.source))
        running.push_back(row.integer(0));
    parts.push_back(std::make_unique<KnownRows>(std::move(running)));
  }
  if (by_state_alone) {
    for (const TaskState state : filter.state)
      if (state != TaskState::Queued)
        seek(
            "SELECT row FROM task INDEXED BY task_state WHERE state <> 0 AND state = ?1 AND row <= ?2"
            " ORDER BY row DESC LIMIT 1",
            {code_of(state)});
  } else {
    for (StoodPart& part : stood_parts(reader, filter.agent, filter.source, filter.state))
      seek(
          "SELECT row FROM task INDEXED BY task_stood WHERE state <> 0 AND state <> 1 AND agent = ?1 AND "
          "source = ?2 AND state = ?3"
          " AND row <= ?4 ORDER BY row DESC LIMIT 1",
          {std::move(part.agent), std::move(part.source), part.state});
  }
  return std::make_unique<UnionRows>(std::move(parts));
}

}  // namespace

std::vector<StoodPart> stood_parts(Reader& reader, const std::string& agent, const std::string& source,
                                   const States& states) {
  Statement& next_state = reader.statement(
      "SELECT state FROM task INDEXED BY task_stood WHERE state <> 0 AND state <> 1 AND agent = ?1 AND source = ?2"
      " AND state > ?3 ORDER BY state LIMIT 1");
  std::vector<StoodPart> parts;
  each_source(reader, kStood, agent, source, [&](const std::string& its_agent, const std::string& its_source) {
    for (std::int64_t state = -1;;) {
      Cursor row = next_state.query(its_agent, its_source, state);
      if (!row.next()) return;
      state = row.integer(0);
      if (wanted(states, task_state_of(state))) parts.push_back({its_agent, its_source, state});
    }
  });
  return parts;
}

Result<std::unique_ptr<Rows>> rows_of(Reader& reader, const TaskFilter& filter, Work& work) {
  std::vector<std::unique_ptr<Rows>> parts;
  const auto seek = [&](const char* sql, std::vector<Value> values) {
    parts.push_back(std::make_unique<SeekRows>(reader, sql, std::move(values)));
  };
  if (!filter.entity.empty())
    seek(
        "SELECT row FROM task INDEXED BY task_entity WHERE entity = ?1 AND row <= ?2 ORDER BY row DESC LIMIT "
        "1",
        {filter.entity});
  if (!filter.link.empty())
    seek("SELECT task FROM task_link WHERE key = ?1 AND task <= ?2 ORDER BY task DESC LIMIT 1",
         {filter.link});
  if (!filter.agent.empty() || !filter.source.empty() || !filter.state.empty())
    parts.push_back(rows_of_parts(reader, filter));
  if (filter.start || filter.end)
    parts.push_back(std::make_unique<RangeRows>(ranges_of_time(reader, filter.start, filter.end)));
  if (!filter.text.empty()) {
    Words words(reader.database());
    SearchText search = TRY(SearchText::parse(words, filter.text));
    parts.push_back(std::make_unique<TextRows>(reader, std::move(search), work));
  }
  const bool only_ranges = parts.size() == 1 && (filter.start || filter.end);
  if (parts.empty() || only_ranges)
    seek("SELECT row FROM task WHERE row <= ?1 ORDER BY row DESC LIMIT 1", {});
  if (parts.size() == 1) return std::move(parts.front());
  return std::unique_ptr<Rows>(std::make_unique<CommonRows>(std::move(parts), work));
}

}  // namespace davit::store

// A prepared statement that is kept, and the cursor over its rows.
//
// Failures are sticky: the first one is noted in the Database (failure()), and from then on every statement
// of that connection does nothing and finds no row, until the failure is taken. So a sequence of statements
// needs one check at its end. Confined to the thread that uses the connection.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/clock.h"

struct sqlite3_stmt;

namespace davit::store {

class Database;

// A public id as it is stored. All zero bytes stand for none.
struct StoredId {
  std::array<unsigned char, 16> bytes{};
  friend bool operator==(const StoredId&, const StoredId&) = default;
};

struct Blob {
  std::string_view bytes;
};

class Statement;

// The rows of one query; the statement is reset when it goes. Columns count from 0. Views are valid until
// next().
class Cursor {
 public:
  Cursor(Cursor&& other) noexcept : statement_(other.statement_) { other.statement_ = nullptr; }
  ~Cursor();
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  Cursor& operator=(Cursor&&) = delete;

  bool next();
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string_view view(int column) const;  // text or blob; empty for null
  std::string text(int column) const { return std::string(view(column)); }
  WallTime time(int column) const { return from_unix_ms(integer(column)); }
  StoredId id(int column) const;

 private:
  friend class Statement;
  explicit Cursor(Statement* statement) : statement_(statement) {}
  Statement* statement_;
};

class Statement {
 public:
  // Prepared at its first use.
  Statement(Database& database, std::string sql) : database_(&database), sql_(std::move(sql)) {}
  ~Statement();
  Statement(Statement&& other) noexcept
      : database_(other.database_), sql_(std::move(other.sql_)), handle_(other.handle_) {
    other.handle_ = nullptr;
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;

  // Runs to the end. Gives the number of rows changed.
  template <typename... Values>
  int run(const Values&... values) {
    if (!prepare()) return 0;
    int index = 0;
    (bind(++index, values, Lifetime::UntilReset), ...);
    return finish();
  }

  // Runs an INSERT to the end. Gives the number of the new row.
  template <typename... Values>
  std::int64_t insert(const Values&... values) {
    run(values...);
    return last_row();
  }

  // The rows of a query. Values are copied, so temporaries are fine. One cursor at a time.
  template <typename... Values>
  Cursor query(const Values&... values) {
    if (!prepare()) return Cursor(nullptr);
    int index = 0;
    (bind(++index, values, Lifetime::Copied), ...);
    return Cursor(this);
  }

  // For statements whose number of values is known at run time only: bind by hand, then query() without
  // values.
  enum class Lifetime { UntilReset, Copied };
  template <std::integral Number>
  void bind(int index, Number value, Lifetime) {
    bind_integer(index, static_cast<std::int64_t>(value));
  }
  void bind(int index, double value, Lifetime);
  void bind(int index, std::string_view text, Lifetime lifetime);
  void bind(int index, const std::string& text, Lifetime lifetime) {
    bind(index, std::string_view(text), lifetime);
  }
  void bind(int index, const char* text, Lifetime lifetime) { bind(index, std::string_view(text), lifetime); }
  void bind(int index, Blob blob, Lifetime lifetime);
  void bind(int index, const StoredId& id, Lifetime lifetime);  // none is stored as null
  void bind(int index, WallTime time, Lifetime) { bind_integer(index, to_unix_ms(time)); }
  void bind(int index, std::nullptr_t, Lifetime);
  // Not inlined: g++ 12 then sees uninitialized optionals where there are none.
  template <typename T>
  [[gnu::noinline]] void bind(int index, const std::optional<T>& value, Lifetime lifetime) {
    value ? bind(index, *value, lifetime) : bind(index, nullptr, lifetime);
  }
  bool prepare();

 private:
  friend class Cursor;
  void bind_integer(int index, std::int64_t value);
  int finish();
  std::int64_t last_row() const;
  bool step();
  void reset();

  Database* database_;
  std::string sql_;
  sqlite3_stmt* handle_ = nullptr;
};

// Empty text is stored as null where a column allows it.
inline std::optional<std::string_view> if_any(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace davit::store

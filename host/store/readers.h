// Read-only connections that are lent out one query at a time. Thread-safe.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/base/guarded.h"
#include "host/base/result.h"
#include "host/store/database.h"
#include "host/store/statement.h"

namespace davit::store {

// A read connection with the statements it has prepared.
class Reader {
 public:
  explicit Reader(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  Database& database() { return *database_; }
  // Kept by its text. One cursor at a time for each text.
  Statement& statement(const std::string& sql) {
    return statements_.try_emplace(sql, *database_, sql).first->second;
  }

 private:
  std::unique_ptr<Database> database_;
  std::map<std::string, Statement> statements_;
};

class Readers {
 public:
  Readers(std::filesystem::path path, std::string vfs, int count)
      : path_(std::move(path)), vfs_(std::move(vfs)), free_(Free{{}, count}) {}

  // Calls `read` with a connection; opens one if needed, waits while all are lent. All statements of one call
  // see the same commit. A failed statement becomes the error.
  template <typename T, typename Read>
  Result<T> read(Read&& read) {
    std::unique_ptr<Reader> reader = TRY(borrow());
    Database& database = reader->database();
    database.execute("BEGIN");
    Result<T> result = read(*reader);
    database.execute("COMMIT");
    if (const std::optional<Failure> failure = database.take_failure()) {
      give_back(nullptr);
      return to_error(*failure);
    }
    give_back(std::move(reader));
    return result;
  }

 private:
  struct Free {
    std::vector<std::unique_ptr<Reader>> open;
    int unopened = 0;
  };
  Result<std::unique_ptr<Reader>> borrow();
  void give_back(std::unique_ptr<Reader> reader);

  std::filesystem::path path_;
  std::string vfs_;
  Guarded<Free> free_;
  std::condition_variable changed_;
};

}  // namespace davit::store

// Read-only connections that are lent out one query at a time. Thread-safe.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
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

// What reads gives, as a Result.
template <typename T>
struct AsResult {
  using Type = Result<T>;
};
template <typename T>
struct AsResult<Result<T>> {
  using Type = Result<T>;
};
template <typename T>
using ResultOf = typename AsResult<T>::Type;

class Readers {
 public:
  Readers(std::filesystem::path path, std::string vfs, int count)
      : path_(std::move(path)), vfs_(std::move(vfs)), free_(Free{{}, count}) {}

  // Calls `read` with a connection; opens one if needed, waits while all are lent. All statements of one call
  // see the same commit. A failed statement becomes the error.
  template <typename Read>
  ResultOf<std::invoke_result_t<Read&, Reader&>> read(Read&& read) {
    std::unique_ptr<Reader> reader = TRY(borrow());
    ResultOf<std::invoke_result_t<Read&, Reader&>> result = read(*reader);
    TRY(finish(std::move(reader)));
    return result;
  }

 private:
  struct Free {
    std::vector<std::unique_ptr<Reader>> open;
    int unopened = 0;
  };
  // One that has begun to read.
  Result<std::unique_ptr<Reader>> borrow();
  // Takes it back. Fails if one of its statements has.
  Result<> finish(std::unique_ptr<Reader> reader);
  void give_back(std::unique_ptr<Reader> reader);

  std::filesystem::path path_;
  std::string vfs_;
  Guarded<Free> free_;
  std::condition_variable changed_;
};

}  // namespace davit::store

// A folder for one test and a store in it; both go with the test, unless it has failed.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <variant>

#include "host/base/clock.h"
#include "host/base/id.h"
#include "host/base/log.h"
#include "host/store/store.h"

namespace davit::testing {

class TempFolder {
 public:
  explicit TempFolder(const std::filesystem::path& where = std::filesystem::temp_directory_path()) {
    path_ = where / ("davit-test-" + new_id());
    std::filesystem::create_directories(path_);
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
  }
  // A failed test leaves its folder to be looked at, and says where.
  ~TempFolder() {
    if (::testing::Test::HasFailure()) {
      std::cout << "kept: " << path_.string() << std::endl;
      return;
    }
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Calls an asynchronous write and waits for its answer:
//   wait<store::Accepted>([&](auto done) { store.accept(delivery, done); })
template <typename T = std::monostate, typename Call>
Result<T> wait(Call&& call) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  std::future<Result<T>> answer = promise->get_future();
  call(store::Done<T>([promise](Result<T> result) { promise->set_value(std::move(result)); }));
  return answer.get();
}

// A new database that can be closed and opened again.
class TempDatabase {
 public:
  explicit TempDatabase(const Clock& clock,
                        const std::filesystem::path& where = std::filesystem::temp_directory_path())
      : folder_(where), clock_(clock) {
    options.path = folder_.path() / "davit.db";
    options.create_if_missing = true;
  }
  // Fails the test if it does not open.
  store::Store& open() {
    auto opened = try_open();
    if (auto* error = std::get_if<store::OpenError>(&opened)) {
      ADD_FAILURE() << error->message;
      std::abort();
    }
    store_ = std::move(std::get<0>(opened));
    return *store_;
  }
  std::variant<std::unique_ptr<store::Store>, store::OpenError> try_open() {
    store_.reset();
    return store::Store::open(options, *log_, clock_);
  }
  void close() { store_.reset(); }
  store::Store& store() { return store_ ? *store_ : open(); }
  const std::filesystem::path& path() const { return options.path; }
  const std::filesystem::path& folder() const { return folder_.path(); }

  store::Options options;

 private:
  TempFolder folder_;
  std::unique_ptr<Log> log_ = Log::silent();
  const Clock& clock_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace davit::testing

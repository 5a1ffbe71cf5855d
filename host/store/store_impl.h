// What the parts of the front share: the writer, the readers, and the lock on the database. Each part is a
// file store_*.cpp, and hands on to what does the work.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "host/base/guarded.h"
#include "host/store/audit.h"
#include "host/store/open_checks.h"
#include "host/store/readers.h"
#include "host/store/store.h"
#include "host/store/writer.h"

namespace davit::store {

class Store::Impl {
 public:
  Impl(const Options& options, const Clock& clock)
      : options_(options), clock_(clock), readers_(options.path, options.vfs, std::max(options.readers, 1)) {}

  // `bytes` is about what the write weighs.
  template <typename T>
  void write(Lane lane, std::size_t bytes, Done<T> done, typename WriteOf<T>::Work work) {
    if (writer_ == nullptr) {
      if (done) done(Error{ErrorCode::Unavailable, "the store is open for reading only"});
      return;
    }
    writer_->submit<T>(lane, bytes, std::move(done), std::move(work));
  }
  // With a line in the audit log, if `audit` is one.
  template <typename T>
  void write(Lane lane, std::size_t bytes, Done<T> done, Audited audit, typename WriteOf<T>::Work work) {
    write<T>(lane, bytes, std::move(done), audited<T>(std::move(audit), std::move(work)));
  }

  BudgetLimits limits() const {
    return budget_limits_.with([](const BudgetLimits& now) { return now; });
  }
  // Of times in the database that are delays or beginnings of what runs; see ClockSteps.
  Duration unseen_clock_step() const { return writer_ ? writer_->unseen_clock_step() : Duration(0); }

  Options options_;
  const Clock& clock_;
  std::optional<LockFile> lock_;
  mutable Readers readers_;
  Guarded<BudgetLimits> budget_limits_;  // as the writer has them, for readers
  std::unique_ptr<Writer> writer_;  // null when read_only; ends before the readers close and the lock goes
};

}  // namespace davit::store

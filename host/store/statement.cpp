#include "host/store/statement.h"

#include <sqlite3.h>

#include <cstring>

#include "host/store/database.h"

namespace davit::store {
namespace {

// SQLITE_TRANSIENT is a C cast that warnings as errors dislike.
sqlite3_destructor_type destructor_for(Statement::Lifetime lifetime) {
  return lifetime == Statement::Lifetime::Copied ? SQLITE_TRANSIENT : SQLITE_STATIC;
}

}  // namespace

Statement::~Statement() { sqlite3_finalize(handle_); }

bool Statement::prepare() {
  if (database_->failed()) return false;
  if (handle_ != nullptr) return true;
  const int code = sqlite3_prepare_v3(database_->handle(), sql_.data(), static_cast<int>(sql_.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  if (code != SQLITE_OK) database_->note_failure(code);
  return code == SQLITE_OK;
}

void Statement::bind_integer(int index, std::int64_t value) { sqlite3_bind_int64(handle_, index, value); }

void Statement::bind(int index, double value, Lifetime) { sqlite3_bind_double(handle_, index, value); }

void Statement::bind(int index, std::string_view text, Lifetime lifetime) {
  // A null pointer would bind NULL instead of the empty text.
  const int code = sqlite3_bind_text64(handle_, index, text.data() == nullptr ? "" : text.data(), text.size(),
                                       destructor_for(lifetime), SQLITE_UTF8);
  if (code != SQLITE_OK) database_->note_failure(code);
}

void Statement::bind(int index, Blob blob, Lifetime lifetime) {
  const int code = sqlite3_bind_blob64(handle_, index, blob.bytes.data() == nullptr ? "" : blob.bytes.data(),
                                       blob.bytes.size(), destructor_for(lifetime));
  if (code != SQLITE_OK) database_->note_failure(code);
}

void Statement::bind(int index, const StoredId& id, Lifetime lifetime) {
  if (id == StoredId{}) {
    sqlite3_bind_null(handle_, index);
  } else {
    sqlite3_bind_blob(handle_, index, id.bytes.data(), static_cast<int>(id.bytes.size()),
                      destructor_for(lifetime));
  }
}

void Statement::bind(int index, std::nullptr_t, Lifetime) { sqlite3_bind_null(handle_, index); }

bool Statement::step() {
  if (database_->failed()) return false;
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_->note_failure(code);
  return false;
}

int Statement::finish() {
  while (step()) {
  }
  const int changed = database_->failed() ? 0 : sqlite3_changes(database_->handle());
  reset();
  return changed;
}

std::int64_t Statement::last_row() const {
  return database_->failed() ? 0 : sqlite3_last_insert_rowid(database_->handle());
}

void Statement::reset() { sqlite3_reset(handle_); }

Cursor::~Cursor() {
  if (statement_ != nullptr) statement_->reset();
}

bool Cursor::next() { return statement_ != nullptr && statement_->step(); }

bool Cursor::is_null(int column) const {
  return sqlite3_column_type(statement_->handle_, column) == SQLITE_NULL;
}

std::int64_t Cursor::integer(int column) const { return sqlite3_column_int64(statement_->handle_, column); }

double Cursor::real(int column) const { return sqlite3_column_double(statement_->handle_, column); }

std::string_view Cursor::view(int column) const {
  const void* bytes = sqlite3_column_blob(statement_->handle_, column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_->handle_, column))};
}

StoredId Cursor::id(int column) const {
  StoredId id;
  const std::string_view bytes = view(column);
  if (bytes.size() == id.bytes.size()) std::memcpy(id.bytes.data(), bytes.data(), id.bytes.size());
  return id;
}

}  // namespace davit::store
